/* SPDX-License-Identifier: Apache-2.0 */
/* Names that options had before all commands agreed on one.  They go on working and are shown nowhere.
 * OLD_NAME(command, old name or letter, name) */
OLD_NAME("dump", "out", "output-dir")
OLD_NAME("dump", "settings", "config")
OLD_NAME("dump", "threads", "jobs")
OLD_NAME("evaluate", "days", "day-range")
OLD_NAME("notice", "output", "output-dir")
OLD_NAME("scan", "minimum", "min-severity")
OLD_NAME("simulate", "output", "output-dir")
OLD_NAME("token", "k", "jwks")
