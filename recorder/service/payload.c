// SPDX-License-Identifier: MIT
// The payload of an event. The fixed part comes first. It has a locator for each string, text and
// byte array: a u32 with the length of the data in its upper half, and in its lower half the
// distance from the locator's own end to the data. The data follows in the same order. Nothing is
// copied: the kernel gathers the pieces from where they are.
//
// A string ends in one NUL, which the kernel requires. A string that was cut ends in two, which no
// other string does: this is how a reader recognises a cut string.
//
// A text of known length is declared to the kernel as a string as well, because only for `char[]`
// do the kernel, perf and trace-cmd show text. So it gets the same ends, and NULs within it harm
// nobody: the kernel looks at the last byte alone, and our readers go by the length. A text that
// was cut does not end in NULs of its own, and a whole text that does gets two more. So three or
// more NULs at the end mean a whole text that has all but two of them.
#include <errno.h>
#include <string.h>

#include "recorder/service/payload.h"
#include "recorder/service/readable.h"

#define INDEX_SIZE sizeof(uint32_t)
#define CUT_END_SIZE 2

static const char cut_end[CUT_END_SIZE]; // one byte of it is the end of a text that was not cut
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

// Returns the largest length up to `size` at which `text` can be cut without splitting a UTF-8
// character. `text` is longer than `size`.
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

// Subtracts the NUL from the length of a string; replaces a string that is NULL by "(null)".
// Returns false if nothing can be read at the string's address.
static bool prepare_string(struct iovec *string)
{
	if (!string->iov_base)
		*string = (struct iovec){(void *)(uintptr_t)null_string, sizeof(null_string)};
	else if (!frec__readable(string->iov_base))
		return false;
	string->iov_len--;
	return true;
}

static bool prepare_text(struct iovec *text)
{
	if (!text->iov_base && text->iov_len)
		return prepare_string(text);
	if (text->iov_len > FREC_PAYLOAD_MAX)
		text->iov_len = FREC_PAYLOAD_MAX;
	return frec__readable_bytes(text->iov_base, text->iov_len);
}

// Prepares the strings and texts. Returns the size of the payload before any of them is cut, and
// sets *ret_strings to their number; or returns 0 if something is not at a readable address.
static size_t measure(struct iovec *data, const uint16_t *places, size_t fixed, size_t *ret_strings)
{
	size_t size = fixed, strings = 0;

	for (size_t i = 0; places[i]; i++) {
		if (frec__is_bytes(places[i])) {
			// A byte array that no payload can hold is not read, so its address is not
			// checked.
			if (data[i].iov_len <= FREC_PAYLOAD_MAX &&
			    !frec__readable_bytes(data[i].iov_base, data[i].iov_len))
				return 0;
			if (__builtin_add_overflow(size, data[i].iov_len, &size))
				size = SIZE_MAX / 2;
			continue;
		}
		if (!(frec__is_text(places[i]) ? prepare_text(&data[i]) : prepare_string(&data[i])))
			return 0;
		if (__builtin_add_overflow(size, data[i].iov_len + 1, &size))
			size = SIZE_MAX / 2;
		if (frec__is_text(places[i]) && frec__ends_in_nul(&data[i]))
			size++;
		strings++;
	}
	*ret_strings = strings;
	return size;
}

// Returns the size to report for an event with a string that cannot be read: as the length of such
// a string is not known, strings do not count.
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
	// data; see payload.h.
	for (size_t i = 0; i < count; i++) {
		struct iovec piece = data[i];
		size_t at = places[i] & FREC__PLACE_MASK, length = piece.iov_len;
		uint32_t locator;

		if (!frec__is_bytes(places[i]) && (length > share || frec__is_text(places[i]))) {
			size_t end = 1 + frec__ends_in_nul(&piece);

			if (length > share) {
				piece.iov_len = whole_characters(piece.iov_base, share);
				while (frec__ends_in_nul(&piece))
					piece.iov_len--;
				end = CUT_END_SIZE;
			}
			length = piece.iov_len + end;
			if (piece.iov_len)
				*out++ = piece;
			*out++ = (struct iovec){(void *)(uintptr_t)cut_end, end};
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
	return ret->size > FREC_PAYLOAD_MAX ? -EFAULT : 0;
}
