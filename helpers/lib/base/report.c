/* SPDX-License-Identifier: PostgreSQL */
#include "base/report.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/auto.h"
#include "base/text.h"

/* --- JSON --- */

/* One character of the text as \uXXXX, or a whole sequence of UTF-8; and the end. */
#define ESCAPED_MAX 7

/* The character at `text` as it stands in a string; how many bytes of the text that was. */
static size_t escape_one(const char *text, char *out)
{
	uint32_t code;
	const size_t length = text_utf8(text, &code);

	if (length == 0) /* a server's message in another encoding */
		(void)snprintf(out, ESCAPED_MAX, "\\ufffd");
	else if (code == '"' || code == '\\')
		(void)snprintf(out, ESCAPED_MAX, "\\%c", (int)code);
	else if (text_steers(code))
		(void)snprintf(out, ESCAPED_MAX, "\\u%04x", (unsigned int)code);
	else
		(void)snprintf(out, ESCAPED_MAX, "%.*s", (int)length, text);
	return length > 0 ? length : 1;
}

void json_escape(char *out, size_t size, const char *text)
{
	char one[ESCAPED_MAX];

	while (*text != '\0') {
		size_t taken = escape_one(text, one), length = strlen(one);

		if (length >= size)
			break;
		memcpy(out, one, length);
		out += length, size -= length, text += taken;
	}
	*out = '\0';
}

static void put_string(FILE *out, const char *text)
{
	char one[ESCAPED_MAX];

	(void)fputc('"', out);
	while (*text != '\0') {
		text += escape_one(text, one);
		(void)fputs(one, out);
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

/* How many places a text of so many bytes takes on a terminal: code points, not bytes. */
static size_t width_of(const char *text, size_t length)
{
	size_t width = 0;

	for (size_t i = 0; i < length; i++)
		width += ((unsigned char)text[i] & 0xc0) != 0x80;
	return width;
}

static size_t text_width(const char *text)
{
	return width_of(text, strlen(text));
}

/* An empty cell would shift the columns of whoever splits at blanks. */
static void fill_cell(char *cell, const char *text)
{
	int length =
	    snprintf(cell, TABLE_CELL_MAX, "%s", text != NULL && text[0] != '\0' ? text : "-");

	if (length >= TABLE_CELL_MAX)
		memcpy(cell + TABLE_CELL_MAX - 4, "...", 4);
	text_make_harmless(cell);
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

void report_wrapped_behind(FILE *out, const char *text, int indent, int width)
{
	size_t used = 0; /* of this line, behind the indent */

	for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " ")) {
		const size_t length = strcspn(text, " "), wide = width_of(text, length);

		if (used > 0 && (size_t)indent + used + 1 + wide > (size_t)width) {
			(void)fprintf(out, "\n%*s", indent, "");
			used = 0;
		}
		(void)fprintf(out, "%s%.*s", used > 0 ? " " : "", (int)length, text);
		used += wide + (used > 0);
		text += length;
	}
	(void)fputc('\n', out);
}

void report_wrapped(FILE *out, const char *text, int indent, int width)
{
	if (text[strspn(text, " ")] == '\0')
		return;
	(void)fprintf(out, "%*s", indent, "");
	report_wrapped_behind(out, text, indent, width);
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
