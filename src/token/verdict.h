/* SPDX-License-Identifier: Apache-2.0 */
/* verdict: the result of a judge, as a line for programs or a paragraph for people.  A token is named by key id, its own id and
 * the SHA-256 of what was signed, never by its text: no one can steal a token from a report. */
#ifndef TXM_TOKEN_VERDICT_H
#define TXM_TOKEN_VERDICT_H

#include "token/judge.h"

/* One JSON object and a newline: valid, kid, alg, key_spki_sha256, issuer, tenant, audience, reasons [{code, text}]; then
 * status, token_sha256, and how many tokens its line had. */
void verdict_add_json(struct buf *b, struct judge *j);
void verdict_add_text(struct buf *b, struct judge *j);
void verdict_add_brief(struct buf *b, struct judge *j); /* {status, kid, token_sha256, codes}: one of several tokens of a line */
void verdict_add_headline(struct buf *b, const struct judge *j); /* its first line: "REFUSED, for 2 reasons" */
/* The token for people: header, claims with their times, the key and the records that list it, every step, and what less careful
 * verifiers would have said. */
void explain_add_text(struct buf *b, struct judge *j);
void explain_add_json(struct buf *b, struct judge *j);

/* What the record allows beyond the rules, as "a, b"; "" = nothing. */
void record_add_relaxations(struct buf *b, const struct key_record *r);

#endif
