/* SPDX-License-Identifier: Apache-2.0 */
DUMP_FORMAT(format_elf)
DUMP_FORMAT(format_minidump)
DUMP_FORMAT(format_kernel)
DUMP_FORMAT(format_lime)
DUMP_FORMAT(format_packed)
FINDER(find_divisor)
FINDER(find_exponent)
FINDER(find_walk)
