// SPDX-License-Identifier: MIT
// Formats numbers.
#include "export/read/numbers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX 20
#define DECIMALS_MAX 10
#define DOUBLE_MAX (FREC_DIGITS_MAX + 1 + DECIMALS_MAX)

// Writes the decimal digits of `value` so that they end at `end`. Returns where they begin.
static inline char *digits_of(char *end, uint64_t value)
{
	static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930"
				    "31323334353637383940414243444546474849505152535455565758596061"
				    "62636465666768697071727374757677787980818283848586878889909192"
				    "93949596979899";

	while (value >= 100) {
		end -= 2;
		memcpy(end, pairs + 2 * (value % 100), 2);
		value /= 100;
	}
	if (value >= 10) {
		end -= 2;
		memcpy(end, pairs + 2 * value, 2);
	} else {
		*--end = (char)('0' + value);
	}
	return end;
}

// Returns how many decimal digits `value` has. A guess from the position of the highest bit is
// right or one too small.
static unsigned int count_digits(uint64_t value)
{
	static const uint64_t powers[DIGITS_MAX] = {
		0,
		10ull,
		100ull,
		1000ull,
		10000ull,
		100000ull,
		1000000ull,
		10000000ull,
		100000000ull,
		1000000000ull,
		10000000000ull,
		100000000000ull,
		1000000000000ull,
		10000000000000ull,
		100000000000000ull,
		1000000000000000ull,
		10000000000000000ull,
		100000000000000000ull,
		1000000000000000000ull,
		10000000000000000000ull,
	};
	unsigned int bits = 64 - (unsigned int)__builtin_clzll(value | 1);
	unsigned int guess = bits * 1233 >> 12; // 1233 / 4096 is about log10(2)

	return guess + (value >= powers[guess]);
}

char *frec__digits(char *p, uint64_t value)
{
	char *end = p + count_digits(value);

	digits_of(end, value);
	return end;
}

char *frec__digits_signed(char *p, int64_t value)
{
	if (value < 0)
		*p++ = '-';
	return frec__digits(p, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void frec__text_unsigned(struct frec_text *text, uint64_t value)
{
	char *p = frec__text_room(text, FREC_DIGITS_MAX);

	if (p)
		frec__text_end(text, frec__digits(p, value));
}

void frec__text_signed(struct frec_text *text, int64_t value)
{
	char *p = frec__text_room(text, FREC_DIGITS_MAX);

	if (p)
		frec__text_end(text, frec__digits_signed(p, value));
}

void frec__text_pointer(struct frec_text *text, uint64_t value)
{
	unsigned int digits = (67 - (unsigned int)__builtin_clzll(value | 1)) / 4;
	char *p = frec__text_room(text, FREC_DIGITS_MAX);

	if (!p)
		return;
	*p++ = '0';
	*p++ = 'x';
	for (unsigned int i = digits; i--; value >>= 4)
		p[i] = "0123456789abcdef"[value & 15];
	frec__text_end(text, p + digits);
}

// Most numbers that people measure are short decimals, which can be found by multiplying by
// powers of ten. No two decimals of up to 15 digits (6 for a float) read as the same value, so the
// decimal found is the one that printf would print. Returns false if the value is not a short
// decimal.
static bool add_short_decimal(struct frec_text *text, double value, bool single)
{
	static const double powers[DECIMALS_MAX] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
	double most = single ? 1e6 : 1e15, size = fabs(value);

	if (!(size >= 1e-4 && size < most))
		return false;
	for (unsigned int decimals = 0; decimals < DECIMALS_MAX; decimals++) {
		double scaled = rint(size * powers[decimals]);
		double back = scaled / powers[decimals];
		uint64_t power;
		char *p;

		if (scaled >= most)
			return false;
		if (single ? (float)back != (float)size : back != size)
			continue;
		p = frec__text_room(text, DOUBLE_MAX);
		if (!p)
			return true;
		if (value < 0)
			*p++ = '-';
		power = (uint64_t)powers[decimals];
		p = frec__digits(p, (uint64_t)scaled / power);
		*p++ = '.';
		// Without decimals, one "0" follows the point. Otherwise as many zeroes as there
		// are decimals follow it, and digits_of() overwrites the last of them.
		memset(p, '0', DECIMALS_MAX);
		if (decimals)
			digits_of(p + decimals, (uint64_t)scaled % power);
		frec__text_end(text, p + (decimals ? decimals : 1));
		return true;
	}
	return false;
}

void frec__text_double(struct frec_text *text, double value, bool single)
{
	char number[32];

	if (isnan(value)) {
		frec__text_puts(text, "nan");
		return;
	}
	if (add_short_decimal(text, value, single))
		return;
	// Fifteen digits (six for a float) are usually enough to read back as the same value. Two
	// more (three for a float) always are.
	for (int digits = single ? 6 : 15;; digits++) {
		double back;

		snprintf(number, sizeof(number), "%.*g", digits, value);
		back = strtod(number, NULL);
		if (back == value || (single && (float)back == (float)value) ||
		    digits >= (single ? 9 : 17))
			break;
	}
	frec__text_puts(text, number);
	// Shows that this is not an integer.
	if (isfinite(value) && !strpbrk(number, ".e"))
		frec__text_puts(text, ".0");
}
