/* SPDX-License-Identifier: Apache-2.0 */
/* schema: the version of all outputs for programs.  It is written once in each stream, in the line that every such stream has
 * even if nothing was found, and on each line where lines are used alone (events, verdicts, ledgers).
 *
 * A new member, or a new value of one, keeps the number: readers ignore what they do not know.  Removing a member, or
 * changing its meaning or unit, raises it.  data/schema/ describes every member. */
#ifndef TXM_BASE_SCHEMA_H
#define TXM_BASE_SCHEMA_H

#define SCHEMA_VERSION "1"
#define SCHEMA_MEMBER ",\"schema_version\":" SCHEMA_VERSION

#endif
