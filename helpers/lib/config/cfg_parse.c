/* SPDX-License-Identifier: PostgreSQL */
/*
 * inih 55 takes a directory for an empty file, cuts long lines and section names, drops what
 * follows " ;", joins an indented key to the value above, and gives no line numbers.  So it gets
 * its lines one by one from next_line(), which refuses all of that first and knows where it is.
 */
#include "config/cfg_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX 65536

struct lines {
	struct cfg_load *load;
	const char *at; /* NULL: at the end */
	char text[FILE_MAX + 1];
};

static const char hint_line[] = "A line is empty, a comment (# or ; first), [section], or key = "
				"value.";
static const char hint_sections[] =
    "Sections are [cluster], [node NAME] twice, [witness], [postgresql], [replication], "
    "[fencing], [timing] and [health].";

/* ---- the file ---- */

static int read_all(struct cfg_load *load, int fd, struct lines *lines)
{
	size_t used = 0;
	ssize_t got;

	do {
		got = read(fd, lines->text + used, FILE_MAX - used);
		if (got < 0 && errno != EINTR) {
			cfg_complain(load, 0, "Mend the file or its file system.",
				     "cannot be read: %s", strerror(errno));
			return -EINVAL;
		}
		used += got > 0 ? (size_t)got : 0;
	} while (got != 0 && used < FILE_MAX);

	lines->text[used] = '\0';
	if (used == FILE_MAX)
		cfg_complain(load, 0, "Give the file of one cluster.", "is longer than %d bytes",
			     FILE_MAX - 1);
	else if (strlen(lines->text) != used)
		cfg_complain(load, 0, "Give a text file.", "contains a NUL byte");
	else
		return 0;
	return -EINVAL;
}

static int open_regular(struct cfg_load *load)
{
	/* O_NONBLOCK: opening a FIFO must not hang. */
	int fd = open(load->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0) {
		cfg_complain(load, 0, "Give the cluster's INI file with -c FILE.",
			     "cannot be opened: %s", strerror(errno));
		return -EINVAL;
	}
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & S_IWOTH) == 0)
		return fd;

	if (S_ISDIR(st.st_mode))
		cfg_complain(load, 0, "Give one file in it.", "is a directory");
	else if (!S_ISREG(st.st_mode))
		cfg_complain(load, 0, "Give a regular file.", "is not a regular file");
	else
		/* The file names programs that root runs. */
		cfg_complain(load, 0, "chmod o-w it.", "may be written by everyone");
	(void)close(fd);
	return -EINVAL;
}

/* ---- lines ---- */

/* Length without blanks at the end. */
static size_t trimmed(const char *text, size_t length)
{
	while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t'))
		length--;
	return length;
}

static void begin_node(struct cfg_load *load, const char *name)
{
	struct cfg_node *nodes = load->cfg.nodes;
	size_t n = load->node_count;

	/* "witness" is what the witness host's key is pinned by (fence_ssh.c). */
	if (!cfg_is_name(name) || strcmp(name, "witness") == 0) {
		cfg_complain(load, load->line,
			     "Write [node NAME] with a name of [a-z][a-z0-9_-]*, "
			     "up to 31 characters, not \"witness\".",
			     "node name \"%s\" is not allowed", name);
		return;
	}
	for (size_t i = 0; i < n && i < CFG_NODES; i++) {
		if (strcmp(nodes[i].name, name) != 0)
			continue;
		cfg_complain(load, load->line, "Give each node one section.",
			     "section [node %s] was already at line %u", name, load->node_lines[i]);
		return;
	}
	load->node_count++;
	if (n >= CFG_NODES) {
		cfg_complain(
		    load, load->line,
		    "A cluster is two nodes and a witness; the witness has its own section.",
		    "[node %s] is a third node", name);
		return;
	}
	memcpy(nodes[n].name, name, strlen(name) + 1);
	load->node_lines[n] = load->line;
	load->node = n;
	load->section = SECTION_NODE;
}

static void begin_section(struct cfg_load *load, const char *name)
{
	load->section = SECTION_COUNT;
	load->node = 0;
	if (strncmp(name, "node ", 5) == 0) {
		begin_node(load, name + 5);
		return;
	}
	for (int i = 0; i < SECTION_COUNT; i++) {
		if (i == SECTION_NODE || strcmp(cfg_section_words[i], name) != 0)
			continue;
		if (load->section_lines[i] != 0) {
			cfg_complain(load, load->line, "Put the keys of a section in one place.",
				     "section [%s] was already at line %u", name,
				     load->section_lines[i]);
			return;
		}
		load->section_lines[i] = load->line;
		load->section = (enum cfg_section)i;
		return;
	}
	cfg_complain(load, load->line, hint_sections, "unknown section [%s]", name);
}

static bool section_line(struct cfg_load *load, const char *text, size_t length)
{
	char name[CFG_LINE_MAX + 1];
	const char *end = memchr(text, ']', length);

	load->section = SECTION_COUNT;
	if (end == NULL || (size_t)(end - text) != length - 1) {
		cfg_complain(load, load->line, "Write [section] and nothing else on the line.",
			     "the section heading does not end with ]");
		return false;
	}
	memcpy(name, text + 1, length - 2);
	name[length - 2] = '\0';
	begin_section(load, name);
	return load->section != SECTION_COUNT;
}

/* A comment after a value would become part of it (#), or cut it (;). */
static bool hides_comment(const char *text, size_t length)
{
	for (size_t i = 1; i < length; i++) {
		if (text[i] == '#' && (text[i - 1] == ' ' || text[i - 1] == '\t'))
			return true;
	}
	return false;
}

static bool key_line(struct cfg_load *load, const char *text, size_t length)
{
	const char *equals = memchr(text, '=', length);
	size_t key = equals != NULL ? trimmed(text, (size_t)(equals - text)) : 0;

	if (key == 0 || strspn(text, "abcdefghijklmnopqrstuvwxyz_") != key)
		cfg_complain(load, load->line, hint_line,
			     "this is not a line of the form key = value");
	else if (memchr(text, ';', length) != NULL)
		cfg_complain(load, load->line,
			     "No value needs a semicolon; comments have lines of their own.",
			     "there is a semicolon in the value");
	else if (hides_comment(text, length))
		cfg_complain(load, load->line, "Comments have lines of their own.",
			     "there is a comment behind the value");
	else
		return true;
	return false;
}

/* May inih see this line?  length is without the line end. */
static bool accept_line(struct cfg_load *load, const char *text, size_t length)
{
	if (length > CFG_LINE_MAX) {
		cfg_complain(load, load->line, "Lines have up to 199 bytes.",
			     "the line has %zu bytes", length);
		return false;
	}
	if (length > 0 && text[length - 1] == '\r') {
		cfg_complain(load, load->line, "End lines with LF alone (dos2unix does that).",
			     "the line ends with CR LF");
		return false;
	}
	length = trimmed(text, length);
	if (length == 0 || *text == '#' || *text == ';')
		return false; /* nothing that inih needs to see */
	if (*text == ' ' || *text == '\t') {
		cfg_complain(load, load->line, "Begin every line in the first column.",
			     "the line is indented");
		return false;
	}
	if (*text == '[')
		return section_line(load, text, length);
	return key_line(load, text, length);
}

/* The reader of ini_parse_stream(): the next line, or an empty one in the place of one that is
 * refused. */
static char *next_line(char *buffer, int size, void *stream)
{
	struct lines *lines = stream;
	const char *text = lines->at;
	const char *end;
	size_t length;

	if (*text == '\0')
		return NULL;
	end = strchr(text, '\n');
	length = end != NULL ? (size_t)(end - text) : strlen(text);
	lines->at = text + length + (end != NULL);
	lines->load->line++;

	if (!accept_line(lines->load, text, length))
		length = 0;
	if (length + 1 > (size_t)size) {
		cfg_complain(lines->load, lines->load->line, "Shorten the line.",
			     "the line does not fit the parser");
		length = 0;
	}
	memcpy(buffer, text, length);
	buffer[length] = '\0'; /* inih does without the line feed, and so 199 bytes fit */
	return buffer;
}

/* ---- keys ---- */

static void complain_unknown_key(struct cfg_load *load, const char *name)
{
	const char *section = cfg_section_words[load->section];
	char hint[640];
	int used = snprintf(hint, sizeof(hint), "Keys of [%s]:", section);

	for (size_t i = 0; i < cfg_key_count && (size_t)used < sizeof(hint); i++) {
		if (cfg_keys[i].section == load->section)
			used += snprintf(hint + used, sizeof(hint) - (size_t)used, " %s",
					 cfg_keys[i].name);
	}
	cfg_complain(load, load->line, hint, "unknown key \"%s\" in section [%s]", name, section);
}

static void take_key(struct cfg_load *load, size_t index, const char *value)
{
	const struct cfg_key *key = &cfg_keys[index];
	bool of_node = key->section == SECTION_NODE;
	void *base = of_node ? (void *)&load->cfg.nodes[load->node] : (void *)&load->cfg;
	unsigned *seen = &load->key_lines[index][of_node ? load->node : 0];
	char allowed[160];
	char hint[200];
	int rc;

	if (*seen != 0) {
		cfg_complain(load, load->line, "Give each key once.",
			     "\"%s\" was already set at line %u", key->name, *seen);
		return;
	}
	*seen = load->line;

	rc = cfg_value_set(key, base, value);
	if (rc == 0)
		return;
	cfg_allowed(key, allowed, sizeof(allowed));
	(void)snprintf(hint, sizeof(hint), "Allowed: %s%s.", allowed, cfg_units(key));
	if (*value == '\0')
		cfg_complain(load, load->line, hint, "\"%s\" has no value", key->name);
	else if (rc == -ERANGE)
		cfg_complain(load, load->line, hint, "%s = %s is out of range", key->name, value);
	else
		cfg_complain(load, load->line, hint, "%s = %s is not allowed", key->name, value);
}

/* The handler of inih: nonzero is success there.  Its section is not used: it cuts long names. */
static int handle(void *user, const char *section, const char *name, const char *value)
{
	struct cfg_load *load = user;

	(void)section;
	if (load->section == SECTION_COUNT) {
		/* Below a heading that was refused one complaint is enough. */
		if (load->complaints == 0)
			cfg_complain(load, load->line, hint_sections,
				     "\"%s\" stands before the first section", name);
		return 1;
	}
	for (size_t i = 0; i < cfg_key_count; i++) {
		if (cfg_keys[i].section == load->section && strcmp(cfg_keys[i].name, name) == 0) {
			take_key(load, i, value);
			return 1;
		}
	}
	complain_unknown_key(load, name);
	return 1;
}

void cfg_parse(struct cfg_load *load)
{
	struct lines lines = { .load = load };
	int AUTO_FD fd = open_regular(load);
	int rc;

	if (fd < 0 || read_all(load, fd, &lines) != 0)
		return;
	lines.at = lines.text;
	load->section = SECTION_COUNT;
	rc = ini_parse_stream(next_line, &lines, handle, load);
	if (rc != 0)
		cfg_complain(load, rc > 0 ? (unsigned)rc : 0, hint_line,
			     "this line was not understood");
}
