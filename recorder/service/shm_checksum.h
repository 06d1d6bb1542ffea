/* SPDX-License-Identifier: MIT */
/*
 * The checksum of a record in shared memory, for writer and reader: CRC-32C in three chains, each
 * over every third word of 8 bytes, because a processor computes three at once in the time of one.
 * Rejected: a hash by multiplications. It took as long, with three times as many instructions, and
 * the number of instructions is what limits the speed of an emit.
 */
#ifndef FREC_RECORDER_SERVICE_SHM_CHECKSUM_H
#define FREC_RECORDER_SERVICE_SHM_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of `size` bytes, a multiple of 8. Async-signal-safe. */
uint32_t frec__shm_checksum(const void *data, size_t size);

#ifdef __x86_64__
/* In assembly, so that it can be inlined into functions that are compiled for any x86_64
 * processor. */
static inline uint64_t frec__shm_chain(uint64_t chain, uint64_t word)
{
	__asm__("crc32q %1, %0" : "+r"(chain) : "rm"(word));
	return chain;
}

/* The same as frec__shm_checksum(), for processors on which frec__shm_has_crc() returns true. */
static inline uint32_t frec__shm_checksum_fast(const void *data, size_t size)
{
	const char *at = (const char *)data, *end = at + size;
	uint64_t a = ~UINT32_C(0), b = 0, c = size, word;

	for (; end - at >= 24; at += 24) {
		__builtin_memcpy(&word, at, 8);
		a = frec__shm_chain(a, word);
		__builtin_memcpy(&word, at + 8, 8);
		b = frec__shm_chain(b, word);
		__builtin_memcpy(&word, at + 16, 8);
		c = frec__shm_chain(c, word);
	}
	if (at < end) {
		__builtin_memcpy(&word, at, 8);
		a = frec__shm_chain(a, word);
		at += 8;
	}
	if (at < end) {
		__builtin_memcpy(&word, at, 8);
		b = frec__shm_chain(b, word);
	}
	return (uint32_t)frec__shm_chain(frec__shm_chain(a, b), c);
}

static inline int frec__shm_has_crc(void)
{
	return __builtin_cpu_supports("sse4.2");
}
#endif

#endif
