/* SPDX-License-Identifier: Apache-2.0 */
/* notes: what is not whole about records that were taken nevertheless.  One row: symbol, name in --stats and in the findings' `lost`,
 * sentence for people, flag of the record that counts it (0: counted by decode_note()), and whether it makes the run incomplete
 * (exit status 3). */
NOTE(FOLDERS, "folders_lost", "names of folders that the exporter destroyed", REC_FOLDERS_LOST, 0)
NOTE(SHAPE, "unknown_shape", "known members in a shape that Taximeter does not know: what they said is missing", REC_SHAPE_UNKNOWN, 1)
NOTE(CUT, "cut_record", "records that the exporter cut short: what came before the cut was kept", REC_CUT, 1)
NOTE(RECODED, "recoded", "text that is not UTF-8 and was read as Windows-1252", REC_RECODED, 0)
NOTE(TIME_ORDER, "time_order", "dates in which either number can be the month, and no value of the column decides: with slashes read as month first, with dashes as day first", REC_TIME_ORDER, 1)
NOTE(TIME_SWAPPED, "time_swapped", "files in which a spreadsheet took months for days: dates with dots next to dates with slashes and the month first in one column; export again without opening it in a spreadsheet", 0, 1)
NOTE(TIME_ZONE, "time_zone", "times in a zone that the file does not name: read as UTC (--timezone)", REC_TIME_ZONE, 1)
NOTE(PARTIAL, "export_partial", "an export that says itself that there is more than it holds", 0, 1)
