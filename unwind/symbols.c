// SPDX-License-Identifier: MIT
// Sorted symbol tables. Of several names for one address, the one that people would use is kept:
// global before weak before local, and malloc before __libc_malloc.
#include "unwind/symbols.h"

#include <stdlib.h>

#include "proto/cleanup.h"
#include "proto/grow.h"

// At most this many symbols before an address are checked for one that contains the address. Labels
// within a function can be in between.
#define BACK_MAX 32

// At most this many bytes of two names of one address are compared. In a hostile file all symbols
// can have the same name, as long as most of the file, and comparing that would take too long.
#define COMPARED_MAX 256

enum rank { GLOBAL_FUNCTION, WEAK_FUNCTION, LOCAL_FUNCTION, LABEL, NO_FUNCTION };

static enum rank rank_of(const GElf_Sym *symbol)
{
	switch (GELF_ST_TYPE(symbol->st_info)) {
	case STT_FUNC:
	case STT_GNU_IFUNC:
		break;
	case STT_NOTYPE:
		return LABEL;
	default:
		return NO_FUNCTION;
	}
	switch (GELF_ST_BIND(symbol->st_info)) {
	case STB_LOCAL:
		return LOCAL_FUNCTION;
	case STB_WEAK:
		return WEAK_FUNCTION;
	default:
		return GLOBAL_FUNCTION;
	}
}

// Returns a size for a function to which the assembler gave none: the distance to the end of its
// section. That may be too much, but a lookup beyond the next symbol does not find the function.
static uint64_t to_end_of_section(const struct frec_elf *elf, const GElf_Sym *symbol)
{
	Elf_Scn *section = elf_getscn(elf->elf, symbol->st_shndx);
	GElf_Shdr header;

	if (!section || !gelf_getshdr(section, &header) || symbol->st_value < header.sh_addr ||
	    symbol->st_value - header.sh_addr >= header.sh_size)
		return 0;
	return header.sh_size - (symbol->st_value - header.sh_addr);
}

static bool add(struct frec_symbols *symbols, const struct frec_elf *elf, const GElf_Sym *symbol,
		const char *name)
{
	const struct frec_symbol one = {
		.start = symbol->st_value,
		.size = symbol->st_size || rank_of(symbol) == LABEL
				? symbol->st_size
				: to_end_of_section(elf, symbol),
		.open = !symbol->st_size,
		.name = name,
		.rank = (uint8_t)rank_of(symbol),
	};

	return frec__symbols_add_one(symbols, &one);
}

bool frec__symbols_add_one(struct frec_symbols *symbols, const struct frec_symbol *symbol)
{
	if (!frec__grow(&symbols->symbols, symbols->count, sizeof(*symbols->symbols)))
		return false;
	symbols->symbols[symbols->count++] = *symbol;
	return true;
}

bool frec__symbols_add(struct frec_symbols *symbols, const struct frec_elf *elf, const char *name)
{
	GElf_Shdr header, strings_header;
	Elf_Data *data = frec__elf_section(elf, name, &header), *strings;
	Elf_Scn *strings_section;
	size_t before = symbols->count;

	if (!data || (header.sh_type != SHT_SYMTAB && header.sh_type != SHT_DYNSYM))
		return false;
	strings_section = elf_getscn(elf->elf, header.sh_link);
	if (!strings_section || !gelf_getshdr(strings_section, &strings_header) ||
	    strings_header.sh_type != SHT_STRTAB)
		return false;
	strings = elf_getdata(strings_section, NULL);
	// If the last string ends in NUL, all do.
	if (!strings || !strings->d_size || ((const char *)strings->d_buf)[strings->d_size - 1])
		return false;
	for (size_t i = 0; i < data->d_size / sizeof(Elf64_Sym) && i <= INT32_MAX; i++) {
		const char *its_name;
		GElf_Sym symbol;

		if (!gelf_getsym(data, (int)i, &symbol) || symbol.st_shndx == SHN_UNDEF ||
		    symbol.st_shndx == SHN_ABS || rank_of(&symbol) == NO_FUNCTION ||
		    symbol.st_name >= strings->d_size)
			continue;
		its_name = (const char *)strings->d_buf + symbol.st_name;
		// Names such as "$x" are no functions: on aarch64 they mark code and data for
		// disassemblers.
		if (*its_name && *its_name != '$' && !add(symbols, elf, &symbol, its_name))
			break;
	}
	return symbols->count > before;
}

static int compare_names(const char *a, const char *b)
{
	size_t a_length = strnlen(a, COMPARED_MAX), b_length = strnlen(b, COMPARED_MAX);
	size_t a_underscores = 0, b_underscores = 0;

	while (a_underscores < a_length && a[a_underscores] == '_')
		a_underscores++;
	while (b_underscores < b_length && b[b_underscores] == '_')
		b_underscores++;
	if (a_underscores != b_underscores)
		return a_underscores < b_underscores ? -1 : 1;
	if (a_length != b_length)
		return a_length < b_length ? -1 : 1;
	return strncmp(a, b, COMPARED_MAX);
}

static int compare_symbols(const void *left, const void *right)
{
	const struct frec_symbol *a = left, *b = right;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	if (a->open != b->open)
		return a->open ? 1 : -1;
	return compare_names(a->name, b->name);
}

// Merges the added symbols, which are sorted by now, into those before them. Works from the end, so
// only the added symbols have to be copied. If there is no memory for the copy, sorts everything.
static void merge(struct frec_symbols *symbols)
{
	struct frec_symbol *all = symbols->symbols;
	size_t to = symbols->count, before = symbols->sorted, added = to - before;
	FREC_FREE struct frec_symbol *copy = malloc(added * sizeof(*copy));

	if (!copy) {
		qsort(all, symbols->count, sizeof(*all), compare_symbols);
		return;
	}
	memcpy(copy, all + before, added * sizeof(*copy));
	while (added) {
		if (before && compare_symbols(&all[before - 1], &copy[added - 1]) > 0)
			all[--to] = all[--before];
		else
			all[--to] = copy[--added];
	}
}

void frec__symbols_sort(struct frec_symbols *symbols)
{
	size_t kept = 0, added = symbols->count - symbols->sorted;

	if (added)
		qsort(symbols->symbols + symbols->sorted, added, sizeof(*symbols->symbols),
		      compare_symbols);
	if (added && symbols->sorted)
		merge(symbols);
	for (size_t i = 0; i < symbols->count; i++) {
		if (!kept || symbols->symbols[i].start != symbols->symbols[kept - 1].start)
			symbols->symbols[kept++] = symbols->symbols[i];
	}
	symbols->count = symbols->sorted = kept;
}

const struct frec_symbol *frec__symbols_find(const struct frec_symbols *symbols, uint64_t address)
{
	const struct frec_symbol *symbol = symbols->symbols;
	size_t count = symbols->count;

	if (!count || symbol->start > address)
		return NULL;
	while (count > 1) {
		size_t half = count / 2;

		symbol = symbol[half].start <= address ? symbol + half : symbol;
		count -= half;
	}
	for (size_t i = 0; i < BACK_MAX; i++, symbol--) {
		uint64_t distance = address - symbol->start;

		// A label has no size, and so names a single address.
		if (distance < symbol->size ? !i || !symbol->open : !distance)
			return symbol;
		if (symbol == symbols->symbols)
			break;
	}
	return NULL;
}

void frec__symbols_deinit(struct frec_symbols *symbols)
{
	free(symbols->symbols);
	*symbols = (struct frec_symbols){0};
}
