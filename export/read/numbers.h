/* SPDX-License-Identifier: MIT */
/* Formats numbers without printf(3), which would parse its format string again for each of millions
 * of numbers. */
#ifndef FREC_EXPORT_READ_NUMBERS_H
#define FREC_EXPORT_READ_NUMBERS_H

#include "export/read/text.h"

/* No integer is longer than this, with its sign or 0x but without a NUL. */
#define FREC_DIGITS_MAX 21

/* Writes a number, without a NUL, to `p`, which has space for FREC_DIGITS_MAX bytes. Returns where
 * the number ends. */
char *frec__digits(char *p, uint64_t value);
char *frec__digits_signed(char *p, int64_t value);

void frec__text_unsigned(struct frec_text *text, uint64_t value);
void frec__text_signed(struct frec_text *text, int64_t value);

/* Adds "0x" and the hexadecimal digits without leading zeroes. */
void frec__text_pointer(struct frec_text *text, uint64_t value);

/* Adds a decimal that reads back as the same value, the shortest one unless the value is subnormal;
 * or "nan", "inf", "-inf". If `single`, the value was a float, and the decimal reads back as the
 * same float. */
void frec__text_double(struct frec_text *text, double value, bool single);

#endif
