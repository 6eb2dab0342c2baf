/* SPDX-License-Identifier: PostgreSQL */
/* Addresses and names as they are written, and what getent says of a name. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/proc.h"
#include "fuzz.h"
#include "net/resolve.h"

static struct input output;
static bool asked;

int fake_proc_run(struct proc *proc, const struct proc_spec *spec, const struct deadline *dl)
    FAKE(proc_run);
int fake_proc_run(struct proc *proc, const struct proc_spec *spec, const struct deadline *dl)
{
	char AUTO_FREE *text = NULL;

	(void)dl;
	/* Never an option, never an address that getent reads in its own way. */
	assert(spec->argv[2][0] != '-' &&
	       strspn(spec->argv[2], "0123456789.") != strlen(spec->argv[2]));
	asked = true;
	*proc = PROC_NONE;
	proc->done = true;
	proc->exit_code = input_byte(&output) % 3;
	text = input_rest(&output);
	(void)snprintf(proc->output, sizeof(proc->output), "%s", text);
	return 0;
}

static void look(const struct addr *addr)
{
	char text[INET6_ADDRSTRLEN];
	struct addr again;

	assert(addr->family == AF_INET || addr->family == AF_INET6);
	assert(inet_ntop(addr->family, addr->bytes, text, sizeof(text)) != NULL);
	assert(addr_parse(&again, text) == 0 && addr_equal(addr, &again));
}

/* A name, a line feed, the exit code, what getent wrote. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct deadline dl = deadline_in_ms(1000);
	struct input in = { data, size };
	char AUTO_FREE *name = input_until(&in, '\n');
	struct addr addr;
	int rc;

	output = in;
	asked = false;
	rc = resolve_host(&addr, name, &dl);
	assert(rc <= 0);
	if (rc == 0)
		look(&addr);
	return 0;
}
