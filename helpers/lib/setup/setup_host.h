/* SPDX-License-Identifier: PostgreSQL */
/*
 * A node as only its own files and kernel know it.  The other node tells its own over the forced
 * command of fencing (request=setup, fence/fence_answer.h), in lines of key=value that a reader as
 * strict as the writer takes.
 */
#ifndef PGV_SETUP_HOST_H
#define PGV_SETUP_HOST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/auto.h"
#include "base/deadline.h"
#include "base/outcome.h"
#include "config/cfg.h"

#define SETUP_WHY_MAX 200

struct setup_host {
	bool known;
	char why[SETUP_WHY_MAX]; /* when it is not */
	char version[32];        /* of pg_vrrp */
	char digest[24];         /* of what the configuration file says; "": it cannot be read */
	char keepalived[32];     /* its version; "": not known */
	enum fact generated;     /* keepalived's file has what cluster_config prints */
	char generated_why[SETUP_WHY_MAX];
	enum fact scripts; /* root's alone to write, and executable, with every directory above */
	char scripts_why[SETUP_WHY_MAX];
	enum fact guard;
	enum fact one_boot;  /* its watch and this program see the same boot, or it has none */
	enum fact called;    /* keepalived asks, each second */
	enum fact gate;      /* the kernel holds clients to the lease, or is not to */
	enum fact no_pooler; /* beside the server (setup_pooler.h) */
	char pooler_why[SETUP_WHY_MAX];
	int64_t free_bytes;     /* where less is, of data and WAL; -1: not known */
	enum fact could_fence;  /* fence_old --test, by the guard, the last time */
	enum fact could_return; /* rejoin --check, the same */
	char return_why[SETUP_WHY_MAX];
};

/* Of this node.  It takes a moment: keepalived is asked for its version. */
void setup_host_look(struct setup_host *host, const struct cfg *cfg, const struct deadline *dl);

/* Lines of "setup KEY=VALUE", for the other node. */
void setup_host_print(const struct setup_host *host, FILE *out);

/* Takes them out of all that was printed.  0; -EINVAL: a key is missing, twice, or its value is
 * none.  known is set with a 0. */
int setup_host_parse(struct setup_host *host, const char *text) MUST_CHECK;

/* Asks the other node over ssh, by each way that is configured.  It never fails: why says. */
void setup_host_ask(struct setup_host *host, const struct cfg *cfg, const struct deadline *dl);

#endif
