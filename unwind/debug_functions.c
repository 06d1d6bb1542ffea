// SPDX-License-Identifier: MIT
// Searches the tree of a unit: one walk finds all functions without looking into them; a lookup
// then descends into a single function.
#include "unwind/debug_functions.h"

#include <dwarf.h>

// How deeply namespaces and classes can be nested. Functions nested more deeply are not found.
#define NESTED_MAX 32

static bool take_step(uint64_t *steps)
{
	return *steps && --*steps;
}

static void add_ranges(Dwarf_Die *die, struct frec_address_index *functions, uint64_t *steps)
{
	Dwarf_Addr base, start, end;
	ptrdiff_t offset = 0;

	while (take_step(steps) && (offset = dwarf_ranges(die, offset, &base, &start, &end)) > 0) {
		if (!frec__address_index_add(functions, start, end, dwarf_dieoffset(die)))
			return;
	}
}

static bool holds_functions(int tag)
{
	return tag == DW_TAG_namespace || tag == DW_TAG_class_type ||
	       tag == DW_TAG_structure_type || tag == DW_TAG_union_type || tag == DW_TAG_module ||
	       tag == DW_TAG_enumeration_type;
}

void frec__debug_functions_index(const Dwarf_Die *unit, struct frec_address_index *functions,
				 uint64_t *steps)
{
	Dwarf_Die path[NESTED_MAX], top = *unit;
	unsigned int depth = 0;

	if (dwarf_child(&top, &path[0]))
		return;
	while (take_step(steps)) {
		Dwarf_Die *die = &path[depth];
		int tag = dwarf_tag(die);

		if (tag == DW_TAG_subprogram)
			add_ranges(die, functions, steps);
		if (holds_functions(tag) && depth + 1 < NESTED_MAX &&
		    !dwarf_child(die, &path[depth + 1])) {
			depth++;
			continue;
		}
		while (dwarf_siblingof(&path[depth], &path[depth])) {
			if (!depth--)
				goto done;
		}
	}
done:
	frec__address_index_sort(functions);
}

static const char *string_of(Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute attribute;

	return dwarf_formstring(dwarf_attr_integrate(die, name, &attribute));
}

static const char *name_of(Dwarf_Die *die)
{
	const char *name = string_of(die, DW_AT_linkage_name);

	if (!name)
		name = string_of(die, DW_AT_MIPS_linkage_name);
	return name ? name : string_of(die, DW_AT_name);
}

static unsigned int number_of(Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute attribute;
	Dwarf_Word value;

	if (dwarf_formudata(dwarf_attr(die, name, &attribute), &value) || value > UINT32_MAX)
		return 0;
	return (unsigned int)value;
}

// Sets the file, line and column of `caller` to those of the call that was replaced by `inlined`.
static void call_site(Dwarf_Die *unit, Dwarf_Die *inlined, struct frec_debug_function *caller)
{
	unsigned int file = number_of(inlined, DW_AT_call_file);
	Dwarf_Files *files;
	size_t count;

	caller->line = number_of(inlined, DW_AT_call_line);
	caller->column = number_of(inlined, DW_AT_call_column);
	if (!dwarf_getsrcfiles(unit, &files, &count) && file < count)
		caller->file = dwarf_filesrc(files, file, NULL, NULL);
}

// Moves `die` to its child that contains `address`: an inlined call, or a block in which there may
// be one.
static bool descend(Dwarf_Die *die, uint64_t address, uint64_t *steps)
{
	Dwarf_Die child;

	if (dwarf_child(die, &child))
		return false;
	do {
		int tag = dwarf_tag(&child);

		if ((tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block ||
		     tag == DW_TAG_try_block || tag == DW_TAG_catch_block) &&
		    dwarf_haspc(&child, address) > 0) {
			*die = child;
			return true;
		}
	} while (take_step(steps) && !dwarf_siblingof(&child, &child));
	return false;
}

size_t frec__debug_functions_find(Dwarf_Die *unit, uint64_t offset, uint64_t address,
				  struct frec_debug_function *functions, uint64_t *steps)
{
	struct frec_debug_function outward[FREC_INLINED_MAX + 1] = {0};
	unsigned int blocks = 0;
	size_t count = 1;
	Dwarf_Die die;

	if (!dwarf_offdie(dwarf_cu_getdwarf(unit->cu), offset, &die))
		return 0;
	outward[0].name = name_of(&die);
	while (count <= FREC_INLINED_MAX && blocks < FREC_INLINED_MAX &&
	       descend(&die, address, steps)) {
		if (dwarf_tag(&die) != DW_TAG_inlined_subroutine) {
			blocks++;
			continue;
		}
		call_site(unit, &die, &outward[count - 1]);
		outward[count++].name = name_of(&die);
		blocks = 0;
	}
	for (size_t i = 0; i < count; i++)
		functions[i] = outward[count - 1 - i];
	return count;
}
