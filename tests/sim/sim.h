/* SPDX-License-Identifier: PostgreSQL */
/*
 * Two nodes, a witness and the network between them, in one process: the real C of the helpers runs
 * as coroutines, and calls fakes where it would touch the system (README.md).  Time is simulated,
 * in microseconds; everything random comes from one seed, so that a seed is a history.
 */
#ifndef PGV_SIM_H
#define PGV_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "config/cfg.h"

/* FAKES(x) declares the fake of x with the type of x, and the Makefile reads it: calls of x from
 * other files come to FAKE(x).  REAL(x) is what they would have called. */
#define FAKE(name) __wrap_##name
#define REAL(name) __real_##name
#define FAKES(name)                                                                \
	extern __typeof__(name) FAKE(name) __attribute__((visibility("default"))); \
	extern __typeof__(name) REAL(name)

#define NODES   2
#define WITNESS 2 /* the third host */
#define HOSTS   3

#define MS(ms) ((int64_t)(ms)*1000)

/* ---- chance: chance.c ---- */

void chance_begin(uint64_t seed);
/* 0 <= it < below */
int64_t chance_below(int64_t below);
/* from <= it <= to */
int64_t chance_between(int64_t from, int64_t to);
/* true once in `of` times */
bool chance_one_in(int64_t of);

/* ---- time, processes: sched.c ---- */

struct process {
	int id; /* also its pid */
	int parent;
	int node;
	bool dead;
	bool detached; /* outlives its parent */
	char name[24];
	char request[160]; /* SSH_ORIGINAL_COMMAND */
	const char *argv[16];
	char words[16][64];
	int argc;
	int exit_code;
	int64_t frozen_until_us;
	char output[512];
};

extern int64_t sim_now_us;

/* The running process; NULL in an event. */
struct process *sim_self(void);
/* The node whose code runs. */
int sim_node(void);
/* The deed takes the caller so long: others run meanwhile. Does not return where it is killed. */
void sim_pass(int64_t us);
/* The same for something that can be seen from outside: a write, a question, a signal.  Armed kills
 * and freezes strike here (faults.c). */
void sim_effect(const char *what);
/* Passes until *done or until_us. */
void sim_wait(const bool *done, int64_t until_us);

/* Runs fn in another coroutine of the same process; *done is set at its end. */
void sim_beside(void *(*fn)(void *), void *arg, bool *done);

/* name: a helper; words: its arguments, NULL-terminated.  Begins after delay_us. */
struct process *process_begin(int node, const char *name, const char *const *words,
			      int64_t delay_us);
struct process *process_of(int id);
void process_kill(struct process *process);
void process_freeze(struct process *process, int64_t us);
/* Every process of a node; NULL name: all. */
void process_each(int node, const char *name, void (*deed)(struct process *, int64_t),
		  int64_t value);
/* Called by helpers' mains of sim (mains.c): runs the helper that the process is. */
int helper_main(struct process *process);

/* Calls deed(a, b, p) at a time. */
typedef void (*sim_deed)(int64_t a, int64_t b, void *p);
void sim_at(int64_t at_us, sim_deed deed, int64_t a, int64_t b, void *p);

void sim_begin(void);
/* Until the time, or until the world was found broken. */
void sim_run(int64_t until_us);
void sim_end(void);

/* ---- what is said: told.c ---- */

extern bool told_aloud;
/* One line of the transcript; node < 0: of the world. */
void told(int node, const char *who, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* ---- files, locks, descriptors: files.c, locks.c ---- */

void files_begin(void);
/* A reboot empties run_dir. */
void files_boot(int node);
/* Where nothing can be written, or read, for a while. */
enum files_place { PLACE_RUN, PLACE_STATE, PLACE_DATA, PLACES };
void files_break(int node, enum files_place place, int64_t until_us);
void file_put(const char *path, const char *text);
bool file_there(const char *path);
void file_forget(const char *path);

enum fd_kind { FD_NONE, FD_LOCK, FD_PIDFD, FD_SIGNALS, FD_BYTES };
int fd_open(enum fd_kind kind, int node, int64_t what, const void *bytes, size_t size);
void fds_of_the_dead(int process);
void locks_begin(void);

/* ---- the nodes: node.c ---- */

struct node {
	bool on;
	int64_t booted_us;
	char boot[40];
	int64_t off_until_us;
	int64_t frozen_until_us;
	int64_t late_until_us; /* its guard could not do its work in time; 0: it can */
	/* the kernel's gate */
	int gate;
	int64_t gate_until_us;
	uint32_t generation;
	struct cfg cfg;
};
extern struct node nodes[HOSTS];   /* the last one is the witness host */
extern bool link_up[HOSTS][HOSTS]; /* from, to */

void nodes_begin(void);
void node_power_off(int node, int64_t for_us);
/* The time on the node's own clock, in ms. */
int64_t node_ms(int node);
bool node_lets_in(int node);
int node_of(const struct cfg *cfg);
const char *node_name(int host);

/* ---- the servers: server.c ---- */

#define LINES_MAX 64 /* of timelines, in one seed */

struct line {
	int id; /* of the timeline: numbers may be given twice, these are not */
	uint32_t number;
	uint64_t end; /* where the next one began */
};

enum server_phase { SERVER_IS_DOWN, SERVER_BEGINS, SERVER_RUNS };

struct wal {
	struct line lines[LINES_MAX]; /* the last one is current; its end is where the WAL ends */
	int count;
};

struct fake_server {
	enum server_phase phase;
	bool is_down; /* the same, for who waits for it */
	int incarnation;
	int pid;
	int64_t started_us;
	bool signal_file; /* standby.signal */
	bool primary;     /* what runs */
	bool behind;      /* somebody else has started it */
	bool clean;       /* was shut down in good order */
	struct wal wal;
	uint64_t checkpoint;
	uint64_t recovered;                     /* its WAL ended there when it began */
	char conninfo_file[256], conninfo[256]; /* of postgresql.auto.conf, and what is in force */
	char names_file[64], names[64];         /* synchronous_standby_names */
	int64_t loaded_us;                      /* when its files were read last */
	bool sync;                              /* commits wait */
	bool promoting;
	bool streams; /* a walreceiver runs */
	int64_t sender;
	int64_t away_us;
	uint64_t flushed; /* by the other node, as this primary knows */
	int64_t slow_until_us;
	int settings_locked; /* session that changes a setting */
};
extern struct fake_server servers[NODES];

void servers_begin(void);
void server_start(int node);
void server_end(int node, const char *how);
void server_reload(int node);
void server_ask_promotion(int node);

bool server_is_primary(int node);
/* A standby of the other node, whether it streams just now or not. */
bool server_follows(int node);
/* "Database cluster state", as a number. */
int server_state_of(int node);
uint64_t wal_end(const struct wal *wal);
void server_rewind(int node);
/* pg_control as the guard reads it. */
void server_control(int node, unsigned char *bytes, size_t size);
#define SYSTEM UINT64_C(7301112223334445556)

/* ---- pings: net.c ---- */

void net_begin(void);

/* ---- the witness: row.c ---- */

struct row {
	bool present;
	int64_t term, version, lease_ms;
	char holder[CFG_NAME_MAX];
	bool paired, released, paused, sync, final_known, accepted_known;
	uint64_t final_lsn, accepted_lsn;
};
extern struct row the_row;
extern bool witness_up;
void row_begin(void);
/* Runs one statement; cells[17], "" with null[]: answers. */
struct answer;
void row_answer(const char *sql, struct answer *answer);

/* ---- answers of servers: sql.c, cells.c, answers.c ---- */

#define CELLS_MAX 40
struct answer {
	size_t columns, rows;
	char cells[CELLS_MAX][300];
	bool null[CELLS_MAX];
	char sqlstate[6];
	bool refused;
};
/* The rows that pg_query returns. */
struct pg_result {
	struct answer answer;
};
void answer_add(struct answer *answer, const char *fmt, ...) PRINTF_LIKE(2, 3);
void answer_null(struct answer *answer);
void answer_bool(struct answer *answer, bool value);
void sql_begin(void);
void sql_of_the_dead(int process);
/* The server's sessions end. */
void sql_server_ended(int host);
/* false: not now, ask again in a moment (a lock). */
bool server_answer(int node, int session, int from, const char *sql, struct answer *answer);

/* ---- what is promised: promise.c ---- */

void promise_begin(void);
void promise_look(void);
/* A commit up to here, on the primary's current timeline, was acknowledged to somebody. */
void promise_acknowledged(int node, uint64_t lsn);
/* A node becomes a primary, or is one again. */
void promise_primary(int node);
extern char promise_broken[200]; /* "": none */

/* ---- what goes wrong: faults.c, strikes.c ---- */

enum world { WORLD_RECORD, WORLD_RECORD_ASYNC, WORLD_PING, WORLDS };
extern enum world sim_world;
void faults_begin(void);
/* At an effect of a helper. */
void faults_strike(struct process *process, const char *what);
/* How long a packet takes; < 0: it is lost. */
int64_t faults_packet(int from, int to);
bool faults_preempt(int64_t *us);
/* Used by the strikes: the guard could not work for so long; the node is cut off; keepalived
 * calls promote_safe. */
void faults_guard_late(int node, int64_t us);
void faults_cut_off(int node);
void faults_call_promote(int node);
bool faults_is_guard(const struct process *process);
/* Draws one for this node. */
void strikes_arm(int node);
void strikes_forget(void);

struct counts {
	int promotions, starts, fences, kills, reboots;
};
extern struct counts counts;

#endif
