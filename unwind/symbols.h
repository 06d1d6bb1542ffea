/* SPDX-License-Identifier: MIT */
/* The functions in the symbol tables of a module, sorted by address. */
#ifndef FREC_UNWIND_SYMBOLS_H
#define FREC_UNWIND_SYMBOLS_H

#include "unwind/elf_file.h"

struct frec_symbol {
	uint64_t start;
	uint64_t size;	  /* 0: a label, which names one address */
	const char *name; /* mangled; points into the ELF file */
	bool stub;	  /* a stub: `name` is the function that it jumps to */
	bool open;	  /* no known size: it ends at the next symbol or with its section */
	uint8_t rank;	  /* of symbols at one address, the one with the lowest rank is kept */
};

struct frec_symbols {
	struct frec_symbol *symbols; /* after sorting, one for each address */
	size_t count;
	size_t sorted; /* how many at the beginning are sorted */
};

/* Adds the functions of the section `name` (".symtab", ".dynsym"). Returns false if it has none. */
bool frec__symbols_add(struct frec_symbols *symbols, const struct frec_elf *elf, const char *name);
/* Adds a single symbol. Returns false if memory runs out. */
bool frec__symbols_add_one(struct frec_symbols *symbols, const struct frec_symbol *symbol);
/* Call this between adding and finding symbols. It is fast if few symbols were added to many. */
void frec__symbols_sort(struct frec_symbols *symbols);
/* The symbol that contains `address`, or NULL. */
const struct frec_symbol *frec__symbols_find(const struct frec_symbols *symbols, uint64_t address);
void frec__symbols_deinit(struct frec_symbols *symbols);

#endif
