/* SPDX-License-Identifier: PostgreSQL */
#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

size_t text_utf8(const char *text, uint32_t *code)
{
	const unsigned char *byte = (const unsigned char *)text;
	size_t length;

	*code = byte[0];
	if (byte[0] < 0x80)
		return 1;
	if (byte[0] < 0xc2 || byte[0] > 0xf4)
		return 0;
	length = byte[0] < 0xe0 ? 2 : byte[0] < 0xf0 ? 3 : 4;
	*code = byte[0] & (0x7fU >> length);
	for (size_t i = 1; i < length; i++) {
		if ((byte[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (byte[i] & 0x3f);
	}
	/* Longer than need be, a surrogate, or beyond Unicode. */
	if ((length == 3 && *code < 0x800) || (length == 4 && *code < 0x10000) ||
	    (*code >= 0xd800 && *code < 0xe000) || *code > 0x10ffff)
		return 0;
	return length;
}

bool text_steers(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x200e || code == 0x200f ||
	       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

void text_make_harmless(char *text)
{
	const char *from = text;
	char *to = text;

	while (*from != '\0') {
		uint32_t code;
		size_t length = text_utf8(from, &code);

		if (length == 0 || text_steers(code)) {
			*to++ = length == 0 ? '?' : ' ';
			from += length > 0 ? length : 1;
			continue;
		}
		memmove(to, from, length);
		to += length;
		from += length;
	}
	*to = '\0';
}

void text_clean(char *out, size_t size, const char *text)
{
	(void)snprintf(out, size, "%s", text != NULL ? text : "");
	text_make_harmless(out);
}

void text_last_line(char *out, size_t size, const char *text)
{
	size_t end = strlen(text);
	size_t begin;

	while (end > 0 && text[end - 1] == '\n')
		end--;
	begin = end;
	while (begin > 0 && text[begin - 1] != '\n')
		begin--;
	(void)snprintf(out, size, "%.*s", (int)(end - begin), text + begin);
	text_make_harmless(out);
}

void text_cut(char *out, size_t size, const char *text)
{
	static const char more[] = " ...";
	size_t end = size - sizeof(more);

	if (strlen(text) < size) {
		memcpy(out, text, strlen(text) + 1);
		return;
	}
	while (end > 0 && text[end] != ' ')
		end--;
	while (end > 0 && strchr(" ,;:", text[end - 1]) != NULL)
		end--;
	memcpy(out, text, end);
	memcpy(out + end, more, sizeof(more));
}

void text_wall_clock(char *text, size_t size)
{
	struct timespec now = { 0 };
	struct tm parts;

	text[0] = '\0';
	if (clock_gettime(CLOCK_REALTIME, &now) == 0 && gmtime_r(&now.tv_sec, &parts) != NULL &&
	    strftime(text, size, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
		text[0] = '\0';
}
