/* SPDX-License-Identifier: PostgreSQL */
/* Reading and making synchronous_standby_names: no question, so that check_answer can stay without
 * libpq. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "postgres/server_sync.h"

bool server_sync_late(int64_t version_num)
{
	const int64_t minor = version_num % 10000;

	switch (version_num / 10000) {
	case 15:
		return minor < 13;
	case 16:
		return minor < 9;
	case 17:
		return minor < 5;
	default:
		return false;
	}
}

int server_sync_names(const struct cfg *cfg, char *names, size_t size)
{
	/* The name that server_conninfo_to_peer gives there.  In quotes, because it may have a
	 * hyphen, or be "first" or "any". */
	const int length = snprintf(names, size, "\"%s\"", cfg_peer(cfg)->name);

	return length < 0 || (size_t)length >= size ? -EFBIG : 0;
}

/* syncrep_scanner.l: names in quotes, in which two of them are one, or bare ones. */
bool server_sync_lists(const char *names, const char *node)
{
	const char *at = names;

	while (*at != '\0') {
		const bool quoted = *at == '"';
		char name[CFG_NAME_MAX + 1];
		size_t length = 0;

		at += quoted ? 1 : strspn(at, " \t\n\r\f\v,()");
		for (; *at != '\0'; at++) {
			if (quoted ? *at == '"' && *++at != '"'
				   : strchr(" \t\n\r\f\v,()\"", *at) != NULL)
				break;
			if (length < sizeof(name) - 1)
				name[length++] = *at;
		}
		name[length] = '\0';
		if (strcasecmp(name, node) == 0 || (!quoted && strcmp(name, "*") == 0))
			return true;
	}
	return false;
}
