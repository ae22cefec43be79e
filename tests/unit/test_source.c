/* SPDX-License-Identifier: Apache-2.0 */
/* test_source: folders, archives, compressors, encodings, and everything that can be wrong with them.
 *
 * Works in a folder of its own under TMPDIR.  The ordinary tools make the packed files; a missing tool is
 * reported and its checks are left out.  Each stream is read twice: in big blocks and, where it is small, byte by byte. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>
#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>

#include "check.h"
#include "source/source_int.h"

/* -- helpers -- */

static void must(bool condition, const char *what)
{
	if (!condition) {
		printf("cannot go on: %s: %s\n", what, strerror(errno));
		exit(2);
	}
}

__attribute__((format(printf, 1, 2))) static bool run(const char *format, ...)
{
	char command[4096];
	va_list ap;

	va_start(ap, format);
	vsnprintf(command, sizeof(command), format, ap);
	va_end(ap);
	return system(command) == 0;
}

static bool have(const char *tool)
{
	bool there = run("command -v %s >/dev/null 2>&1", tool);

	if (!there)
		printf("left out: no %s on this machine\n", tool);
	return there;
}

static void put_file(const char *path, const void *p, size_t n)
{
	FILE *f = fopen(path, "wb");

	must(f && fwrite(p, 1, n, f) == n && fclose(f) == 0, path);
}

static void put_text(const char *path, const char *text) { put_file(path, text, strlen(text)); }

static struct buf get_file(const char *path)
{
	struct buf b;
	char piece[4096];
	size_t n;
	FILE *f = fopen(path, "rb");

	must(f != NULL, path);
	buf_init(&b, 64 * MIB);
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		buf_add(&b, piece, n);
	fclose(f);
	return b;
}

/* Everything a source reports, as one text:
 *     + path [named] "content"            a stream that ended well
 *     ! path [named] "content" error      one that broke
 *     x path error                        one that could not be opened
 *     ? problem */
static uint64_t told_losses; /* of the last source */

static struct buf tell_source(struct source *s, size_t block)
{
	const struct source_stream *stream;
	enum source_status status;
	struct buf out, content;
	const char *line;
	uint64_t breaks = 0;
	char *piece = malloc(block);

	must(s && piece, "memory");
	buf_init(&out, 512 * MIB);
	buf_init(&content, 512 * MIB);
	while ((status = source_next(s, &stream)) != SOURCE_END) {
		uint64_t total = 0;
		size_t n;

		while ((line = source_problem(s)))
			buf_printf(&out, "? %s\n", line);
		if (status == SOURCE_BROKEN) {
			buf_printf(&out, "x %s %s\n", stream->path, source_error(s));
			CHECK(source_read(s, piece, block, &n) == SOURCE_END && n == 0);
			CHECK(strncmp(source_error(s), stream->path, strlen(stream->path)) == 0);
			breaks++;
			continue;
		}
		buf_clear(&content);
		while ((status = source_read(s, piece, block, &n)) == SOURCE_OK) {
			CHECK(n > 0 && n <= block);
			total += n;
			buf_add(&content, piece, n);
		}
		CHECK(n == 0);
		CHECK(stream->bytes_out == total);
		CHECK(source_read(s, piece, block, &n) == status && n == 0); /* and that for ever */
		buf_printf(&out, "%c %s%s ", status == SOURCE_END ? '+' : '!', stream->path, stream->named ? " named" : "");
		if (content.n < 200)
			buf_add_json(&out, buf_str(&content));
		else
			buf_printf(&out, "(%zu bytes, crc %08lx)", content.n,
			           crc32_z(0, (const unsigned char *)content.p, content.n));
		if (status == SOURCE_BROKEN) {
			buf_printf(&out, " %s", source_error(s));
			CHECK(!strchr(source_error(s), '\n'));
			breaks++;
		}
		buf_add_char(&out, '\n');
	}
	CHECK(source_next(s, &stream) == SOURCE_END);
	while ((line = source_problem(s)))
		buf_printf(&out, "? %s\n", line);
	told_losses = source_losses(s);
	CHECK(told_losses >= breaks);
	CHECK(!buf_failed(&out) && !buf_failed(&content));
	buf_add(&out, "", 0);
	buf_release(&content);
	free(piece);
	source_free(s);
	return out;
}

static struct buf tell(const char *path, size_t block) { return tell_source(source_new(&path, 1), block); }

static void expect(const char *path, const char *want)
{
	static const size_t blocks[] = { 1 * MIB, 1, 3 };

	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		struct buf got = tell(path, blocks[i]);

		CHECK_TEXT(got.p, want);
		buf_release(&got);
	}
}

/* for long outputs: one pass, and only parts of it are compared */
static void expect_part(const char *path, const char *part)
{
	struct buf got = tell(path, 256 * KIB);

	CHECK_MSG(strstr(got.p, part) != NULL, "%s: %.2000s", part, got.p);
	buf_release(&got);
}

static void expect_no(const char *path, const char *part)
{
	struct buf got = tell(path, 256 * KIB);

	CHECK_MSG(strstr(got.p, part) == NULL, "%s: %.2000s", part, got.p);
	buf_release(&got);
}

/* lines of text that do not pack to nothing */
static struct buf made_text(size_t n)
{
	struct buf b;
	uint64_t x = 88172645463325252;

	buf_init(&b, n + 100);
	while (b.n < n) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		buf_printf(&b, "{\"Id\":\"%016" PRIx64 "\",\"Operation\":\"MailItemsAccessed\"}\n", x);
	}
	return b;
}

/* -- files and folders -- */

static void plain_files(void)
{
	struct buf text = made_text(3 * MIB), got;
	char want[200];

	put_text("one.json", "{\"a\":1}\n");
	put_text("empty", "");
	put_text("bom", "\xef\xbb\xbf" "a,b\n");
	put_text("onlybom", "\xef\xbb\xbf");
	put_text("halfbom", "\xef\xbb");
	put_text(".hidden", "named all the same");
	put_file("nul", "a\0b\n", 4);
	put_text("P", "P");
	expect("one.json", "+ one.json named \"{\\\"a\\\":1}\\n\"\n");
	expect("empty", "+ empty named \"\"\n");
	expect("bom", "+ bom named \"a,b\\n\"\n");
	expect("onlybom", "+ onlybom named \"\"\n");
	expect("halfbom", "+ halfbom named \"\xef\xbf\xbd\"\n");
	expect(".hidden", "+ .hidden named \"named all the same\"\n");
	expect("nul", "+ nul named \"a\\u0000b\\n\"\n");
	expect("P", "+ P named \"P\"\n");
	expect("nothing", "x nothing nothing: cannot be opened: No such file or directory\n");
	expect("", "x  (empty name): cannot be opened: No such file or directory\n");
	put_file("big", text.p, text.n);
	snprintf(want, sizeof(want), "+ big named (%zu bytes, crc %08lx)\n", text.n,
	         crc32_z(0, (const unsigned char *)text.p, text.n));
	for (size_t block = 511; block <= 513; block++) {
		got = tell("big", block);
		CHECK_TEXT(got.p, want);
		buf_release(&got);
	}
	expect_part("big", want);
	buf_release(&text);
	if (access("/proc/self/mem", R_OK) == 0) /* a regular file whose first read fails with EIO */
		expect("/proc/self/mem", "! /proc/self/mem named \"\" /proc/self/mem: cannot be read further than 0 bytes: Input/output error\n");
	put_text("line\nbreak\x1b[2J", "x");
	expect("line\nbreak\x1b[2J", "+ line\nbreak\x1b[2J named \"x\"\n");
	{
		struct source *s = source_new((const char *const[]){ "no\nsuch\x1b[2J" }, 1);
		const struct source_stream *stream;

		CHECK(source_next(s, &stream) == SOURCE_BROKEN);
		CHECK_TEXT(source_error(s), "no such\xef\xbf\xbd[2J: cannot be opened: No such file or directory");
		CHECK(source_losses(s) == 1);
		source_free(s);
	}
}

static void shrinking_file(void)
{
	struct source *s;
	const struct source_stream *stream;
	struct buf text = made_text(1 * MIB);
	char piece[65536];
	size_t n;

	put_file("shrinks", text.p, text.n);
	s = source_new((const char *const[]){ "shrinks" }, 1);
	CHECK(source_next(s, &stream) == SOURCE_OK);
	CHECK(source_total_bytes(s) == text.n);
	CHECK(source_read(s, piece, sizeof(piece), &n) == SOURCE_OK);
	must(truncate("shrinks", 100000) == 0, "truncate");
	while (source_read(s, piece, sizeof(piece), &n) == SOURCE_OK)
		;
	CHECK(source_read(s, piece, sizeof(piece), &n) == SOURCE_BROKEN);
	CHECK_TEXT(source_error(s), "shrinks: became shorter while it was read: 100.0 KB of 1.0 MB were there");
	CHECK(stream->bytes_in == 100000 && source_losses(s) == 1);
	source_free(s);
	buf_release(&text);
}

static void folders(void)
{
	struct source *s;
	struct buf got;

	must(run("mkdir -p walk/b walk/B/sub walk/empty walk/.git && printf 1 >walk/a && printf 2 >walk/b/x && printf 3 >walk/B/sub/y &&"
	         "printf 4 >walk/z && printf 5 >'walk/b.csv' && printf 6 >walk/.hidden && printf 7 >walk/.git/x && printf 8 >walk/Z"),
	     "walk");
	expect("walk", "+ walk/B/sub/y \"3\"\n+ walk/Z \"8\"\n+ walk/a \"1\"\n+ walk/b/x \"2\"\n+ walk/b.csv \"5\"\n+ walk/z \"4\"\n");
	expect("walk/", "+ walk/B/sub/y \"3\"\n+ walk/Z \"8\"\n+ walk/a \"1\"\n+ walk/b/x \"2\"\n+ walk/b.csv \"5\"\n+ walk/z \"4\"\n");
	/* the same folder twice, and a folder inside a folder read before */
	s = source_new((const char *const[]){ "walk/b", "walk", "one.json", "./walk", "one.json" }, 5);
	got = tell_source(s, 100);
	CHECK_TEXT(got.p, "+ walk/b/x \"2\"\n+ walk/B/sub/y \"3\"\n+ walk/Z \"8\"\n+ walk/a \"1\"\n"
	                  "? walk/b: this folder was read before, under this or another name; not read again\n"
	                  "+ walk/b.csv \"5\"\n+ walk/z \"4\"\n+ one.json named \"{\\\"a\\\":1}\\n\"\n"
	                  "? ./walk: this folder was read before, under this or another name; not read again\n"
	                  "+ one.json named \"{\\\"a\\\":1}\\n\"\n");
	buf_release(&got);
	/* a link back to the top, one to itself, one to nowhere, one to a file, one to a folder next to it */
	must(run("mkdir -p loop/in beside && printf 1 >beside/f && ln -s .. loop/in/up && ln -s self loop/self && ln -s nowhere loop/gone &&"
	         "ln -s ../one.json loop/link && ln -s ../beside loop/side && ln -s ../beside loop/side2"), "loop");
	expect("loop", "x loop/gone loop/gone: cannot be opened: No such file or directory\n"
	               "? loop/in/up: leads back to a folder that contains it; not followed\n"
	               "+ loop/link \"{\\\"a\\\":1}\\n\"\n"
	               "x loop/self loop/self: cannot be opened: Too many levels of symbolic links\n"
	               "+ loop/side/f \"1\"\n"
	               "? loop/side2: this folder was read before, under this or another name; not read again\n");
	s = source_new((const char *const[]){ "loop/in" }, 1);
	got = tell_source(s, 100);
	CHECK(strstr(got.p, "leads back") != NULL); /* in/up is loop, loop/in is in */
	buf_release(&got);
	/* too deep: 70 folders in each other */
	must(run("d=deep; for i in $(seq 1 70); do d=$d/d; done; mkdir -p $d && printf 1 >$d/f && printf 2 >deep/e"), "deep");
	expect_part("deep", "folders are nested too deep here");
	expect_part("deep", "+ deep/e \"2\"");
	if (geteuid() != 0) {
		must(run("mkdir -p locked/no && printf 1 >locked/f && printf 2 >locked/g && chmod 000 locked/no locked/f"), "locked");
		expect("locked", "x locked/f locked/f: cannot be opened: Permission denied\n+ locked/g \"2\"\n"
		                 "? locked/no: this folder cannot be read: Permission denied\n");
		run("chmod 700 locked/no locked/f");
	} else {
		printf("left out: unreadable files and folders, which root can read\n");
	}
}

static void odd_files(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "odd/socket" };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct source *s;
	struct buf got;

	must(run("mkdir -p odd && mkfifo odd/pipe && printf 1 >odd/z && ln -s /dev/null odd/null"), "odd");
	must(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0, "socket");
	s = source_new((const char *const[]){ "odd" }, 1);
	got = tell_source(s, 100);
	CHECK_TEXT(got.p, "? odd/null: a device; left out\n"
	                  "? odd/pipe: a named pipe; left out. Name it on the command line to read it\n"
	                  "? odd/socket: a socket; left out\n+ odd/z \"1\"\n");
	buf_release(&got);
	expect("odd/socket", "x odd/socket odd/socket: cannot be opened: No such device or address\n");
	expect("/dev/null", "+ /dev/null named \"\"\n");
	close(fd);
	/* more lines than are shown */
	must(run("mkdir -p many && cd many && for i in $(seq 1 1010); do ln -s /dev/null n$i; done"), "many");
	got = tell("many", 100);
	CHECK(strstr(got.p, "? 10 more such lines are not shown\n") != NULL);
	buf_release(&got);
}

struct writer {
	const char *path;
	const void *p;
	size_t n;
};

static void *write_slowly(void *arg)
{
	struct writer *w = arg;
	int fd = open(w->path, O_WRONLY);

	must(fd >= 0, w->path);
	for (size_t i = 0; i < w->n; i += 7)
		must(write(fd, (const char *)w->p + i, w->n - i < 7 ? w->n - i : 7) > 0, "write");
	close(fd);
	return NULL;
}

static void expect_fifo(const void *p, size_t n, const char *want)
{
	struct writer w = { "fifo", p, n };
	pthread_t thread;
	struct buf got;

	must(pthread_create(&thread, NULL, write_slowly, &w) == 0, "thread");
	got = tell("fifo", 50);
	pthread_join(thread, NULL);
	CHECK_TEXT(got.p, want);
	buf_release(&got);
}

static void pipes(void)
{
	struct buf packed, text = made_text(5000);
	char want[100];
	int in;

	must(mkfifo("fifo", 0600) == 0, "fifo");
	snprintf(want, sizeof(want), "+ fifo named (%zu bytes, crc %08lx)\n", text.n,
	         crc32_z(0, (const unsigned char *)text.p, text.n));
	expect_fifo(text.p, text.n, want);
	expect_fifo("", 0, "+ fifo named \"\"\n");
	put_file("fifo.txt", text.p, text.n);
	if (have("gzip")) {
		must(run("gzip -kf fifo.txt"), "gzip");
		packed = get_file("fifo.txt.gz");
		expect_fifo(packed.p, packed.n, want);
		/* one that closes too soon */
		expect_fifo(packed.p, 15, "! fifo named \"\" fifo: compressed data ends early after 0 bytes; what came before was read\n");
		buf_release(&packed);
	}
	if (have("zip")) {
		struct buf got;

		must(run("zip -q fifo.zip fifo.txt"), "zip");
		packed = get_file("fifo.zip");
		snprintf(want, sizeof(want), "+ fifo:fifo.txt (%zu bytes, crc %08lx)\n", text.n,
		         crc32_z(0, (const unsigned char *)text.p, text.n));
		expect_fifo(packed.p, packed.n, want);
		buf_release(&packed);
		/* standard input, once as a pipe's end and once as a file */
		in = dup(0);
		must(in >= 0 && freopen("fifo.zip", "rb", stdin) != NULL, "stdin");
		got = tell("-", 4096);
		CHECK(strncmp(got.p, "+ -:fifo.txt (", 14) == 0);
		buf_release(&got);
		got = tell("-", 4096); /* has been read */
		CHECK_TEXT(got.p, "+ - named \"\"\n");
		buf_release(&got);
		dup2(in, 0);
		close(in);
	}
	{
		struct source *s = source_new((const char *const[]){ "one.json", "-" }, 2);
		const struct source_stream *stream;

		CHECK(source_next(s, &stream) == SOURCE_OK && source_total_bytes(s) == 0);
		source_free(s);
		s = source_new((const char *const[]){ "one.json", "walk" }, 2);
		CHECK(source_total_bytes(s) == 0);
		CHECK(source_next(s, &stream) == SOURCE_OK && source_total_bytes(s) == 8);
		CHECK(source_next(s, &stream) == SOURCE_OK && source_total_bytes(s) > 8);
		source_free(s);
	}
	buf_release(&text);
}

/* -- encodings -- */

static void encodings(void)
{
	struct buf le, be, want;
	uint64_t x = 1;

	put_file("le", "\xff\xfe" "a\0\xe9\0\xac\x20=\xd8\0\xde\n\0", 14);
	put_file("be", "\xfe\xff" "\0a\0\xe9\x20\xac\xd8=\xde\0\0\n", 14);
	expect("le", "+ le named \"a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\\n\"\n");
	expect("be", "+ be named \"a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\\n\"\n");
	put_file("lone", "\xff\xfe\0\xdc" "a\0\0\xd8" "b\0\0\xd8\0\xd8\0\xdc\0\xd8", 18);
	expect("lone", "+ lone named \"" "\xef\xbf\xbd" "a" "\xef\xbf\xbd" "b" "\xef\xbf\xbd\xf0\x90\x80\x80\xef\xbf\xbd" "\"\n");
	put_file("odd16", "\xff\xfe" "a\0b", 5);
	expect("odd16", "! odd16 named \"a\" odd16: UTF-16 text ends in the middle of a character; what came before was read\n");
	put_file("le0", "\xff\xfe", 2);
	expect("le0", "+ le0 named \"\"\n");
	put_file("utf32", "\xff\xfe\0\0a\0\0\0", 8);
	expect("utf32", "x utf32 utf32: UTF-32 text, which is not read. Unpack or convert it first\n");
	/* a long text, so that pairs fall on the borders of pieces */
	buf_init(&le, 4 * MIB);
	buf_init(&be, 4 * MIB);
	buf_init(&want, 8 * MIB);
	buf_add(&le, "\xff\xfe", 2);
	buf_add(&be, "\xfe\xff", 2);
	for (int i = 0; i < 100000; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		if (x >> 63) {
			buf_add(&le, "=\xd8\0\xde", 4);
			buf_add(&be, "\xd8=\xde\0", 4);
			buf_add_cstr(&want, "\xf0\x9f\x98\x80");
		} else {
			buf_add(&le, "x\0", 2);
			buf_add(&be, "\0x", 2);
			buf_add_cstr(&want, "x");
		}
	}
	put_file("le", le.p, le.n);
	put_file("be", be.p, be.n);
	for (int i = 0; i < 2; i++) {
		const char *path = i ? "be" : "le";
		static const size_t blocks[] = { 7, 2, 3, 5, 4096, 1000000 };
		char line[100];

		snprintf(line, sizeof(line), "+ %s named (%zu bytes, crc %08lx)\n", path, want.n,
		         crc32_z(0, (const unsigned char *)want.p, want.n));
		for (size_t k = 0; k < 6; k++) {
			struct buf got = tell(path, blocks[k]);

			CHECK_TEXT(got.p, line);
			buf_release(&got);
		}
	}
	if (have("gzip")) {
		put_file("le", "\xff\xfe" "a\0b\0", 6);
		must(run("gzip -f le"), "gzip");
		expect("le.gz", "+ le.gz named \"ab\"\n");
	}
	buf_release(&le);
	buf_release(&be);
	buf_release(&want);
}

/* -- compressors -- */

/* The file cut at every byte from `from` on (before that it is only a word), except for `spare` bytes of padding at its end:
 * never a good end before the real one. */
static void cut_everywhere(const char *path, size_t from, size_t spare)
{
	struct buf whole = get_file(path);
	unsigned long unnoticed = 0;

	for (size_t n = from; n < whole.n - spare; n++) {
		struct buf got = tell_source(source_new_memory(whole.p, n, "cut"), n % 3 ? 4096 : 1);

		if (told_losses == 0) {
			unnoticed++;
			printf("%s cut at %zu of %zu: %.300s", path, n, whole.n, got.p);
		}
		buf_release(&got);
	}
	CHECK_MSG(unnoticed == 0, "%s: %lu cuts were not noticed", path, unnoticed);
	buf_release(&whole);
}

/* One byte changed, at every byte.  It may go unnoticed (a name, a time), but not give another text: what is packed has a
 * sum.  The bytes before `from` make it something else altogether. */
static void change_everywhere(const char *path, const char *text, size_t from)
{
	struct buf whole = get_file(path), want;
	unsigned long wrong = 0;

	buf_init(&want, 10000);
	buf_add_json(&want, str_of(text));
	for (size_t i = from; i < whole.n; i++) {
		struct buf got;

		whole.p[i] ^= 0x21;
		got = tell_source(source_new_memory(whole.p, whole.n, "changed"), 4096);
		if (told_losses == 0 && got.n && !strstr(got.p, want.p)) {
			wrong++;
			printf("%s changed at %zu: %.300s", path, i, got.p);
		}
		whole.p[i] ^= 0x21;
		buf_release(&got);
	}
	CHECK_MSG(wrong == 0, "%s: %lu changes made another text", path, wrong);
	buf_release(&want);
	buf_release(&whole);
}

struct compressor {
	const char *name, *command, *suffix;
};

static void one_compressor(const struct compressor *c)
{
	struct buf text = made_text(2 * MIB), whole;
	char path[100], want[300];
	static const char small[] = "time,user\n1,ann\n";

	if (!have(c->name))
		return;
	put_text("s.csv", small);
	must(run("%s <s.csv >s%s", c->command, c->suffix), c->command);
	snprintf(path, sizeof(path), "s%s", c->suffix);
	snprintf(want, sizeof(want), "+ %s named \"time,user\\n1,ann\\n\"\n", path);
	expect(path, want);
	cut_everywhere(path, strcmp(c->suffix, ".bz2") == 0 ? 4 : 1, 0);
	change_everywhere(path, small, 10);
	/* two members in a row */
	must(run("cat s%s s%s >two%s", c->suffix, c->suffix, c->suffix), "cat");
	snprintf(path, sizeof(path), "two%s", c->suffix);
	snprintf(want, sizeof(want), "+ %s named \"time,user\\n1,ann\\ntime,user\\n1,ann\\n\"\n", path);
	expect(path, want);
	/* one and a half */
	must(run("(cat s%s; head -c 20 s%s) >half%s", c->suffix, c->suffix, c->suffix), "head");
	snprintf(path, sizeof(path), "half%s", c->suffix);
	expect_part(path, "compressed data ends early after ");
	expect_part(path, strcmp(c->suffix, ".bz2") == 0 ? "" : "\"time,user\\n1,ann\\n");
	/* other bytes after it */
	must(run("(cat s%s; echo and more and more) >tail%s", c->suffix, c->suffix), "tail");
	snprintf(path, sizeof(path), "tail%s", c->suffix);
	expect_part(path, "time,user\\n1,ann\\n\" tail");
	/* xz's library does not distinguish that from damage */
	expect_part(path, strcmp(c->suffix, ".xz") == 0 ? "damaged xz data after 16 bytes" : "data are followed by other bytes, which were not read");
	/* nothing in it */
	must(run("%s </dev/null >none%s", c->command, c->suffix), c->command);
	snprintf(path, sizeof(path), "none%s", c->suffix);
	snprintf(want, sizeof(want), "+ %s named \"\"\n", path);
	expect(path, want);
	/* a larger one, whole, cut, and three deep, and too deep */
	put_file("l.json", text.p, text.n);
	must(run("%s <l.json >l%s", c->command, c->suffix), c->command);
	snprintf(path, sizeof(path), "l%s", c->suffix);
	snprintf(want, sizeof(want), "+ %s named (%zu bytes, crc %08lx)\n", path, text.n,
	         crc32_z(0, (const unsigned char *)text.p, text.n));
	{
		static const size_t blocks[] = { 211, 1000, 65536, 1 * MIB, 16 * MIB };

		for (size_t i = 0; i < 5; i++) {
			struct buf got = tell(path, blocks[i]);

			CHECK_TEXT(got.p, want);
			buf_release(&got);
		}
	}
	whole = get_file(path);
	put_file("lcut", whole.p, whole.n / 2);
	expect_part("lcut", "! lcut named (");
	expect_part("lcut", "lcut: compressed data ends early after ");
	expect_part("lcut", "B; what came before was read");
	buf_release(&whole);
	must(run("%s <s%s | %s >deep3", c->command, c->suffix, c->command), c->command);
	expect("deep3", "+ deep3 named \"time,user\\n1,ann\\n\"\n");
	must(run("%s <deep3 >deep4", c->command), c->command);
	expect("deep4", "x deep4 deep4: packed in packed more than 3 deep; this was not read. Unpack it first\n");
	buf_release(&text);
}

static void compressors(void)
{
	static const struct compressor all[] = {
		{ "gzip", "gzip -nc", ".gz" },
		{ "zstd", "zstd -qc", ".zst" },
		{ "xz", "xz -c", ".xz" },
		{ "bzip2", "bzip2 -c", ".bz2" },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		one_compressor(&all[i]);
	if (have("gzip")) {
		must(run("(cat s.gz; head -c 1000 /dev/zero) >padded.gz; (cat s.gz; head -c 1000 /dev/zero; cat s.gz) >island.gz"), "padding");
		expect("padded.gz", "+ padded.gz named \"time,user\\n1,ann\\n\"\n");
		expect_part("island.gz", "followed by other bytes");
		/* a bomb: 100 MB of zeros after each other compress a little under deflate's limit, twice packed far beyond */
		must(run("head -c 100000000 /dev/zero | gzip -c >zeros.gz && gzip -c zeros.gz >zeros.gz.gz"), "zeros");
		expect_part("zeros.gz", "+ zeros.gz named (100000000 bytes");
		expect_part("zeros.gz.gz", "unpacks to more than 1200 times its size");
	}
	if (have("zstd")) {
		must(run("head -c 100000000 /dev/zero | zstd -qc >zeros.zst"), "zeros");
		expect_part("zeros.zst", "! zeros.zst named (");
		expect_part("zeros.zst", "unpacks to more than 1200 times its size");
		must(run("(printf '\\120\\052\\115\\030\\003\\000\\000\\000abc'; cat s.zst) >skip.zst"), "skippable frame");
		expect("skip.zst", "+ skip.zst named \"time,user\\n1,ann\\n\"\n");
		if (run("head -c 1000 l.json | zstd -qc --ultra --long=31 >wide.zst 2>/dev/null; cat l.json | zstd -q --long=28 -c >wide.zst"))
			expect_part("wide.zst", "zstd -d --long=31");
	}
	if (have("xz")) {
		must(run("(cat s.xz; head -c 8 /dev/zero; cat s.xz) >padded.xz; (cat s.xz; head -c 3 /dev/zero) >ragged.xz"), "padding");
		expect("padded.xz", "+ padded.xz named \"time,user\\n1,ann\\ntime,user\\n1,ann\\n\"\n");
		expect_part("ragged.xz", "! ragged.xz named \"time,user\\n1,ann\\n\"");
		must(run("head -c 100000 l.json | xz -c --lzma2=dict=256MiB >wide.xz"), "xz");
		expect_part("wide.xz", "of memory to unpack. Unpack it first: xz -d");
	}
	put_text("rar", "Rar!\x1a\7\1 and so on");
	expect("rar", "x rar rar: a RAR archive, which is not read. Unpack or convert it first\n");
	put_text("1f", "\x1f");
	expect("1f", "x 1f 1f: cut short: only the first 1 byte of gzip data\n");
}

/* -- archives -- */

static void archives(void)
{
	bool gzip = have("gzip"), tar = have("tar"), zip = have("zip"), zstd = have("zstd"), xz = have("xz"), sz = have("7z");
	static const char members[] = "+ %s:pack/a.csv \"1\"\n+ %s:pack/d/b.json \"2\"\n+ %s:pack/z \"\"\n";
	struct buf got;
	char want[500];

	must(run("mkdir -p pack/d pack/.hide && printf 1 >pack/a.csv && printf 2 >pack/d/b.json && : >pack/z && printf 3 >pack/.hide/x &&"
	         "ln -sf a.csv pack/link"), "pack");
	if (tar) {
		must(run("tar cf p.tar --sort=name pack"), "tar");
		snprintf(want, sizeof(want), members, "p.tar", "p.tar", "p.tar");
		expect("p.tar", want);
		must(run("tar cf p1.tar --sort=name ./pack/a.csv && ln pack/a.csv pack/y && tar cf hard.tar pack/a.csv pack/y; rm pack/y"), "tar");
		expect("p1.tar", "+ p1.tar:./pack/a.csv \"1\"\n");
		expect("hard.tar", "+ hard.tar:pack/a.csv \"1\"\n");
		must(run("tar -b 1 -cf p2.tar pack/a.csv"), "tar");
		cut_everywhere("p2.tar", 513, 512);
		must(run("head -c 1024 p1.tar >noend.tar; head -c 512 p1.tar >head.tar; head -c 1536 p1.tar >oneblock.tar"), "head");
		expect("noend.tar", "+ noend.tar:./pack/a.csv \"1\"\n"
		                    "x noend.tar noend.tar: the archive has no end mark and may have been cut short; its 1 members were read\n");
		expect_part("head.tar", "head.tar:./pack/a.csv \"\" head.tar:./pack/a.csv: the archive ends early after 0 bytes");
		expect("oneblock.tar", "+ oneblock.tar:./pack/a.csv \"1\"\n");
		must(run("cat p1.tar p1.tar >twice.tar; (cat p1.tar; printf junk) >junk.tar"), "cat");
		expect("twice.tar", "+ twice.tar:./pack/a.csv \"1\"\n+ twice.tar:./pack/a.csv \"1\"\n");
		expect_part("junk.tar", "x junk.tar junk.tar: ");
		/* a name of 3,000 bytes, one with an escape, one with letters beyond ASCII */
		must(run("n=$(printf %%0240d 1); d=$n/$n/$n/$n/$n; mkdir -p long/$d && printf 1 >long/$d/f && tar cf long.tar -C long ."), "long");
		got = tell("long.tar", 100);
		CHECK(got.n < 1100 && strstr(got.p, "+ long.tar:./0000") == got.p && strstr(got.p, " \"1\"\n"));
		buf_release(&got);
		must(run("mkdir -p names && printf 1 >'names/Bo\303\256te' && printf 2 >\"names/$(printf 'x\\033[2Jy')\" && tar cf names.tar --sort=name names"), "names");
		expect("names.tar", "+ names.tar:names/Bo\303\256te \"1\"\n+ names.tar:names/x\x1b[2Jy \"2\"\n");
		must(run("tar --format=pax -cf pax.tar names"), "pax");
		expect_part("pax.tar", "+ pax.tar:names/Bo\303\256te \"1\"\n");
	}
	if (tar && gzip) {
		must(run("gzip -nc p.tar >p.tar.gz && mkdir -p in && gzip -nc pack/a.csv >in/a.csv.gz && cp p.tar.gz in && tar cf in.tar --sort=name in"), "in");
		snprintf(want, sizeof(want), members, "p.tar.gz", "p.tar.gz", "p.tar.gz");
		expect("p.tar.gz", want);
		expect("in.tar", "+ in.tar:in/a.csv.gz \"1\"\n+ in.tar:in/p.tar.gz:pack/a.csv \"1\"\n"
		                 "+ in.tar:in/p.tar.gz:pack/d/b.json \"2\"\n+ in.tar:in/p.tar.gz:pack/z \"\"\n");
		/* the tar is whole, the gzip round it is not: only the sum at its end is missing */
		must(run("head -c -5 p.tar.gz >q.tar.gz"), "head");
		expect_part("q.tar.gz", "+ q.tar.gz:pack/z \"\"\nx q.tar.gz q.tar.gz: compressed data ends early after 10.2 KB");
		must(run("head -c 100 p.tar.gz >r.tar.gz"), "head");
		got = tell("r.tar.gz", 100);
		CHECK_MSG(strstr(got.p, "compressed data ends early"), "%s", got.p);
		CHECK_MSG(strstr(strstr(got.p, "ends early") + 1, "ends early") == NULL, "told once: %s", got.p);
		buf_release(&got);
		/* damage in a member of an archive is that member's, the rest is read */
		must(run("mkdir -p mix && head -c 11 in/a.csv.gz >mix/1.gz && cp in/a.csv.gz mix/2.gz && printf x >mix/3 && tar cf mix.tar --sort=name mix"), "mix");
		expect_part("mix.tar", "! mix.tar:mix/1.gz \"\" mix.tar:mix/1.gz: compressed data ends early after 0 bytes; what came before was read\n"
		                       "+ mix.tar:mix/2.gz \"1\"\n+ mix.tar:mix/3 \"x\"\n");
		/* four deep: tar.gz in tar.gz in tar.gz is three, one more is too many */
		must(run("cp p.tar.gz n1 && for i in 2 3 4; do tar cf - n$((i-1)) | gzip -c >n$i; done"), "nest");
		expect_part("n3", "+ n3:n2:n1:pack/a.csv \"1\"");
		expect("n4", "x n4:n3:n2:n1 n4:n3:n2:n1: packed in packed more than 3 deep; this was not read. Unpack it first\n");
	}
	if (tar && zstd) {
		must(run("zstd -qc p.tar >p.tar.zst"), "zstd");
		expect_part("p.tar.zst", "+ p.tar.zst:pack/d/b.json \"2\"\n");
		must(run("head -c -1 p.tar.zst >q.tar.zst"), "head");
		expect_part("q.tar.zst", "q.tar.zst: compressed data ends early");
	}
	if (tar && xz) {
		must(run("xz -c p.tar >p.tar.xz && head -c -1 p.tar.xz >q.tar.xz"), "xz");
		expect_part("p.tar.xz", "+ p.tar.xz:pack/d/b.json \"2\"\n");
		expect_part("q.tar.xz", "q.tar.xz: compressed data ends early");
	}
	if (zip) {
		must(run("zip -qr p.zip pack && zip -q p1.zip pack/a.csv && zip -q0 p0.zip pack/a.csv && zip -q -P secret e.zip pack/a.csv && zip -q e.zip pack/d/b.json"), "zip");
		got = tell("p.zip", 100);
		CHECK(strstr(got.p, "+ p.zip:pack/a.csv \"1\"\n") && strstr(got.p, "+ p.zip:pack/d/b.json \"2\"\n") && !strstr(got.p, "hide"));
		buf_release(&got);
		expect("p1.zip", "+ p1.zip:pack/a.csv \"1\"\n");
		cut_everywhere("p1.zip", 3, 0);
		change_everywhere("p1.zip", "1", 10);
		cut_everywhere("p0.zip", 3, 0);
		change_everywhere("p0.zip", "1", 10);
		expect("e.zip", "x e.zip:pack/a.csv e.zip:pack/a.csv: encrypted, and no password can be given. Unpack it first\n"
		                "+ e.zip:pack/d/b.json \"2\"\n");
		must(run("(cat p1.zip; printf junk) >junk.zip; (printf 'PK\\3\\4junk'; cat p1.zip) >front.zip"), "junk");
		expect_part("junk.zip", "+ junk.zip:pack/a.csv \"1\"\n");
		must(run("printf 'PK\\5\\6' >empty.zip; head -c 18 /dev/zero >>empty.zip"), "empty");
		expect("empty.zip", "");
		put_text("fake.zip", "PK\3\4 this is no zip at all, it only begins like one, and goes on for a while");
		expect_part("fake.zip", "x fake.zip fake.zip: ");
		must(run("zip -q names.zip names/*"), "zip");
		expect_part("names.zip", "+ names.zip:names/Bo\303\256te \"1\"\n");
		must(run("head -c 100000000 /dev/zero >zeros && zip -q bomb.zip zeros && cp bomb.zip bomb && zip -q bomb2.zip bomb one.json; rm zeros"), "bomb");
		expect_part("bomb.zip", "+ bomb.zip:zeros (100000000 bytes"); /* deflate alone stays below the limit */
		expect_part("bomb2.zip", "unpacks to more than 1200 times its size");
		expect_no("bomb2.zip", "one.json \"");
	}
	if (zip && gzip && tar) {
		must(run("zip -q g.zip in/a.csv.gz in/p.tar.gz && tar cf z.tar g.zip && gzip -nc p1.zip >p1.zip.gz"), "zip");
		expect_part("g.zip", "+ g.zip:in/a.csv.gz \"1\"\n");
		expect_part("g.zip", "+ g.zip:in/p.tar.gz:pack/d/b.json \"2\"\n");
		expect_part("z.tar", "+ z.tar:g.zip:in/a.csv.gz \"1\"\n");
		expect_part("z.tar", "+ z.tar:g.zip:in/p.tar.gz:pack/d/b.json \"2\"\n");
		expect("p1.zip.gz", "+ p1.zip.gz:pack/a.csv \"1\"\n");
		must(run("head -c 60 p1.zip >half.zip; gzip -nc half.zip >half.zip.gz; tar cf half.tar half.zip one.json"), "half");
		expect_part("half.zip", "ends early");
		expect_part("half.zip.gz", "ends early");
		expect_part("half.tar", "ends early");
		expect_part("half.tar", "+ half.tar:one.json \"{");
		/* 34 MB that cannot be packed */
		must(run("head -c 34000000 /dev/urandom >noise && zip -q0 noise.zip noise && gzip -1c noise.zip >noise.zip.gz; rm noise"), "noise");
		expect_part("noise.zip", "+ noise.zip:noise (34000000 bytes");
		expect_part("noise.zip.gz", "x noise.zip.gz noise.zip.gz: a zip archive inside another archive or from a pipe must fit into 32 MB");
	}
	if (sz) {
		must(run("7z a -bd p.7z pack/a.csv pack/d/b.json >/dev/null && 7z a -bd -psecret e.7z pack/a.csv >/dev/null &&"
		         "7z a -bd -psecret -mhe=on h.7z pack/a.csv >/dev/null && 7z a -bd p1.7z pack/a.csv >/dev/null"), "7z");
		expect_part("p.7z", "+ p.7z:pack/a.csv \"1\"\n");
		expect_part("p.7z", "+ p.7z:pack/d/b.json \"2\"\n");
		expect_part("e.7z", "x e.7z:pack/a.csv e.7z:pack/a.csv: encrypted, and no password can be given");
		expect_part("h.7z", "encrypted, and no password can be given");
		cut_everywhere("p1.7z", 3, 0);
		change_everywhere("p1.7z", "1", 10);
		must(run("gzip -nc p.7z >p.7z.gz; head -c 34000000 /dev/urandom >noise; 7z a -bd -mx=0 noise.7z noise >/dev/null; gzip -1c noise.7z >noise.7z.gz; rm noise"), "7z.gz");
		expect_part("p.7z.gz", "+ p.7z.gz:pack/a.csv \"1\"\n");
		expect_part("noise.7z.gz", "x noise.7z.gz noise.7z.gz: a 7z archive inside another archive or from a pipe must fit into 32 MB");
		must(run("head -c 100000000 /dev/zero >zeros && 7z a -bd bomb.7z zeros one.json >/dev/null; rm zeros"), "bomb");
		expect_part("bomb.7z", "unpacks to more than 1200 times its size");
		{ /* also when it is not read */
			struct source *s = source_new((const char *const[]){ "bomb.7z" }, 1);
			const struct source_stream *stream;
			int n = 0;

			while (source_next(s, &stream) != SOURCE_END)
				n++;
			CHECK(n >= 2 && source_losses(s) == 1 && strstr(source_error(s), "bomb.7z: the archive unpacks to more than"));
			source_free(s);
		}
	}
}

/* -- workbooks -- */

/* A zip of these names and contents, in their order, ended by NULL. */
static void put_zip(const char *path, const char *const *parts)
{
	struct archive *a = archive_write_new();
	struct archive_entry *e;

	must(a && archive_write_set_format_zip(a) == ARCHIVE_OK && archive_write_open_filename(a, path) == ARCHIVE_OK, path);
	for (; *parts; parts += 2) {
		e = archive_entry_new();
		archive_entry_set_pathname(e, parts[0]);
		archive_entry_set_size(e, (la_int64_t)strlen(parts[1]));
		archive_entry_set_filetype(e, AE_IFREG);
		archive_entry_set_perm(e, 0644);
		must(archive_write_header(a, e) == ARCHIVE_OK && archive_write_data(a, parts[1], strlen(parts[1])) == (la_ssize_t)strlen(parts[1]), parts[0]);
		archive_entry_free(e);
	}
	must(archive_write_close(a) == ARCHIVE_OK, path);
	archive_write_free(a);
}

#define TYPES "[Content_Types].xml", "<Types/>"
#define RELATIONS "xl/_rels/workbook.xml.rels", "<Relationships><Relationship Id='r1' Target='worksheets/sheet1.xml'/><Relationship Id='r2' Target='/xl/worksheets/sheet2.xml'/></Relationships>"
#define BOOK "xl/workbook.xml", "<workbook><workbookPr/><sheets><sheet name='Log' sheetId='1' r:id='r1'/></sheets></workbook>"
#define BOOK_1904 "xl/workbook.xml", "<workbook><workbookPr date1904='1'/><sheets><sheet name='Log' sheetId='1' r:id='r1'/></sheets></workbook>"
#define BOOK_OF_TWO "xl/workbook.xml", "<workbook><sheets><sheet name='Log' r:id='r1'/><sheet name='A_x0026_B' state='hidden' r:id='r2'/></sheets></workbook>"
#define SHEET(rows) "xl/worksheets/sheet1.xml", "<?xml version='1.0' encoding='UTF-8'?>\n<worksheet><sheetData>" rows "</sheetData></worksheet>"
#define SHEET_2(rows) "xl/worksheets/sheet2.xml", "<worksheet><sheetData>" rows "</sheetData></worksheet>"
#define TEXTS(items) "xl/sharedStrings.xml", "<sst count='9'>" items "</sst>"
#define STYLES(formats, styles) "xl/styles.xml", "<styleSheet><numFmts>" formats "</numFmts><cellStyleXfs><xf numFmtId='14'/></cellStyleXfs><cellXfs>" styles "</cellXfs></styleSheet>"
#define WORKBOOK(path, ...) put_zip(path, (const char *const[]){ TYPES, __VA_ARGS__, NULL })

/* one sheet of these rows, and what comes out */
static void expect_rows(const char *const *parts, const char *want)
{
	struct buf line;

	put_zip("w.xlsx", parts);
	buf_init(&line, MIB);
	buf_add_cstr(&line, "+ w.xlsx:Log ");
	buf_add_json(&line, str_of(want));
	buf_add_cstr(&line, "\n");
	expect("w.xlsx", line.p);
	buf_release(&line);
}
#define ROWS(want, ...) expect_rows((const char *const[]){ TYPES, __VA_ARGS__, NULL }, want)

static void workbook_dates(void)
{
	static const struct { const char *format, *value, *want; } cases[] = {
		{ "m/d/yy h:mm", "46028.416666666664", "2026-01-06T10:00:00" }, { "yyyy", "46028", "2026-01-06T00:00:00" },
		{ "0.00", "46028.50", "46028.5" }, { "General", "46028", "46028" }, { "@", "46028", "46028" }, { "0 &quot;days&quot;", "46028", "46028" },
		{ "0\\d", "46028", "46028" }, { "0_d*y", "46028", "46028" }, { "[Red]0", "46028", "46028" }, { "[h]", "46028", "2026-01-06T00:00:00" },
		{ "[mm]:ss", "46028", "2026-01-06T00:00:00" }, { "[Red][$-409]d", "46028", "2026-01-06T00:00:00" }, { "0;d", "46028", "46028" },
		{ "[$-407]d. mmmm yyyy;@", "46028.999999999", "2026-01-07T00:00:00" }, { "hh:mm:ss.000", "46028.416667", "2026-01-06T10:00:00.029" },
		{ "d", "0.75", "18:00:00" }, { "d", "0", "00:00:00" }, { "d", "1", "1900-01-01T00:00:00" }, { "d", "59.5", "1900-02-28T12:00:00" },
		{ "d", "60", "1900-02-29T00:00:00" }, { "d", "61", "1900-03-01T00:00:00" }, { "d", "-1", "-1" }, { "d", "2958465.5", "9999-12-31T12:00:00" },
		{ "d", "2958466", "2958466" }, { "d", "4.6028416666666664E4", "2026-01-06T10:00:00" }, { "d", "4.6028E+4", "2026-01-06T00:00:00" },
		{ "d", "45093.3333347569444444444444", "45093.3333347569444444444444" }, { "d", "x", "x" }, { "d", "46028.3333347569444", "2026-01-06T08:00:00.123" },
		{ "d", "46028.00000000578704", "2026-01-06T00:00:00.001" }, { "d", "46028.000000005", "2026-01-06T00:00:00" },
		{ "0", "1767693600000", "1767693600000" }, { "0", "1.7676936E12", "1767693600000" }, { "0", "50.0", "50" }, { "0", "-1.5E-3", "-0.0015" }, { "0", "0.0", "0" },
		{ "0", "1e99", "1e99" }, { "0", "1e", "1e" }, { "0", ".5", "0.5" }, { "0", "12.50", "12.5" }, { "0", "0.1000000000000000055511", "0.1000000000000000055511" },
	};
	char styles[300], sheet[300];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char want[100];

		snprintf(styles, sizeof(styles), "<styleSheet><numFmts><numFmt numFmtId='200' formatCode='%s'/></numFmts><cellXfs><xf/><xf numFmtId='200'/></cellXfs></styleSheet>", cases[i].format);
		snprintf(sheet, sizeof(sheet), "<worksheet><sheetData><row><c s='1'><v>%s</v></c></row></sheetData></worksheet>", cases[i].value);
		snprintf(want, sizeof(want), "%s\n", cases[i].want);
		ROWS(want, BOOK, RELATIONS, "xl/worksheets/sheet1.xml", sheet, "xl/styles.xml", styles);
	}
	for (int format = 0; format < 164; format++) { /* the built-in ones */
		bool is_date = (format >= 14 && format <= 22) || (format >= 27 && format <= 36) || (format >= 45 && format <= 47) || (format >= 50 && format <= 58);

		snprintf(styles, sizeof(styles), "<styleSheet><cellXfs><xf numFmtId='%d'/></cellXfs></styleSheet>", format);
		ROWS(is_date ? "2026-01-06T12:00:00\n" : "46028.5\n", BOOK, RELATIONS, "xl/styles.xml", styles, SHEET("<row><c s='0'><v>46028.5</v></c></row>"));
	}
	ROWS("2026-01-06T12:00:00,1904-01-02T00:00:00\n", BOOK_1904, RELATIONS, STYLES("", "<xf numFmtId='22'/>"),
	     SHEET("<row><c s='0'><v>44566.5</v></c><c s='0'><v>1</v></c></row>"));
}

static void workbooks(void)
{
	bool zip = have("zip"), tar = have("tar"), gzip = have("gzip");
	struct buf sheet, got;

	/* every kind of cell, and the places of them */
	ROWS("\"a\",\"b\"\n\"c\",,\"d\"\n,1,TRUE,FALSE\n", BOOK, RELATIONS, TEXTS("<si><t>a</t></si><si><t>b</t></si>"),
	     SHEET("<row r='1'><c r='A1' t='s'><v>0</v></c><c r='B1' t='s'><v>1</v></c></row><row r='2'/><row r='9'><c r='A9' t='inlineStr'><is><t>c</t></is></c>"
	           "<c r='C9' t='str'><f>A1&amp;\"x\"</f><v>d</v></c><c r='D9' s='0'/></row><row><c/><c><v>1</v></c><c t='b'><v>1</v></c><c t='b'><v>0</v></c></row>"));
	ROWS("\"#N/A\",\"2026-01-06T10:00:00Z\",,\"x\"\n", BOOK, RELATIONS,
	     SHEET("<row><c t='e'><v>#N/A</v></c><c t='d'><v>2026-01-06T10:00:00Z</v></c><c t='s'><v></v></c><c t='inlineStr'><is><r><t>x</t></r></is></c></row>"));
	/* rich text, readings, blanks, quotes, escapes */
	ROWS("\"one two\",\" {\"\"a\"\":1}\r\n\",\"_x0041_A\xf0\x9f\x98\x80\xef\xbf\xbd_x00\"\n", BOOK, RELATIONS, SHEET("<row><c t='s'><v>0</v></c><c t='s'><v>1</v></c><c t='s'><v>2</v></c></row>"),
	     TEXTS("<si><r><rPr><b/></rPr><t>one</t></r><r><t xml:space='preserve'> two</t></r><rPh sb='0' eb='1'><t>reading</t></rPh></si>"
	           "<si><t xml:space='preserve'> {\"a\":1}_x000D_\n</t></si><si><t>_x005F_x0041__x0041__xD83D__xDE00__xD83D__x00</t></si>"));
	ROWS("\"k\n&<\"\n", BOOK, RELATIONS, SHEET("<row><c t='inlineStr'><is><t>k&#10;&amp;<![CDATA[<]]></t></is></c></row>"));
	/* with prefixes, in Strict's namespace, in UTF-16 */
	ROWS("\"a\"\n", "xl/workbook.xml", "<x:workbook xmlns:x='http://purl.oclc.org/ooxml/spreadsheetml/main'><x:sheets><x:sheet name='Log' d:id='r1' xmlns:d='d'/></x:sheets></x:workbook>",
	     RELATIONS, "xl/worksheets/sheet1.xml", "<y:worksheet xmlns:y='y'><y:sheetData><y:row><y:c t='s'><y:v>0</y:v></y:c></y:row></y:sheetData></y:worksheet>",
	     "xl/sharedStrings.xml", "<z:sst xmlns:z='z'><z:si><z:t>a</z:t></z:si></z:sst>");
	/* parts in any order, names in any writing, a sheet that is pasted JSON */
	ROWS("\"a\"\n", "XL\\SharedStrings.xml", "<sst><si><t>a</t></si></sst>", "xl\\worksheets\\Sheet1.xml", "<worksheet><sheetData><row><c t='s'><v>0</v></c></row></sheetData></worksheet>",
	     RELATIONS, BOOK);
	ROWS("{\"a\":\"b\"}\n{\n\"c\"\n:1}\n", BOOK, RELATIONS, SHEET("<row/><row><c t='str'><v>{\"a\":\"b\"}</v></c></row><row><c t='str'><v>{\n\"c\"</v></c><c t='str'><v>:1}</v></c></row>"));
	workbook_dates();

	/* several sheets, hidden ones too; a chart is no loss */
	WORKBOOK("w.xlsx", SHEET_2("<row><c><v>2</v></c></row>"), SHEET("<row><c><v>1</v></c></row>"), BOOK_OF_TWO, RELATIONS);
	expect("w.xlsx", "+ w.xlsx:A&B \"2\\n\"\n+ w.xlsx:Log \"1\\n\"\n");
	CHECK(told_losses == 0);
	WORKBOOK("w.xlsx", "xl/worksheets/sheet2.xml", "<chartsheet/>", SHEET("<row><c><v>1</v></c></row>"), BOOK_OF_TWO, RELATIONS);
	expect("w.xlsx", "+ w.xlsx:Log \"1\\n\"\n");
	CHECK(told_losses == 0);

	/* missing parts are reported, and the rest is read */
	WORKBOOK("w.xlsx", SHEET("<row><c><v>1</v></c></row>"), BOOK_OF_TWO, RELATIONS);
	expect("w.xlsx", "+ w.xlsx:Log \"1\\n\"\nx w.xlsx:A_x0026_B w.xlsx:A_x0026_B: this sheet of the workbook is missing or damaged\n");
	WORKBOOK("w.xlsx", SHEET("<row><c><v>1</v></c></row>"));
	expect("w.xlsx", "+ w.xlsx:sheet1.xml \"1\\n\"\nx w.xlsx w.xlsx: damaged Excel workbook: it lists no sheet; what looks like one in it (1) was read\n");
	WORKBOOK("w.xlsx", SHEET("<row><c><v>1</v></c></row>"), BOOK);
	expect("w.xlsx", "+ w.xlsx:sheet1.xml \"1\\n\"\n");
	WORKBOOK("w.xlsx", SHEET("<row><c t='s'><v>0</v></c><c><v>1</v></c></row><row><c t='s'><v>1</v></c><c><v>2</v></c></row><row><c t='s'><v>x</v></c></row>"), BOOK, RELATIONS,
	         TEXTS("<si><t>a</t></si>"));
	expect("w.xlsx", "! w.xlsx:Log \"\\\"a\\\",1\\n\" w.xlsx:Log: 2 rows were left out: a text that the sheets share is missing, or cells are out of place\n");
	WORKBOOK("w.xlsx", SHEET("<row><c r='B1'><v>1</v></c><c r='A1'><v>2</v></c></row><row><c r='XFE1'><v>1</v></c></row><row><c r='XFD1'/><c r='A1'/></row><row><c r='B'><v>3</v></c></row>"), BOOK, RELATIONS);
	expect("w.xlsx", "! w.xlsx:Log \",3\\n\" w.xlsx:Log: 3 rows were left out: a text that the sheets share is missing, or cells are out of place\n");
	WORKBOOK("w.xlsx", SHEET("<row><c><v>1</v></c></row><row><c><v>2</v></row>"), BOOK, RELATIONS);
	expect_part("w.xlsx", "! w.xlsx:Log \"1\\n\" w.xlsx:Log: damaged Excel workbook (its XML: mismatched tag) after");
	WORKBOOK("w.xlsx", SHEET(""), BOOK_OF_TWO, SHEET_2("<row><c s='1'/></row>"), RELATIONS);
	expect("w.xlsx", "+ w.xlsx:Log \"\"\n+ w.xlsx:A&B \"\"\nx w.xlsx w.xlsx: this Excel workbook is empty: no cell of its 2 sheets has a value\n");
	WORKBOOK("w.xlsx", BOOK, RELATIONS);
	expect_part("w.xlsx", "x w.xlsx:Log w.xlsx:Log: this sheet of the workbook is missing or damaged\n");

	/* document types, in every part; the other parts are read */
	WORKBOOK("w.xlsx", "xl/worksheets/sheet1.xml", "<!DOCTYPE worksheet [<!ENTITY a 'aaaa'>]><worksheet><sheetData><row><c t='str'><v>&a;</v></c></row></sheetData></worksheet>", BOOK, RELATIONS);
	expect("w.xlsx", "! w.xlsx:Log \"\" w.xlsx:Log: declares a document type (DTD), which no workbook does; not read further, in case it is made to exhaust the reader\n");
	WORKBOOK("w.xlsx", "xl/sharedStrings.xml", "<!DOCTYPE sst SYSTEM 'file:///etc/passwd'><sst><si><t>a</t></si></sst>", SHEET("<row><c><v>1</v></c></row><row><c t='s'><v>0</v></c></row>"), BOOK, RELATIONS);
	got = tell("w.xlsx", 100);
	CHECK(strstr(got.p, "x w.xlsx:xl/sharedstrings.xml w.xlsx:xl/sharedstrings.xml: declares a document type") && strstr(got.p, "! w.xlsx:Log \"1\\n\" w.xlsx:Log: 1 row was left out"));
	buf_release(&got);
	WORKBOOK("w.xlsx", "xl/workbook.xml", "<!DOCTYPE x><workbook/>", SHEET("<row><c><v>1</v></c></row>"), RELATIONS);
	expect_part("w.xlsx", "declares a document type");
	expect_part("w.xlsx", "+ w.xlsx:sheet1.xml \"1\\n\"");

	/* made to exhaust the reader: depth, a tag without end, names without end, long texts many times */
	for (int kind = 0; kind < 4; kind++) {
		static const char *const said[] = { "more than 16 MB", "more than 16 MB", "more than 16 MB", "unpacks to more than 1200 times" };

		buf_init(&sheet, 512 * MIB);
		buf_add_cstr(&sheet, "<worksheet><sheetData><row><c><v>1</v></c></row>");
		for (unsigned i = 0; kind == 0 && i < 1000000; i++)
			buf_add_cstr(&sheet, "<a>");
		if (kind == 1)
			buf_add_cstr(&sheet, "<a b='");
		for (unsigned i = 0; kind == 1 && i < 20000000; i++)
			buf_add_char(&sheet, 'x');
		for (unsigned i = 0; kind == 2 && i < 1000000; i++)
			buf_printf(&sheet, "<a%u/>", i);
		for (unsigned i = 0; kind == 3 && i < 3000; i++)
			buf_add_cstr(&sheet, "<row><c t='s'><v>0</v></c></row>");
		if (kind == 3)
			buf_add_cstr(&sheet, "</sheetData></worksheet>");
		buf_init(&got, 4 * MIB);
		buf_add_cstr(&got, "<sst><si><t>");
		for (unsigned i = 0; i < 1000000; i++)
			buf_add_char(&got, 'a');
		buf_add_cstr(&got, "</t></si></sst>");
		WORKBOOK("w.xlsx", "xl/worksheets/sheet1.xml", sheet.p, BOOK, RELATIONS, "xl/sharedStrings.xml", got.p);
		expect_part("w.xlsx", said[kind]);
		if (kind < 3)
			expect_part("w.xlsx", "! w.xlsx:Log \"1\\n\" w.xlsx:Log: a part of the workbook needs more than 16 MB");
		buf_release(&sheet);
		buf_release(&got);
	}
	/* a row longer than a record may be; the next is read */
	buf_init(&sheet, 16 * MIB);
	buf_add_cstr(&sheet, "<worksheet><sheetData><row><c t='str'><v>");
	for (unsigned i = 0; i < RECORD_BYTES_MAX; i++)
		buf_add_char(&sheet, 'a');
	buf_add_cstr(&sheet, "</v></c></row><row><c><v>1</v></c></row></sheetData></worksheet>");
	WORKBOOK("w.xlsx", "xl/worksheets/sheet1.xml", sheet.p, BOOK, RELATIONS);
	expect("w.xlsx", "! w.xlsx:Log \"1\\n\" w.xlsx:Log: 1 row was left out: longer than 4 MB\n");
	buf_release(&sheet);
	/* more texts than memory takes: they are in a temporary file, and each is the right one */
	buf_init(&sheet, 512 * MIB);
	buf_init(&got, 512 * MIB);
	buf_add_cstr(&sheet, "<worksheet><sheetData>");
	buf_add_cstr(&got, "<sst>");
	for (unsigned i = 0; i < 1000; i++) {
		buf_printf(&sheet, "<row><c t='s'><v>%u</v></c><c t='s'><v>%u</v></c></row>", i, 999 - i);
		buf_printf(&got, "<si><t>%u:", i);
		for (unsigned k = 0; k < 40000; k++)
			buf_add_char(&got, (char)('a' + (i * 7 + k * k) % 23));
		buf_add_cstr(&got, "</t></si>");
	}
	buf_add_cstr(&got, "</sst>");
	buf_add_cstr(&sheet, "</sheetData></worksheet>");
	WORKBOOK("w.xlsx", "xl/worksheets/sheet1.xml", sheet.p, BOOK, RELATIONS, "xl/sharedStrings.xml", got.p);
	buf_clear(&sheet);
	for (unsigned i = 0; i < 1000; i++)
		for (unsigned half = 0; half < 2; half++) {
			unsigned text = half ? 999 - i : i;

			buf_printf(&sheet, "\"%u:", text);
			for (unsigned k = 0; k < 40000; k++)
				buf_add_char(&sheet, (char)('a' + (text * 7 + k * k) % 23));
			buf_add_cstr(&sheet, half ? "\"\n" : "\",");
		}
	buf_clear(&got);
	buf_printf(&got, "+ w.xlsx:Log (%zu bytes, crc %08lx)\n", sheet.n, crc32_z(0, (const unsigned char *)sheet.p, sheet.n));
	expect_part("w.xlsx", got.p);
	buf_release(&got);
	buf_release(&sheet);

	/* cut and changed everywhere */
	WORKBOOK("w.xlsx", BOOK, RELATIONS, SHEET("<row><c t='s'><v>0</v></c></row>"), TEXTS("<si><t>a</t></si>"));
	cut_everywhere("w.xlsx", 60, 0);
	change_everywhere("w.xlsx", "\"a\"\n", 49);
	if (gzip) {
		must(run("gzip -nc w.xlsx >w.gz && head -c -4 w.gz >v.gz && head -c -300 w.gz >u.gz"), "gzip");
		expect("w.gz", "+ w.gz:Log \"\\\"a\\\"\\n\"\n");
		expect_part("v.gz", "+ v.gz:Log \"\\\"a\\\"\\n\"\nx v.gz v.gz: compressed data ends early");
		expect_part("u.gz", "ends early");
	}
	if (zip && tar) {
		must(run("zip -q w.zip w.xlsx && tar cf w.tar w.xlsx"), "packed");
		expect("w.zip", "+ w.zip:w.xlsx:Log \"\\\"a\\\"\\n\"\n");
		expect("w.tar", "+ w.tar:w.xlsx:Log \"\\\"a\\\"\\n\"\n");
		/* packed again by hand: folders come first */
		must(run("rm -rf again && mkdir -p again/_rels again/xl/worksheets && cd again && printf '<Types/>' >_rels/.rels && printf '<worksheet><sheetData><row><c><v>7</v></c></row></sheetData></worksheet>' >xl/worksheets/sheet1.xml && zip -qr ../again.xlsx _rels xl"), "again");
		expect_part("again.xlsx", "+ again.xlsx:sheet1.xml \"7\\n\"\n");
		must(run("rm -rf logs && mkdir -p logs/xl && printf 1 >logs/xl/a.csv && cd logs && zip -qr ../logs.zip xl"), "logs");
		expect("logs.zip", "+ logs.zip:xl/a.csv \"1\"\n");
	}

	/* its like, which is named */
	WORKBOOK("w.xlsb", "xl/workbook.bin", "x", "xl/worksheets/sheet1.bin", "x");
	expect("w.xlsb", "x w.xlsb w.xlsb: a binary workbook (.xlsb: save it as .xlsx), which is not read. Unpack or convert it first\n");
	WORKBOOK("w.docx", "word/document.xml", "<document/>");
	expect_part("w.docx", "a Word document (.docx), which is not read");
	WORKBOOK("w.pptx", "ppt/presentation.xml", "<presentation/>");
	expect_part("w.pptx", "a PowerPoint presentation (.pptx), which is not read");
	WORKBOOK("w.x", "visio/document.xml", "<x/>");
	expect_part("w.x", "an Office document, which is not read");
	put_zip("w.ods", (const char *const[]){ "mimetype", "application/vnd.oasis.opendocument.spreadsheet", "content.xml", "<document-content/>", NULL });
	expect_part("w.ods", "an OpenDocument file (.ods, .odt: save a spreadsheet as .xlsx), which is not read");
}

/* Streams left unread, or half read, do not disturb the following ones. */
static void impatience(void)
{
	static const char *const paths[] = { "in.tar", "g.zip", "p.7z", "p.tar.xz", "one.json" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct source *all = source_new(&paths[i], 1), *few = source_new(&paths[i], 1);
		const struct source_stream *a, *b;
		char c[1];
		size_t n;

		if (access(paths[i], R_OK) == 0) {
			for (;;) {
				enum source_status status = source_next(all, &a);

				CHECK(source_next(few, &b) == status);
				if (status == SOURCE_END)
					break;
				CHECK_TEXT(a->path, b->path);
				while (source_read(all, c, 1, &n) == SOURCE_OK)
					;
			}
			CHECK(source_losses(all) == 0 && source_losses(few) == 0);
		}
		source_free(all);
		source_free(few);
	}
	source_free(NULL);
	{
		struct source *s = source_new(NULL, 0);
		const struct source_stream *stream;

		CHECK(source_next(s, &stream) == SOURCE_END && source_problem(s) == NULL);
		source_free(s);
	}
}

static void texts(void)
{
	static const struct {
		uint64_t n;
		const char *want;
	} cases[] = {
		{ 0, "0 bytes" },         { 1, "1 byte" },           { 999, "999 bytes" },     { 1000, "1.0 KB" },
		{ 999949, "999.9 KB" },   { 999950, "1.0 MB" },      { 12345678, "12.3 MB" },  { 50000000000, "50.0 GB" },
		{ UINT64_MAX, "18446744.1 TB" },
	};
	char out[BYTES_TEXT_SIZE];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CHECK_TEXT(bytes_text(cases[i].n, out), cases[i].want);
	CHECK(!is_bomb(ARCHIVE_RATIO_FREE_BYTES, 0) && is_bomb(ARCHIVE_RATIO_FREE_BYTES + 1, 0));
	CHECK(!is_bomb(UINT64_C(1200) * 1000000, 1000000) && is_bomb(UINT64_C(1200) * 1000001, 1000000));
}

/* -- Avro -- */

static void add_long(struct buf *b, int64_t n)
{
	uint64_t v = (uint64_t)n << 1 ^ (uint64_t)(n >> 63);

	for (; v > 127; v >>= 7)
		buf_add_char(b, (char)((v & 127) | 128));
	buf_add_char(b, (char)v);
}

static void add_counted(struct buf *b, const char *p, size_t n)
{
	add_long(b, (int64_t)n);
	buf_add(b, p, n);
}

#define AVRO_SYNC "0123456789abcdef"

static void avro_header(struct buf *b, const char *codec)
{
	static const char schema[] = "{\"type\":\"record\",\"name\":\"E\",\"fields\":[{\"name\":\"Offset\",\"type\":\"string\"},"
	                             "{\"name\":\"P\",\"type\":{\"type\":\"array\",\"items\":\"null\"}},{\"name\":\"Body\",\"type\":[\"null\",\"bytes\"]}]}";

	buf_clear(b);
	buf_add(b, "Obj\1", 4);
	add_long(b, 2);
	add_counted(b, "avro.schema", 11);
	add_counted(b, schema, sizeof(schema) - 1);
	add_counted(b, "avro.codec", 10);
	add_counted(b, codec, strlen(codec));
	add_long(b, 0);
	buf_add(b, AVRO_SYNC, 16);
}

static void avro_block(struct buf *b, int64_t n, const void *p, size_t size)
{
	add_long(b, n);
	add_counted(b, p, size);
	buf_add(b, AVRO_SYNC, 16);
}

static void avro_datum(struct buf *b, int64_t nulls, const char *body)
{
	add_counted(b, "7", 1);
	if (nulls)
		add_long(b, nulls);
	add_long(b, 0);
	add_long(b, 1);
	add_counted(b, body, strlen(body));
}

static void avro(void)
{
	const char *text = "{\"a\":\n1}\n{\"b\":2}";
	struct buf b, data, got;
	unsigned char packed[1024];
	size_t head, block;
	uint32_t sum;

	buf_init(&b, MIB);
	buf_init(&data, MIB);
	avro_datum(&data, 3, text);
	avro_datum(&data, 0, "no \"JSON\"");
	for (unsigned codec = 0; codec < 4; codec++) {
		static const char *const names[] = { "null", "deflate", "snappy", "zstandard" };
		z_stream z = { .next_in = (Bytef *)data.p, .avail_in = (uInt)data.n, .next_out = packed, .avail_out = sizeof(packed) };
		size_t n = sizeof(packed);

		if (codec == 0) {
			memcpy(packed, data.p, n = data.n);
		} else if (codec == 1) {
			deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
			CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
			n = z.total_out;
			deflateEnd(&z);
		} else if (codec == 2) {
			CHECK(snappy_compress(data.p, data.n, (char *)packed, &n) == SNAPPY_OK);
			sum = __builtin_bswap32((uint32_t)crc32(0, (const Bytef *)data.p, (uInt)data.n));
			memcpy(packed + n, &sum, 4);
			n += 4;
		} else {
			n = ZSTD_compress(packed, sizeof(packed), data.p, data.n, 3);
		}
		avro_header(&b, names[codec]);
		head = b.n;
		avro_block(&b, 2, packed, n);
		block = b.n - head;
		avro_block(&b, 2, packed, n);
		put_file("x.avro", b.p, b.n);
#define AVRO_LINES "{\\\"a\\\": 1}\\n{\\\"b\\\":2}\\n{\\\"message\\\":\\\"no \\\\\\\"JSON\\\\\\\"\\\"}\\n"
		expect("x.avro", "+ x.avro named \"" AVRO_LINES AVRO_LINES "\"\n");
		for (size_t cut = 3; cut < b.n; cut++) {
			got = tell_source(source_new_memory(b.p, cut, "x.avro"), 4096);
			CHECK_MSG((got.p[0] == '+') == (cut == head || cut == head + block), "cut at %zu: %s", cut, got.p);
			buf_release(&got);
		}
		for (size_t bit = 32; bit < b.n * 8; bit++) {
			b.p[bit / 8] ^= (char)(1 << bit % 8);
			got = tell_source(source_new_memory(b.p, b.n, "x.avro"), 4096);
			b.p[bit / 8] ^= (char)(1 << bit % 8);
			buf_release(&got);
		}
	}
	if (run("gzip -k x.avro && tar cf x.tar x.avro")) {
		expect_part("x.avro.gz", "+ x.avro.gz named \"{\\\"a\\\": 1}");
		expect_part("x.tar", "+ x.tar:x.avro \"{\\\"a\\\": 1}");
	}
	avro_header(&b, "null");
	add_long(&b, 1);
	add_long(&b, INT64_MAX);
	put_file("x.avro", b.p, b.n);
	expect_part("x.avro", "a length that no honest file has");
	avro_header(&b, "null");
	avro_block(&b, -1, "", 0);
	put_file("x.avro", b.p, b.n);
	expect_part("x.avro", "negative number of records");
	buf_clear(&data);
	avro_datum(&data, INT64_MAX, text); /* nulls take no byte */
	avro_header(&b, "null");
	avro_block(&b, 1, data.p, data.n);
	put_file("x.avro", b.p, b.n);
	expect_part("x.avro", "not what the schema says");
	avro_header(&b, "bzip2");
	put_file("x.avro", b.p, b.n);
	expect_part("x.avro", "a codec that is not read");
	buf_release(&b);
	buf_release(&data);
}

int main(void)
{
	const char *tmp = getenv("TMPDIR");
	char folder[1000];

	snprintf(folder, sizeof(folder), "%s/test_source.XXXXXX", tmp ? tmp : "/tmp");
	must(mkdtemp(folder) && chdir(folder) == 0, folder);
	texts();
	plain_files();
	shrinking_file();
	folders();
	odd_files();
	pipes();
	encodings();
	compressors();
	archives();
	avro();
	workbooks();
	impatience();
	must(chdir("/") == 0 && run("rm -rf '%s'", folder), "cleaning up");
	return check_summary();
}
