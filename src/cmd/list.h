/* SPDX-License-Identifier: Apache-2.0 */
CMD(scan)
CMD(events)
CMD(impact)
CMD(notice)
CMD(evaluate)
CMD(rules)
CMD(simulate)
CMD(help)
