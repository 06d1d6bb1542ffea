/* SPDX-License-Identifier: MIT */
/*
 * Register layouts by machine: as perf_event_open(2) numbers registers, which is how they are
 * recorded, and as DWARF does, which is how unwinding speaks of them.
 */
#ifndef FREC_UNWIND_REGISTERS_H
#define FREC_UNWIND_REGISTERS_H

#include <stddef.h>
#include <stdint.h>

/* No machine has more DWARF registers that unwinding follows; those beyond (vectors, flags) are
 * left out. */
#define FREC_DWARF_REGISTERS 33

/* What a signal handler returns to, where nothing describes it (musl, Go), and what it finds on the
 * stack. */
struct frec_sigreturn {
	const uint8_t *code;   /* its first bytes */
	size_t size;	       /* at most 16 */
	const uint16_t *saved; /* distance from sp of each DWARF register of the interrupted code */
	uint16_t saved_pc;     /* and of its pc */
};

struct frec_registers {
	const char *machine;	  /* as uname -m prints it */
	const char *const *names; /* indexed by the kernel's number; NULL where there is none */
	size_t count;
	unsigned int pc;
	unsigned int sp;

	uint16_t elf_machine;	  /* EM_ of its ELF files */
	const uint8_t *dwarf;	  /* the kernel's number of each DWARF register */
	unsigned int dwarf_count; /* at most FREC_DWARF_REGISTERS */
	unsigned int dwarf_sp;
	unsigned int dwarf_fp;
	unsigned int dwarf_ra; /* holds the return address where a frame has not saved it */
	uint64_t
		/* bit n: a function that says nothing of DWARF register n leaves it as it was */
		callee_saved;
	uint64_t address_mask; /* bits of a return address that are address, without a signature */
	uint64_t
		/* at a function's first instruction: the return address is at sp (8) or in
		 * dwarf_ra (0); so many bytes the call has pushed */
		top_ra;
	struct frec_sigreturn sigreturn;
	/* How long the stub at `address` is, of which `size` bytes are at `code`, and through which
	 * slot it jumps; 0: it is none. */
	size_t (*stub)(const uint8_t *code, size_t size, uint64_t address, uint64_t *ret);
	uint32_t
		/* R_ of a slot whose function another one chooses when the program starts */
		chosen_relocation;
};

extern const struct frec_registers frec__registers_x86_64;
extern const struct frec_registers frec__registers_aarch64;

/* The layout of `machine`, or NULL where it is unknown. */
const struct frec_registers *frec__registers_find(const char *machine);

#endif
