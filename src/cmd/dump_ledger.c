/* SPDX-License-Identifier: Apache-2.0 */
/* dump ledger: one line for each dump that was judged: its SHA-256, its size, the verdict, what was searched for.  A dump may leave
 * its zone if the last line about the hash it has *now* has status 0: a change of one byte changes the hash.
 *
 * The line is a JSON object, appended in one write and synced; nothing of a dump's content is in it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/limits.h"
#include "base/schema.h"
#include "base/timefmt.h"
#include "cmd/dump_cmd.h"

static void hex(struct buf *b, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_printf(b, "%02x", p[i]);
}

static bool hash_file(const char *path, uint8_t ret[32], uint64_t *ret_size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t *p = malloc(MIB);
	bool ok = fd >= 0 && ctx && p && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);
	ssize_t n = 1;

	*ret_size = 0;
	while (ok && n > 0) {
		n = read(fd, p, MIB);
		ok = n >= 0 ? EVP_DigestUpdate(ctx, p, (size_t)n) == 1 : errno == EINTR;
		n = n < 0 && ok ? 1 : n;
		*ret_size += ok && n > 0 ? (uint64_t)n : 0;
	}
	ok = ok && EVP_DigestFinal_ex(ctx, ret, NULL);
	if (fd >= 0)
		close(fd);
	EVP_MD_CTX_free(ctx);
	free(p);
	return ok;
}

static int by_bytes(const void *a, const void *b) { return memcmp(a, b, 32); }

/* The search: the public keys and the options that affect the result.  Not a secret. */
static void policy(const struct dump_settings *x, uint8_t ret[32])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t options[5] = { x->options.thorough, x->options.any_prime, (uint8_t)x->residue, x->shapes, (uint8_t)x->erase };
	uint8_t (*spki)[32] = calloc(x->targets.n + 1, 32);

	memset(ret, 0, 32);
	for (size_t i = 0; spki && i < x->targets.n; i++)
		memcpy(spki[i], x->targets.targets[i].spki, 32);
	if (spki && x->targets.n)
		qsort(spki, x->targets.n, 32, by_bytes);
	if (ctx && spki) {
		(void)EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);
		(void)EVP_DigestUpdate(ctx, options, sizeof(options));
		(void)EVP_DigestUpdate(ctx, x->options.only ? x->options.only : "", x->options.only ? strlen(x->options.only) : 0);
		(void)EVP_DigestUpdate(ctx, spki, x->targets.n * 32);
		(void)EVP_DigestFinal_ex(ctx, ret, NULL);
	}
	free(spki);
	EVP_MD_CTX_free(ctx);
}

static bool append(const char *path, struct str line)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
	bool ok = fd >= 0 && write(fd, line.p, line.n) == (ssize_t)line.n && fsync(fd) == 0;
	int error = errno;

	if (fd >= 0 && close(fd) < 0)
		ok = false;
	if (!ok)
		cmd_error(&command_dump, "%s: cannot append to the ledger: %s", path, strerror(error));
	return ok;
}

bool dump_ledger_add(const struct dump_settings *x, const char *path, const struct dump_ledger_line *line)
{
	uint8_t hash[32], id[32];
	uint64_t size;
	struct buf b;
	char when[TIME_TEXT_SIZE];
	bool ok;

	if (!hash_file(path, hash, &size)) {
		cmd_error(&command_dump, "%s: cannot be read for the ledger: %s", path, strerror(errno));
		return false;
	}
	policy(x, id);
	buf_init(&b, 4 * KIB);
	buf_printf(&b, "{\"type\":\"ledger\",\"time\":\"%s\",\"sha256\":\"", time_format((int64_t)time(NULL) * US_PER_SECOND, when));
	hex(&b, hash, 32);
	buf_printf(&b, "\",\"size\":%llu,\"format\":\"%s\",\"action\":\"%s\",\"verdict\":\"%s\",\"status\":%d,\"policy\":\"",
	           (unsigned long long)size, line->format, line->action, line->verdict, line->status);
	hex(&b, id, 32);
	buf_add_cstr(&b, "\",\"version\":\"" TXM_VERSION "\"" SCHEMA_MEMBER "}\n");
	ok = !buf_failed(&b) && append(x->ledger_path, buf_str(&b));
	buf_release(&b);
	return ok;
}

/* ---- may it leave? ---- */

/* The status in the last line about this hash; -1: there is none, -2: the ledger cannot be read, -3: it has no line of ours */
static int last_status(const char *path, const uint8_t hash[32])
{
	char text[65], want[96], *p = NULL;
	FILE *f = fopen(path, "re");
	size_t capacity = 0, total = 0;
	ssize_t n;
	bool any = false;
	int ret = -1;

	if (!f)
		return -2;
	for (size_t i = 0; i < 32; i++)
		snprintf(text + 2 * i, 3, "%02x", hash[i]);
	snprintf(want, sizeof(want), "\"sha256\":\"%s\"", text);
	while ((n = getline(&p, &capacity, f)) > 0 && (total += (size_t)n) <= LEDGER_BYTES_MAX) {
		const char *status = strstr(p, want) ? strstr(p, "\"status\":") : NULL;

		any |= strstr(p, "\"type\":\"ledger\"") != NULL;
		if (p[n - 1] == '\n' && status && status[9] >= '0' && status[9] <= '9')
			ret = status[9] - '0';
	}
	if (ferror(f) || total > LEDGER_BYTES_MAX)
		ret = -2;
	else if (!any)
		ret = -3;
	free(p);
	fclose(f);
	return ret;
}

static int ledger_run(struct dump_settings *x)
{
	uint8_t hash[32];
	uint64_t size;
	struct buf b;
	int last, status;

	if (x->n_paths != 1 || !x->paths[0][0] || !x->ledger_path)
		return cmd_usage_error(&command_dump, "ledger: takes one FILE, and --ledger LEDGER");
	if (access(x->ledger_path, R_OK) < 0)
		return cmd_usage_error(&command_dump, "ledger: --ledger: %s: %s", x->ledger_path, strerror(errno));
	if (!hash_file(x->paths[0], hash, &size)) {
		cmd_error(&command_dump, "%s: %s", x->paths[0], strerror(errno));
		return EXIT_INPUT;
	}
	if (!size) {
		cmd_error(&command_dump, "%s: there is no byte in it: no dump to look for", x->paths[0]);
		return EXIT_INPUT;
	}
	last = last_status(x->ledger_path, hash);
	if (last < -1) {
		cmd_error(&command_dump, last == -2 ? "%s: the ledger cannot be read" : "%s: not a line of a ledger is in it: nothing was judged", x->ledger_path);
		return EXIT_INPUT;
	}
	buf_init(&b, 8 * KIB);
	buf_add_terminal(&b, str_of(x->paths[0]), 0);
	if (last < 0)
		buf_add_cstr(&b, ": not in the ledger as it is now; it must not leave\n");
	else if (last)
		buf_printf(&b, ": judged, with status %d; it must not leave\n", last);
	else
		buf_add_cstr(&b, ": judged clean, and not changed since\n");
	status = cmd_say(&command_dump, &b);
	buf_release(&b);
	return status != EXIT_RAN ? status : last == 0 ? EXIT_RAN : EXIT_FINDINGS;
}

const struct dump_action dump_action_ledger = {
	.name = "ledger",
	.arguments = "--ledger LEDGER FILE",
	.doc = "May this dump leave? Its hash must be in the ledger, judged clean",
	.run = ledger_run,
};
