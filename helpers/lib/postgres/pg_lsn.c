/* SPDX-License-Identifier: PostgreSQL */
/* Apart from pg.c, so that a helper without libpq can read a WAL position. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "postgres/pg.h"

/* One to eight hexadecimal digits; the number of them, or 0. */
static size_t hex_part(const char *text, uint64_t *value)
{
	const size_t digits = strspn(text, "0123456789abcdefABCDEF");

	*value = 0;
	if (digits > 8)
		return 0;
	for (size_t i = 0; i < digits; i++) {
		const char c = text[i];
		const int digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;

		*value = *value << 4 | (uint64_t)digit;
	}
	return digits;
}

int lsn_parse(const char *text, uint64_t *lsn)
{
	uint64_t high = 0;
	uint64_t low = 0;
	const size_t first = hex_part(text, &high);
	size_t second;

	if (first == 0 || text[first] != '/')
		return -EINVAL;
	second = hex_part(text + first + 1, &low);
	if (second == 0 || text[first + 1 + second] != '\0')
		return -EINVAL;
	*lsn = high << 32 | low;
	return 0;
}

void lsn_format(uint64_t lsn, char *text, size_t size)
{
	(void)snprintf(text, size, "%" PRIX32 "/%" PRIX32, (uint32_t)(lsn >> 32), (uint32_t)lsn);
}
