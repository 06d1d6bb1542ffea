// SPDX-License-Identifier: MIT
// Finds note sections by their name.
#include "recorder/declared/elf_notes.h"

#include <gelf.h>
#include <stdbool.h>
#include <string.h>

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
