// SPDX-License-Identifier: MIT
// Reads the notes of USDT probes: where the sites are in the file, and where the arguments are when
// a thread is there.
#include "recorder/declared/elf_probes.h"

#include <gelf.h>
#include <string.h>

#include "recorder/declared/elf_notes.h"
#include "recorder/declared/elf_symbols.h"
#include "recorder/declared/usdt_operand.h"

#define SECTION ".note.stapsdt"
#define OWNER "stapsdt"
#define NOTE_TYPE 3
#define SECTION_SIZE_MAX (16u << 20)
#define TEXT_MAX 4096
// prelink(8) moves a program without changing its notes. By the address of this section, which it
// does change, one sees how far.
#define BASE ".stapsdt.base"

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#elif defined(__aarch64__)
#define MACHINE EM_AARCH64
#endif

struct reading {
	Elf *elf;
	uint64_t base; /* the address of the section BASE, or 0 if there is none */
	struct frec_elf_symbols symbols;
	frec_probe_found *found;
	void *context;
};

static uint64_t find_base(Elf *elf)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return 0;
	while ((section = elf_nextscn(elf, section))) {
		const char *name = gelf_getshdr(section, &header)
					   ? elf_strptr(elf, names, header.sh_name)
					   : NULL;

		if (name && !strcmp(name, BASE))
			return header.sh_addr;
	}
	return 0;
}

// Takes a text off the `*size` bytes of `*text`. Returns NULL if it does not end there.
static const char *take_text(const char **text, size_t *size)
{
	const char *begin = *text, *end = memchr(begin, 0, *size);

	if (!end)
		return NULL;
	*size -= (size_t)(end + 1 - begin);
	*text = end + 1;
	return begin;
}

// The description of a note has three addresses, of the site, of BASE and of the semaphore, then
// three texts: provider, name and arguments.
static int read_note(struct reading *reading, const char *note, size_t size)
{
	struct frec_usdt_site_text text = {.machine = MACHINE,
					   .find_symbol = frec__elf_symbol_find,
					   .context = &reading->symbols};
	struct frec_usdt_place places[FREC_USDT_ARGUMENTS_MAX];
	struct frec_probe_site site = {0};
	const char *names, *arguments;
	uint64_t address[3];

	if (size < sizeof(address) || size > TEXT_MAX + sizeof(address))
		return 0;
	memcpy(address, note, sizeof(address));
	note += sizeof(address);
	size -= sizeof(address);
	names = note;
	if (!take_text(&note, &size) || !take_text(&note, &size))
		return 0;
	arguments = take_text(&note, &size);
	if (!arguments)
		return 0;
	if (reading->base && address[1]) {
		address[0] += reading->base - address[1];
		address[2] += address[2] ? reading->base - address[1] : 0;
	}
	if (!frec__elf_file_offset(reading->elf, address[0], 1, PF_X, &site.offset))
		return 0;
	// The kernel can raise a semaphore only if its bytes come from the file.
	if (address[2])
		(void)frec__elf_file_offset(reading->elf, address[2], 2, PF_W, &site.semaphore);
	text.site = address[0];
	site.arguments = frec__usdt_operands_parse(&text, arguments, places);
	site.places =
		site.arguments < FREC_USDT_ARGUMENTS_MAX ? site.arguments : FREC_USDT_ARGUMENTS_MAX;
	return reading->found(reading->context, &site, places, names, (size_t)(arguments - names));
}

int frec__elf_probes(Elf *elf, frec_probe_found *found, void *context, uint32_t *ret_bits)
{
	struct reading reading = {.elf = elf,
				  .base = find_base(elf),
				  .symbols = {.elf = elf},
				  .found = found,
				  .context = context};
	Elf_Scn *section = NULL;
	GElf_Ehdr header;
	Elf_Data *data;
	int r = 0;

	if (!gelf_getehdr(elf, &header))
		return 0;
	while (!r && (data = frec__elf_notes(elf, &section, SECTION, SECTION_SIZE_MAX))) {
		size_t at = 0, owner, description;
		GElf_Nhdr note;

		while (!r && (at = gelf_getnote(data, at, &note, &owner, &description)) > 0) {
			const char *bytes = data->d_buf;

			if (note.n_type != NOTE_TYPE || note.n_namesz != sizeof(OWNER) ||
			    memcmp(bytes + owner, OWNER, sizeof(OWNER)) != 0)
				continue;
			if (header.e_machine != MACHINE || gelf_getclass(elf) != ELFCLASS64) {
				*ret_bits = gelf_getclass(elf) == ELFCLASS64 ? 64 : 32;
				return 0;
			}
			r = read_note(&reading, bytes + description, note.n_descsz);
		}
	}
	frec__elf_symbols_deinit(&reading.symbols);
	return r;
}
