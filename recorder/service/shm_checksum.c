// SPDX-License-Identifier: MIT
// The checksum of records in shared memory, for any processor. See shm_checksum.h.
#include "recorder/service/shm_checksum.h"

#include <string.h>

#define POLYNOMIAL 0x82f63b78u // 0x1edc6f41 with its bits reversed

// Processes four bits at a time, with a constant table: nothing has to be initialised first, which
// matters because the first caller may be a signal handler.
static uint32_t add_word(uint32_t crc, uint64_t word)
{
	static const uint32_t table[16] = {
#define ROW(i) STEP(STEP(STEP(STEP((uint32_t)(i)))))
#define STEP(crc) (((crc) >> 1) ^ ((crc)&1 ? POLYNOMIAL : 0))
		ROW(0), ROW(1), ROW(2),	 ROW(3),  ROW(4),  ROW(5),  ROW(6),  ROW(7),
		ROW(8), ROW(9), ROW(10), ROW(11), ROW(12), ROW(13), ROW(14), ROW(15),
#undef STEP
#undef ROW
	};

	word ^= crc;
	crc = 0;
	for (int i = 0; i < 16; i++, word >>= 4)
		crc = (crc >> 4) ^ table[(crc ^ word) & 15];
	return crc;
}

static uint32_t checksum_slow(const void *data, size_t size)
{
	uint32_t chain[3] = {~UINT32_C(0), 0, (uint32_t)size};
	const char *at = data;
	uint64_t word;

	for (size_t i = 0; i < size / 8; i++) {
		memcpy(&word, at + 8 * i, sizeof(word));
		chain[i % 3] = add_word(chain[i % 3], word);
	}
	return add_word(add_word(chain[0], chain[1]), chain[2]);
}

uint32_t frec__shm_checksum(const void *data, size_t size)
{
#ifdef __x86_64__
	if (frec__shm_has_crc())
		return frec__shm_checksum_fast(data, size);
#endif
	return checksum_slow(data, size);
}
