/* SPDX-License-Identifier: MIT */
/* Small ELF files with hand-made call frame information, for other machines and for what no
 * compiler writes. */
#ifndef FREC_TESTS_UNWIND_MAKE_ELF_H
#define FREC_TESTS_UNWIND_MAKE_ELF_H

#include <stddef.h>
#include <stdint.h>

/* The code's offset in the file, which is also its address in memory, and its size. */
#define MADE_CODE 0x1000
#define MADE_CODE_SIZE 0x1000

struct made_symbol {
	const char *name;
	uint64_t start, size;
	uint8_t info; /* ELF64_ST_INFO */
};

struct made_elf {
	uint8_t bytes[16384];
	size_t size;
};

/* Makes an ELF file with .text, .eh_frame and .symtab. `machine` is an EM_* constant. */
void make_elf(struct made_elf *elf, unsigned int machine, const uint8_t *cfi, size_t cfi_size,
	      const struct made_symbol *symbols, size_t symbol_count);

/* Writes the file into /tmp and its path to `path`, which has 64 bytes. Returns 0 or a negative
 * errno. */
int write_elf(const struct made_elf *elf, char *path);

/* Call frame information that is made piece by piece. */
struct made_cfi {
	uint8_t bytes[4096];
	size_t size;
};

/* Adds a CIE with the augmentation "zR" or, for a signal frame, "zRS". Addresses are relative and
 * have 4 bytes. Returns the CIE's offset, for add_fde(). */
size_t add_cie(struct made_cfi *cfi, unsigned int return_register, int signal,
	       const uint8_t *program, size_t size);
/* Adds an FDE for [start, start + length) to a section that is mapped at MADE_CFI. */
void add_fde(struct made_cfi *cfi, size_t cie, uint64_t start, uint32_t length,
	     const uint8_t *program, size_t size);
/* Adds the four zeroes that end .eh_frame. */
void end_cfi(struct made_cfi *cfi);

#define MADE_CFI 0x400

#endif
