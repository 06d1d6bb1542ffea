/* SPDX-License-Identifier: MIT */
/* Runs the CFI instructions of a function: from an FDE to the rules at each of its addresses. */
#ifndef FREC_UNWIND_CFI_RUN_H
#define FREC_UNWIND_CFI_RUN_H

#include "unwind/cfi.h"

/* Receives the rules of the addresses from `from` up to but not including `to`. A return value
 * other than 0 ends the run. */
typedef int frec_cfi_row(void *context, uint64_t from, uint64_t to, const struct frec_rules *rules);

/*
 * Runs the instructions of `fde` and calls `row` for each range of addresses that share one set of
 * rules, in ascending order and without gaps from fde->start to fde->end. Takes time linear in the
 * size of the instructions. Returns 0, what `row` returned, or -EBADMSG if the instructions are
 * damaged; the calls of `row` before the damage are valid.
 */
int frec__cfi_run(const struct frec_cfi *cfi, const struct frec_fde *fde, frec_cfi_row *row,
		  void *context, struct frec_error *reterr);

#endif
