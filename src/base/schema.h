/* SPDX-License-Identifier: Apache-2.0 */
/* schema: the version of all outputs for programs.  It stands once in each stream, in the line that every such stream has
 * even if nothing was found, and on each line where lines stand alone (events, verdicts, ledgers).
 *
 * A new member, or a new value of one, keeps the number: readers ignore what they do not know.  A member that goes, or
 * changes its meaning or unit, makes it the next.  data/schema/ describes every member. */
#ifndef TXM_BASE_SCHEMA_H
#define TXM_BASE_SCHEMA_H

#define SCHEMA_VERSION "1"
#define SCHEMA_MEMBER ",\"schema_version\":" SCHEMA_VERSION

#endif
