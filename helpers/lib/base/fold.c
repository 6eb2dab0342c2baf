/* SPDX-License-Identifier: PostgreSQL */
#include "base/fold.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/report.h"

#define WIDTH_USUAL 80
#define WIDTH_MIN   40

static int terminal_width(int fd)
{
	struct winsize size = { 0 };

	if (ioctl(fd, TIOCGWINSZ, &size) < 0 || size.ws_col < WIDTH_MIN)
		return WIDTH_USUAL;
	return size.ws_col;
}

FILE *fold_begin(struct fold *fold, FILE *to)
{
	*fold = (struct fold){ .to = to };
	if (isatty(fileno(to)) != 1)
		return to;
	fold->width = terminal_width(fileno(to));
	fold->memory = open_memstream(&fold->text, &fold->size);
	return fold->memory != NULL ? fold->memory : to;
}

void fold_end(struct fold *fold)
{
	if (fold->memory == NULL)
		return;
	if (fclose(fold->memory) == 0)
		fold_print(fold->to, fold->text, fold->width);
	free(fold->text);
	fold->memory = NULL;
}

void fold_text(FILE *to, const char *text)
{
	struct fold fold;

	(void)fputs(text, fold_begin(&fold, to));
	fold_end(&fold);
}

/* Where the last column begins: in bytes, and in characters of the terminal. */
static size_t last_column(const char *line, size_t length, int width, int *indent)
{
	const size_t start = strspn(line, " ");
	size_t at = start;
	int column = (int)start;

	*indent = column;
	for (size_t i = start; i + 1 < length && column < width / 4 * 3; i++) {
		column += ((unsigned char)line[i] & 0xc0) != 0x80;
		if (i > start && line[i - 1] == ' ' && line[i] == ' ' && line[i + 1] != ' ') {
			at = i + 1;
			*indent = column;
		}
	}
	return at;
}

static void print_line(FILE *out, const char *line, size_t length, int width)
{
	int indent;
	const size_t at = last_column(line, length, width, &indent);
	char *rest = strndup(line + at, length - at);

	(void)fprintf(out, "%.*s", (int)at, line);
	report_wrapped_behind(out, rest != NULL ? rest : "", indent, width);
	free(rest);
}

void fold_print(FILE *out, const char *text, int width)
{
	while (*text != '\0') {
		const size_t length = strcspn(text, "\n");

		if (length <= (size_t)width)
			(void)fprintf(out, "%.*s\n", (int)length, text);
		else
			print_line(out, text, length, width);
		text += length + (text[length] == '\n');
	}
}
