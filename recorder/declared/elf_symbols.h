/* SPDX-License-Identifier: MIT */
/* Finds the symbols of an ELF file to which the places of its USDT arguments refer. The file is
 * untrusted. */
#ifndef FREC_RECORDER_DECLARED_ELF_SYMBOLS_H
#define FREC_RECORDER_DECLARED_ELF_SYMBOLS_H

#include <libelf.h>
#include <stdbool.h>
#include <stdint.h>

struct frec_elf_symbol; /* what is known about a name */

/* Start with `elf` and zeroes. */
struct frec_elf_symbols {
	Elf *elf;
	size_t count;
	struct frec_elf_symbol *symbol;
	unsigned int searches; /* for the function around a site */
};

/*
 * Finds the address of the symbol that the code at the address `site` calls `name`. Several source
 * files can have symbols of one name. Then it is clear which one is meant only if the code is in a
 * function that is local to a source file. Returns false if there is no such symbol, if it is not
 * clear which one is meant, or if too many names were looked up. `context` is a struct
 * frec_elf_symbols; this is a frec_usdt_find_symbol.
 */
bool frec__elf_symbol_find(void *context, const char *name, uint64_t site, uint64_t *ret);
void frec__elf_symbols_deinit(struct frec_elf_symbols *symbols);

#endif
