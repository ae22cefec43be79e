/* SPDX-License-Identifier: Apache-2.0 */
/* input: the SHA-256 of every file that a report was made from, as it is on disk, so that a reader can check whether his
 * files are the same. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/limits.h"
#include "impact/impact_int.h"

static bool hash_file(int fd, char hex[65], uint64_t *ret_bytes)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned length = 0;
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	char *chunk = malloc(READ_CHUNK_BYTES);
	bool good = md && chunk && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1;

	*ret_bytes = 0;
	while (good) {
		const ssize_t n = read(fd, chunk, READ_CHUNK_BYTES);
		if (n < 0 && errno == EINTR)
			continue;
		good = n >= 0 && (n == 0 || EVP_DigestUpdate(md, chunk, (size_t)n) == 1);
		if (n <= 0)
			break;
		*ret_bytes += (uint64_t)n;
	}
	good = good && EVP_DigestFinal_ex(md, digest, &length) == 1 && length == 32;
	for (unsigned i = 0; good && i < 32; i++)
		snprintf(hex + 2 * (size_t)i, 3, "%02x", digest[i]);
	EVP_MD_CTX_free(md);
	free(chunk);
	return good;
}

void impact_add_input(struct impact *im, const char *path, const char *role)
{
	struct impact_report *r = &im->report;
	struct impact_input in = { .path = strdup(path), .role = role }, *p;
	struct stat st;
	int fd = -1;

	if (!in.path) {
		im->failed = true;
		return;
	}
	/* a member of an archive is named "export.zip:part.csv": its file is hashed, once */
	while (stat(in.path, &st) < 0 && strrchr(in.path, ':'))
		*strrchr(in.path, ':') = '\0';
	for (size_t i = 0; i < r->input_count; i++) {
		if (strcmp(r->inputs[i].path, in.path) == 0) {
			free(in.path);
			return;
		}
	}
	p = realloc(r->inputs, (r->input_count + 1) * sizeof(*p));
	if (!p) {
		free(in.path);
		im->failed = true;
		return;
	}
	r->inputs = p;
	fd = open(in.path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		snprintf(in.error, sizeof(in.error), "not a file that can be read again, so it has no hash");
	else if (!hash_file(fd, in.sha256, &in.bytes))
		snprintf(in.error, sizeof(in.error), "could not be read again, so it has no hash");
	if (fd >= 0)
		close(fd);
	p[r->input_count++] = in;
}

void impact_set_lost(struct impact *im, const struct lost *l)
{
	im->report.lost = *l;
}
