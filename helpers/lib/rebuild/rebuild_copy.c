/* SPDX-License-Identifier: PostgreSQL */
/* pg_basebackup(1) into the directories that were made for it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "postgres/pg.h"
#include "postgres/server.h"
#include "rebuild/rebuild.h"

#define MAPPING_MAX (2 * REBUILD_PATH_MAX + 128)

void rebuild_application_name(char *text, size_t size, const struct cfg *cfg)
{
	(void)snprintf(text, size, "%s-rebuild", cfg_self(cfg)->name);
}

static int source_conninfo(const struct cfg *cfg, char *conninfo, size_t size)
{
	char peer[SERVER_CONNINFO_MAX], name[64];
	const struct conninfo_item named = { "application_name", name };
	int rc = server_conninfo_to_peer(cfg, peer, sizeof(peer));

	rebuild_application_name(name, sizeof(name), cfg);
	return rc < 0 ? rc : conninfo_compose(&named, 1, peer, conninfo, size);
}

/* --tablespace-mapping=OLD=NEW, where "=" in a name is written "\=". */
static int mapping(char *out, size_t size, const char *from, const char *to)
{
	size_t used = (size_t)snprintf(out, size, "--tablespace-mapping=");
	const char *const parts[] = { from, to };

	for (size_t part = 0; part < ARRAY_COUNT(parts); part++) {
		for (const char *c = parts[part]; *c != '\0'; c++) {
			if (used + 4 > size)
				return -ENAMETOOLONG;
			if (*c == '=')
				out[used++] = '\\';
			out[used++] = *c;
		}
		if (part == 0)
			out[used++] = '=';
	}
	out[used] = '\0';
	return 0;
}

struct arguments {
	char program[CFG_PATH_MAX + 32];
	char directory[REBUILD_PATH_MAX + 16];
	char wal[REBUILD_PATH_MAX + 16];
	char source[SERVER_CONNINFO_MAX + 128];
	char slot[SLOT_NAME_MAX + 16];
	char mappings[REBUILD_SPACES_MAX][MAPPING_MAX];
	const char *argv[REBUILD_SPACES_MAX + 12];
};

static int compose(struct arguments *a, const struct cfg *cfg, const struct rebuild_place *place,
		   const struct rebuild_source *source)
{
	size_t n = 0, used = (size_t)snprintf(a->source, sizeof(a->source), "--dbname=");
	int rc = source_conninfo(cfg, a->source + used, sizeof(a->source) - used);

	(void)snprintf(a->program, sizeof(a->program), "%s/pg_basebackup", cfg->bin_dir);
	(void)snprintf(a->directory, sizeof(a->directory), "--pgdata=%s", place->fresh);
	(void)snprintf(a->wal, sizeof(a->wal), "--waldir=%s", place->wal);
	a->argv[n++] = a->program;
	a->argv[n++] = a->directory;
	a->argv[n++] = a->source;
	a->argv[n++] = "--format=plain";
	a->argv[n++] = "--wal-method=stream";
	a->argv[n++] = "--checkpoint=fast";
	a->argv[n++] = "--no-password";
	/* A half copy is removed by us, also when nobody sees it fail. */
	a->argv[n++] = "--no-clean";
	if (place->wal[0] != '\0')
		a->argv[n++] = a->wal;
	(void)snprintf(a->slot, sizeof(a->slot), "--slot=%s", source->slot);
	if (source->slot[0] != '\0')
		a->argv[n++] = a->slot;
	for (size_t i = 0; i < source->count && rc == 0; i++) {
		char to[REBUILD_PATH_MAX];

		rc = rebuild_space_path(to, sizeof(to), cfg, source->spaces[i].ours, place->number);
		if (rc == 0)
			rc = mapping(a->mappings[i], sizeof(a->mappings[i]),
				     source->spaces[i].theirs, to);
		a->argv[n++] = a->mappings[i];
	}
	a->argv[n] = NULL;
	return rc;
}

int rebuild_copy_begin(struct proc *child, const struct cfg *cfg, const struct rebuild_place *place,
		       const struct rebuild_source *source)
{
	struct arguments AUTO_FREE *a = malloc(sizeof(*a));
	struct proc_spec spec = { .as_user = cfg->os_user };
	int rc;

	if (a == NULL)
		return -ENOMEM;
	rc = compose(a, cfg, place, source);
	spec.argv = a->argv;
	return rc < 0 ? rc : proc_start(child, &spec);
}
