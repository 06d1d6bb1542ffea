// SPDX-License-Identifier: MIT
// Numbers as text.
#include "export/numbers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX 20

// Writes the digits so that they end at `end`, and returns where they begin.
static char *digits_of(char *end, uint64_t value)
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

void frec__text_unsigned(struct frec_text *text, uint64_t value)
{
	char digits[DIGITS_MAX], *end = digits + sizeof(digits), *start = digits_of(end, value);

	frec__text_add(text, start, (size_t)(end - start));
}

void frec__text_signed(struct frec_text *text, int64_t value)
{
	char digits[DIGITS_MAX + 1], *end = digits + sizeof(digits), *start;

	start = digits_of(end, value < 0 ? -(uint64_t)value : (uint64_t)value);
	if (value < 0)
		*--start = '-';
	frec__text_add(text, start, (size_t)(end - start));
}

void frec__text_pointer(struct frec_text *text, uint64_t value)
{
	char digits[18], *end = digits + sizeof(digits), *start = end;

	do {
		*--start = "0123456789abcdef"[value & 15];
		value >>= 4;
	} while (value);
	*--start = 'x';
	*--start = '0';
	frec__text_add(text, start, (size_t)(end - start));
}

// Most numbers that people measure are short decimals. A decimal of up to 15 digits (6 for a float) is the only one so
// short that reads as its double, so one that is found by multiplying is the one printf would print.
static bool add_short_decimal(struct frec_text *text, double value, bool single)
{
	static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
	double most = single ? 1e6 : 1e15, size = fabs(value);

	if (!(size >= 1e-4 && size < most))
		return false;
	for (unsigned int decimals = 0; decimals < sizeof(powers) / sizeof(powers[0]); decimals++) {
		double scaled = rint(size * powers[decimals]);
		double back = scaled / powers[decimals];
		char digits[DIGITS_MAX + 4], *end = digits + sizeof(digits), *start;
		uint64_t whole, power;

		if (scaled >= most)
			return false;
		if (single ? (float)back != (float)size : back != size)
			continue;
		power = (uint64_t)powers[decimals];
		whole = (uint64_t)scaled / power;
		if (decimals) {
			start = digits_of(end, (uint64_t)scaled % power);
			while (start > end - decimals)
				*--start = '0';
		} else {
			start = end - 1;
			*start = '0';
		}
		*--start = '.';
		start = digits_of(start, whole);
		if (value < 0)
			*--start = '-';
		frec__text_add(text, start, (size_t)(end - start));
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
	// Fifteen digits (six for a float) are always right and mostly enough; two more (three) are
	// always enough.
	for (int digits = single ? 6 : 15;; digits++) {
		double back;

		snprintf(number, sizeof(number), "%.*g", digits, value);
		back = strtod(number, NULL);
		if (back == value || (single && (float)back == (float)value) ||
		    digits >= (single ? 9 : 17))
			break;
	}
	frec__text_puts(text, number);
	// So that it is seen to be no integer.
	if (isfinite(value) && !strpbrk(number, ".e"))
		frec__text_puts(text, ".0");
}
