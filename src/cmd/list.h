/* SPDX-License-Identifier: Apache-2.0 */
CMD(scan)
CMD(events)
CMD(dump)
CMD(evaluate)
CMD(rules)
CMD(simulate)
CMD(help)
