/* SPDX-License-Identifier: MIT */
/*
 * The rules of one CFI section as rows that can be applied without knowing DWARF.
 *
 * Opening reads where functions begin: from .eh_frame_hdr, which the linker has sorted, or from one
 * walk over the section. A function's rows are made when an address of it is first asked for, so
 * that the first stack of a large program waits for the few functions on it and memory is taken for
 * no others.
 */
#ifndef FREC_UNWIND_ROWS_H
#define FREC_UNWIND_ROWS_H

#include "unwind/cfi.h"

enum frec_row_kind {
	FREC_ROW_NONE, /* no function */
	FREC_ROW_SP,   /* CFA = sp + cfa_offset */
	FREC_ROW_FP,   /* CFA = fp + cfa_offset */
	/* CFA = what lies at fp + cfa_offset: a function that has aligned its stack */
	FREC_ROW_FP_MEMORY,
	/* CFA = sp + cfa_offset, and 8 more from byte number `ra_slot` of 16 on: x86_64's stubs */
	FREC_ROW_PLT,
	FREC_ROW_OUTERMOST, /* nobody called this */
	/* no function, but what a signal handler returns to (struct frec_sigreturn) */
	FREC_ROW_SIGRETURN,
	FREC_ROW_RULES, /* none of these: run the instructions (frec__rows_rules) */
};

/* The value of a slot that says: the register still holds it. */
#define FREC_ROW_SAME INT16_MIN
/* fp_slot: the caller's fp lies at fp itself and not at a distance from the CFA. */
#define FREC_ROW_AT_FP (INT16_MIN + 1)

struct frec_row {
	uint32_t start : 28; /* bytes from the start of the function */
	uint32_t kind : 4;
	int32_t cfa_offset;
	int16_t fp_slot; /* in units of 8 bytes from the CFA */
	int16_t ra_slot;
};

struct frec_rows;

/* Longer functions have no rows: FREC_ROW_RULES. */
#define FREC_ROW_START_MAX ((1u << 28) - 1)

/*
 * Takes over nothing: `cfi`, the section and `header` (.eh_frame_hdr, NULL where there is none)
 * have to live as long. `base` is not above any of the functions' addresses; those 4 GiB above it
 * or more are not found. -ENOMEM, or -EBADMSG when the section is damaged from its beginning; what
 * is readable before damage is used.
 */
int frec__rows_create(const struct frec_cfi *cfi, const Elf_Data *header, uint64_t base,
		      const struct frec_registers *machine, struct frec_rows **ret,
		      struct frec_error *reterr);
void frec__rows_destroy(struct frec_rows *rows);

/* The row of the address `pc` in the ELF file. 0, FREC_ROW_NONE included; -ENOMEM; -EBADMSG. */
int frec__rows_find(struct frec_rows *rows, uint64_t pc, struct frec_row *ret,
		    struct frec_error *reterr);

/* The whole rules at `pc`, and the function they belong to: slow. -ENOENT where there are none,
 * -EBADMSG. */
int frec__rows_rules(struct frec_rows *rows, uint64_t pc, struct frec_rules *ret_rules,
		     struct frec_fde *ret_fde, struct frec_error *reterr);

struct frec_rows_statistics {
	size_t functions;	   /* known */
	size_t functions_compiled; /* with rows */
	size_t rows;
	size_t bytes; /* of memory */
};

void frec__rows_statistics(const struct frec_rows *rows, struct frec_rows_statistics *ret);

/* Makes the rows of all functions at once. Those that are damaged are passed over. 0 or -ENOMEM. */
int frec__rows_compile_all(struct frec_rows *rows);

#endif
