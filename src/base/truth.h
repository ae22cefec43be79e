/* SPDX-License-Identifier: Apache-2.0 */
/* truth: does a text mean yes or no?  One vocabulary for all that PowerShell, exporters, spreadsheets and people write for a
 * boolean: true, $true, :$true, "True", 1, yes, on, enabled, and the words of Excel in other languages (WAHR, VRAI, ...).  Any
 * other text, also an empty one, means neither, and nothing is concluded from it. */
#ifndef TXM_BASE_TRUTH_H
#define TXM_BASE_TRUTH_H

#include "base/str.h"

enum truth { TRUTH_ODD, TRUTH_YES, TRUTH_NO };
enum truth truth_of(struct str s);

#endif
