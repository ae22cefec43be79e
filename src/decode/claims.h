/* SPDX-License-Identifier: Apache-2.0 */
/* claims: what an export states about itself.  Completeness cannot be judged from the records that are there; but exporters record how
 * much there was:
 *
 *   ResultIndex, ResultCount   Search-UnifiedAuditLog numbers its results: "result 3 of 48,213"; index -1 is a search that failed
 *   @odata.nextLink            a Graph page that is not the last names the next one; of one query, some page must not name one
 *   5,000, 50,000, ... rows    the most that a search, the portal or a query hands out: a file that is exactly full was cut
 *   @odata.count, hits.total   how many results the query had; with track_total_hits, "gte": more than that
 *   truncated, PartialError    members of an answer (timed_out, is_partial, preview, ... as well), or a comment after the rows, that say
 *                              it in words
 *
 * What is counted does not depend on copies, on order, or on how the pages are spread over files.  Pages without @odata.context
 * cannot be distinguished by query. */
#ifndef TXM_DECODE_CLAIMS_H
#define TXM_DECODE_CLAIMS_H

#include "base/buf.h"
#include "base/limits.h"

struct claims;
struct claims *claims_new(void); /* NULL: out of memory */
void claims_free(struct claims *c);

/* a row with its ResultIndex (from 1; -1: the search failed) and ResultCount */
void claims_result(struct claims *c, int64_t index, int64_t count);
/* a page of the query `context` (text of @odata.context, or empty); next: it names the next one */
void claims_page(struct claims *c, struct str context, bool next);
/* a file of so many rows, each with its AuditData; or a table of another kind */
void claims_rows(struct claims *c, uint64_t rows, bool table);
/* the export says in words that it is not whole */
void claims_said(struct claims *c);
bool claims_is_next(struct str name); /* a member of this name leads to the next page */
void claims_take(struct claims *c, const struct claims *from); /* adds what the other counted */

/* What a file states about the whole of its query.  Files of one query name the same total; mark: equal in copies of a file. */
struct claim_total {
	uint64_t query, mark;
	int64_t total;  /* results; 0: it does not say */
	bool at_least;
	uint64_t holds; /* results in the file: filled by the caller */
};

/* The bytes of a stream whose outer objects no decoder sees (lists of pages), in pieces of any size; then claims_stream_end(). */
void claims_stream(struct claims *c, const char *p, size_t n);
/* are_pages: what was seen counts (the stream was read as values) */
struct claim_total claims_stream_end(struct claims *c, bool are_pages);
/* Of all files: sums those of one query, copies once.  Reorders them. */
void claims_totals(struct claims *c, struct claim_total *all, size_t n);

/* Sentence number i (0, 1, ...) on what is missing, without a full stop; false past the last. */
bool claims_sentence(const struct claims *c, unsigned i, struct buf *ret);

#endif
