// SPDX-License-Identifier: MIT
// Split units. libdw itself opens and maps the file that a skeleton unit names, whatever file that
// is, and would hang on some. So both places where libdw looks are checked first. libdw may look
// there only if each place has no file, or an ELF file that no other user can truncate. Packages of
// .dwo files (.dwp) are not supported, because libdw cannot read them before 0.191.
#include "unwind/split_unit.h"

#include <dwarf.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

bool frec__strings_end(const struct frec_elf *elf)
{
	static const char *const names[] = {".debug_str", ".debug_line_str", ".debug_str.dwo",
					    ".debug_line_str.dwo"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		GElf_Shdr header;
		const Elf_Data *data = frec__elf_section(elf, names[i], &header);

		if (data && ((const char *)data->d_buf)[data->d_size - 1])
			return false;
	}
	return true;
}

static bool is_sound(const char *path)
{
	FREC_CLOSE_ELF struct frec_elf *elf = NULL;

	if (access(path, F_OK))
		return true; // libdw will not find it either
	if (frec__elf_open(path, &elf, NULL))
		return false;
	return elf->mapped && frec__strings_end(elf);
}

// Returns whether libdw may look in both places: beside `elf`, and in the folder where the unit was
// compiled.
static bool are_sound(const struct frec_elf *elf, const char *folder, const char *name)
{
	char link[64], beside[PATH_MAX], path[PATH_MAX];
	ssize_t length;
	char *slash;

	if (*name == '/')
		return is_sound(name);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", elf->fd);
	length = readlink(link, beside, sizeof(beside) - 1);
	if (length <= 0)
		return false;
	beside[length] = '\0';
	slash = strrchr(beside, '/');
	if (!slash || *folder != '/')
		return false;
	*slash = '\0';
	if (snprintf(path, sizeof(path), "%s/%s", beside, name) >= (int)sizeof(path) ||
	    !is_sound(path))
		return false;
	return snprintf(path, sizeof(path), "%s/%s", folder, name) < (int)sizeof(path) &&
	       is_sound(path);
}

static const char *string_of(Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute attribute;

	return dwarf_formstring(dwarf_attr(die, name, &attribute));
}

bool frec__split_unit(const struct frec_elf *elf, Dwarf_Die *skeleton, Dwarf_Die *ret)
{
	const char *name, *folder;
	Dwarf_Die unit;
	uint8_t type;

	if (dwarf_cu_info(skeleton->cu, NULL, &type, NULL, NULL, NULL, NULL, NULL) ||
	    type != DW_UT_skeleton || elf->fd < 0)
		return false;
	name = string_of(skeleton, DW_AT_dwo_name);
	if (!name)
		name = string_of(skeleton, DW_AT_GNU_dwo_name);
	folder = string_of(skeleton, DW_AT_comp_dir);
	if (!name || !folder || !are_sound(elf, folder, name) ||
	    dwarf_cu_info(skeleton->cu, NULL, NULL, NULL, &unit, NULL, NULL, NULL) || !unit.cu)
		return false;
	*ret = unit;
	return true;
}
