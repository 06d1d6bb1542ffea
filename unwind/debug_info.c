// SPDX-License-Identifier: MIT
// Finds the unit that an address belongs to, and the functions at the address.
//
// libdw's own functions for that are not used: its search for the unit needs .debug_aranges, which
// clang does not write, and its search for the function walks through the whole unit each time.
//
// A damaged tree can send its reader in circles, for example through DW_AT_sibling, so all walks
// together have a limit of steps.
#include "unwind/debug_info.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/grow.h"
#include "unwind/address_index.h"
#include "unwind/debug_functions.h"
#include "unwind/split_unit.h"

// At most this many DIEs and ranges of one file are read, in all lookups together. Reading that
// many takes some seconds. The largest programs have a few million of them.
#define STEPS_MAX (64u << 20)

struct unit {
	Dwarf_Die die;	 // has the lines
	Dwarf_Die whole; // has the functions; in another file if the unit is split
	struct frec_address_index functions; // values are offsets of DIEs
	bool functions_known;
};

struct frec_debug_info {
	const struct frec_elf *elf;
	Dwarf *dwarf, *alternate;
	bool lines_only; // the names are in a file that was not found
	struct unit *units;
	size_t unit_count;
	struct frec_address_index ranges; // values are indexes of units
	bool units_known;
	uint64_t steps; // how many of STEPS_MAX are left
};

// If memory runs out, libdw calls a function that must not return; its own one ends the process.
// What the interrupted lookup had allocated is in libdw's hands.
static _Thread_local jmp_buf out_of_memory;

static __attribute__((noreturn)) void leave(void)
{
	longjmp(out_of_memory, 1);
}

static void report_zstd(const char *path)
{
	char shown[1024];

	// The path is a stranger's, and must not control the terminal.
	snprintf(shown, sizeof(shown), "%s", path);
	for (char *c = shown; *c; c++)
		*c = (unsigned char)*c < ' ' || *c == 0x7f ? '?' : *c;
	fprintf(stderr,
		"flightrec: %s: its debugging information is compressed with zstd, which this "
		"version of elfutils cannot read: its inlined calls, files and lines are missing\n",
		shown);
}

// Tells people if there is debugging information that this version of elfutils cannot decompress,
// because without it the names would just be missing. elfutils knows zstd since 0.189.
static void report_compressed(const struct frec_elf *elf)
{
	const uint32_t zstd = 2; // ELFCOMPRESS_ZSTD, which older headers do not have
	Elf_Scn *section = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf->elf, &names))
		return;
	while ((section = elf_nextscn(elf->elf, section))) {
		GElf_Chdr compression;
		GElf_Shdr header;
		const char *name;

		if (!gelf_getshdr(section, &header) || !(header.sh_flags & SHF_COMPRESSED))
			continue;
		name = elf_strptr(elf->elf, names, header.sh_name);
		if (!name || strcmp(name, ".debug_info") != 0)
			continue;
		if (gelf_getchdr(section, &compression) && compression.ch_type == zstd)
			report_zstd(elf->path);
		return;
	}
}

struct frec_debug_info *frec__debug_info_create(const struct frec_elf *elf,
						const struct frec_elf *alternate)
{
	struct frec_debug_info *info;
	GElf_Shdr header;

	if (!frec__elf_section(elf, ".debug_info", &header)) {
		report_compressed(elf);
		return NULL;
	}
	if (!frec__strings_end(elf) || (alternate && !frec__strings_end(alternate)))
		return NULL;
	info = calloc(1, sizeof(*info));
	if (!info)
		return NULL;
	info->elf = elf;
	info->steps = STEPS_MAX;
	info->dwarf = dwarf_begin_elf(elf->elf, DWARF_C_READ, NULL);
	if (!info->dwarf) {
		free(info);
		return NULL;
	}
	dwarf_new_oom_handler(info->dwarf, leave);
	// Without dwarf_setalt(), libdw would open whatever file .gnu_debugaltlink names.
	if (alternate)
		info->alternate = dwarf_begin_elf(alternate->elf, DWARF_C_READ, NULL);
	if (info->alternate) {
		dwarf_new_oom_handler(info->alternate, leave);
		dwarf_setalt(info->dwarf, info->alternate);
	} else {
		info->lines_only = frec__elf_section(elf, ".gnu_debugaltlink", &header) != NULL;
	}
	return info;
}

void frec__debug_info_destroy(struct frec_debug_info *info)
{
	if (!info)
		return;
	for (size_t i = 0; i < info->unit_count; i++)
		frec__address_index_deinit(&info->units[i].functions);
	free(info->units);
	frec__address_index_deinit(&info->ranges);
	dwarf_end(info->dwarf);
	dwarf_end(info->alternate);
	free(info);
}

static bool add_unit(struct frec_debug_info *info, const Dwarf_Die *die)
{
	Dwarf_Addr base, start, end;
	ptrdiff_t offset = 0;
	Dwarf_Die copy = *die;

	if (!frec__grow(&info->units, info->unit_count, sizeof(*info->units)))
		return false;
	info->units[info->unit_count] = (struct unit){.die = *die};
	while ((offset = dwarf_ranges(&copy, offset, &base, &start, &end)) > 0) {
		if (!info->steps || !--info->steps ||
		    !frec__address_index_add(&info->ranges, start, end, info->unit_count))
			return false;
	}
	info->unit_count++;
	return true;
}

static void index_units(struct frec_debug_info *info)
{
	Dwarf_CU *unit = NULL;
	Dwarf_Die die;

	info->units_known = true;
	while (!dwarf_get_units(info->dwarf, unit, &unit, NULL, NULL, &die, NULL)) {
		int tag = dwarf_tag(&die);

		if ((tag == DW_TAG_compile_unit || tag == DW_TAG_skeleton_unit) &&
		    !add_unit(info, &die))
			break;
	}
	frec__address_index_sort(&info->ranges);
}

static struct unit *find_unit(struct frec_debug_info *info, uint64_t address)
{
	uint64_t index;

	if (!info->units_known)
		index_units(info);
	return frec__address_index_find(&info->ranges, address, &index, NULL) ? &info->units[index]
									      : NULL;
}

static void add_line(struct unit *unit, uint64_t address, struct frec_debug_function *function)
{
	Dwarf_Line *line = dwarf_getsrc_die(&unit->die, address);
	int number = 0;

	if (!line)
		return;
	function->file = dwarf_linesrc(line, NULL, NULL);
	if (!dwarf_lineno(line, &number) && number > 0)
		function->line = (unsigned int)number;
	number = 0;
	if (!dwarf_linecol(line, &number) && number > 0)
		function->column = (unsigned int)number;
}

static size_t find(struct frec_debug_info *info, uint64_t address,
		   struct frec_debug_function *functions)
{
	struct unit *unit = find_unit(info, address);
	uint64_t offset, start;
	size_t count = 0;

	if (!unit)
		return 0;
	if (!unit->functions_known) {
		unit->functions_known = true;
		if (!frec__split_unit(info->elf, &unit->die, &unit->whole))
			unit->whole = unit->die;
		if (!info->lines_only)
			frec__debug_functions_index(&unit->whole, &unit->functions, &info->steps);
	}
	if (frec__address_index_find(&unit->functions, address, &offset, &start))
		count = frec__debug_functions_find(&unit->whole, offset, address, functions,
						   &info->steps);
	if (!count)
		functions[count++] = (struct frec_debug_function){0};
	else
		functions[count - 1].start = start;
	add_line(unit, address, &functions[0]);
	return functions[0].file || functions[0].name ? count : 0;
}

size_t frec__debug_info_find(struct frec_debug_info *info, uint64_t address,
			     struct frec_debug_function *functions)
{
	if (setjmp(out_of_memory)) {
		errno = ENOMEM;
		return 0;
	}
	return find(info, address, functions);
}
