/* SPDX-License-Identifier: MIT */
/* The functions of a module by its symbol tables, sorted once. */
#ifndef FREC_UNWIND_SYMBOLS_H
#define FREC_UNWIND_SYMBOLS_H

#include "unwind/elf_file.h"

struct frec_symbol {
	uint64_t start;
	uint64_t size;	  /* 0: that of one address */
	const char *name; /* as it stands there: mangled. Lives as long as its ELF file is open. */
	bool stub;	  /* its name is that of the function that it jumps to */
	bool open; /* the size is not told: it ends where the next symbol begins, if not before */
	uint8_t rank; /* the lower, the better a name for its address */
};

struct frec_symbols {
	struct frec_symbol *symbols; /* one for each address */
	size_t count;
	size_t sorted; /* so many, from the first on */
};

/* Adds the functions of section `name` (".symtab", ".dynsym"). False where it has none. */
bool frec__symbols_add(struct frec_symbols *symbols, const struct frec_elf *elf, const char *name);
/* The same for one that is known otherwise. False: out of memory. */
bool frec__symbols_add_one(struct frec_symbols *symbols, const struct frec_symbol *symbol);
/* After each frec__symbols_add, before the next frec__symbols_find. Few that are added to many take
 * little time. */
void frec__symbols_sort(struct frec_symbols *symbols);
/* What `address` lies in, or NULL. */
const struct frec_symbol *frec__symbols_find(const struct frec_symbols *symbols, uint64_t address);
void frec__symbols_deinit(struct frec_symbols *symbols);

#endif
