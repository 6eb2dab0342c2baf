/* SPDX-License-Identifier: PostgreSQL */
/* Every fault of a file is told in one shape, with its line. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "config/cfg_internal.h"

void cfg_complain(struct cfg_load *load, unsigned line, const char *hint, const char *fmt, ...)
{
	char message[512];
	va_list args;

	load->complaints++;
	if (load->complaints > CFG_COMPLAINTS_MAX)
		return;
	va_start(args, fmt);
	(void)vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	if (line > 0)
		log_complaint("%s:%u: %s", load->path, line, message);
	else
		log_complaint("%s: %s", load->path, message);
	log_complaint("HINT:  %s", hint);
}

unsigned cfg_line_of(const struct cfg_load *load, enum cfg_section section, const char *name)
{
	for (size_t i = 0; i < cfg_key_count; i++) {
		if (cfg_keys[i].section == section && strcmp(cfg_keys[i].name, name) == 0 &&
		    load->key_lines[i][0] != 0)
			return load->key_lines[i][0];
	}
	return load->section_lines[section];
}
