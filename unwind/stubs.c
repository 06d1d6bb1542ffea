// SPDX-License-Identifier: MIT
// The stubs of procedure linkage tables. No symbol table has their names. A stub jumps through a
// slot, and a relocation, which puts a function's address into that slot, names the function.
#include "unwind/stubs.h"

#include <stdlib.h>

#include "proto/grow.h"

// On all supported machines, each stub begins at a multiple of this many bytes from the beginning
// of its section.
#define STUB_STEP 8

struct slot {
	uint64_t address;
	const char *name;
};

struct slots {
	struct slot *slots;
	size_t count;
};

static bool add_slot(struct slots *slots, uint64_t address, const char *name)
{
	if (!frec__grow(&slots->slots, slots->count, sizeof(*slots->slots)))
		return false;
	slots->slots[slots->count++] = (struct slot){address, name};
	return true;
}

// The name of the function whose address `relocation` stores. If the relocation names no function,
// its addend is the address of a resolver, which chooses the function when the program starts. The
// resolver's symbol has the function's name.
static const char *target_name(const struct frec_elf *elf, const GElf_Rela *relocation,
			       Elf_Data *names, size_t strings, const struct frec_symbols *symbols)
{
	GElf_Sym symbol;

	if (!GELF_R_SYM(relocation->r_info)) {
		const struct frec_symbol *chooser =
			frec__symbols_find(symbols, (uint64_t)relocation->r_addend);

		return chooser && chooser->start == (uint64_t)relocation->r_addend ? chooser->name
										   : NULL;
	}
	if (!names || GELF_R_SYM(relocation->r_info) > INT32_MAX ||
	    !gelf_getsym(names, (int)GELF_R_SYM(relocation->r_info), &symbol))
		return NULL;
	return elf_strptr(elf->elf, strings, symbol.st_name);
}

static void add_slots(struct slots *slots, const struct frec_elf *elf, const char *section,
		      const struct frec_registers *machine, const struct frec_symbols *symbols)
{
	GElf_Shdr header, names_header;
	Elf_Data *data = frec__elf_section(elf, section, &header), *names = NULL;
	Elf_Scn *names_section;

	if (!data || header.sh_type != SHT_RELA)
		return;
	names_section = elf_getscn(elf->elf, header.sh_link);
	// A program without shared libraries has no dynamic symbols.
	if (names_section && gelf_getshdr(names_section, &names_header) &&
	    names_header.sh_type == SHT_DYNSYM)
		names = elf_getdata(names_section, NULL);
	for (size_t i = 0; i < data->d_size / sizeof(Elf64_Rela); i++) {
		GElf_Rela relocation;
		const char *name;

		// There can be hundreds of thousands of relocations, so copy each, which is faster
		// than gelf_getrela(). No conversion is needed, because only files with this layout
		// are opened.
		memcpy(&relocation, (const char *)data->d_buf + i * sizeof(relocation),
		       sizeof(relocation));
		if (!GELF_R_SYM(relocation.r_info) &&
		    GELF_R_TYPE(relocation.r_info) != machine->chosen_relocation)
			continue;
		name = target_name(elf, &relocation, names, names ? names_header.sh_link : 0,
				   symbols);
		if (name && *name && !add_slot(slots, relocation.r_offset, name))
			return;
	}
}

static int compare_slots(const void *left, const void *right)
{
	const struct slot *a = left, *b = right;

	return (a->address > b->address) - (a->address < b->address);
}

static void add_stubs(struct frec_symbols *symbols, const struct frec_elf *elf, const char *section,
		      const struct frec_registers *machine, const struct slots *slots)
{
	GElf_Shdr header;
	Elf_Data *data = frec__elf_section(elf, section, &header);

	if (!data)
		return;
	for (size_t at = 0; at + STUB_STEP <= data->d_size; at += STUB_STEP) {
		struct slot wanted, *slot;
		size_t left = data->d_size - at;
		struct frec_symbol stub = {
			.start = header.sh_addr + at, .rank = UINT8_MAX, .stub = true};

		stub.size = machine->stub((const uint8_t *)data->d_buf + at, left, stub.start,
					  &wanted.address);
		if (!stub.size)
			continue;
		if (stub.size > left)
			stub.size = left;
		slot = bsearch(&wanted, slots->slots, slots->count, sizeof(wanted), compare_slots);
		if (!slot)
			continue;
		stub.name = slot->name;
		if (!frec__symbols_add_one(symbols, &stub))
			return;
	}
}

void frec__stubs_add(struct frec_symbols *symbols, const struct frec_elf *elf,
		     const struct frec_registers *machine)
{
	static const char *const relocations[] = {".rela.plt", ".rela.dyn"};
	static const char *const stubs[] = {".plt", ".plt.sec", ".plt.got"};
	const size_t before = symbols->count;
	struct slots slots = {0};

	for (size_t i = 0; i < sizeof(relocations) / sizeof(relocations[0]); i++)
		add_slots(&slots, elf, relocations[i], machine, symbols);
	if (slots.count)
		qsort(slots.slots, slots.count, sizeof(*slots.slots), compare_slots);
	for (size_t i = 0; slots.count && i < sizeof(stubs) / sizeof(stubs[0]); i++)
		add_stubs(symbols, elf, stubs[i], machine, &slots);
	free(slots.slots);
	if (symbols->count > before)
		frec__symbols_sort(symbols);
}
