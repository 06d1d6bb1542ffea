/* SPDX-License-Identifier: MIT */
/* Makes a row from rules. */
#ifndef FREC_UNWIND_ROW_H
#define FREC_UNWIND_ROW_H

#include "unwind/rows.h"

/* Returns the row for `rules`: FREC_ROW_RULES if no other kind can express what they say about the
 * CFA, the frame pointer and the return address. */
struct frec_row frec__row_from_rules(const struct frec_rules *rules, const struct frec_fde *fde,
				     const struct frec_registers *machine);

#endif
