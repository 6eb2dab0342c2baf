/* SPDX-License-Identifier: PostgreSQL */
/*
 * pg_rewind makes every file of the data directory that is no relation the source's, and so the
 * configuration, where that is in the directory.  But listen_addresses, port, memory and
 * pg_hba.conf are this node's own: they are kept in the state directory meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/state.h"
#include "node/path.h"
#include "postgres/pgdata_file.h"
#include "rewind/rewind.h"

/* A configuration file with comments has some 30 kB. */
#define CONFIG_MAX (1024 * 1024)

static const char *const config_files[] = { "postgresql.conf", "pg_hba.conf", "pg_ident.conf" };

static struct file_path kept_path(const struct cfg *cfg, const char *name)
{
	char kept[64];

	(void)snprintf(kept, sizeof(kept), "kept.%s", name);
	return file_state(cfg, kept);
}

static int open_directory(const struct cfg *cfg)
{
	int fd = open(cfg->data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int rewind_keep_config(const struct cfg *cfg)
{
	AUTO_FD int directory = open_directory(cfg);
	char AUTO_FREE *text = malloc(CONFIG_MAX);
	int rc = directory < 0 ? directory : 0;

	if (text == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_COUNT(config_files) && rc >= 0; i++) {
		struct file_path kept = kept_path(cfg, config_files[i]);

		/* A file that is kept already is from before an earlier pg_rewind that was
		 * killed; what is in the directory may be the source's by now. */
		rc = state_exists(kept.text);
		if (rc != 0)
			continue;
		rc = pgdata_read(directory, config_files[i], text, CONFIG_MAX);
		if (rc == 0 && text[0] != '\0')
			rc = state_write(kept.text, text, 0600, true);
	}
	return rc < 0 ? rc : 0;
}

int rewind_restore_config(const struct cfg *cfg)
{
	AUTO_FD int directory = open_directory(cfg);
	char AUTO_FREE *text = malloc(CONFIG_MAX);
	int rc = directory < 0 ? directory : 0;

	if (text == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_COUNT(config_files) && rc == 0; i++) {
		rc = state_read(kept_path(cfg, config_files[i]).text, text, CONFIG_MAX);
		if (rc == 0)
			rc = pgdata_replace(directory, config_files[i], text);
		else if (rc == -ENOENT)
			rc = 0; /* it is not in the data directory (Debian) */
	}
	return rc;
}

int rewind_forget_config(const struct cfg *cfg)
{
	int rc = 0;

	for (size_t i = 0; i < ARRAY_COUNT(config_files) && rc == 0; i++)
		rc = state_remove(kept_path(cfg, config_files[i]).text, true);
	return rc;
}
