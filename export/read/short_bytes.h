/* SPDX-License-Identifier: MIT */
/* Copies and checks short byte strings inline, because a call would take longer than the work. Most
 * names and texts of events are short. */
#ifndef FREC_EXPORT_READ_SHORT_BYTES_H
#define FREC_EXPORT_READ_SHORT_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Like memcpy(3). For 4 to 16 bytes it copies one word from the start and one from the end, which
 * may overlap. */
static inline void frec__copy_short(void *to, const void *from, size_t size)
{
	const uint8_t *source = from;
	uint8_t *target = to;
	uint64_t first, last;

	if (size > 16) {
		memcpy(target, source, size);
	} else if (size >= 8) {
		memcpy(&first, source, 8);
		memcpy(&last, source + size - 8, 8);
		memcpy(target, &first, 8);
		memcpy(target + size - 8, &last, 8);
	} else if (size >= 4) {
		memcpy(&first, source, 4);
		memcpy(&last, source + size - 4, 4);
		memcpy(target, &first, 4);
		memcpy(target + size - 4, &last, 4);
	} else {
		for (size_t i = 0; i < size; i++)
			target[i] = source[i];
	}
}

/* A word of eight bytes that are all `byte`. */
#define FREC_IN_ALL_BYTES(byte) (UINT64_C(0x0101010101010101) * (byte))

static inline uint64_t frec__word_at(const uint8_t *p, size_t size)
{
	uint64_t word = 0;

	memcpy(&word, p, size);
	return word;
}

/* Puts up to eight bytes into one word. Every byte is in the word, some may be in it twice, and the
 * letter x fills the rest. */
static inline uint64_t frec__short_word(const uint8_t *p, size_t size)
{
	if (size >= 8)
		return frec__word_at(p, 8);
	if (size >= 4)
		return frec__word_at(p, 4) | frec__word_at(p + size - 4, 4) << 32;
	if (!size)
		return FREC_IN_ALL_BYTES('x');
	return p[0] | (uint64_t)p[size / 2] << 8 | (uint64_t)p[size - 1] << 16 |
	       FREC_IN_ALL_BYTES('x') << 24;
}

/*
 * Returns whether none of the bytes is special. `special` gets eight bytes at a time. If one of
 * them is special, `special` returns a word in which at least one byte has its highest bit set;
 * otherwise no byte has.
 */
static inline bool frec__bytes_are_plain(const void *bytes, size_t size,
					 uint64_t (*special)(uint64_t word))
{
	const uint8_t *p = bytes;

	for (; size > 8; p += 8, size -= 8) {
		if (special(frec__word_at(p, 8)) & FREC_IN_ALL_BYTES(0x80))
			return false;
	}
	return !(special(frec__short_word(p, size)) & FREC_IN_ALL_BYTES(0x80));
}

/* A `special` for frec__bytes_are_plain() that treats NUL and bytes that are not ASCII as special.
 * Subtracting one from each byte sets the highest bit of a zero byte. The borrow then changes the
 * bytes above, which no longer matters. */
static inline uint64_t frec__not_ascii_text(uint64_t word)
{
	return word | (word - FREC_IN_ALL_BYTES(1));
}

/* The same for all bytes but printable ASCII. */
static inline uint64_t frec__not_printable(uint64_t word)
{
	return word | (word + FREC_IN_ALL_BYTES(1)) | (word - FREC_IN_ALL_BYTES(0x20));
}

#endif
