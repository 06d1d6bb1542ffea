// SPDX-License-Identifier: MIT
// Finds note sections by their name, and translates addresses.
#include "recorder/declared/elf_notes.h"

#include <gelf.h>
#include <stdbool.h>
#include <string.h>

#define SEGMENTS_MAX 256

static bool is_named(Elf *elf, size_t names, Elf_Scn *section, const char *wanted, size_t size_max)
{
	const char *name;
	GElf_Shdr header;

	if (!gelf_getshdr(section, &header) || header.sh_type != SHT_NOTE ||
	    header.sh_size > size_max)
		return false;
	name = elf_strptr(elf, names, header.sh_name);
	return name && !strcmp(name, wanted);
}

Elf_Data *frec__elf_notes(Elf *elf, Elf_Scn **section, const char *name, size_t size_max)
{
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return NULL;
	while ((*section = elf_nextscn(elf, *section))) {
		Elf_Data *data = is_named(elf, names, *section, name, size_max)
					 ? elf_getdata(*section, NULL)
					 : NULL;

		if (data && data->d_buf)
			return data;
	}
	return NULL;
}

bool frec__elf_file_offset(Elf *elf, uint64_t address, uint64_t size, uint32_t flags, uint64_t *ret)
{
	size_t count;

	if (elf_getphdrnum(elf, &count))
		return false;
	for (size_t i = 0; i < count && i < SEGMENTS_MAX; i++) {
		GElf_Phdr segment;

		if (!gelf_getphdr(elf, (int)i, &segment) || segment.p_type != PT_LOAD ||
		    (segment.p_flags & flags) != flags || address < segment.p_vaddr ||
		    address - segment.p_vaddr >= segment.p_filesz ||
		    segment.p_filesz - (address - segment.p_vaddr) < size)
			continue;
		*ret = address - segment.p_vaddr + segment.p_offset;
		return *ret >= segment.p_offset;
	}
	return false;
}
