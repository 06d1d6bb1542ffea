/* SPDX-License-Identifier: MIT */
/* Numbers as text, by hand: printf reads its format anew for each of millions. */
#ifndef FREC_EXPORT_READ_NUMBERS_H
#define FREC_EXPORT_READ_NUMBERS_H

#include "export/read/text.h"

/* What a number takes at most, with its sign or 0x, without a NUL. */
#define FREC_DIGITS_MAX 21

/* Writes a number at `p`, where there is room for it, and returns where to go on. */
char *frec__digits(char *p, uint64_t value);
char *frec__digits_signed(char *p, int64_t value);

void frec__text_unsigned(struct frec_text *text, uint64_t value);
void frec__text_signed(struct frec_text *text, int64_t value);

/* "0x", then as many digits as it takes. */
void frec__text_pointer(struct frec_text *text, uint64_t value);

/* A number with as few digits as read back to the same value; `single`: a float's. "nan", "inf",
 * "-inf". */
void frec__text_double(struct frec_text *text, double value, bool single);

#endif
