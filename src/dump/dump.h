/* SPDX-License-Identifier: Apache-2.0 */
/* dump: is private key material in this file, whose is it, and where exactly?
 *
 *     reader ──▶ image (format: ranges, addresses, names) ──▶ blocks ──▶ finders ──▶ hits, keys ──▶ report, redaction
 *
 * A *reader* gives bytes at an offset: a file, memory, a stream that is being unpacked, /proc/PID/mem.  A *format* looks at
 * the first bytes and maps ranges of the file to memory addresses; it never hides anything: bytes that no format claims are
 * scanned too.  The scan cuts all of it into *blocks*, in the order of addresses, so that a number which crosses two
 * segments is whole in one of them.  A *finder* gets blocks and reports *hits*.  A finder that proves a private key puts it into
 * the scan's *keys*, whose secret halves live in the arena (dump/arena.h) and nowhere else.
 *
 * To add a finder: one file src/dump/NAME.c ending with `const struct dump_finder dump_finder_NAME`, one line FINDER(NAME)
 * in dump/list.h.  To add a file format: src/dump/NAME.c with `const struct dump_format dump_format_NAME` and a line
 * DUMP_FORMAT(NAME).
 *
 * This folder uses base/ and OpenSSL, no key sets and no commands: the caller passes targets as plain arrays.
 *
 * Errors: a damaged file is not an error of a function but a *problem* of the image, kept as a sentence; the bytes it hides are
 * counted as not covered.  Functions that return bool return false when out of memory.  All sizes are bytes, all offsets 64
 * bits. */
#ifndef TXM_DUMP_DUMP_H
#define TXM_DUMP_DUMP_H

#include <stdatomic.h>

#include <openssl/bn.h>

#include "base/buf.h"

/* ---- readers ---- */

struct dump_reader {
	/* Up to n bytes at offset; fewer only at the end or where `error` is then set.  0 = nothing there. */
	size_t (*read)(struct dump_reader *r, uint64_t offset, void *p, size_t n);
	void (*release)(struct dump_reader *r);
	uint64_t size;       /* of everything; for a stream whose end was not reached, the bytes seen so far */
	bool forward;        /* going back means unpacking from the start again: read in rising offsets */
	bool parallel;       /* read() may be called from several threads at once */
	bool broken;         /* the bytes end too early: see `error` */
	char error[256];     /* one sentence without the file's name; "" = none */
};
/* for read(): how many of n bytes at offset lie before the end */
static inline size_t dump_reader_within(const struct dump_reader *r, uint64_t offset, size_t n)
{
	return offset >= r->size ? 0 : n > r->size - offset ? (size_t)(r->size - offset) : n;
}
/* All three: NULL = out of memory or (fd) not readable, see errno. */
struct dump_reader *dump_reader_fd(int fd, bool own); /* a regular file, or a device that can be seeked in; pread() */
struct dump_reader *dump_reader_memory(const void *p, size_t n); /* borrowed */
/* Of a file of AVML version 2 (packed): the LiME file it was packed from.  Owns base; NULL: out of memory, and base is still the caller's. */
struct dump_reader *dump_reader_avml(struct dump_reader *base);
bool dump_is_avml(struct dump_reader *base);
void dump_reader_free(struct dump_reader *r);

/* ---- images ---- */

enum dump_range_flags {
	DUMP_WRITE = 1,    /* a writable segment */
	DUMP_EXEC = 2,
	DUMP_HEAP = 4,
	DUMP_STACK = 8,
	DUMP_NOTE = 16,    /* registers, command line, environment: file bytes that describe the process */
	DUMP_STRUCT = 32,  /* headers and tables: redaction never touches them */
	DUMP_MAPPED = 64,  /* `va` is meaningful */
	DUMP_PHYSICAL = 128, /* `va` is a physical address */
	DUMP_GAP = 256,    /* claimed by no format: scanned as plain bytes */
};

/* Ranges never overlap and are sorted by offset; together they are the whole file.  (For sparse images, the parts that
 * can be read.) */
struct dump_range {
	uint64_t offset, length;
	uint64_t va;         /* of the first byte, with DUMP_MAPPED */
	uint32_t name;       /* into names: module or segment, 0 = none */
	uint32_t flags;
};

/* A part of the dump that is declared and not there, or not readable. */
struct dump_hole {
	uint64_t offset, length;
	const char *reason;  /* "past the end of the file", "overlaps another segment" ... static */
};

struct dump_format;

struct dump_image {
	const char *path;    /* for people; borrowed */
	const struct dump_format *format;
	struct dump_reader *reader; /* borrowed */
	struct dump_range *ranges;
	size_t n_ranges;
	struct dump_hole *holes;
	size_t n_holes, holes_untold;
	char **names;        /* names[0] = "" */
	size_t n_names;
	uint64_t size;       /* of the file */
	uint64_t uncovered;  /* bytes of all holes */
	uint64_t not_dumped; /* memory of the process that its writer left out on purpose: no damage */
	unsigned word;       /* 4 or 8: bytes of a pointer; 0 = unknown */
	bool big_endian;
	bool sparse;         /* ranges are not the whole file (offset = address): /proc/PID/mem */
	bool page_list;      /* physical pages: contiguity means little */
	bool credential_store; /* an image of lsass */
	char process[128];   /* program name as the dump gives it, or "" */
	struct buf problems; /* lines: what is wrong with the file.  Not empty = never status 0 */
};

struct dump_format {
	const char *name;    /* "elf-core" */
	const char *doc;
	/* head: the first bytes of the file, at most DUMP_HEAD_BYTES.  True: it is this format. */
	bool (*is)(const uint8_t *head, size_t n);
	/* Adds ranges, holes, names, problems.  Wrong data must not make it crash, loop, or grow without bound. */
	void (*open)(struct dump_image *im);
};
extern const struct dump_format *const dump_formats[]; /* NULL-terminated */

/* For formats.  All clip to the file, refuse overflow, and note a hole for what they clip. */
void dump_add_range(struct dump_image *im, uint64_t offset, uint64_t length, uint64_t va, uint32_t name, uint32_t flags);
void dump_add_hole(struct dump_image *im, uint64_t offset, uint64_t length, const char *reason);
uint32_t dump_add_name(struct dump_image *im, struct str name); /* same text, same number */
void dump_problem(struct dump_image *im, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool dump_read_exact(struct dump_image *im, uint64_t offset, void *p, size_t n); /* all or false */

/* Recognises and maps.  NULL: out of memory.  force: name of a format, or NULL. */
struct dump_image *dump_image_open(struct dump_reader *reader, const char *path);
/* An image made by hand (the filter's /proc/PID/mem): add ranges, then dump_image_seal(). */
struct dump_image *dump_image_new(struct dump_reader *reader, const char *path);
bool dump_image_seal(struct dump_image *im); /* sorts, trims overlaps, fills gaps; builds the address table */
void dump_image_free(struct dump_image *im); /* not the reader */

/* Virtual memory of the image.  Returns how many bytes at va are there (0 = unmapped); reads at most n of them. */
size_t dump_read_va(struct dump_image *im, uint64_t va, void *p, size_t n);
/* File offset of va; *ret_left = bytes that follow it in the same range.  False: not in the dump. */
bool dump_va_to_offset(const struct dump_image *im, uint64_t va, uint64_t *ret_offset, uint64_t *ret_left);
const struct dump_range *dump_range_at(const struct dump_image *im, uint64_t offset); /* NULL: none */
const char *dump_name_of(const struct dump_image *im, const struct dump_range *range); /* "" = none */

/* ---- targets: the public keys that are hunted ---- */

enum dump_algorithm { DUMP_RSA, DUMP_EC, DUMP_ED25519, DUMP_X25519, DUMP_ED448, DUMP_X448, DUMP_DSA, DUMP_DH, DUMP_AES, DUMP_OTHER,
	              DUMP_ML_DSA, DUMP_ML_KEM, DUMP_SLH_DSA, DUMP_UNKNOWN };

struct dump_bytes { /* borrowed or the scan's */
	const uint8_t *p;
	size_t n;
};

struct dump_target {
	enum dump_algorithm algorithm;
	unsigned bits;
	struct dump_bytes n, e;   /* RSA: big-endian, no leading zero */
	const char *group;        /* EC: OpenSSL's short name, "prime256v1" */
	struct dump_bytes point;  /* EC: 04 X Y; Ed25519, X25519 ...: the raw public key */
	uint8_t spki[32];
	const char *kid;          /* "" = none */
	const char *subject;      /* of the certificate it came from; "" = none */
	const char *const *sets;  /* key sets that trust it; NULL-terminated; NULL = none */
	bool from_dump;           /* found in the dump itself: a certificate, a public key */
	bool distant;             /* ... of an authority, of which there are many: hunted in the process' own layout only */
};

/* SHA-256 of the DER SubjectPublicKeyInfo of an RSA key */
bool dump_spki_rsa(const BIGNUM *n, const BIGNUM *e, uint8_t ret[32]);

/* Allow-list: why a published test key is no finding; NULL = it is one.  today: days since 1970, judges the end dates. */
const char *dump_allowed(const uint8_t spki[32], int64_t today);

/* ---- keys that were proven ---- */

struct dump_key {
	enum dump_algorithm algorithm;
	unsigned bits;
	uint8_t spki[32];
	bool has_spki;
	const char *group;         /* EC */
	struct dump_bytes n, e;    /* RSA; public */
	struct dump_bytes point;   /* as in a target */
	struct dump_bytes p, q, d; /* in the arena, big-endian.  RSA: p > q and d modulo lcm(p-1, q-1), or d alone as found if
	                            * the primes could not be had; EC: d; Ed25519, X25519 ...: d = the seed or scalar bytes; if no
	                            * more is known, p = the scalar or its negative modulo the order, q = the prefix beside it */
	const struct dump_target *target; /* NULL: not among the targets.  Set when the scan of the image is over */
	const char *allowed;       /* reason, or NULL */
	uint64_t hits;             /* places it was seen in */
};

/* ---- hits ---- */

enum dump_class { DUMP_PROVED, DUMP_STATED, DUMP_SUSPECTED, DUMP_LOCKED };

enum dump_proof {
	DUMP_PROOF_FULL,      /* n = p q, e d = 1 ... all members agree */
	DUMP_PROOF_FACTOR,    /* a number divides n, or gives a factor by a gcd */
	DUMP_PROOF_EXPONENT,  /* 2^(e d) = 2 modulo n */
	DUMP_PROOF_POINT,     /* d G = Q, public(seed) = A, g^x = y */
	DUMP_PROOF_SCHEDULE,  /* every word of an AES schedule follows from the key */
	DUMP_PROOF_STATED,    /* whole, and says that it is a private key; there is nothing to compare it with */
	DUMP_PROOF_PAIR,      /* two primes; their product is no known modulus */
	DUMP_PROOF_LOCKED,    /* a well-formed encrypted container */
	DUMP_PROOF_SHAPE,     /* nothing is proven */
};

enum dump_fill { DUMP_FILL_ZERO, DUMP_FILL_TEXT /* body characters become 'A', separators stay */ };

#define DUMP_HIT_PIECES 8
struct dump_piece { uint64_t offset, length; };

struct dump_hit {
	enum dump_class klass;
	enum dump_proof proof;
	enum dump_algorithm algorithm;
	unsigned bits;
	int32_t key;             /* index into keys, -1 = none */
	bool has_spki;           /* key = -1, but if it is a key, then this one's: */
	uint8_t spki[32];
	const char *form;        /* what it was found as: "number", "pkcs1-der", "pem", "bignum" ...; static */
	const char *component;   /* "p", "d", "R^2 mod p", "private key" ...; static */
	const char *layout;      /* "LE/8", "BE", "J32", "U63/8", "base64+BE" ...; interned, lives with the scan */
	const char *finder;      /* its name */
	bool general;            /* a finder that names the same bytes says more: this one is then dropped */
	bool has_va;
	uint64_t offset, length, va; /* of the first byte; length of all pieces */
	enum dump_fill fill;
	uint8_t n_pieces;        /* one, except for numbers over a seam: the file ranges to be filled */
	struct dump_piece pieces[DUMP_HIT_PIECES];
};

/* ---- blocks ---- */

/* A run of bytes with consecutive addresses.  p[0 .. own) is this block's; after it up to DUMP_OVERLAP_BYTES of what
 * follows, so that everything which begins in a block is whole in it; before it up to DUMP_BEFORE_BYTES of what precedes:
 * p[-before .. n) may be read, and DUMP_BLOCK_PAD bytes more at both ends, which are zero.  A hit belongs to the block where
 * it begins: report nothing at index >= own. */
struct dump_block {
	const uint8_t *p;
	size_t own, n, before;
	struct dump_image *im;
	uint32_t flags;          /* of the ranges: those that all of them have */
	bool mapped;             /* addresses are meaningful: `va` */
	uint64_t va;             /* of p[0] */
	unsigned phase;          /* index i is 8-aligned if (i + phase) % 8 == 0 */
	unsigned step;           /* for numbers in memory order: 8, 4 or 1, by what the bytes are */
	/* decoded text (base64, hex ...): step 1, everything found is reported for the whole of `from` in `parent` */
	const struct dump_block *parent;
	size_t from, from_n;
	const char *encoding;    /* "base64"; NULL = these are the file's own bytes */
	unsigned depth;          /* decoded from decoded ... */
	/* where the bytes are in the file; for dump_locate() */
	const struct dump_extent *extents;
	size_t n_extents;
};

struct dump_extent { /* index `at` (may be negative: before) is at `offset`, for n bytes */
	int64_t at;
	uint64_t offset;
	size_t n;
};

/* Fills offset, length, va, pieces of *ret for p[i .. i+n).  False: more pieces than a hit can hold (the first are reported). */
bool dump_locate(const struct dump_block *b, size_t i, size_t n, struct dump_hit *ret);

/* ---- the scan ---- */

struct dump_scan;

enum dump_path { DUMP_PATH_BEST, DUMP_PATH_PORTABLE, DUMP_PATH_AVX2, DUMP_PATH_IFMA };

struct dump_options {
	const struct dump_target *targets; /* borrowed, all the time */
	size_t n_targets;
	unsigned threads;        /* 1 .. 64 */
	bool thorough;
	bool any_prime;          /* also primes below sqrt(2) 2^(h-1) */
	bool native;             /* numbers only as the process itself lays them: little-endian at its step.  Much quicker */
	bool writable_only;      /* look only at writable and unmapped ranges */
	bool relations;          /* look for given keys by relations as well (find_relation.c): slow where bytes are random */
	bool no_harvest;         /* do not take public keys in the dump as targets */
	const char *only;        /* names of finders, separated by commas; NULL = all */
	bool understood;         /* the check of a copy: what its process keeps was found in the original, and is gone */
	int64_t today;           /* days since 1970 */
	enum dump_path path;     /* for tests: which code to use */
	void (*progress)(void *arg, uint64_t done, uint64_t total);
	void *progress_arg;
};

struct dump_finder {
	const char *name;
	const char *doc;
	bool decoded;            /* also wants blocks of decoded text (made by dump_scan_decoded) */
	bool needs_targets;      /* asleep when there is no target; called again for those found in the dump */
	bool again;              /* finish() is called again too, with the same state: it uses targets when there are some */
	/* Once an image, before its blocks.  *ret_state is passed to the others; false: out of memory. */
	bool (*begin)(struct dump_scan *s, struct dump_image *im, void **ret_state);
	/* From several threads at once, blocks in any order. */
	void (*scan)(struct dump_scan *s, void *state, const struct dump_block *b);
	/* Once, when all blocks are done; for finders that follow pointers.  May be NULL. */
	void (*finish)(struct dump_scan *s, void *state, struct dump_image *im);
	void (*end)(void *state); /* may be NULL */
};
extern const struct dump_finder *const dump_finders[]; /* NULL-terminated */

struct dump_scan *dump_scan_new(const struct dump_options *options); /* NULL: out of memory */
void dump_scan_free(struct dump_scan *s); /* cleanses the arena */
/* Scans an image; hits and keys are those of this image alone until the next call.  False: out of memory; hits so far
 * are kept.  Trouble with the file is in im->problems. */
bool dump_scan_image(struct dump_scan *s, struct dump_image *im);

/* Results, sorted by offset, then length, then component.  The same for any number of threads. */
const struct dump_hit *dump_hits(const struct dump_scan *s, size_t *ret_n);
const struct dump_key *dump_keys(const struct dump_scan *s, size_t *ret_n);
const struct dump_options *dump_scan_options(const struct dump_scan *s);
struct dump_counts {
	uint64_t bytes;       /* read and given to the finders, each once */
	uint64_t hits_refused; /* past DUMP_HITS_MAX */
	uint64_t targets;     /* hunted: given, and found in the dump */
	uint64_t targets_met; /* public keys found in the dump */
	uint64_t limits;      /* how often a ceiling cut the search; each also a line in limits_text */
	uint64_t limits_random; /* of them, those that concern only bytes which dump_random_plan() erases */
};
const struct dump_counts *dump_counts(const struct dump_scan *s);
const char *dump_limits_text(const struct dump_scan *s); /* lines; "" = none */

/* ---- for finders; all thread-safe ---- */

/* Targets of this pass: the caller's in the first; in the second, those found in the dump and the keys just proven. */
const struct dump_target *dump_targets(const struct dump_scan *s, size_t *ret_n);

/* Reports p[i .. i+n) of the block.  Taken from `hit`: klass, proof, algorithm, bits, key, form, component, layout, fill.
 * Ignored if i >= own. */
void dump_report(struct dump_scan *s, const struct dump_finder *f, const struct dump_block *b, size_t i, size_t n,
		 const struct dump_hit *hit);
/* The same for something that is not in a block: offset and pieces are in *hit (finish()). */
void dump_report_at(struct dump_scan *s, const struct dump_finder *f, struct dump_image *im, const struct dump_hit *hit);
/* Where p[i .. i+n) of the block is: offset, length, va, pieces, fill and layout of *hit; for dump_report_at(). */
void dump_place(struct dump_scan *s, const struct dump_block *b, size_t i, size_t n, struct dump_hit *hit);
const char *dump_intern(struct dump_scan *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A ceiling cut the search: listed in the report.  The text is static. */
void dump_limit(struct dump_scan *s, const char *what);

/* The same, because too much of this block looks random: no loss where that is erased (dump_random_plan()). */
void dump_limit_random(struct dump_scan *s, const struct dump_block *b, const char *what);

/* A proven key.  The same key (by SPKI or, without one, by all its public parts) is kept once; the index is stable.
 * -1: out of memory or arena.  Finders pass what they have proven; these functions derive the rest.  They do not prove. */
int32_t dump_key_rsa(struct dump_scan *s, const BIGNUM *n, const BIGNUM *e, const BIGNUM *factor); /* factor of n */
int32_t dump_key_rsa_d(struct dump_scan *s, const BIGNUM *n, const BIGNUM *e, const BIGNUM *d);
/* EC, Ed25519 and the like: public point as in a target (may be empty), secret bytes big-endian or as the standard has them */
int32_t dump_key_point(struct dump_scan *s, enum dump_algorithm a, unsigned bits, const char *group, struct dump_bytes point,
		       struct dump_bytes secret);

/* Ed25519 and the like, of which not the seed was found but the scalar: s or -s modulo the order, big-endian; prefix may be empty */
int32_t dump_key_scalar(struct dump_scan *s, enum dump_algorithm a, unsigned bits, struct dump_bytes point, struct dump_bytes scalar,
			struct dump_bytes prefix);

/* DSA: the public key is known by its SubjectPublicKeyInfo alone; NULL: not even that.  x big-endian */
int32_t dump_key_dsa(struct dump_scan *s, enum dump_algorithm a, unsigned bits, const uint8_t spki[32], struct dump_bytes x);

/* Gives decoded bytes to the finders that want them.  They came from p[from .. from+from_n) of the parent; `encoding` is
 * "base64", "hex", "utf16" ...  Copies nothing: call, then cleanse your buffer.  `decoded` must have DUMP_BLOCK_PAD readable
 * zero bytes before and after it.  Nesting past DUMP_DECODE_DEPTH_MAX is ignored. */
void dump_scan_decoded(struct dump_scan *s, const struct dump_block *parent, size_t from, size_t from_n, const uint8_t *decoded,
		       size_t n, const char *encoding, const struct dump_finder *by);

#endif
