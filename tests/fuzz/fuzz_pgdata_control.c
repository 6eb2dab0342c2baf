/* SPDX-License-Identifier: PostgreSQL */
/* pg_controldata's text: all of it is there once and in order, or nothing is known. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fuzz.h"
#include "postgres/pg.h"
#include "postgres/pgdata.h"

static bool has(const char *text, const char *key, const char *value)
{
	const char *at = text;

	while ((at = strstr(at, key)) != NULL && at != text && at[-1] != '\n')
		at++;
	if (at == NULL)
		return false;
	at += strlen(key);
	at += strspn(at, " ");
	return strncmp(at, value, strlen(value)) == 0;
}

/* Each is a word behind a name, as the text has them. */
static void tell(void *context, const char *name, const char *value)
{
	assert(name[0] != '\0' && strspn(name, "abcdefghijklmnopqrstuvwxyz_") == strlen(name));
	assert(value[0] != '\0' && strstr(context, value) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	char AUTO_FREE *text = input_rest(&in);
	struct pgdata_control control;
	char number[32];
	const struct pgdata_control_reader reader = { tell, text };
	int rc = pgdata_control_parse(&control, text);

	pgdata_control_settings_parse(&reader, text);
	assert((rc == 0) == control.known);
	if (rc != 0) {
		assert(strncmp(control.why, "pg_controldata: ", 16) == 0);
		memset(control.why, 0, sizeof(control.why));
		assert(fuzz_is_zero(&control, sizeof(control)));
		return 0;
	}
	assert(control.shut_down + control.in_production + control.in_recovery <= 1);
	assert(control.timeline > 0 && control.state[0] != '\0');
	/* Each key is there once, so the first place is the one. */
	(void)snprintf(number, sizeof(number), "%" PRIu64, control.system_identifier);
	assert(has(text, "Database system identifier:", number));
	assert(!control.in_production || has(text, "Database cluster state:", "in production"));
	assert(strstr(text, "WARNING") != text);
	return 0;
}
