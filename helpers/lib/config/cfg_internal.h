/* SPDX-License-Identifier: PostgreSQL */
/* Shared by the cfg*.c files only: the table of keys, the values, the complaints. */
#ifndef PGV_CFG_INTERNAL_H
#define PGV_CFG_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "config/cfg.h"

#define CFG_KEYS_MAX 96
#define CFG_LINE_MAX 199 /* bytes of a line without its end: inih cuts longer ones */

enum cfg_section {
	SECTION_CLUSTER,
	SECTION_NODE, /* written [node NAME] */
	SECTION_WITNESS,
	SECTION_POSTGRESQL,
	SECTION_REPLICATION,
	SECTION_FENCING,
	SECTION_TIMING,
	SECTION_HEALTH,
	SECTION_COUNT,
};

enum cfg_type {
	TYPE_NAME, /* of the cluster */
	TYPE_ROLE, /* in the database */
	TYPE_DATABASE,
	TYPE_USER,           /* of the operating system */
	TYPE_ADDRESS,        /* numeric */
	TYPE_HOST,           /* numeric, or a host name */
	TYPE_VIP,            /* ADDRESS/PREFIX; fills vip and vip_prefix */
	TYPE_INTERFACE,      /* network interface */
	TYPE_PATH,           /* absolute */
	TYPE_UNIT,           /* of systemd, without .service; "none" */
	TYPE_CONNINFO,       /* KEYWORD=VALUE ... */
	TYPE_CONNINFO_NAMED, /* the same, and host=NAME, which the certificate must have */
	TYPE_NUMBER,         /* min..max */
	TYPE_DURATION,       /* min..max in ms */
	TYPE_BYTES,          /* min..max */
	TYPE_YESNO,          /* bool */
	TYPE_WITNESS,        /* enum witness_kind */
	TYPE_MODE,           /* enum replication_mode */
	TYPE_UNPROVEN,       /* enum fencing_unproven */
	TYPE_WATCHDOG,       /* enum watchdog_mode */
	TYPE_REBUILD,        /* enum rebuild_who */
	TYPE_DISK_FULL,      /* enum disk_full */
	TYPE_KEEP_OLD,       /* enum keep_old */
	TYPE_SALVAGE,        /* enum salvage_policy */
	TYPE_LISTEN,         /* enum health_listen */
	TYPE_METHODS,        /* list of enum fencing_method; fills methods and method_count */
	TYPE_COUNT,
};

/* One key.  The table is the documentation: docs/configuration.md is checked against it. */
struct cfg_key {
	enum cfg_section section;
	const char *name;
	enum cfg_type type;
	size_t offset; /* in struct cfg; for SECTION_NODE in struct cfg_node */
	size_t size;   /* of a text field */
	int64_t min;   /* numbers, durations, sizes */
	int64_t max;
	/*
	 * The value of a key that is not there, as it would be written in the file.  {name},
	 * {version}, {interface} and {state_dir} stand for the values of those keys.  NULL: see the
	 * next two; none of the three: the key is required.
	 */
	const char *fallback;
	int64_t percent_of_lease; /* durations: at least this part of the lease */
	const char *otherwise;    /* the default in words; alone: the field may stay empty */
	const char *meaning;      /* one line */
	bool of_record;           /* only with a witness that keeps the record */
};

extern const struct cfg_key cfg_keys[];
extern const size_t cfg_key_count;
extern const char *const cfg_section_words[SECTION_COUNT];

/* The form that a text of this type must have, for hints and for the reference. */
void cfg_allowed(const struct cfg_key *key, char *text, size_t size);
/* An addition to the form, for hints only. */
const char *cfg_units(const struct cfg_key *key);

/*
 * Reads text as a value of the key into base (struct cfg, or struct cfg_node for SECTION_NODE).
 * Returns 0, or -EINVAL or -ERANGE and nothing is stored.
 */
int cfg_value_set(const struct cfg_key *key, void *base, const char *text) MUST_CHECK;

/* Writes "5s", "1500ms", "1h" or "16MB", "100kB": the largest unit that keeps it exact. */
void cfg_duration_text(int64_t ms, char *text, size_t size);
void cfg_bytes_text(int64_t bytes, char *text, size_t size);

/* Has the text the form of this type?  Only the types up to TYPE_CONNINFO_NAMED have one. */
bool cfg_form_ok(enum cfg_type type, const char *text);
/* The form of a type in words. */
const char *cfg_form_words(enum cfg_type type);

/* A text that names a thing: [a-z][a-z0-9_-]*, shorter than CFG_NAME_MAX. */
bool cfg_is_name(const char *text);

/* The state while a file is being read. */
struct cfg_load {
	struct cfg cfg;
	const char *path;
	unsigned line;                               /* being read; the first is 1 */
	enum cfg_section section;                    /* SECTION_COUNT: none, or not understood */
	size_t node;                                 /* which one, inside [node NAME] */
	size_t node_count;                           /* may exceed CFG_NODES */
	unsigned section_lines[SECTION_COUNT];       /* where it began; 0: not there */
	unsigned node_lines[CFG_NODES];              /* the same for each node */
	unsigned key_lines[CFG_KEYS_MAX][CFG_NODES]; /* where it was set; 0: not */
	unsigned complaints;
};

/* More are counted only. */
#define CFG_COMPLAINTS_MAX 20
/*
 * "FILE:LINE: what was wrong" and "HINT:  what is allowed".  line 0: the file as a whole.  Counts;
 * a file of garbage is not reported line by line to the end.
 */
void cfg_complain(struct cfg_load *load, unsigned line, const char *hint, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* Reads load->path into load->cfg; every fault is a complaint. */
void cfg_parse(struct cfg_load *load);

/* Fills in what the file does not say; missing required keys and nodes are complaints. */
void cfg_complete(struct cfg_load *load);

/* Complains of values that are each allowed but cannot be meant together. */
void cfg_check(struct cfg_load *load);

/* The same for the methods of [fencing] and what they need (cfg_check_methods.c). */
void cfg_check_methods(struct cfg_load *load);

/* Where in the file the key was set, or where its section begins. */
unsigned cfg_line_of(const struct cfg_load *load, enum cfg_section section, const char *name);

/* The only *.ini in dir.  0, or -EINVAL after saying what is there. */
int cfg_find(const char *dir, char *path, size_t size) MUST_CHECK;

#endif
