// SPDX-License-Identifier: MIT
// The payload of an event. The fixed part comes first. It has a locator for each string and byte
// array: a u32 with the length of the data in its upper half, and in its lower half the distance
// from the locator's own end to the data. The data follows in the same order. Nothing is copied:
// the kernel gathers the pieces from where they are.
//
// A string ends in one NUL, which the kernel requires. A string that was cut ends in two, which no
// other string does: this is how a reader recognises a cut string.
#include <errno.h>
#include <string.h>

#include "recorder/service/payload.h"
#include "recorder/service/readable.h"

#define INDEX_SIZE sizeof(uint32_t)
#define CUT_END_SIZE 2

static const char cut_end[CUT_END_SIZE];
static const char null_string[] = "(null)";

// The largest number of bytes that each string may keep so that all of them fit into `room`.
// Strings that are shorter leave their share to the others, so the number only rises from round to
// round.
static size_t fair_share(const struct iovec *data, const uint16_t *places, size_t room)
{
	size_t share = 0, next = 0;

	do {
		size_t used = 0, longer = 0;

		share = next;
		for (size_t i = 0; places[i]; i++) {
			if (frec__is_bytes(places[i]))
				continue;
			if (data[i].iov_len <= share)
				used += data[i].iov_len;
			else
				longer++;
		}
		if (longer)
			next = (room - used) / longer;
	} while (next > share);
	return share;
}

// The largest length up to `size` that does not end within a UTF-8 character. `text` is longer than
// `size`.
static size_t whole_characters(const char *text, size_t size)
{
	size_t end = size;

	// At most three bytes follow the first byte of a character. If there are more, the text is
	// not UTF-8.
	for (int back = 0; back < 4; back++, end--) {
		if (((unsigned char)text[end] & 0xc0) != 0x80)
			return end;
		if (end == 0)
			break;
	}
	return size;
}

// Sets the lengths of the strings. Returns the size of the payload before any string is cut, and
// sets *ret_strings to the number of strings; or returns 0 if something is not at a readable
// address.
static size_t measure(struct iovec *data, const uint16_t *places, size_t fixed, size_t *ret_strings)
{
	size_t size = fixed, strings = 0;

	for (size_t i = 0; places[i]; i++) {
		if (frec__is_bytes(places[i])) {
			// What is too large in any case is not read either.
			if (data[i].iov_len <= FREC_PAYLOAD_MAX &&
			    !frec__readable_bytes(data[i].iov_base, data[i].iov_len))
				return 0;
			if (__builtin_add_overflow(size, data[i].iov_len, &size))
				size = SIZE_MAX / 2;
			continue;
		}
		if (!frec__readable(data[i].iov_base)) {
			if (data[i].iov_base)
				return 0;
			data[i].iov_base = (void *)(uintptr_t)null_string;
		}
		data[i].iov_len = strnlen(data[i].iov_base, FREC_PAYLOAD_MAX);
		if (__builtin_add_overflow(size, data[i].iov_len + 1, &size))
			size = SIZE_MAX / 2;
		strings++;
	}
	*ret_strings = strings;
	return size;
}

// For the report of an event with a string that cannot be read, whose length is not known.
static __attribute__((cold)) size_t size_without_strings(const struct iovec *data,
							 const uint16_t *places, size_t fixed)
{
	size_t size = fixed;

	for (size_t i = 0; places[i]; i++)
		if (frec__is_bytes(places[i]) &&
		    __builtin_add_overflow(size, data[i].iov_len, &size))
			return SIZE_MAX / 2;
	return size;
}

int frec__payload_build(struct iovec *vector, const uint16_t *places, struct frec__payload *ret)
{
	char *fixed = vector[0].iov_base;
	size_t position = vector[0].iov_len, share = FREC_PAYLOAD_MAX, strings, count = 0, total;
	struct iovec *data, *out = vector + 1;

	while (places[count])
		count++;
	data = vector + 1 + count;
	total = measure(data, places, position - INDEX_SIZE, &strings);
	ret->size = total;
	ret->cut = false;
	if (!total && count) {
		ret->size = size_without_strings(data, places, position - INDEX_SIZE);
		return -EFAULT;
	}
	if (total > FREC_PAYLOAD_MAX) {
		size_t others = position - INDEX_SIZE + strings * CUT_END_SIZE;

		for (size_t i = 0; i < count; i++) {
			if (!frec__is_bytes(places[i]))
				continue;
			if (data[i].iov_len > FREC_PAYLOAD_MAX)
				return -E2BIG;
			others += data[i].iov_len;
		}
		if (others > FREC_PAYLOAD_MAX)
			return -E2BIG;
		share = fair_share(data, places, FREC_PAYLOAD_MAX - others);
		ret->cut = true;
	}
	// `out` never overtakes the element that is read, because there is workspace before the
	// data; see frec__emit().
	for (size_t i = 0; i < count; i++) {
		struct iovec piece = data[i];
		size_t at = places[i] & ~FREC__BYTES_FLAG, length = piece.iov_len;
		uint32_t locator;

		if (!frec__is_bytes(places[i]) && length > share) {
			piece.iov_len = whole_characters(piece.iov_base, share);
			length = piece.iov_len + CUT_END_SIZE;
			if (piece.iov_len)
				*out++ = piece;
			*out++ = (struct iovec){(void *)(uintptr_t)cut_end, CUT_END_SIZE};
		} else {
			if (!frec__is_bytes(places[i]))
				length = ++piece.iov_len;
			if (length)
				*out++ = piece;
		}
		locator = (uint32_t)(length << 16 | (position - at - sizeof(locator)));
		memcpy(fixed + at, &locator, sizeof(locator));
		position += length;
	}
	ret->count = (int)(out - vector);
	ret->size = position - INDEX_SIZE;
	return 0;
}
