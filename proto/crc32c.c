// SPDX-License-Identifier: MIT
// CRC-32C, with the processor's instruction for it if there is one, otherwise with a table.
#include "proto/crc32c.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#define POLYNOMIAL 0x82f63b78u /* 0x1edc6f41 with its bits reversed */

static uint32_t crc_table(uint32_t crc, const unsigned char *p, size_t size)
{
	static uint32_t table[256];
	static atomic_bool ready;

	// Two threads may fill the table at the same time, because both write the same values.
	if (!atomic_load_explicit(&ready, memory_order_acquire)) {
		for (uint32_t i = 0; i < 256; i++) {
			uint32_t value = i;

			for (int bit = 0; bit < 8; bit++)
				value = (value >> 1) ^ (value & 1 ? POLYNOMIAL : 0);
			__atomic_store_n(&table[i], value, __ATOMIC_RELAXED);
		}
		atomic_store_explicit(&ready, true, memory_order_release);
	}
	while (size--)
		crc = (crc >> 8) ^ table[(crc ^ *p++) & 0xff];
	return crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t crc_sse42(uint32_t crc, const unsigned char *p,
							    size_t size)
{
	uint64_t value = crc;

	for (; size >= 8; size -= 8, p += 8) {
		uint64_t word;

		memcpy(&word, p, 8);
		value = __builtin_ia32_crc32di(value, word);
	}
	crc = (uint32_t)value;
	while (size--)
		crc = __builtin_ia32_crc32qi(crc, *p++);
	return crc;
}
#endif

uint32_t frec__crc32c(uint32_t crc, const void *data, size_t size)
{
	crc = ~crc;
#ifdef __x86_64__
	if (__builtin_cpu_supports("sse4.2"))
		return ~crc_sse42(crc, data, size);
#endif
	return ~crc_table(crc, data, size);
}
