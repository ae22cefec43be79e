/* SPDX-License-Identifier: Apache-2.0 */
DUMP_FORMAT(format_elf)
FINDER(find_forms)
FINDER(find_aes)
FINDER(find_divisor)
FINDER(find_exponent)
FINDER(find_curve)
FINDER(find_walk)
