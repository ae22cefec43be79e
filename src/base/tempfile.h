/* SPDX-License-Identifier: Apache-2.0 */
/* tempfile: a file without a name in $TMPDIR, else /var/tmp, else /tmp: gone with the process, however it ends. */
#ifndef TXM_BASE_TEMPFILE_H
#define TXM_BASE_TEMPFILE_H

#include "base/str.h"

/* A descriptor, or -1 with errno set.  Where the user said TMPDIR no other place is tried. */
int tempfile_open(void);
/* All n bytes at that place of the file; false: errno. */
bool tempfile_write(int fd, const void *p, size_t n, uint64_t at);

#endif
