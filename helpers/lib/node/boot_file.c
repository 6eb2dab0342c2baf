/* SPDX-License-Identifier: PostgreSQL */
#include "node/boot_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/state.h"
#include "node/path.h"

#define BOOT_ID_SIZE 40

int boot_id(char *id, size_t size)
{
	AUTO_FD int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	char text[64];
	ssize_t length;

	if (fd < 0)
		return -errno;
	length = read(fd, text, sizeof(text) - 1);
	if (length < 0)
		return -errno;
	text[length] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (strlen(text) != 36 || strspn(text, "0123456789abcdef-") != 36)
		return -EINVAL;
	if (size < sizeof("00000000-0000-0000-0000-000000000000"))
		return -EFBIG;
	(void)snprintf(id, size, "%s", text);
	return 0;
}

int boot_file_write(const struct cfg *cfg, const char *name, const char *text)
{
	char boot[BOOT_ID_SIZE], whole[STATE_TEXT_MAX];
	int rc = boot_id(boot, sizeof(boot));
	int length;

	if (rc < 0)
		return rc;
	length = snprintf(whole, sizeof(whole), "boot=%s\n%s", boot, text);
	if (length < 0 || (size_t)length >= sizeof(whole))
		return -EFBIG;
	return state_write(file_run(cfg, name).text, whole, 0644, false);
}

int boot_file_read(const struct cfg *cfg, const char *name, char *text, size_t size)
{
	char boot[BOOT_ID_SIZE], written[BOOT_ID_SIZE];
	int rc = boot_id(boot, sizeof(boot));

	if (rc == 0)
		rc = state_read(file_run(cfg, name).text, text, size);
	if (rc < 0)
		return rc;
	if (state_get(text, "boot", written, sizeof(written)) < 0)
		return -EINVAL;
	return strcmp(boot, written) == 0 ? 0 : -ENOENT;
}
