/* SPDX-License-Identifier: PostgreSQL */
/* Text for people and for files of one line each. */
#ifndef PGV_TEXT_H
#define PGV_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Length of the valid UTF-8 sequence at text (RFC 3629), or 0; code: which character it is. */
size_t text_utf8(const char *text, uint32_t *code);

/* Could this character steer a terminal, end a line, or show what follows it in another order?  Two
 * bytes of UTF-8 may be a control character as well: U+009B begins a sequence as ESC [ does. */
bool text_steers(uint32_t code);

/* Makes of text that others wrote one line of valid UTF-8 that steers nothing: such characters
 * become blanks, what is no UTF-8 question marks.  It never grows. */
void text_make_harmless(char *text);

/* Copies text so.  NULL is "". */
void text_clean(char *out, size_t size, const char *text);
/* The same of its last line; line feeds at the end count for nothing. */
void text_last_line(char *out, size_t size, const char *text);

/* Copies text; where it does not fit in size bytes (6 or more), it ends behind a whole word with
 * " ...". */
void text_cut(char *out, size_t size, const char *text);

/* "2026-11-23T06:40:00Z", for people only; "" when the wall clock cannot be read. */
void text_wall_clock(char *text, size_t size);

#endif
