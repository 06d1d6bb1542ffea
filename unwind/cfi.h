/* SPDX-License-Identifier: MIT */
/*
 * Call frame information, DWARF 5 chapter 6.4 and the .eh_frame of the Linux Standard Base: which
 * functions a section describes, and by what rules the registers of the caller are found at each of
 * a function's addresses.
 */
#ifndef FREC_UNWIND_CFI_H
#define FREC_UNWIND_CFI_H

#include <libelf.h>
#include <stdbool.h>
#include <stdint.h>

#include "proto/error.h"
#include "unwind/registers.h"

/* One section. Addresses in it are those of the ELF file, not of a process. */
struct frec_cfi {
	Elf_Data *data;			/* its bytes; d_size 0: there is no such section */
	unsigned char ident[EI_NIDENT]; /* of its ELF file */
	uint64_t address;   /* where the section is mapped, for addresses relative to themselves */
	uint64_t text;	    /* of .text, */
	uint64_t base;	    /* and of .eh_frame_hdr, for those relative to these */
	bool eh_frame;	    /* .eh_frame, not .debug_frame */
	const char *module; /* for errors */
};

/* A function's description: one FDE with what its CIE adds. */
struct frec_fde {
	uint64_t start, end;		      /* addresses it covers */
	uint64_t offset;		      /* in the section, for errors */
	const uint8_t *initial, *initial_end; /* instructions of the CIE */
	const uint8_t *program, *program_end; /* and of the FDE */
	uint64_t code_factor;
	int64_t data_factor;
	uint64_t return_register;
	uint8_t encoding; /* of addresses: DW_EH_PE_ */
	/* what it called was no call: the caller's pc is the next instruction itself */
	bool signal_frame;
};

enum frec_rule_kind {
	FREC_RULE_UNSPECIFIED, /* as the machine's calling convention has it */
	FREC_RULE_UNDEFINED,
	FREC_RULE_SAME,
	FREC_RULE_OFFSET,	    /* saved at CFA + offset */
	FREC_RULE_VALUE_OFFSET,	    /* is CFA + offset */
	FREC_RULE_REGISTER,	    /* is in register `offset` */
	FREC_RULE_EXPRESSION,	    /* saved at what the expression gives */
	FREC_RULE_VALUE_EXPRESSION, /* is what the expression gives */
};

struct frec_rule {
	uint8_t kind;
	uint32_t size; /* of the expression */
	union {
		int64_t offset;
		const uint8_t *expression;
	};
};

struct frec_rules {
	/* VALUE_OFFSET from cfa_register, or VALUE_EXPRESSION; UNSPECIFIED at first */
	struct frec_rule cfa;
	uint64_t cfa_register;
	struct frec_rule registers[FREC_DWARF_REGISTERS];
};

/*
 * Reads what stands at `offset`, and gives the offset behind it. Returns 1: a function, `*ret` is
 * filled in; 0: something else, pass over it; -ENODATA at the end; -EBADMSG when it is damaged.
 * `ret_next` may be NULL.
 */
int frec__cfi_read(const struct frec_cfi *cfi, uint64_t offset, uint64_t *ret_next,
		   struct frec_fde *ret, struct frec_error *reterr);

/* An address encoded as DW_EH_PE_ `encoding` says, at `place` in the section. */
struct frec_bytes;
uint64_t frec__cfi_address(const struct frec_cfi *cfi, struct frec_bytes *cursor, uint8_t encoding);

/*
 * Runs the function's instructions and calls `row` for each range of addresses with one set of
 * rules, in ascending order and without gaps from fde->start to fde->end. It takes time linear in
 * the size of the instructions. What `row` returns, unless 0, ends it and is returned. -EBADMSG:
 * the instructions are damaged; the rows before stand.
 */
int frec__cfi_run(const struct frec_cfi *cfi, const struct frec_fde *fde,
		  int (*row)(void *context, uint64_t from, uint64_t to,
			     const struct frec_rules *rules),
		  void *context, struct frec_error *reterr);

#endif
