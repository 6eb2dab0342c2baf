/* SPDX-License-Identifier: PostgreSQL */
#include "base/report.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/auto.h"

/* --- JSON --- */

/* Length of the valid UTF-8 sequence at `text` (RFC 3629), or 0. */
static size_t utf8_length(const unsigned char *text)
{
	size_t length;
	uint32_t code;

	if (text[0] < 0x80)
		return 1;
	if (text[0] < 0xc2 || text[0] > 0xf4)
		return 0;
	length = text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;
	code = text[0] & (0x7fU >> length);
	for (size_t i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3f);
	}
	/* Longer than need be, a surrogate, or beyond Unicode. */
	if ((length == 3 && code < 0x800) || (length == 4 && code < 0x10000) ||
	    (code >= 0xd800 && code < 0xe000) || code > 0x10ffff)
		return 0;
	return length;
}

static void put_string(FILE *out, const char *text)
{
	const unsigned char *c = (const unsigned char *)text;

	(void)fputc('"', out);
	while (*c != '\0') {
		size_t length = utf8_length(c);

		if (length == 0) /* a server's message in another encoding */
			(void)fputs("\\ufffd", out);
		else if (*c == '"' || *c == '\\')
			(void)fprintf(out, "\\%c", *c);
		else if (*c < 0x20 || *c == 0x7f)
			(void)fprintf(out, "\\u%04x", (unsigned int)*c);
		else
			(void)fwrite(c, 1, length, out);
		c += length > 0 ? length : 1;
	}
	(void)fputc('"', out);
}

/* The comma, if one is due, and the key. */
static void begin_value(struct json *json, const char *key)
{
	if (!json->first[json->depth])
		(void)fputc(',', json->out);
	json->first[json->depth] = false;
	if (key == NULL)
		return;
	put_string(json->out, key);
	(void)fputc(':', json->out);
}

static void open_level(struct json *json, char bracket)
{
	assert(json->depth + 1 < (int)ARRAY_COUNT(json->first));
	(void)fputc(bracket, json->out);
	json->first[++json->depth] = true;
}

static void close_level(struct json *json, char bracket)
{
	assert(json->depth > 0);
	(void)fputc(bracket, json->out);
	json->depth--;
}

void json_begin(struct json *json, FILE *out)
{
	*json = (struct json){ .out = out };
	open_level(json, '{');
}

void json_end(struct json *json)
{
	close_level(json, '}');
	assert(json->depth == 0);
	(void)fputc('\n', json->out);
}

void json_object(struct json *json, const char *key)
{
	begin_value(json, key);
	open_level(json, '{');
}

void json_array(struct json *json, const char *key)
{
	begin_value(json, key);
	open_level(json, '[');
}

void json_close_object(struct json *json)
{
	close_level(json, '}');
}

void json_close_array(struct json *json)
{
	close_level(json, ']');
}

void json_text(struct json *json, const char *key, const char *value)
{
	if (value == NULL) {
		json_null(json, key);
		return;
	}
	begin_value(json, key);
	put_string(json->out, value);
}

void json_number(struct json *json, const char *key, int64_t value)
{
	begin_value(json, key);
	(void)fprintf(json->out, "%" PRId64, value);
}

void json_bool(struct json *json, const char *key, bool value)
{
	begin_value(json, key);
	(void)fputs(value ? "true" : "false", json->out);
}

void json_null(struct json *json, const char *key)
{
	begin_value(json, key);
	(void)fputs("null", json->out);
}

/* --- table --- */

static size_t column_count(const struct table *table)
{
	return table->columns < TABLE_COLUMNS_MAX ? table->columns : TABLE_COLUMNS_MAX;
}

/* How many places it takes on a terminal: code points, not bytes. */
static size_t text_width(const char *text)
{
	size_t width = 0;

	for (; *text != '\0'; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

/* An empty cell would shift the columns of whoever splits at blanks. */
static void fill_cell(char *cell, const char *text)
{
	int length =
	    snprintf(cell, TABLE_CELL_MAX, "%s", text != NULL && text[0] != '\0' ? text : "-");

	if (length >= TABLE_CELL_MAX)
		memcpy(cell + TABLE_CELL_MAX - 4, "...", 4);
	for (; *cell != '\0'; cell++) {
		if ((unsigned char)*cell < 0x20 || *cell == 0x7f)
			*cell = ' ';
	}
}

void table_row(struct table *table, const char *const *cells)
{
	if (table->rows == TABLE_ROWS_MAX)
		return;
	for (size_t i = 0; i < column_count(table); i++)
		fill_cell(table->cells[table->rows][i], cells[i]);
	table->rows++;
}

void table_print(const struct table *table, FILE *out)
{
	size_t columns = column_count(table);
	size_t widths[TABLE_COLUMNS_MAX] = { 0 };

	for (size_t row = 0; row < table->rows; row++) {
		for (size_t i = 0; i < columns; i++) {
			size_t width = text_width(table->cells[row][i]);

			if (width > widths[i])
				widths[i] = width;
		}
	}
	for (size_t row = 0; row < table->rows; row++) {
		for (size_t i = 0; i < columns; i++) {
			const char *cell = table->cells[row][i];
			int padding = (int)(widths[i] - text_width(cell));

			if (i + 1 == columns)
				(void)fprintf(out, "%s\n", cell);
			else
				(void)fprintf(out, "%s%*s", cell, padding + 2, "");
		}
	}
}

void report_bytes(uint64_t bytes, char *text, size_t size)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
	size_t unit = 0;
	uint64_t whole = bytes;

	while (whole >= 10240 && unit + 1 < ARRAY_COUNT(units)) {
		whole /= 1024;
		unit++;
	}
	(void)snprintf(text, size, "%" PRIu64 " %s", whole, units[unit]);
}
