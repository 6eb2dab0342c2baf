/* SPDX-License-Identifier: PostgreSQL */
/* Tables for people and JSON for scripts, on standard output. */
#ifndef PGV_REPORT_H
#define PGV_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* --- JSON, written as it goes; commas and escapes are taken care of (RFC 8259). --- */
struct json {
	FILE *out;
	int depth;
	bool first[16];
};
void json_begin(struct json *json, FILE *out);        /* opens the outermost object */
void json_end(struct json *json);                     /* closes it, newline */
void json_object(struct json *json, const char *key); /* key NULL inside an array */
void json_array(struct json *json, const char *key);
void json_close_object(struct json *json);
void json_close_array(struct json *json);
void json_text(struct json *json, const char *key, const char *value); /* NULL value: null */
void json_number(struct json *json, const char *key, int64_t value);
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);

/*
 * The inside of a JSON string, for who writes a line without a stream.  Valid UTF-8 whatever the
 * text is: a byte that is none becomes U+FFFD.  What does not fit is cut off after a whole
 * character; size is at least 1.
 */
void json_escape(char *out, size_t size, const char *text);

/* The text in lines of at most `width` characters, broken at blanks, each behind `indent` blanks; a
 * longer word has a line for itself.  It must not steer a terminal (text_make_harmless). */
void report_wrapped(FILE *out, const char *text, int indent, int width);
/* The same where the first line has its `indent` characters already. */
void report_wrapped_behind(FILE *out, const char *text, int indent, int width);

/* "512 B", "34 MB". */
void report_bytes(uint64_t bytes, char *text, size_t size);

/* --- a table with aligned columns; widths from the content --- */
#define TABLE_COLUMNS_MAX 8
#define TABLE_ROWS_MAX    64
#define TABLE_CELL_MAX    96
struct table {
	size_t columns;
	size_t rows;
	char cells[TABLE_ROWS_MAX][TABLE_COLUMNS_MAX][TABLE_CELL_MAX];
};
/* Adds a row of `table->columns` texts; the first row is the heading.  Extra rows are dropped. */
void table_row(struct table *table, const char *const *cells);
void table_print(const struct table *table, FILE *out);

#endif
