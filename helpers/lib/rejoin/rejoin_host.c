/* SPDX-License-Identifier: PostgreSQL */
#include "rejoin/rejoin_host.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/act_as.h"

#define VALUE_MAX 512
#define PATH_SIZE (VALUE_MAX + CFG_PATH_MAX)

static void missing(enum fact *fact, char *why, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* The first one is told. */
static void missing(enum fact *fact, char *why, const char *fmt, ...)
{
	va_list args;

	if (*fact == FACT_NO)
		return;
	*fact = FACT_NO;
	va_start(args, fmt);
	(void)vsnprintf(why, REJOIN_HOST_WHY_MAX, fmt, args);
	va_end(args);
}

/* ---- tablespaces ---- */

/* Where it lies here already it need not lie where the other node has it. */
static void look_at_space(struct rejoin_host *host, const struct cfg *cfg, const char *oid,
			  const char *where)
{
	char link[PATH_SIZE];

	(void)snprintf(link, sizeof(link), "%s/pg_tblspc/%s", cfg->data_dir, oid);
	if (faccessat(AT_FDCWD, link, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || where[0] != '/')
		return;
	if (faccessat(AT_FDCWD, where, R_OK | W_OK | X_OK, AT_EACCESS) < 0)
		missing(&host->spaces, host->spaces_why, "%.180s: %s", where, strerror(errno));
}

/* ---- libraries ---- */

/* pkglibdir, as it is beside bin_dir: Debian, PGDG's packages, a build of one's own, Red Hat. */
static bool library_directory(char *path, size_t size, const struct cfg *cfg)
{
	static const char *const places[] = { "../lib", "../lib/postgresql", "../lib64",
					      "../lib64/pgsql", "../lib/pgsql" };

	for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
		char known[PATH_SIZE];

		(void)snprintf(known, sizeof(known), "%s/%s/plpgsql.so", cfg->bin_dir, places[i]);
		if (access(known, F_OK) < 0)
			continue;
		(void)snprintf(path, size, "%s/%s", cfg->bin_dir, places[i]);
		return true;
	}
	return false;
}

/* A name without a directory is looked for in dynamic_library_path, which is $libdir. */
static void look_at_library(struct rejoin_host *host, const struct cfg *cfg, const char *name)
{
	static const char libdir[] = "$libdir/", plugins[] = "$libdir/plugins/";
	char directory[PATH_SIZE], path[PATH_SIZE + VALUE_MAX + 16];
	const size_t length = strlen(name);
	bool whole = length > 3 && strcmp(name + length - 3, ".so") == 0;

	if (strncmp(name, plugins, strlen(plugins)) == 0)
		return;
	if (name[0] == '/')
		directory[0] = '\0';
	else if (!library_directory(directory, sizeof(directory), cfg))
		return;
	if (strncmp(name, libdir, strlen(libdir)) == 0)
		name += strlen(libdir);
	else if (name[0] != '/' && strchr(name, '/') != NULL)
		return; /* relative to what, is the server's secret */
	(void)snprintf(path, sizeof(path), "%s%s%s%s", directory, directory[0] != '\0' ? "/" : "",
		       name, whole ? "" : ".so");
	if (access(path, R_OK) < 0)
		missing(&host->libraries, host->libraries_why, "%.180s: %s", path, strerror(errno));
}

enum fact rejoin_host_libraries(const struct cfg *cfg, const char *list, char *why, size_t size)
{
	struct rejoin_host host = { .libraries = FACT_YES };
	char name[VALUE_MAX];
	struct act_as as;

	if (act_as_begin(&as, cfg->os_user) < 0)
		return FACT_UNKNOWN;
	while (*list != '\0') {
		size_t length;

		list += strspn(list, ", \"'");
		length = strcspn(list, ", \"'");
		(void)snprintf(name, sizeof(name), "%.*s", (int)length, list);
		if (length > 0 && length < sizeof(name))
			look_at_library(&host, cfg, name);
		list += length;
	}
	(void)snprintf(why, size, "%s", host.libraries_why);
	return act_as_end(&as) == 0 ? host.libraries : FACT_UNKNOWN;
}

/* ---- locales ---- */

static void look_at_locale(struct rejoin_host *host, const char *database, const char *name)
{
	locale_t locale = newlocale(LC_COLLATE_MASK, name, (locale_t)0);

	if (locale != (locale_t)0)
		freelocale(locale);
	else if (errno == ENOENT)
		missing(&host->locales, host->locales_why, "\"%.80s\" of database \"%.80s\"", name,
			database);
}

/* ---- certificates ---- */

static void look_at_certificate(struct rejoin_host *host, const struct cfg *cfg,
				const char *setting, const char *file)
{
	char path[PATH_SIZE + 2];

	(void)snprintf(path, sizeof(path), "%s%s%s", file[0] == '/' ? "" : cfg->data_dir,
		       file[0] == '/' ? "" : "/", file);
	if (faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) < 0)
		missing(&host->certificates, host->certificates_why, "%.32s = %.180s: %s", setting,
			path, strerror(errno));
}

/* ---- all of it ---- */

static void look(struct rejoin_host *host, const struct cfg *cfg, const char *const row[3],
		 bool local)
{
	if (strcmp(row[0], "tablespace") == 0 && !local)
		look_at_space(host, cfg, row[1], row[2]);
	else if (strcmp(row[0], "library") == 0 || (strcmp(row[0], "preload") == 0 && local))
		look_at_library(host, cfg, row[2]);
	else if (strcmp(row[0], "locale") == 0)
		look_at_locale(host, row[1], row[2]);
	else if (strcmp(row[0], "certificate") == 0 && local)
		look_at_certificate(host, cfg, row[1], row[2]);
}

static int look_at_rows(struct rejoin_host *host, const struct cfg *cfg,
			const struct pg_result *rows, bool local)
{
	for (size_t i = 0; i < pg_rows(rows); i++) {
		char kind[16] = "", name[128] = "", value[VALUE_MAX] = "";
		const char *const row[] = { kind, name, value };
		int rc = pg_get_text(rows, i, 0, kind, sizeof(kind));

		if (rc == 0)
			rc = pg_get_text(rows, i, 1, name, sizeof(name));
		if (rc == 0)
			rc = pg_get_text(rows, i, 2, value, sizeof(value));
		if (rc < 0)
			return rc;
		look(host, cfg, row, local);
	}
	return 0;
}

int rejoin_host_look(struct rejoin_host *host, const struct cfg *cfg, enum pg_where where,
		     struct pg *pg, const struct deadline *dl)
{
	static const char sql[] =
	    "SELECT 'tablespace', oid::text, pg_tablespace_location(oid) FROM pg_tablespace"
	    " WHERE pg_tablespace_location(oid) <> ''"
	    " UNION ALL SELECT DISTINCT 'library', '', probin FROM pg_proc"
	    " WHERE probin IS NOT NULL"
	    " UNION ALL SELECT 'preload', '', trim(both E' \"' from name) FROM"
	    " unnest(string_to_array(current_setting('shared_preload_libraries'), ',')) AS name"
	    " WHERE trim(name) <> ''"
	    " UNION ALL SELECT DISTINCT ON (locale) 'locale', datname, locale FROM pg_database,"
	    " LATERAL (VALUES (datcollate::text), (datctype::text)) AS of(locale)"
	    " WHERE datallowconn"
	    " UNION ALL SELECT 'certificate', name, setting FROM pg_settings"
	    " WHERE name IN ('ssl_cert_file', 'ssl_key_file', 'ssl_ca_file', 'ssl_crl_file')"
	    " AND setting <> '' AND current_setting('ssl')::bool";
	struct pg_result AUTO_PG_RESULT *rows = NULL;
	struct act_as as;
	int rc = pg_query(&rows, pg, sql, 3, 0, dl), back;

	if (rc == 0)
		rc = act_as_begin(&as, cfg->os_user);
	if (rc < 0)
		return rc;
	rc = look_at_rows(host, cfg, rows, where == PG_LOCAL);
	back = act_as_end(&as);
	return rc < 0 ? rc : back;
}
