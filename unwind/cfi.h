/* SPDX-License-Identifier: MIT */
/*
 * Call frame information (CFI): DWARF 5, section 6.4, and .eh_frame of the Linux Standard Base.
 *
 * A CFI section has an entry for each function (an FDE), which refers to an entry that several
 * functions share (a CIE). The instructions in both give rules for each address of the function:
 * one rule for each register, which computes the value that the register had in the caller. Most
 * rules are relative to the canonical frame address (CFA), which is the stack pointer before the
 * call. cfi.c reads the entries; cfi_run.c runs the instructions.
 */
#ifndef FREC_UNWIND_CFI_H
#define FREC_UNWIND_CFI_H

#include <libelf.h>
#include <stdbool.h>
#include <stdint.h>

#include "proto/bytes.h"
#include "proto/error.h"
#include "unwind/registers.h"

/* One section. Its addresses are those of the ELF file, not of a process. */
struct frec_cfi {
	Elf_Data *data;			/* the bytes of the section */
	unsigned char ident[EI_NIDENT]; /* e_ident of the ELF file */
	/* what encoded addresses can be relative to: */
	uint64_t address;   /* the address of the section, for DW_EH_PE_pcrel */
	uint64_t text;	    /* the address of .text, for DW_EH_PE_textrel */
	uint64_t base;	    /* the address of .eh_frame_hdr, for DW_EH_PE_datarel */
	bool eh_frame;	    /* the section is .eh_frame, not .debug_frame */
	const char *module; /* for error messages */
};

/* A function: one FDE together with its CIE. */
struct frec_fde {
	uint64_t start, end;		      /* the addresses of its code */
	uint64_t offset;		      /* of the FDE in the section, for error messages */
	const uint8_t *initial, *initial_end; /* the instructions of the CIE */
	const uint8_t *program, *program_end; /* those of the FDE, which run after the CIE's */
	uint64_t code_factor;
	int64_t data_factor;
	uint64_t return_register; /* DWARF number of the register with the return address */
	uint8_t encoding;	  /* of addresses: DW_EH_PE_* */
	/* this is the code that a signal handler returns to. Its caller was interrupted, so the
	 * caller's pc is the next instruction to run, not one that follows a call */
	bool signal_frame;
};

/* How to compute a register of the caller. `reg` means the registers of this frame. */
enum frec_rule_kind {
	FREC_RULE_UNSPECIFIED,	    /* as the calling convention says (callee_saved) */
	FREC_RULE_UNDEFINED,	    /* its value is lost */
	FREC_RULE_SAME,		    /* the same register of this frame */
	FREC_RULE_OFFSET,	    /* *(CFA + offset) */
	FREC_RULE_VALUE_OFFSET,	    /* CFA + offset */
	FREC_RULE_REGISTER,	    /* reg[regno] + offset */
	FREC_RULE_EXPRESSION,	    /* *(expression(CFA)) */
	FREC_RULE_VALUE_EXPRESSION, /* expression(CFA) */
};

struct frec_rule {
	uint8_t kind;
	union {
		uint32_t regno; /* DWARF number; larger ones are stored as UINT32_MAX */
		uint32_t size;	/* of the expression, in bytes */
	};
	union {
		int64_t offset;
		const uint8_t *expression; /* points into the section */
	};
};

struct frec_rules {
	/* The kind of this rule is UNSPECIFIED until an instruction defines the CFA; then it is
	 * REGISTER, or VALUE_EXPRESSION with an expression that starts with an empty stack. */
	struct frec_rule cfa;
	struct frec_rule registers[FREC_DWARF_REGISTERS];
};

/*
 * Reads the entry at `offset` of the section. `*ret_next` (ret_next may be NULL) is the offset of
 * the next entry. Returns 1 if the entry is an FDE, which `*ret` then describes; 0 if it is a CIE,
 * to be skipped; -ENODATA at the end of the section; -EBADMSG if the entry is damaged, with
 * `*ret_next` set only if its length is known.
 */
int frec__cfi_read(const struct frec_cfi *cfi, uint64_t offset, uint64_t *ret_next,
		   struct frec_fde *ret, struct frec_error *reterr);

/* Reads an address in the given encoding (DW_EH_PE_*) from the section's bytes. If it cannot be
 * read, the cursor fails. */
uint64_t frec__cfi_address(const struct frec_cfi *cfi, struct frec_bytes *cursor, uint8_t encoding);

#endif
