/* SPDX-License-Identifier: Apache-2.0 */
/* mem: memory that will be used from end to end, or at random all over: in huge pages where the system has
 * them.  A page fault costs more than a record, and a miss in the translation cache as much as one in the data cache. */
#ifndef TXM_BASE_MEM_H
#define TXM_BASE_MEM_H

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define MEM_HUGE_PAGE ((size_t)2 * 1024 * 1024)

/* Not zeroed; free() gives it back.  NULL: out of memory. */
static inline void *mem_big(size_t n)
{
	void *p = NULL;
	if (n < MEM_HUGE_PAGE)
		return malloc(n ? n : 1);
	if (posix_memalign(&p, MEM_HUGE_PAGE, n) != 0)
		return NULL;
	(void)madvise(p, n & ~(MEM_HUGE_PAGE - 1), MADV_HUGEPAGE);
	return p;
}

static inline void *mem_big_zero(size_t n)
{
	if (n < MEM_HUGE_PAGE)
		return calloc(1, n ? n : 1);
	void *p = mem_big(n);
	if (p)
		memset(p, 0, n);
	return p;
}

#endif
