/* SPDX-License-Identifier: Apache-2.0 */
/* limits: every ceiling of Taximeter, in one place, each with its reason.  The input is written by an attacker; nothing
 * grows because he wants it to.  Whatever a limit cuts is counted and shown. */
#ifndef TXM_BASE_LIMITS_H
#define TXM_BASE_LIMITS_H

#define KIB ((size_t)1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

/* -- source: where bytes come from -- */
#define READ_CHUNK_BYTES (256 * KIB)        /* one read; a block handed to a decoder: it and its index fit a second-level cache */
#define SOURCE_DEPTH_MAX 64                 /* folders in folders */
#define SOURCE_FILES_MAX 1000000            /* files in one run */
#define ARCHIVE_NESTING_MAX 3               /* archive in archive: export.zip with part.csv.gz in it */
#define ARCHIVE_ENTRIES_MAX 200000          /* entries of one archive */
#define ARCHIVE_RATIO_MAX 1200              /* unpacked : packed; deflate cannot honestly pass 1032 */
#define ARCHIVE_RATIO_FREE_BYTES (64 * MIB) /* the ratio is judged only past this much output: small files may compress extremely well */
#define ARCHIVE_ENTRY_NAME_MAX 1024
#define ZSTD_WINDOW_LOG_MAX 27              /* 128 MiB of window */
#define XZ_MEMORY_BYTES_MAX (136 * MIB)     /* a dictionary of 128 MiB and what goes with it; xz -9 needs 65 */
#define ARCHIVE_INNER_BYTES_MAX (32 * MIB)  /* a zip or 7z that cannot be seeked in (inside another, stdin) is held in memory */
#define AVRO_SCHEMA_BYTES_MAX MIB          /* one entry of an Avro header */
#define AVRO_SCHEMA_DEPTH_MAX 64           /* brackets in a schema, and records in records of its data */
#define AVRO_FIELDS_MAX 1024               /* entries of an Avro header */
#define AVRO_BLOCK_BYTES_MAX (64 * MIB)    /* one block, packed or unpacked, and one value out of gzip */
#define AVRO_TEXT_BYTES_MAX (512 * MIB)    /* the lines of one Avro record */
#define AVRO_VALUES_PER_BYTE 64            /* values of a block: a null takes no byte, and an array may say that it has any number */
#define AVRO_VALUES_FREE 4096              /* and this many in any block */
#define XLSX_XML_BYTES_MAX (16 * MIB)      /* what the parser keeps of one part: its names, its depth, the longest tag */
#define XLSX_MEMORY_BYTES (32 * MIB)       /* texts that sheets share, in memory; beyond it a temporary file */
#define XLSX_TEXT_BYTES_MAX GIB            /* all of them */
#define XLSX_COLUMNS_MAX 16384             /* as Excel has it, and so are these */
#define XLSX_STYLES_MAX 65536              /* styles of cells, and formats of numbers */
#define XLSX_SHEETS_MAX 4096               /* whose names are known; the others are named after their parts */
#define STRANGERS_TOLD_MAX 20               /* lines about files of kinds that are not read; the rest is one line with a number */
#define SOURCE_PROBLEMS_MAX 1000            /* lines about skipped files and folders; the rest is one line with a number */

/* -- decode: bytes to records -- */
#define SNIFF_BYTES (64 * KIB)              /* what a format is recognised from */
#define RECORD_BYTES_MAX (4 * MIB)          /* one record; the largest audit record seen is below 0.5 MB, an Event Hubs message 1 MB */
#define JSON_DEPTH_MAX 64                   /* nesting of one record */
#define UNWRAP_DEPTH_MAX 8                  /* record as text in a record: message, event.original, AuditData */
#define INSIDE_DEPTH_MAX 16                 /* lists and objects of unknown names around a record */
#define PAGE_DEPTH_MAX 6                    /* objects and lists longer than a record that are opened around one, see frame.c */
#define CSV_COLUMNS_MAX 1024
#define CSV_HEADER_BYTES_MAX (32 * KIB)     /* a header in the middle of a file */
#define CSV_HEADERS_MAX 64                  /* different ones in one file, 2 KiB each; rows after more are refused */
#define REJECT_SAMPLES_MAX 3                /* kept verbatim, per reason */
#define REJECT_SAMPLE_BYTES 200
#define TIME_MIN_US (INT64_C(946684800) * 1000000)  /* 2000-01-01: before it no audit log existed */
#define TIME_MAX_US (INT64_C(4102444800) * 1000000) /* 2100-01-01 */
#define DETAIL_VALUE_MAX (16 * KIB)         /* one parameter of an administrative record */
#define DETAIL_BYTES_MAX (48 * KIB)         /* all of them */
#define NAME_BYTES_MAX 512                  /* a name we keep (UPN, client string, operation) */

/* -- sort: events into event-time order -- */
#define HELD_MEMORY_BYTES (4 * MIB)         /* a thread: records that wait for the order of day and month in their file; then a temporary file */
#define SORT_MEMORY_BYTES (32 * MIB)        /* all threads together; beyond it sorted runs go to a temporary file */

/* -- state: what we remember -- */
#define NAMES_MAX 4000000                   /* distinct texts (mailbox labels, client strings, users) */
#define DEDUP_IDS_PER_GENERATION 1000000    /* ids remembered besides the exact same-second comparison; two generations */
#define CLIENTS_MAX 100000                  /* distinct client keys of a tenant; hundreds are normal */
#define TENANTS_MAX 1000                    /* judged in one run, some 200 KB each before its first mailbox; records of others are counted and left out */
#define TENANTS_NAMED_MAX 65536             /* distinct tenants that records name */
#define TENANTS_ASKED_MAX 1000              /* --tenant, in one run */
#define TENANT_ORIGINS_MAX 1000000          /* distinct (tenant, domain of the account) of sign-ins, 48 bytes each */
#define NETS_MAX 500000
#define ACTORS_MAX 2000000
#define OPERATIONS_MAX 4096                 /* distinct operation names counted by name */
#define EDGES_BASE 65536                    /* (mailbox, client) pairs: this many ... */
#define EDGES_PER_MAILBOX 12                /* ... plus this many a mailbox, 48 bytes each and 9 to find it */
#define FOLDERS_PER_MAILBOX 16              /* distinct synced folders: EDGES_BASE plus this many a mailbox, 16 bytes each */
#define CLIENT_NETS_MAX 1000000             /* distinct (client, network) pairs, 16 bytes each */

/* -- detect -- */
#define SESSIONS_MAX 98304                  /* sessions and tokens watched at once: three quarters of a table of 2^17 */
#define ALERTS_MAX 100000
#define BASELINE_MAILBOXES_MAX 500000        /* whose normal days are learnt: 1.2 KB each */

/* -- alert: what one finding lists -- */
#define ALERT_MAILBOXES_MAX 10000
#define ALERT_LIST_MAX 200                  /* apps, actors, addresses, networks, sessions, tokens */
#define ALERT_EVIDENCE_MAX 20               /* record ids: part of the interface */
#define ALERT_SENTENCES_MAX 16
#define ALERT_TEXT_BYTES_MAX (64 * KIB)
#define ALERT_CELL_BYTES_MAX 1024           /* one text of a member (alert/members.h) */

/* -- sink: findings to text -- */
#define SINK_FLUSH_BYTES (64 * KIB)         /* text gathered before it is written */
#define SINK_PIECE_BYTES_MAX (64 * MIB)     /* one alert with all its lists: ALERT_MAILBOXES_MAX labels, each escaped */
#define TEXT_ALERTS_IN_FULL 100             /* of each severity; the rest take one line each */
#define TEXT_LIST_SHOWN 5                   /* names in a list for people, then "and 37 more" */
#define TEXT_APPS_SHOWN 20                  /* rows of the inventory table */
#define TEXT_APPS_OF_TENANT 8               /* the same where there are several tenants, for each */
#define TEXT_ORPHANS_SHOWN 12               /* rows of the accesses whose token no sign-in issued */
#define SUMMARY_OPERATIONS_MAX 200          /* operations listed by name in the summary */
#define SUMMARY_BLIND_MAX 1000              /* findings of blindness in a scan; taximeter coverage has them all */
#define SUMMARY_HOLES_MAX 100               /* holes of one category of sign-ins, likewise */

/* -- eval: truth and alerts of a simulated tenant, read whole -- */
#define EVAL_LINE_BYTES_MAX (64 * MIB)      /* an event that lists a fifth of a million mailboxes is 8 MiB */
#define EVAL_MEMBERS_MAX 64                 /* of one object; an alert has 22, an attack 26 */
#define EVAL_PAIRS_MAX 100                  /* truths with their alerts in one evaluation */
#define EVAL_MAILBOXES_MAX 2000000          /* of one truth; 20 bytes each, and 24 to find one */
#define EVAL_CASES_MAX 5000000              /* attacks and confounders of one truth */
#define EVAL_REFERENCES_MAX 100000000       /* mailboxes, clients and places that all lines of a file name, together */
#define EVAL_ALARMS_MAX 10000000            /* alerts of one file */
#define EVAL_NAMES_MAX 64                   /* distinct kinds, classes, rules; a name is cut at 31 bytes */
#define EVAL_DAYS_MAX 36600                 /* a hundred years */
#define EVAL_ITEMS_MAX INT64_C(1000000000000)

/* -- keys: key sets, certificates, token headers and claims -- */
#define SJ_DEPTH_MAX 16                     /* brackets open at once; a token has two, a key set three */
#define KEYS_FILE_BYTES_MAX (16 * MIB)      /* one key set, certificate or policy; the largest public set known is 100 KiB */
#define KEYS_SET_NODES_MAX 400000           /* JSON values of one key set */
#define KEYS_MEMBERS_MAX 256                /* members of one object */
#define KEYS_SET_KEYS_MAX 16384             /* keys of one set */
#define KEY_TEXT_BYTES_MAX (64 * KIB)       /* all texts of one key together; a longer key is a fault, not a key */
#define KEY_NUMBER_BYTES_MAX 2048           /* a modulus of 16384 bits: what OpenSSL verifies with */
#define KEY_CERT_BYTES_MAX (64 * KIB)
#define YAML_DEPTH_MAX 8                    /* a policy has five */
#define YAML_NODES_MAX 200000
#define POLICY_BYTES_MAX (4 * MIB)
#define POLICY_RECORDS_MAX 65536            /* records of one policy, those made from a whole set included */
#define POLICY_SETS_MAX 4096
#define TOKEN_BYTES_MAX (16 * KIB)          /* a token; those with the most groups in them stay below 8 */
#define TOKEN_HEADER_BYTES_MAX (4 * KIB)    /* its first segment; real ones are below 300 bytes */
#define TOKEN_NODES_MAX 4096                /* JSON values of header or claims */
#define TOKEN_FOREIGN_MAX 8                 /* records of another scope that a refused token is tried against */
#define TOKEN_LINE_MAX 64                   /* tokens of one line */
#define TOKEN_CHAIN_MAX 8                   /* tokens of an exchange chain */
#define TOKEN_REPLAY_MAX 4000000            /* token ids remembered for the replay check, 24 bytes each */
#define FETCH_BYTES_MAX (4 * MIB)           /* a key set over the network */
#define FETCH_SECONDS 20                    /* for all of it */
#define FETCH_CONNECT_SECONDS 5
#define KEY_FAULTS_SHOWN 16                 /* faults of one key remembered with the member's name; all are in the mask */

/* -- keys audit: key sets with a past -- */
#define STRENGTH_BITS_MAX 16384             /* a longer modulus is not tested: the tests grow with its square */
#define KEYS_PROVIDERS_MAX 10000            /* providers, or undated sets, in one audit */
#define KEYS_SIGHTINGS_MAX 4000000          /* (observation, key) pairs, 64 bytes each; a year of hourly looks at 20 keys is 175,200 */
#define KEYS_ENTRIES_MAX 200000             /* entries of sets that differ word by word, some 4 KiB each */
#define KEYS_FINDINGS_MAX 100000
#define KEYS_FINDING_TEXT_MAX (16 * KIB)    /* one sentence of evidence */
#define KEYS_SEARCHED_MAX 64                /* listed RSA keys in one audit that are searched for factors: 0.1 s each */
#define KEYS_SEARCHED_BITS_MAX 4096         /* ... of this length at most, but with --thorough: a multiplication grows with its square */
#define KEYS_SHARED_MODULI_MAX 1500         /* compared for common primes, 10 s: the time grows with the square of their number */
#define KEYS_TOKENS_MAX 1000000             /* logged tokens, some 100 bytes each; what is past it is counted and reported */
#define KEYS_BLOCKLIST_BYTES_MAX GIB        /* a list of compromised keys, 16 bytes each; badkeys' own is below 100 MiB */
#define KEYS_STATE_BYTES_MAX GIB            /* what keys watch keeps: 400 days of hourly changes of a large set are 130 MB */
#define KEYS_LEAKS_MAX 1000000              /* hashes of a leak report */
/* -- identity: tokens and the sign-ins that issued them -- */
#define IDENTITY_SORT_BYTES (8 * MIB)       /* sign-ins on their way into event order; beyond it temporary files */
#define IDENTITY_TOKENS_MAX 1572864         /* sign-ins remembered at once: three quarters of 2^21 slots of 41 bytes */
#define IDENTITY_SESSIONS_MAX 393216        /* sessions likewise */
#define IDENTITY_UNLINKED_MAX 393216        /* tokens seen without a sign-in */
#define ORPHAN_GROUPS_MAX 65536             /* (mailbox, client, alerts) with accesses whose token no sign-in issued: 10 MB */
#define ORPHAN_TOKENS_MAX 131072            /* tokens of these: 6 MB */
#define IDENTITY_PAIRS_MAX 786432           /* (client, account, network, hour of issue) of one day; two days are kept */
#define IDENTITY_SLOTS_MAX 1000000          /* ten-minute slots with a sign-in, all categories: 19 years */
#define IDENTITY_APP_HOURS_MAX 500000       /* (application, hour) with a sign-in */
#define IDENTITY_TIMELESS_MAX 500000        /* sign-ins exported without their time */
/* -- coverage: when each mailbox could be seen -- */
#define COVERAGE_CELLS_MAX 8000000          /* (mailbox, day), 4 bytes each: 66,000 mailboxes for four months */
#define SWITCHES_MAX 20000                  /* records that switch something about the log, 440 bytes each */
#define COVERAGE_THROTTLED_MAX 200000       /* throttled windows */
#define COVERAGE_FINDINGS_MAX 200000        /* sentences */
#define COVERAGE_ROWS_SHOWN 300             /* mailboxes in the picture, the least visible first */
#define COVERAGE_SETTINGS_BYTES_MAX (64 * MIB) /* one export of settings */
#define COVERAGE_ACCOUNTS_MAX 500000        /* accounts in exports of settings */
/* -- impact: what was read, message by message -- */
#define ITEM_ID_BYTES_MAX 1024              /* an InternetMessageId; RFC 5322 lines end at 998 */
#define SPOOL_MEMORY_BYTES (48 * MIB)       /* one sorted heap of texts; beyond it runs go to a temporary file */
#define SPOOL_PIECE_BYTES_MAX (64 * KIB)    /* one entry */
#define IMPACT_SELECTORS_MAX 100000         /* ids, names, networks that a selection holds */
#define IMPACT_SYNCS_MAX 1000000            /* distinct (mailbox, folder, client, address, session) of Sync records */
#define IMPACT_CONTEXTS_MAX 500000          /* distinct (mailbox, client, network) seen inside the selection */
#define IMPACT_HABITS_MAX 4000000           /* distinct (mailbox, client, network) seen before it */
#define IMPACT_SLOTS_MAX 2000000            /* distinct (hour, mailbox) of the timeline */
#define IMPACT_INTERVALS_MAX 200000         /* times in which something was not recorded */
#define REPORT_MESSAGES_MAX 5000            /* listed in one page; the rest is in the CSV, which has no end */
#define REPORT_MESSAGES_PER_MAILBOX 100
#define REPORT_MAILBOXES_MAX 2000           /* rows of one page */
#define REPORT_ROWS_MAX 500                 /* of its other tables */
#define NOTICE_MESSAGES_MAX 25              /* named in a letter; more is a list, which the office gives */
#define NOTICE_TIMES_MAX 20                  /* unknown times that a letter lists */
#define SHEET_CELL_BYTES_MAX (64 * KIB)     /* one cell of a CSV that the user gives besides the export */
#define SHEET_ROWS_MAX 20000000
/* -- dump: private keys in memory images -- */
#define DUMP_HEAD_BYTES (8 * KIB)           /* what a format is recognised from */
#define DUMP_BLOCK_BYTES (4 * MIB)          /* bytes a block owns: with its index it stays near the second-level cache */
#define DUMP_OVERLAP_BYTES (64 * KIB)       /* bytes that may be read past a block: the longest thing found whole */
#define DUMP_BEFORE_BYTES (64 * KIB)        /* bytes that may be read before it */
#define DUMP_BLOCK_PAD 256                  /* zero bytes around these: vector loads may overrun */
#define DUMP_RANGES_MAX 2000000             /* of one dump; a Java process with many threads has some thousands */
#define DUMP_HOLES_MAX 1000                 /* listed; the rest is counted */
#define DUMP_NAMES_MAX 65536                /* modules and segments */
#define DUMP_PROBLEMS_BYTES_MAX (64 * KIB)
#define DUMP_NOTES_BYTES_MAX (64 * MIB)     /* an ELF core with ten thousand threads has 30 MB of notes */
#define DUMP_HITS_MAX 1000000
#define DUMP_KEYS_MAX 100000
#define DUMP_TARGETS_MAX 100000             /* public keys hunted at once */
#define DUMP_TARGETS_MET_MAX 4096           /* public keys of the dump itself; a Java trust store has 140 */
#define DUMP_ARENA_BYTES_MAX (64 * MIB)     /* 2 KB a key */
#define DUMP_INTERN_MAX 65536               /* texts of layouts */
#define DUMP_DECODE_DEPTH_MAX 3             /* hex of base64 of DER */
#define DUMP_THREADS_MAX 64
#define DUMP_STACK_BYTES (192 * KIB)         /* of a thread's stack, cleansed at its end: more than any finder, GMP and OpenSSL use below it */
#define DUMP_RSA_BITS_MAX 16384
#define DUMP_AVML_PLACES_MAX 2097152        /* remembered in a packed AVML file, one in 64 frames: 8 TB of memory, 80 MB */
#define DUMP_STREAM_HELD_BYTES (64 * MIB)   /* an unpacked stream up to this size is held in memory and can be sought in */
#define DUMP_STREAM_BYTES_MAX (1024 * GIB)  /* unpacked, of one stream */
#define DUMP_BITMAP_BYTES_MAX (256 * MIB)   /* of a Windows kernel dump: bits of 8 TiB of memory */
#define DUMP_STREAMS_MAX 4096               /* of a minidump */
#define DUMP_LIST_BYTES_MAX (64 * MIB)      /* of one list of small entries in it */
#define DUMP_AUTHORITIES_MAX 12             /* more of them in a dump are a trust store */
/* -- dump: key forms -- */
#define CLAIM_BYTES_MAX 2048                /* one number of a key: RSA and DSA of 16384 bits */
#define SHIELDED_PAIRS_MAX 4096             /* structures of a process that may be shielded SSH keys */
#define SHIELDED_BYTES_MAX (64 * KIB)       /* of one of them */
#define CLAIM_OPAQUE_BYTES_MAX (32 * KIB)   /* of a secret with which nothing is computed: seed and expanded key of ML-DSA-87 have 5 KiB */
#define CLAIM_RSA_BITS_MIN 256              /* smaller moduli divide by chance, and anyone can factor them */
#define TEXT_GAP_MAX 64                     /* bytes between two tokens of one run: a line break and its indentation */
#define TEXT_BASE64_DIGITS_MIN 40           /* a P-256 or Ed25519 secret has 43 */
#define TEXT_HEX_DIGITS_MIN 64              /* and 64 */
#define TEXT_NESTED_MAX 8                   /* text in text in text: \\\\n, %25250A, &amp;amp;#10; */
#define TEXT_ESCAPE_BYTES_MAX 48            /* one character so written */
#define FORM_OBJECT_BYTES_MAX (32 * KIB)    /* from one end of a JWK, an XML or a PuTTY key to the other; RSA-16384 in XML is 13 KiB */
#define JWK_NAME_BYTES_MAX 160              /* from a member's name to its value, both quotes escaped as often as they may be */
#define PEM_HEADERS_BYTES_MAX 512           /* Proc-Type, DEK-Info; Version and Comment of OpenPGP */
#define FORMS_RUN_BYTES (64 * KIB)          /* of a run of digits decoded at once; longer ones in slices that overlap by half */
#define FORMS_BEFORE_BYTES (8 * KIB)        /* from a form's head to its first secret byte, and the text before that */
#define FORMS_PAST_BYTES 512                /* what begins in a block may be recognised so far past the block's end */
#define FORMS_COST_MAX 20000                /* exponentiations of 1024 bits that one block may cost: some ten seconds */
#define CELLS_SIZES_MAX 16                  /* sizes of primes that are hunted in words that are not full, */
#define DIVISOR_SIZES_MAX 64                /* and in full ones */
#define WALK_BLOCK_MAX 65536                /* structures of libraries taken from one block */
#define WALK_TEXTS_MAX 4096                 /* texts that may be a number of an RSA key: 1.3 KiB each */
#define WALK_VALUES_MAX 20000               /* their values that are compared */
#define WALK_GCDS_MAX 20000                 /* gcds: (value, public key) pairs, or (value, family) */
#define WALK_FAMILY_MAX 256                 /* moduli in one product */
#define WALK_EXPONENTS_MAX 2000             /* the first so many also for d mod (p - 1), half a millisecond each */
#define CURVE_TARGETS_MAX 4096              /* elliptic public keys hunted */
#define CURVE_NEAR_BYTES 4096               /* a scalar is looked for so far from its point, at every eighth byte, */
#define CURVE_CLOSE_BYTES 1024              /* and so far at every byte */
#define CURVE_BESIDE_BYTES 128              /* the same for authorities that the dump knows: there are many */
#define CURVE_COST_MAX 3000000              /* points computed for one block, in P-256's (some 5 us) */

/* -- dump: redaction -- */
#define DUMP_TRACE_ENTRIES_MAX (16 * MIB)   /* runs of eight bytes of what follows from keys: some 200,000 for RSA-2048; 12 bytes each */
#define DUMP_CUTS_MAX (4 * MIB)             /* pieces to be erased of one dump */
#define TRACE_PRIMES_MAX 8                  /* of one key */
#define TRACE_GAP_MAX 24                    /* bytes between two digits: a line break, an indent, an escape */
#define RESIDUE_BATCH 1024                  /* windows multiplied together before a gcd is taken */
#define RESIDUE_ALL_WINDOWS 8192            /* windows times moduli up to which everything is tested at every byte, */
#define RESIDUE_MOST_WINDOWS 300000         /* and up to which the common relations are: some 90 us each for RSA-2048; */
#define RESIDUE_WINDOW_SHARE KIB            /* or one in so many bytes that are looked at, if those are more: 90 s for each GiB */
#define RESIDUE_MET_EXPONENTS_MAX 32        /* of these, for how many exponents are tested as well: 3 MiB of tables each */
#define RESIDUE_CURVE_COST_MAX 6000000      /* additions of points for one block in the check of elliptic keys: some ten seconds */
#define RESIDUE_MET_MAX 256                 /* moduli seen in the dump, besides the given ones, whose residue is looked for */
#define LEDGER_BYTES_MAX (256 * MIB)        /* of a ledger that is searched */

/* -- persist: the file that keeps what was learnt -- */
#define STORE_PART_BYTES (1 * MIB)          /* one piece of it, unpacked */
#define CLAIM_RESULTS_MAX 50000             /* the most that Search-UnifiedAuditLog returns for a search */
#define CLAIM_SEARCHES_MAX 1000             /* searches of different size in one run, 6 KiB each; those past it are not checked */
#define CLAIM_SENTENCES_MAX 16              /* on what an export reports as missing */
#define CLAIM_QUERIES_MAX 64                /* queries whose pages are counted apart */
#define STATE_OPEN_HOURS 48                 /* records of the newest hours are kept as they are, for late ones */
#define STATE_LAG_DAYS 14                   /* a log that ends this much earlier than the audit log is not waited for */
#define STATE_FUTURE_MINUTES 10             /* a record dated further in the future does not advance the learning bound */
#define STATE_LATE_SHARE 1000               /* more than one record in so many that came too late: the run is incomplete */
#define STATE_ODD_SHARE 1000                /* one record in so many may be newer than what counts as the newest */

/* -- dump: the filter of cores and the watcher of their folder -- */
#define FILTER_SMAPS_BYTES_MAX (32 * MIB)   /* read for a hint: some thirty thousand mappings */
#define FILTER_PIPE_BYTES (1 * MIB)         /* of each pipe: what an ordinary user may ask for */
#define WATCH_NAMES_MAX 100000              /* dumps of the folder that wait and are taken in one look; more in the next */
#define WATCH_FAILED_MAX 4096               /* remembered as not to be tried again until they change */
#define WATCH_IDLE_MS 2000                  /* between two looks whether the folder is still there */
#define WATCH_ONCE_ROUNDS 2                 /* so often --once waits for a dump that was written a moment ago */
#define WATCH_QUIET_MS 1000                 /* a dump that did not grow for so long, and that no process writes, is whole */

#endif
