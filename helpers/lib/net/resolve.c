/* SPDX-License-Identifier: PostgreSQL */
#include "net/resolve.h"

#include <errno.h>
#include <string.h>

#include "base/proc.h"

#define GETENT "/usr/bin/getent"

enum {
	NAME_MAX_LENGTH = 253,   /* RFC 1035 without the final dot */
	EXIT_NOT_FOUND = 2,      /* getent: no such key */
	EXIT_NOT_EXECUTED = 127, /* proc.h */
};

static bool is_name(const char *text)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789.-_";
	size_t length = strlen(text);

	/* a leading dash would be an option */
	return length != 0 && length <= NAME_MAX_LENGTH && text[0] != '-' &&
	       strspn(text, allowed) == length;
}

/* "192.0.2.1       STREAM witness.example": the first word of the first line. */
static int first_address(struct addr *addr, const char *output)
{
	char text[64];
	size_t length = strcspn(output, " \t\n");

	if (length == 0 || length >= sizeof(text))
		return -EBADMSG;
	memcpy(text, output, length);
	text[length] = '\0';
	return addr_parse(addr, text) == 0 ? 0 : -EBADMSG;
}

int resolve_host(struct addr *addr, const char *host, const struct deadline *dl)
{
	const char *const argv[] = { GETENT, "ahosts", host, NULL };
	const struct proc_spec spec = { .argv = argv };
	struct proc AUTO_PROC child = PROC_NONE;
	int rc = addr_parse(addr, host);

	if (rc != -EINVAL)
		return rc;
	/* "192.0.2.300" or "1.2.3" is a slip of the pen, not a name; getent would read the latter
	 * as an address of three parts. */
	if (!is_name(host) || strspn(host, "0123456789.") == strlen(host))
		return -EINVAL;
	rc = proc_run(&child, &spec, dl);
	if (rc != 0)
		return rc;
	if (child.exit_code == EXIT_NOT_EXECUTED)
		return -ENOENT;
	if (child.exit_code == EXIT_NOT_FOUND)
		return -EHOSTUNREACH;
	return child.exit_code == 0 ? first_address(addr, child.output) : -EPROTO;
}
