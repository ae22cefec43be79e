/* SPDX-License-Identifier: Apache-2.0 */
/* fetch: one small document over HTTPS.  No redirects, no other protocol, certificates checked, bounded in size and time. */
#ifndef TXM_KEYS_FETCH_H
#define TXM_KEYS_FETCH_H

#include "base/buf.h"

/* ca: a file of certificate authorities in PEM, or NULL for the system's.  False: reported in *error in one line. */
bool fetch_https(const char *url, const char *ca, struct buf *ret, struct buf *error);

#endif
