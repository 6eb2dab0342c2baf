/* SPDX-License-Identifier: PostgreSQL */
/* The parts of stopat; what it does and how it is called stands in stopat.c. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define LABEL_MAX 256

/* Where in its arguments a system call says what it works on. */
enum target {
	TARGET_NONE,
	TARGET_FD,      /* a descriptor in argument 0 */
	TARGET_FD_DATA, /* the same, and what is sent stands in argument 1 */
	TARGET_FD_WORD, /* the same, and the command in argument 1 */
	TARGET_ADDRESS, /* a descriptor in 0, an address in 1 of the length in 2 */
	TARGET_PATH_0,
	TARGET_PATH_1,
	TARGET_PATH_3,
};

struct call {
	long number;
	const char *name;
	enum target target;
	bool effect; /* changes something outside of the process */
	bool quiet;  /* cannot fail, or nobody looks at how it ended */
};

const struct call *call_of(long number);
/* An open is an effect only when it makes or empties a file. */
bool call_has_effect(const struct call *call, const uint64_t args[6]);

/* "write /run/pg_vrrp/main/lease.new": the same in each run, so without numbers and
 * random names. */
void label_make(char *label, const struct call *call, pid_t tid, const uint64_t args[6]);

enum deed { DEED_COUNT, DEED_KILL_BEFORE, DEED_KILL_AFTER, DEED_FAIL, DEED_SHORT };

struct order {
	enum deed deed;
	int error;      /* DEED_FAIL: the errno */
	int occurrence; /* which of the calls with this label, from 1; 0: each of them */
	char label[LABEL_MAX];
	const char *claim; /* a file that the one who obeys takes away first; NULL: none */
};

/* Traces the process, which is about to exec, until it and its children have ended. */
int trace(pid_t pid, const struct order *order, int log_fd, int ready_fd);

/* ---- the one part that knows the processor ---- */

/* The call that is being entered is not made; regs_result says what it gives. */
int regs_skip(pid_t tid);
int regs_result(pid_t tid, long result);
/* Argument 2, a length with all calls that can be short. */
int regs_length(pid_t tid, uint64_t length);
