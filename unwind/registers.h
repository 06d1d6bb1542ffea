/* SPDX-License-Identifier: MIT */
/* The register layout of each machine, in two numberings: the kernel's (perf_event_open(2)), in
 * which registers are recorded, and DWARF's, which unwinding uses. */
#ifndef FREC_UNWIND_REGISTERS_H
#define FREC_UNWIND_REGISTERS_H

#include <stddef.h>
#include <stdint.h>

/* The largest number of DWARF registers that unwinding follows on any machine. Registers with
 * higher numbers (vectors, flags) are ignored. */
#define FREC_DWARF_REGISTERS 33

/* The code that a signal handler returns to, and where on the stack the kernel has saved the
 * registers when that code runs. Needed for C libraries and runtimes that have no CFI for that code
 * (musl, Go). */
struct frec_sigreturn {
	const uint8_t *code;   /* the instructions */
	size_t size;	       /* at most 16 */
	const uint16_t *saved; /* offset from sp of each DWARF register of the interrupted code */
	uint16_t saved_pc;     /* offset from sp of the interrupted code's pc */
};

struct frec_registers {
	const char *machine;	  /* as uname -m prints it */
	const char *const *names; /* indexed by kernel number; NULL: no such register */
	size_t count;
	unsigned int pc; /* kernel numbers */
	unsigned int sp;

	uint16_t elf_machine;	  /* EM_* of the machine's ELF files */
	const uint8_t *dwarf;	  /* the kernel number of each DWARF register */
	unsigned int dwarf_count; /* at most FREC_DWARF_REGISTERS */
	unsigned int dwarf_sp;
	unsigned int dwarf_fp;
	unsigned int dwarf_ra; /* the register number that CFI uses for the return address */
	/* bit n: a function whose CFI has no rule for DWARF register n preserves it */
	uint64_t callee_saved;
	/* the bits of a return address that belong to the address, not to its signature */
	uint64_t address_mask;
	/* bytes that a call pushes. 8: at a function's first instruction the return address is at
	 * sp; 0: it is in dwarf_ra */
	uint64_t top_ra;
	struct frec_sigreturn sigreturn;
	/* Decodes the `size` bytes at `code`, which run at `address`, as a stub of a procedure
	 * linkage table. Returns the length of the stub, and sets *ret to the address of the slot
	 * that it jumps through. Returns 0 if the code is no stub. */
	size_t (*stub)(const uint8_t *code, size_t size, uint64_t address, uint64_t *ret);
	/* the relocation (R_*) of a slot whose function a resolver chooses when the program
	 * starts */
	uint32_t chosen_relocation;
};

extern const struct frec_registers frec__registers_x86_64;
extern const struct frec_registers frec__registers_aarch64;

/* The layout of `machine`, or NULL if it is unknown. */
const struct frec_registers *frec__registers_find(const char *machine);

#endif
