/* SPDX-License-Identifier: PostgreSQL */
#include "controlfile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ControlFileData of PostgreSQL 15: the state's place, that of the CRC, and the file's size. */
#define STATE_AT 16
#define CRC_AT   288
#define BYTES    8192

/* CRC-32C, the last bit first: the polynomial as it is written, the bytes and the
 * result mirrored. */
static uint32_t mirrored(uint32_t value, int bits)
{
	uint32_t out = 0;

	for (int i = 0; i < bits; i++)
		out |= ((value >> i) & 1) << (bits - 1 - i);
	return out;
}

static uint32_t crc32c(const unsigned char *bytes, size_t length)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < length; i++) {
		crc ^= mirrored(bytes[i], 8) << 24;
		for (int bit = 0; bit < 8; bit++)
			crc = (crc << 1) ^ ((crc >> 31) != 0 ? 0x1EDC6F41U : 0);
	}
	return mirrored(crc, 32) ^ UINT32_MAX;
}

void controlfile_put(const char *path, uint32_t state)
{
	unsigned char bytes[BYTES] = { 0 };
	FILE *file = fopen(path, "w");
	uint32_t crc;

	for (size_t i = 0; i < CRC_AT; i++)
		bytes[i] = (unsigned char)(i * 7 + 1);
	memcpy(bytes + STATE_AT, &state, sizeof(state));
	crc = crc32c(bytes, CRC_AT);
	memcpy(bytes + CRC_AT, &crc, sizeof(crc));
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, sizeof(bytes), file), sizeof(bytes));
	assert_int_equal(fclose(file), 0);
}
