// SPDX-License-Identifier: MIT
// The names of addresses. The outermost function comes from the symbol table if that has one,
// because only symbol tables name the parts into which compilers split functions. Inlined calls and
// lines come from debugging information.
#include "unwind/names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/cleanup.h"
#include "proto/grow.h"
#include "proto/table.h"
#include "unwind/debug_info.h"
#include "unwind/debugdata.h"
#include "unwind/demangle.h"
#include "unwind/files.h"
#include "unwind/module.h"
#include "unwind/stubs.h"
#include "unwind/symbols.h"

// What is known about an address. `names` and the function names in it are allocated.
struct known {
	uint64_t start;
	struct frec_name *names;
	size_t count;
};

struct frec_names_index {
	struct frec_symbols symbols;
	struct frec_debug_info *debug_info;
	struct frec_elf *inside; // the file in .gnu_debugdata
	uint8_t *inside_image;
	struct frec_elf *alternate;
	struct known *known;
	size_t known_count;
	struct frec_table numbers; // address -> index into `known`, plus 1
};

static void open_symbols(struct frec_names_index *index, const struct frec_module *module)
{
	bool whole =
		(module->debug && frec__symbols_add(&index->symbols, module->debug, ".symtab")) ||
		(module->elf && frec__symbols_add(&index->symbols, module->elf, ".symtab"));

	if (!whole && module->elf) {
		frec__symbols_add(&index->symbols, module->elf, ".dynsym");
		index->inside = frec__debugdata_open(module->elf, &index->inside_image);
		if (index->inside)
			frec__symbols_add(&index->symbols, index->inside, ".symtab");
	}
	frec__symbols_sort(&index->symbols);
	if (module->elf)
		frec__stubs_add(&index->symbols, module->elf, module->unwinder->machine);
}

static void open_debug_info(struct frec_names_index *index, const struct frec_module *module)
{
	const struct frec_elf *elves[] = {module->debug, module->elf};

	for (size_t i = 0; i < 2 && !index->debug_info; i++) {
		if (!elves[i])
			continue;
		index->alternate = frec__files_alternate(module->unwinder, elves[i]);
		index->debug_info = frec__debug_info_create(elves[i], index->alternate);
		if (!index->debug_info) {
			frec__elf_close(index->alternate);
			index->alternate = NULL;
		}
	}
}

static struct frec_names_index *open_names(struct frec_module *module)
{
	struct frec_names_index *index = calloc(1, sizeof(*index));

	if (!index)
		return NULL;
	frec__module_debug(module);
	open_symbols(index, module);
	open_debug_info(index, module);
	return index;
}

static void free_known(struct known *known)
{
	for (size_t i = 0; i < known->count; i++)
		free((char *)(uintptr_t)known->names[i].function);
	free(known->names);
}

void frec__names_destroy(struct frec_names_index *index)
{
	if (!index)
		return;
	for (size_t i = 0; i < index->known_count; i++)
		free_known(&index->known[i]);
	free(index->known);
	frec__table_free(&index->numbers);
	frec__debug_info_destroy(index->debug_info);
	frec__elf_close(index->alternate);
	frec__symbols_deinit(&index->symbols);
	frec__elf_close(index->inside);
	free(index->inside_image);
	free(index);
}

static char *name_of_function(const char *name, bool stub)
{
	FREC_FREE char *demangled = frec__demangle(name);
	char *longer;

	if (!demangled || !stub)
		return FREC_TAKE_PTR(demangled);
	return asprintf(&longer, "%s@plt", demangled) < 0 ? NULL : longer;
}

static int look_up(struct frec_names_index *index, uint64_t address, struct known *ret)
{
	struct frec_debug_function functions[FREC_INLINED_MAX + 1];
	const struct frec_symbol *symbol = frec__symbols_find(&index->symbols, address);
	size_t count = 0;

	*ret = (struct known){.start = UINT64_MAX};
	if (index->debug_info)
		count = frec__debug_info_find(index->debug_info, address, functions);
	if (!count && !symbol)
		return 0;
	if (!count)
		functions[count++] = (struct frec_debug_function){0};
	if (symbol) {
		functions[count - 1].name = symbol->name;
		functions[count - 1].start = symbol->start;
	}
	if (functions[count - 1].start)
		ret->start = functions[count - 1].start;
	ret->names = calloc(count, sizeof(*ret->names));
	if (!ret->names)
		return -ENOMEM;
	ret->count = count;
	for (size_t i = 0; i < count; i++) {
		ret->names[i] = (struct frec_name){.file = functions[i].file,
						   .line = functions[i].line,
						   .column = functions[i].column,
						   .inlined = i + 1 < count};
		if (!functions[i].name)
			continue;
		ret->names[i].function = name_of_function(functions[i].name,
							  symbol && symbol->stub && i + 1 == count);
		if (!ret->names[i].function) {
			free_known(ret);
			return -ENOMEM;
		}
	}
	return 0;
}

int frec__names_find(struct frec_module *module, uint64_t address, struct frec_names *ret,
		     uint64_t *ret_start)
{
	struct frec_names_index *index = module->names;
	const struct known *known;
	uint32_t *number;

	if (!index)
		index = module->names = open_names(module);
	if (!index)
		return -ENOMEM;
	number = frec__table_put(&index->numbers, address, NULL);
	if (!number)
		return -ENOMEM;
	if (!*number) {
		if (!frec__grow(&index->known, index->known_count, sizeof(*index->known)) ||
		    look_up(index, address, &index->known[index->known_count]))
			return -ENOMEM;
		*number = (uint32_t)++index->known_count;
	}
	known = &index->known[*number - 1];
	ret->names = known->names;
	ret->count = known->count;
	*ret_start = known->start;
	return 0;
}
