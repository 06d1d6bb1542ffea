/* SPDX-License-Identifier: MIT */
/* Formats numbers, because printf would parse its format again for each of millions. */
#ifndef FREC_EXPORT_READ_NUMBERS_H
#define FREC_EXPORT_READ_NUMBERS_H

#include "export/read/text.h"

/* The longest number, with its sign or 0x, without a NUL. */
#define FREC_DIGITS_MAX 21

/* Writes a number at `p`, which has space for FREC_DIGITS_MAX bytes. Returns the end of it. */
char *frec__digits(char *p, uint64_t value);
char *frec__digits_signed(char *p, int64_t value);

void frec__text_unsigned(struct frec_text *text, uint64_t value);
void frec__text_signed(struct frec_text *text, int64_t value);

/* "0x" and the hexadecimal digits without leading zeroes. */
void frec__text_pointer(struct frec_text *text, uint64_t value);

/* The shortest decimal that reads back as the same value, or "nan", "inf", "-inf". `single`: the
 * value is that of a float. */
void frec__text_double(struct frec_text *text, double value, bool single);

#endif
