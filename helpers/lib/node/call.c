/* SPDX-License-Identifier: PostgreSQL */
#include "node/call.h"

#include <stdio.h>

void call_make(struct call *call, const struct cfg *cfg, const char *program,
	       const char *const *words)
{
	size_t count = 0;

	(void)snprintf(call->path, sizeof(call->path), "%s/%s", cfg->libexec_dir, program);
	call->argv[count++] = call->path;
	call->argv[count++] = "-c";
	call->argv[count++] = cfg->path;
	call->argv[count++] = "-n";
	call->argv[count++] = cfg_self(cfg)->name;
	for (int i = 0; i < CALL_WORDS && words[i] != NULL; i++)
		call->argv[count++] = words[i];
	call->argv[count] = NULL;
}
