// SPDX-License-Identifier: MIT
// Searches .symtab, and .dynsym for what is not there. A table lists the local symbols of one
// source file after the other, each behind a symbol with the name of the file.
#include "recorder/declared/elf_symbols.h"

#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "proto/grow.h"

// Searching the table of a large program takes some milliseconds.
#define NAMES_MAX 256
#define SEARCHES_MAX 256
#define TABLE_SIZE_MAX (64u << 20)
// A name that more symbols have is not known.
#define CANDIDATES_MAX 16
#define NO_FILE 0 // the symbol is not local

struct candidate {
	uint64_t address;
	uint32_t file; /* number of the source file that the symbol is local to, or NO_FILE */
};

struct frec_elf_symbol {
	char *name;
	size_t count; /* more than CANDIDATES_MAX if there are too many */
	struct candidate candidate[CANDIDATES_MAX];
};

struct table {
	Elf_Data *symbols, *names;
	size_t count;
};

static bool open_table(Elf *elf, Elf_Scn *section, uint32_t type, struct table *ret)
{
	GElf_Shdr header, names;

	if (!gelf_getshdr(section, &header) || header.sh_type != type ||
	    header.sh_size > TABLE_SIZE_MAX || !header.sh_entsize ||
	    !gelf_getshdr(elf_getscn(elf, header.sh_link), &names) ||
	    names.sh_size > TABLE_SIZE_MAX)
		return false;
	ret->symbols = elf_getdata(section, NULL);
	ret->names = elf_getdata(elf_getscn(elf, header.sh_link), NULL);
	ret->count = header.sh_size / header.sh_entsize;
	return ret->symbols && ret->names && ret->names->d_buf;
}

// Steps through the symbols of all tables of a type. `visit` gets the number of the source file
// that the symbol is local to.
static void visit_symbols(Elf *elf, uint32_t type,
			  void (*visit)(void *context, const struct table *table,
					const GElf_Sym *symbol, uint32_t file),
			  void *context)
{
	Elf_Scn *section = NULL;
	uint32_t file = 1;

	while ((section = elf_nextscn(elf, section))) {
		struct table table;
		GElf_Sym symbol;

		if (!open_table(elf, section, type, &table))
			continue;
		for (size_t i = 1; i < table.count && i <= INT32_MAX; i++) {
			if (!gelf_getsym(table.symbols, (int)i, &symbol))
				break;
			if (GELF_ST_TYPE(symbol.st_info) == STT_FILE)
				file++;
			else if (symbol.st_shndx != SHN_UNDEF)
				visit(context, &table, &symbol,
				      GELF_ST_BIND(symbol.st_info) == STB_LOCAL ? file : NO_FILE);
		}
	}
}

static void take_candidate(void *context, const struct table *table, const GElf_Sym *symbol,
			   uint32_t file)
{
	struct frec_elf_symbol *sought = context;
	size_t size = strlen(sought->name) + 1;
	int type = GELF_ST_TYPE(symbol->st_info);

	if (symbol->st_name >= table->names->d_size ||
	    table->names->d_size - symbol->st_name < size ||
	    memcmp((const char *)table->names->d_buf + symbol->st_name, sought->name, size) != 0)
		return;
	// Other types have no address that the program uses as it is, such as STT_TLS.
	if (type != STT_NOTYPE && type != STT_OBJECT && type != STT_FUNC && type != STT_COMMON)
		return;
	for (size_t i = 0; i < sought->count && i < CANDIDATES_MAX; i++) {
		if (sought->candidate[i].address == symbol->st_value &&
		    sought->candidate[i].file == file)
			return;
	}
	if (sought->count < CANDIDATES_MAX)
		sought->candidate[sought->count] =
			(struct candidate){.address = symbol->st_value, .file = file};
	sought->count += sought->count <= CANDIDATES_MAX;
}

static struct frec_elf_symbol *look_up(struct frec_elf_symbols *symbols, const char *name)
{
	struct frec_elf_symbol *symbol;

	for (size_t i = 0; i < symbols->count; i++) {
		if (!strcmp(symbols->symbol[i].name, name))
			return &symbols->symbol[i];
	}
	if (symbols->count == NAMES_MAX ||
	    !frec__grow(&symbols->symbol, symbols->count, sizeof(*symbol)))
		return NULL;
	symbol = &symbols->symbol[symbols->count];
	*symbol = (struct frec_elf_symbol){.name = strdup(name)};
	if (!symbol->name)
		return NULL;
	symbols->count++;
	visit_symbols(symbols->elf, SHT_SYMTAB, take_candidate, symbol);
	if (!symbol->count)
		visit_symbols(symbols->elf, SHT_DYNSYM, take_candidate, symbol);
	return symbol;
}

struct code {
	uint64_t address;
	uint32_t file; /* that the function around it is local to, or NO_FILE */
};

static void take_function(void *context, const struct table *table, const GElf_Sym *symbol,
			  uint32_t file)
{
	struct code *code = context;

	(void)table;
	if (GELF_ST_TYPE(symbol->st_info) == STT_FUNC && file != NO_FILE &&
	    code->address >= symbol->st_value && code->address - symbol->st_value < symbol->st_size)
		code->file = file;
}

// Returns how many candidates are local to `file`, and sets `ret` to the last of them.
static size_t find_local(const struct frec_elf_symbol *symbol, uint32_t file,
			 const struct candidate **ret)
{
	size_t found = 0;

	for (size_t i = 0; i < symbol->count; i++) {
		if (symbol->candidate[i].file == file) {
			*ret = &symbol->candidate[i];
			found++;
		}
	}
	return found;
}

static const struct candidate *choose(struct frec_elf_symbols *symbols,
				      const struct frec_elf_symbol *symbol, uint64_t site)
{
	struct code code = {.address = site, .file = NO_FILE};
	const struct candidate *found = NULL;
	size_t count;

	if (!symbol->count || symbol->count > CANDIDATES_MAX)
		return NULL;
	if (symbol->count == 1)
		return &symbol->candidate[0];
	if (++symbols->searches > SEARCHES_MAX)
		return NULL;
	visit_symbols(symbols->elf, SHT_SYMTAB, take_function, &code);
	if (code.file == NO_FILE)
		return NULL;
	// In a source file its own symbol hides the global one of that name.
	count = find_local(symbol, code.file, &found);
	if (!count)
		count = find_local(symbol, NO_FILE, &found);
	return count == 1 ? found : NULL;
}

bool frec__elf_symbol_find(void *context, const char *name, uint64_t site, uint64_t *ret)
{
	struct frec_elf_symbols *symbols = context;
	const struct frec_elf_symbol *symbol = look_up(symbols, name);
	const struct candidate *chosen = symbol ? choose(symbols, symbol, site) : NULL;

	if (!chosen)
		return false;
	*ret = chosen->address;
	return true;
}

void frec__elf_symbols_deinit(struct frec_elf_symbols *symbols)
{
	for (size_t i = 0; i < symbols->count; i++)
		free(symbols->symbol[i].name);
	free(symbols->symbol);
	*symbols = (struct frec_elf_symbols){0};
}
