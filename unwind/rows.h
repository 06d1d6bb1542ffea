/* SPDX-License-Identifier: MIT */
/*
 * The rules of a CFI section as rows, which can be applied without DWARF.
 *
 * Opening a section reads only where its functions begin: from .eh_frame_hdr, which the linker has
 * sorted, or else from the section itself. The rows of a function are computed when one of its
 * addresses is looked up for the first time. So the first stack of a large program waits only for
 * the rows of the functions on that stack, and only these take memory.
 */
#ifndef FREC_UNWIND_ROWS_H
#define FREC_UNWIND_ROWS_H

#include "unwind/cfi.h"

enum frec_row_kind {
	FREC_ROW_NONE, /* no function is known here */
	FREC_ROW_SP,   /* CFA = sp + cfa_offset */
	FREC_ROW_FP,   /* CFA = fp + cfa_offset */
	/* CFA = *(fp + cfa_offset), in a function that has aligned its stack */
	FREC_ROW_FP_MEMORY,
	/* a stub of 16 bytes (x86_64): CFA = sp + cfa_offset, or 8 more from byte `ra_slot` of the
	 * stub on */
	FREC_ROW_PLT,
	FREC_ROW_OUTERMOST, /* the function has no caller */
	/* the code that a signal handler returns to (struct frec_sigreturn) */
	FREC_ROW_SIGRETURN,
	FREC_ROW_RULES, /* anything else: use frec__rows_rules */
};

/* As fp_slot or ra_slot: the caller's value is still in the register. */
#define FREC_ROW_SAME INT16_MIN
/* As fp_slot: the caller's fp is saved at fp, not at an offset from the CFA. */
#define FREC_ROW_AT_FP (INT16_MIN + 1)

struct frec_row {
	uint32_t start : 28; /* in bytes from the start of the function */
	uint32_t kind : 4;
	int32_t cfa_offset;
	int16_t fp_slot; /* where fp is saved, in units of 8 bytes from the CFA */
	int16_t ra_slot; /* where the return address is saved, in the same units */
};

struct frec_rows;

/* The largest frec_row.start. Longer functions cannot have rows. */
#define FREC_ROW_START_MAX ((1u << 28) - 1)

/*
 * Opens a section. `cfi`, the section and `header` (.eh_frame_hdr, or NULL) have to outlive the
 * rows. `base` must not be above the address of any function; functions 4 GiB or more above it are
 * not found. Returns 0, -ENOMEM, or -EBADMSG if not even the first function can be read. If the
 * section is damaged further on, the functions before that place are used.
 */
int frec__rows_create(const struct frec_cfi *cfi, const Elf_Data *header, uint64_t base,
		      const struct frec_registers *machine, struct frec_rows **ret,
		      struct frec_error *reterr);
void frec__rows_destroy(struct frec_rows *rows);

/* Finds the row of the address `pc` of the ELF file. Returns 0, also for FREC_ROW_NONE, or -ENOMEM,
 * or -EBADMSG if the function's CFI is damaged. */
int frec__rows_find(struct frec_rows *rows, uint64_t pc, struct frec_row *ret,
		    struct frec_error *reterr);

/* Finds the complete rules at `pc`, and the function that they belong to. Runs the function's
 * instructions each time. Returns 0, -ENOENT if no function is known there, or -EBADMSG. */
int frec__rows_rules(struct frec_rows *rows, uint64_t pc, struct frec_rules *ret_rules,
		     struct frec_fde *ret_fde, struct frec_error *reterr);

struct frec_rows_statistics {
	size_t functions;	   /* known */
	size_t functions_compiled; /* those whose rows are computed */
	size_t rows;
	size_t bytes; /* of memory in use */
};

void frec__rows_statistics(const struct frec_rows *rows, struct frec_rows_statistics *ret);

/* Computes the rows of all functions. Skips damaged ones. Returns 0 or -ENOMEM. */
int frec__rows_compile_all(struct frec_rows *rows);

#endif
