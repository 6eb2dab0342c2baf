/* SPDX-License-Identifier: PostgreSQL */
/* Values that are texts of a certain form.  Every form leaves out what would need quotes. */
#include "config/cfg_internal.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <string.h>

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static bool consists_of(const char *text, const char *first, const char *rest, size_t max)
{
	return *text != '\0' && strlen(text) < max && strchr(first, *text) != NULL &&
	       strspn(text, rest) == strlen(text);
}

bool cfg_is_name(const char *text)
{
	return consists_of(text, LOWER, LOWER DIGITS "_-", CFG_NAME_MAX);
}

/* Needs no quotes in SQL, pg_hba.conf and conninfo strings. */
static bool is_database(const char *text)
{
	return consists_of(text, LOWER "_", LOWER DIGITS "_", CFG_NAME_MAX);
}

/* PostgreSQL reserves roles that begin with pg_ for itself. */
static bool is_role(const char *text)
{
	return is_database(text) && strncmp(text, "pg_", 3) != 0;
}

static bool is_user(const char *text)
{
	return consists_of(text, LOWER "_", LOWER DIGITS "_-", CFG_NAME_MAX);
}

static bool is_address(const char *text)
{
	unsigned char binary[sizeof(struct in6_addr)];

	return strlen(text) < CFG_ADDR_MAX &&
	       (inet_pton(AF_INET, text, binary) == 1 || inet_pton(AF_INET6, text, binary) == 1);
}

/* A text of digits and dots alone is a mistyped address, not a name to be looked up. */
static bool is_host(const char *text)
{
	if (is_address(text))
		return true;
	return consists_of(text, LOWER UPPER DIGITS, LOWER UPPER DIGITS "-._", CFG_TEXT_MAX) &&
	       strspn(text, DIGITS ".") != strlen(text);
}

static bool is_interface(const char *text)
{
	return consists_of(text, LOWER UPPER DIGITS, LOWER UPPER DIGITS "_.@-", IF_NAMESIZE);
}

/*
 * Goes into keepalived.conf, postgresql.conf and authorized_keys, each with quotes of its own: so
 * only characters that mean nothing anywhere.
 */
static bool is_path(const char *text)
{
	const char *dots = strstr(text, "/..");

	return consists_of(text, "/", LOWER UPPER DIGITS "/._+-", CFG_PATH_MAX) &&
	       text[1] != '\0' && (dots == NULL || (dots[3] != '\0' && dots[3] != '/'));
}

/* Debian's names of clusters go into it, and nothing that systemctl would take for an option or
 * a pattern. */
static bool is_unit(const char *text)
{
	const size_t length = strlen(text);
	static const char service[] = ".service";
	const bool suffixed = length >= sizeof(service) &&
			      strcmp(text + length - (sizeof(service) - 1), service) == 0;

	return !suffixed &&
	       consists_of(text, LOWER UPPER DIGITS, LOWER UPPER DIGITS "_.:@-", CFG_UNIT_MAX);
}

/* Keywords that pg.c sets itself; a password would be readable by everyone who may read this
 * file. */
static const char *const conninfo_ours[] = { "host",     "hostaddr", "port",
					     "user",     "dbname",   "application_name",
					     "password", "passfile", NULL };

static bool is_ours(const char *keyword, size_t length)
{
	for (size_t i = 0; conninfo_ours[i] != NULL; i++) {
		if (strlen(conninfo_ours[i]) == length &&
		    strncmp(conninfo_ours[i], keyword, length) == 0)
			return true;
	}
	return false;
}

/* A name alone: with a path libpq would look for a socket, with a list for several servers. */
static bool is_named_host(const char *text, size_t keyword, size_t value)
{
	char name[CFG_TEXT_MAX];

	if (keyword != strlen("host") || strncmp(text, "host", keyword) != 0 ||
	    value >= sizeof(name))
		return false;
	memcpy(name, text + keyword + 1, value);
	name[value] = '\0';
	return is_host(name);
}

/* KEYWORD=VALUE, separated by single blanks, nothing that needs quotes. */
static bool is_parameters(const char *text, bool named)
{
	while (*text != '\0') {
		size_t keyword = strspn(text, LOWER "_");
		size_t value;

		if (keyword == 0 || text[keyword] != '=')
			return false;
		value = strspn(text + keyword + 1, LOWER UPPER DIGITS "/._+:,@-");
		if (value == 0)
			return false;
		if (is_ours(text, keyword) && !(named && is_named_host(text, keyword, value)))
			return false;
		text += keyword + 1;
		text += value;
		if (*text == ' ' && text[1] != '\0')
			text++;
		else if (*text != '\0')
			return false;
	}
	return true;
}

static bool is_conninfo(const char *text)
{
	return is_parameters(text, false);
}

static bool is_conninfo_named(const char *text)
{
	return is_parameters(text, true);
}

static bool (*const forms[TYPE_COUNT])(const char *) = {
	[TYPE_NAME] = cfg_is_name,
	[TYPE_ROLE] = is_role,
	[TYPE_DATABASE] = is_database,
	[TYPE_USER] = is_user,
	[TYPE_ADDRESS] = is_address,
	[TYPE_HOST] = is_host,
	[TYPE_INTERFACE] = is_interface,
	[TYPE_PATH] = is_path,
	[TYPE_UNIT] = is_unit,
	[TYPE_CONNINFO] = is_conninfo,
	[TYPE_CONNINFO_NAMED] = is_conninfo_named,
};

static const char *const form_words[TYPE_COUNT] = {
	[TYPE_NAME] = "[a-z][a-z0-9_-]*, up to 31 characters",
	[TYPE_ROLE] = "[a-z_][a-z0-9_]*, up to 31 characters, not pg_...",
	[TYPE_DATABASE] = "[a-z_][a-z0-9_]*, up to 31 characters",
	[TYPE_USER] = "[a-z_][a-z0-9_-]*, up to 31 characters",
	[TYPE_ADDRESS] = "an address: 192.0.2.1 or 2001:db8::1",
	[TYPE_HOST] = "an address or a host name",
	[TYPE_VIP] = "an address with prefix: 192.0.2.100/24",
	[TYPE_INTERFACE] = "an interface name, up to 15 characters",
	[TYPE_UNIT] = "a unit without .service, up to 63 characters, or none",
	[TYPE_PATH] = "an absolute path of [A-Za-z0-9/._+-] without ..",
	[TYPE_CONNINFO] = "KEYWORD=VALUE ..., no quotes; no host, user or password",
	[TYPE_CONNINFO_NAMED] = "KEYWORD=VALUE ..., no quotes; host=NAME only, no user or password",
};

bool cfg_form_ok(enum cfg_type type, const char *text)
{
	return forms[type] != NULL && forms[type](text);
}

const char *cfg_form_words(enum cfg_type type)
{
	return form_words[type];
}
