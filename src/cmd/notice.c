/* SPDX-License-Identifier: Apache-2.0 */
/* notice: letters to those whose mail was read, which they can check, and a ledger of who received one. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/timefmt.h"
#include "cmd/cmd.h"
#include "notice/ledger.h"
#include "notice/letter.h"
#include "notice/sign.h"

extern const struct command command_notice;

#define KEY_FILE "notice-key.pem"

struct notice {
	const struct command *command;
	const char *key_path, *from, *folder, *ledger_path, *receipt, *note;
	bool by_organisation, check;
	struct signer *signer;
	struct ledger ledger;
	struct letters letters;
	struct buf error, text, signature, verify;
	uint64_t written;
};

static const struct option_row options[] = {
	{ 'k', "key", "FILE.pem", "The private key that signs: Ed25519 or RSA, PEM, without a passphrase.", NULL },
	{ 0, "from", "TEXT", "Who writes, and how to reach them; printed in each notice.", NULL },
	OPTION_OUTPUT_DIR('o', ": notices, signatures and the public key. Nothing in it is overwritten."),
	OPTION_QUIET,
	{ 0, "by", "WHOM", "A notice for each mailbox, or for each organisation (domain); default: mailbox.",
	  "mailbox organisation" },
	OPTION_LEDGER(", to which each notice written or received is appended; default: ledger.ndjson in the folder of -o."),
	{ 0, "receipt", "SHA256",
	  "Record in --ledger that the notice with this SHA-256 was received; writes no notice.", NULL },
	{ 0, "note", "TEXT", "With --receipt: how it is known (\"confirmed by telephone\").", NULL },
	OPTION_CHECK(": is the chain of --ledger unbroken?"),
	{ 0 }
};

/* SOURCE_DATE_EPOCH makes a run repeatable, as for other tools. */
static int64_t now_us(void)
{
	const char *fixed = getenv("SOURCE_DATE_EPOCH");
	int64_t us;
	struct timespec t;

	if (fixed && time_parse(str_of(fixed), &us))
		return us;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * US_PER_SECOND;
}

static int take_option(struct notice *x, const struct option_row *row, const char *value)
{
	const char *name = row->name;

	if (strcmp(name, "key") == 0)
		x->key_path = value;
	else if (strcmp(name, "from") == 0)
		x->from = value;
	else if (strcmp(name, "output-dir") == 0)
		x->folder = value;
	else if (strcmp(name, "ledger") == 0)
		x->ledger_path = value;
	else if (strcmp(name, "receipt") == 0)
		x->receipt = value;
	else if (strcmp(name, "note") == 0)
		x->note = value;
	else if (strcmp(name, "check") == 0)
		x->check = true;
	else if (strcmp(name, "quiet") == 0)
		return EXIT_RAN; /* there is no account of the run */
	else if (strcmp(value, "organisation") == 0)
		x->by_organisation = true;
	else if (strcmp(value, "mailbox") != 0)
		return cmd_usage_error(x->command, "--by '%s': mailbox or organisation", value);
	return EXIT_RAN;
}

static int fail(struct notice *x)
{
	cmd_error(x->command, "%.*s", STR_ARG(buf_str(&x->error)));
	return EXIT_INPUT;
}

/* A new file of that name in the folder; an old one is never touched. */
static bool write_file(struct notice *x, const char *name, struct str content)
{
	char path[4096];
	int fd;
	bool good;

	snprintf(path, sizeof(path), "%s/%s", x->folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	good = fd >= 0 && write(fd, content.p, content.n) == (ssize_t)content.n && fsync(fd) == 0;
	if (!good)
		buf_printf(&x->error, "cannot write '%s': %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return good;
}

/* The name of a notice: made from the addressee's hash, since the address may contain any character. */
static bool name_of(struct str to, char file[64], char signature[64])
{
	char sum[SHA256_TEXT_SIZE];

	if (!sha256_text(to, sum))
		return false;
	snprintf(file, 64, "notice-%.12s.txt", sum);
	snprintf(signature, 64, "notice-%.12s.txt.sig", sum);
	return true;
}

static bool write_notice(struct notice *x, const char *to, const struct letter_line *m)
{
	char file[64], signature_file[64], sum[SHA256_TEXT_SIZE];
	struct letter_head h = { .from = x->from,
				 .file = file,
				 .signature_file = signature_file,
				 .key_file = KEY_FILE,
				 .fingerprint = signer_fingerprint(x->signer) };

	buf_clear(&x->text);
	buf_clear(&x->signature);
	buf_clear(&x->verify);
	if (!name_of(str_of(to), file, signature_file))
		return false;
	signer_verify_command(x->signer, KEY_FILE, file, signature_file, &x->verify);
	h.verify = x->verify.p;
	if (m)
		letter_mailbox(&x->text, &x->letters, m, &h);
	else
		letter_organisation(&x->text, &x->letters, to, &h);
	if (buf_failed(&x->text) || !signer_sign(x->signer, buf_str(&x->text), &x->signature) ||
	    !sha256_text(buf_str(&x->text), sum)) {
		buf_printf(&x->error, "the notice for '%.100s' cannot be signed", to);
		return false;
	}
	x->written++;
	return write_file(x, file, buf_str(&x->text)) && write_file(x, signature_file, buf_str(&x->signature)) &&
	       ledger_add(&x->ledger, "issued", now_us(), sum, str_of(to), str_of(file), STR_NONE, &x->error);
}

static bool write_all(struct notice *x)
{
	const struct letters *l = &x->letters;

	for (size_t i = 0; i < l->n; i++) {
		const char *domain = letter_domain(&l->v[i]);
		bool first = true;
		if (!x->by_organisation) {
			if (!write_notice(x, l->v[i].key, &l->v[i]))
				return false;
			continue;
		}
		for (size_t k = 0; k < i && first; k++)
			first = strcmp(letter_domain(&l->v[k]), domain) != 0;
		if (first && domain[0] && !write_notice(x, domain, NULL))
			return false;
	}
	return true;
}

static bool write_key(struct notice *x)
{
	char path[4096];
	struct stat st;

	snprintf(path, sizeof(path), "%s/" KEY_FILE, x->folder);
	if (stat(path, &st) == 0)
		return true; /* of an earlier run; the fingerprint in the letter shows if it is another */
	buf_clear(&x->text);
	return signer_public(x->signer, &x->text) && write_file(x, KEY_FILE, buf_str(&x->text));
}

static int write_notices(struct notice *x, const char *impact_path)
{
	char ledger[4096];

	if (!x->key_path || !x->from || !x->folder)
		return cmd_usage_error(x->command, "--key, --from and -o are needed: who signs, who writes, "
			"where to");
	if (!(x->signer = signer_open(x->key_path, &x->error)))
		return cmd_usage_error(x->command, "--key: %.*s", STR_ARG(buf_str(&x->error)));
	if (!letters_read(&x->letters, impact_path)) {
		cmd_error(x->command, "%.*s", STR_ARG(buf_str(&x->letters.error)));
		return EXIT_INPUT;
	}
	if (mkdir(x->folder, 0755) < 0 && errno != EEXIST) {
		cmd_error(x->command, "cannot make '%s': %s", x->folder, strerror(errno));
		return EXIT_INPUT;
	}
	snprintf(ledger, sizeof(ledger), "%s/ledger.ndjson", x->folder);
	if (!ledger_open(&x->ledger, x->ledger_path ? x->ledger_path : ledger, NULL, &x->error) || !write_key(x) ||
	    !write_all(x))
		return fail(x);
	buf_clear(&x->text);
	buf_printf(&x->text, "%" PRIu64 " %s in ", x->written, x->written == 1 ? "notice" : "notices");
	buf_add_terminal(&x->text, str_of(x->folder), 0);
	buf_printf(&x->text, ", signed with the key %s\n", signer_fingerprint(x->signer));
	return cmd_say(x->command, &x->text);
}

static int record_receipt(struct notice *x)
{
	char sum[SHA256_TEXT_SIZE] = "";
	const struct str s = str_trim(str_of(x->receipt));

	if (s.n == 64)
		for (size_t i = 0; i < 64; i++)
			sum[i] = ascii_lower(s.p[i]);
	for (size_t i = 0; i < 64; i++)
		if (!((sum[i] >= '0' && sum[i] <= '9') || (sum[i] >= 'a' && sum[i] <= 'f')))
			return cmd_usage_error(
				x->command,
				"--receipt: not a SHA-256 of 64 hexadecimal digits (sha256sum NOTICE prints it)");
	if (!x->ledger_path)
		return cmd_usage_error(x->command, "--receipt needs --ledger FILE");
	if (!ledger_open(&x->ledger, x->ledger_path, sum, &x->error))
		return fail(x);
	if (!x->ledger.has_notice)
		return cmd_usage_error(x->command, "--receipt: the ledger knows no notice with this SHA-256");
	if (!ledger_add(&x->ledger, "received", now_us(), sum, STR_NONE, STR_NONE, str_of(x->note), &x->error))
		return fail(x);
	return EXIT_RAN;
}

static int check_ledger(struct notice *x)
{
	if (!x->ledger_path || access(x->ledger_path, R_OK) < 0)
		return cmd_usage_error(x->command, "--check needs --ledger FILE that can be read");
	if (!ledger_open(&x->ledger, x->ledger_path, NULL, &x->error))
		return fail(x);
	if (!x->ledger.lines) {
		cmd_error(x->command, "%s: no line in it: nothing was checked", x->ledger_path);
		return EXIT_INPUT;
	}
	buf_clear(&x->text);
	buf_printf(&x->text, "%" PRIu64 " lines, unbroken; the last is %s\n", x->ledger.lines, x->ledger.last);
	return cmd_say(x->command, &x->text);
}

static int notice_run(int argc, char **argv)
{
	struct notice x = { .command = &command_notice, .ledger = { .fd = -1 } };
	const char *value;
	int status = EXIT_RAN, i = OPT_END;

	buf_init(&x.error, 64 * KIB);
	buf_init(&x.text, 16 * MIB);
	buf_init(&x.signature, 4 * KIB);
	buf_init(&x.verify, 4 * KIB);
	while (status == EXIT_RAN && (i = cmd_option(x.command, argc, argv, &value)) >= 0)
		status = take_option(&x, &options[i], value);
	if (status == EXIT_RAN && i == OPT_HELP)
		status = cmd_help(x.command);
	else if (status == EXIT_RAN && i == OPT_ERROR)
		status = EXIT_USAGE;
	else if (status == EXIT_RAN && x.check)
		status = check_ledger(&x);
	else if (status == EXIT_RAN && x.receipt)
		status = record_receipt(&x);
	else if (status == EXIT_RAN && optind + 1 != argc)
		status = cmd_usage_error(x.command, "one REPORT is needed: what `taximeter impact -f ndjson` wrote");
	else if (status == EXIT_RAN)
		status = write_notices(&x, argv[optind]);
	ledger_close(&x.ledger);
	signer_close(x.signer);
	letters_release(&x.letters);
	buf_release(&x.error);
	buf_release(&x.text);
	buf_release(&x.signature);
	buf_release(&x.verify);
	return status;
}

const struct command command_notice = {
	.name = "notice",
	.arguments = "REPORT",
	.doc = "Write signed notices to those whose mail was read",
	.description = "Reads an impact report (`taximeter impact -f ndjson`) and writes, for each mailbox or "
		       "organisation, a letter in "
		       "plain language: what is known, assumed and unknown, and how to check that the letter is "
		       "genuine. Each has a "
		       "detached signature. A ledger, one JSON object a line and chained by SHA-256, records "
		       "which notice was "
		       "issued and which was received.",
	.options = options,
	.examples =
		"  openssl genpkey -algorithm ed25519 -out office.pem\n"
		"  taximeter notice --key office.pem --from 'Security office, +1 555 0100' -o notices impact.ndjson\n"
		"  taximeter notice --ledger notices/ledger.ndjson --receipt $(sha256sum < "
		"notices/notice-0a1b2c3d4e5f.txt | cut -c1-64) --note 'by telephone'\n"
		"  taximeter notice --ledger notices/ledger.ndjson --check\n",
	.run = notice_run,
};
