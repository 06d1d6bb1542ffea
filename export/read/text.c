// SPDX-License-Identifier: MIT
// Grows texts, and makes bytes safe for the output that they are added to.
#include "export/read/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Small texts are made for larger ones in many places, which do without them if they fail.
static bool ran_out;

bool frec__text_ran_out(void)
{
	return ran_out;
}

// Marks the text as failed, after which nothing fits into it any more. Returns false.
static bool fail(struct frec_text *text)
{
	ran_out = true;
	text->failed = true;
	text->capacity = text->size;
	return false;
}

bool frec__text_grow(struct frec_text *text, size_t more)
{
	size_t need, capacity;
	char *data;

	if (text->failed || __builtin_add_overflow(text->size, more, &need) || need == SIZE_MAX)
		return fail(text);
	need++; // the NUL
	if (need <= text->capacity)
		return true;
	capacity = need < 256 ? 256 : need + need / 2;
	data = realloc(text->data, capacity);
	if (!data)
		return fail(text);
	text->data = data;
	text->capacity = capacity;
	return true;
}

void frec__text_add(struct frec_text *text, const void *data, size_t size)
{
	char *p = frec__text_room(text, size);

	if (!p)
		return;
	frec__copy_short(p, data, size);
	frec__text_end(text, p + size);
}

void frec__text_free(struct frec_text *text)
{
	free(text->data);
	*text = (struct frec_text){0};
}

void frec__text_clear(struct frec_text *text)
{
	text->size = 0;
	if (text->data)
		text->data[0] = '\0';
}

void frec__text_printf(struct frec_text *text, const char *format, ...)
{
	va_list arguments;
	size_t room;
	int size;

	// Usually the text fits. If it does not, vsnprintf() returns how much space the text needs.
	if (!frec__text_grow(text, 64))
		return;
	room = text->capacity - text->size;
	va_start(arguments, format);
	size = vsnprintf(text->data + text->size, room, format, arguments);
	va_end(arguments);
	if (size >= 0 && (size_t)size >= room) {
		text->data[text->size] = '\0';
		if (!frec__text_grow(text, (size_t)size))
			return;
		va_start(arguments, format);
		vsnprintf(text->data + text->size, (size_t)size + 1, format, arguments);
		va_end(arguments);
	}
	text->size += size > 0 ? (size_t)size : 0;
}

// Returns the size of the UTF-8 character at `p`, or 0 if none is there (RFC 3629: shortest form,
// no surrogates, up to U+10FFFF).
static size_t utf8_character(const uint8_t *p, size_t size, uint32_t *ret_code)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t code;
	size_t length;

	if (p[0] < 0x80) {
		*ret_code = p[0];
		return 1;
	}
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		length = 2, code = p[0] & 0x1f;
	else if ((p[0] & 0xf0) == 0xe0)
		length = 3, code = p[0] & 0x0f;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		length = 4, code = p[0] & 0x07;
	else
		return 0;
	if (length > size)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (p[i] & 0x3f);
	}
	if (code < least[length] || (code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff)
		return 0;
	*ret_code = code;
	return length;
}

static bool unsafe_on_terminal(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x200e || code == 0x200f ||
	       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

bool frec__text_is_printable(const void *data, size_t size)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < size;) {
		uint32_t code = 0;
		size_t length = utf8_character(p + i, size - i, &code);

		if (!length ||
		    (unsafe_on_terminal(code) && code != '\t' && code != '\n' && code != '\r'))
			return false;
		i += length;
	}
	return size > 0;
}

static bool is_nul(uint32_t code)
{
	return !code;
}

static void add_escaped(struct frec_text *text, const uint8_t *p, size_t size,
			bool (*escape)(uint32_t code))
{
	size_t start = 0;

	if (frec__bytes_are_plain(p, size, frec__not_printable)) {
		frec__text_add(text, p, size);
		return;
	}
	for (size_t i = 0; i < size;) {
		uint32_t code = 0;
		size_t length;

		// Printable ASCII is never escaped.
		if (p[i] >= 0x20 && p[i] < 0x7f) {
			i++;
			continue;
		}
		length = utf8_character(p + i, size - i, &code);
		if (length && !escape(code)) {
			i += length;
			continue;
		}
		frec__text_add(text, p + start, i - start);
		for (size_t end = i + (length ? length : 1); i < end; i++) {
			frec__text_puts(text, "\\x");
			frec__text_hex(text, &p[i], 1);
		}
		start = i;
	}
	frec__text_add(text, p + start, size - start);
}

void frec__text_utf8(struct frec_text *text, const void *data, size_t size)
{
	add_escaped(text, data, size, is_nul);
}

void frec__text_plain(struct frec_text *text, const void *data, size_t size)
{
	add_escaped(text, data, size, unsafe_on_terminal);
}

static void add_json_character(struct frec_text *text, uint32_t code)
{
	switch (code) {
	case '"':
		frec__text_puts(text, "\\\"");
		break;
	case '\\':
		frec__text_puts(text, "\\\\");
		break;
	case '\n':
		frec__text_puts(text, "\\n");
		break;
	case '\t':
		frec__text_puts(text, "\\t");
		break;
	default:
		frec__text_printf(text, "\\u%04x", code);
	}
}

// Returns how many bytes from `p` on need no escape in a JSON string: printable ASCII except the
// quote and the backslash.
static size_t plain_in_json(const uint8_t *p, size_t size)
{
	size_t i = 0;

	while (i < size && p[i] >= 0x20 && p[i] < 0x7f && p[i] != '"' && p[i] != '\\')
		i++;
	return i;
}

// A `special` for frec__bytes_are_plain() that treats as special the bytes at which plain_in_json()
// stops.
static uint64_t not_plain_in_json(uint64_t word)
{
	uint64_t quotes = word ^ FREC_IN_ALL_BYTES('"'),
		 backslashes = word ^ FREC_IN_ALL_BYTES('\\');

	return frec__not_printable(word) | (quotes - FREC_IN_ALL_BYTES(1)) |
	       (backslashes - FREC_IN_ALL_BYTES(1));
}

void frec__text_json(struct frec_text *text, const void *data, size_t size)
{
	const uint8_t *p = data;
	size_t start = 0;

	if (frec__bytes_are_plain(data, size, not_plain_in_json)) {
		char *to = frec__text_room(text, size + 2);

		if (!to)
			return;
		*to++ = '"';
		frec__copy_short(to, data, size);
		to[size] = '"';
		frec__text_end(text, to + size + 1);
		return;
	}
	frec__text_add(text, "\"", 1);
	for (size_t i = 0; i < size;) {
		uint32_t code = 0;
		size_t length;

		i += plain_in_json(p + i, size - i);
		if (i == size)
			break;
		length = utf8_character(p + i, size - i, &code);
		if (length > 1) {
			i += length;
			continue;
		}
		frec__text_add(text, p + start, i - start);
		if (length)
			add_json_character(text, code);
		else {
			frec__text_puts(text, "\\\\x");
			frec__text_hex(text, &p[i], 1);
		}
		start = ++i;
	}
	if (size)
		frec__text_add(text, p + start, size - start);
	frec__text_add(text, "\"", 1);
}

void frec__text_json_puts(struct frec_text *text, const char *string)
{
	frec__text_json(text, string, strlen(string));
}

void frec__hex(void *to, const uint8_t *data, size_t size)
{
	char *digits = to;

	for (size_t i = 0; i < size; i++) {
		digits[2 * i] = "0123456789abcdef"[data[i] >> 4];
		digits[2 * i + 1] = "0123456789abcdef"[data[i] & 15];
	}
}

void frec__text_hex(struct frec_text *text, const uint8_t *data, size_t size)
{
	if (size > SIZE_MAX / 2 || !frec__text_grow(text, 2 * size))
		return;
	frec__hex(text->data + text->size, data, size);
	text->size += 2 * size;
	text->data[text->size] = '\0';
}
