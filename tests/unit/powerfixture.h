/* SPDX-License-Identifier: PostgreSQL */
/*
 * A node whose fence agent and hook are scripts that do as the files beside them say; the scripts
 * write down how they were called.
 *
 *   off        (made by the agent) the node is off
 *   lies       "off" says that it is done and does nothing
 *   grumbles   "off" does it, and says that it failed
 *   half       every other call fails
 *   only-2     every call ends with exit code 2, as a program does that understands nothing
 *   hangs.off, hangs.status, hangs.hook
 *   talks      it repeats the option that it does not know, and fails
 */
#ifndef PGV_TEST_POWERFIXTURE_H
#define PGV_TEST_POWERFIXTURE_H

#include <stdbool.h>

#include "fence/fence.h"

struct powerfixture {
	char directory[64];
	struct cfg cfg;
	struct fence fence;
};
extern struct powerfixture power;

int powerfixture_set_up(void **state);
int powerfixture_tear_down(void **state);

/* Makes a file beside the scripts; removes one. */
void powerfixture_put(const char *name, const char *text);
bool powerfixture_has(const char *name);
/* What it holds, with blanks for line feeds; "" when it is not there. */
const char *powerfixture_text(const char *name);

/* The first method alone, in earnest or as a test; its verdict. */
enum fence_verdict powerfixture_fence(enum fencing_method method, bool test);

#endif
