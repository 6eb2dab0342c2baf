/* SPDX-License-Identifier: PostgreSQL */
/* The words of libpq on a connection that failed: one clean line, and never the password in it. */
#include <stdio.h>
#include <string.h>

#include "fuzz.h"
#include "postgres/pg_internal.h"

static char *message, *password;

char *fake_PQerrorMessage(const PGconn *conn) FAKE(PQerrorMessage);
char *fake_PQerrorMessage(const PGconn *conn)
{
	(void)conn;
	return message;
}

char *fake_PQpass(const PGconn *conn) FAKE(PQpass);
char *fake_PQpass(const PGconn *conn)
{
	(void)conn;
	return password;
}

static void look(ConnStatusType at, size_t size)
{
	char why[256] = "";
	enum pg_failure failure = pg_failed_connect(NULL, at, why, size);

	assert(failure != PG_FAIL_NONE && pg_failure_code(failure) < 0);
	assert(strlen(why) < size && fuzz_is_clean(why));
	/* Stars, blanks and question marks also come from what was replaced. */
	if (strpbrk(password, "* ?") == NULL && password[0] != '\0')
		assert(strstr(why, password) == NULL);
}

/* The password, a line feed, the message. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	char AUTO_FREE *first = input_until(&in, '\n');
	char AUTO_FREE *rest = input_rest(&in);

	password = first;
	message = rest;
	look(CONNECTION_STARTED, 256);
	look(CONNECTION_AUTH_OK, 80);
	look(CONNECTION_SSL_STARTUP, 1);
	return 0;
}
