/* SPDX-License-Identifier: Apache-2.0 */
CMD(scan)
CMD(events)
CMD(evaluate)
CMD(keys)
CMD(rules)
CMD(simulate)
CMD(token)
CMD(help)
