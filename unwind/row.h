/* SPDX-License-Identifier: MIT */
/* One row, made of the rules it stands for. */
#ifndef FREC_UNWIND_ROW_H
#define FREC_UNWIND_ROW_H

#include "unwind/rows.h"

/* FREC_ROW_RULES where no other kind says all that the rules say of the CFA, the frame pointer and
 * the return address. */
struct frec_row frec__row_from_rules(const struct frec_rules *rules, const struct frec_fde *fde,
				     const struct frec_registers *machine);

#endif
