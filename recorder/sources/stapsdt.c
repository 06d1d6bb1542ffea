// SPDX-License-Identifier: MIT
// Reads .note.stapsdt. The files are untrusted, so each read is checked against the bounds of its
// note.
#include "recorder/sources/stapsdt.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <gelf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "proto/bytes.h"
#include "proto/grow.h"
#include "recorder/declared/elf_notes.h"

#define SECTION ".note.stapsdt"
#define OWNER "stapsdt"
#define TYPE 3
#define SECTION_SIZE_MAX (16u << 20)

// Whether an argument begins at `text`. An argument begins with its size in bytes, which is
// negative if the argument is signed; then 'f' if it is a floating-point number; then '@'.
static bool begins_argument(const char *text)
{
	const char *at = text + (*text == '-');

	if (!isdigit((unsigned char)*at))
		return false;
	while (isdigit((unsigned char)*at))
		at++;
	return at[*at == 'f'] == '@';
}

uint32_t frec__stapsdt_arguments(const char *text, uint32_t *ret_signed)
{
	uint32_t count = 0;

	*ret_signed = 0;
	// An operand can contain blanks, as in aarch64's "8@[sp, 16]", so not every word is
	// an argument.
	for (bool outside = true; *text; text++) {
		if (outside && count < FREC_FOREIGN_ARGUMENTS_MAX && begins_argument(text)) {
			*ret_signed |= (uint32_t)(*text == '-') << count;
			count++;
		}
		outside = isspace((unsigned char)*text);
	}
	return count;
}

static int add_site(struct frec_usdt_probes *probes, const char *provider, const char *name,
		    const char *arguments)
{
	struct frec_usdt_probe *probe = NULL;
	uint32_t is_signed, count = frec__stapsdt_arguments(arguments, &is_signed);

	for (size_t i = 0; i < probes->count && !probe; i++) {
		if (!strcmp(probes->probe[i].name, name) &&
		    !strcmp(probes->probe[i].provider, provider))
			probe = &probes->probe[i];
	}
	if (!probe) {
		if (!frec__grow(&probes->probe, probes->count, sizeof(*probe)))
			return -ENOMEM;
		probe = &probes->probe[probes->count];
		*probe = (struct frec_usdt_probe){.provider = strdup(provider),
						  .name = strdup(name)};
		if (!probe->provider || !probe->name) {
			free(probe->provider);
			free(probe->name);
			return -ENOMEM;
		}
		probes->count++;
	}
	probe->sites++;
	probe->is_signed |= is_signed;
	if (count > probe->arguments)
		probe->arguments = count;
	return 0;
}

// A note has three addresses of `word` bytes (site, base and semaphore), then three strings.
static int read_note(struct frec_usdt_probes *probes, struct frec_bytes note, size_t word,
		     const char *provider_glob, const char *name_glob)
{
	const char *provider, *name, *arguments;

	frec__bytes_take(&note, 3 * word);
	provider = frec__bytes_text(&note);
	name = frec__bytes_text(&note);
	arguments = frec__bytes_text(&note);
	if (note.failed || !*provider || !*name || fnmatch(provider_glob, provider, 0) ||
	    fnmatch(name_glob, name, 0))
		return 0;
	return add_site(probes, provider, name, arguments);
}

static int read_notes(struct frec_usdt_probes *probes, const Elf_Data *data, size_t word,
		      size_t *sites, const char *provider, const char *name)
{
	size_t offset = 0, next, owner, description;
	GElf_Nhdr note;
	int r = 0;

	while (!r &&
	       (next = gelf_getnote((Elf_Data *)data, offset, &note, &owner, &description)) > 0) {
		const char *bytes = data->d_buf;

		offset = next;
		if (note.n_type != TYPE || note.n_namesz != sizeof(OWNER) ||
		    memcmp(bytes + owner, OWNER, sizeof(OWNER)))
			continue;
		if (++*sites > FREC_USDT_SITES_MAX)
			return -E2BIG;
		r = read_note(probes, frec__bytes(bytes + description, note.n_descsz), word,
			      provider, name);
	}
	return r;
}

int frec__stapsdt_read(struct frec_usdt_probes *probes, int fd, const char *provider,
		       const char *name)
{
	FREC_ELF_END Elf *elf = NULL;
	Elf_Scn *section = NULL;
	Elf_Data *data;
	size_t sites = 0;
	int r = 0;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (elf && elf_kind(elf) == ELF_K_ELF) {
		size_t word = gelf_getclass(elf) == ELFCLASS32 ? 4 : 8;

		while (!r && (data = frec__elf_notes(elf, &section, SECTION, SECTION_SIZE_MAX)))
			r = read_notes(probes, data, word, &sites, provider, name);
	}
	return r;
}

void frec__usdt_probes_deinit(struct frec_usdt_probes *probes)
{
	for (size_t i = 0; i < probes->count; i++) {
		free(probes->probe[i].provider);
		free(probes->probe[i].name);
	}
	free(probes->probe);
	*probes = (struct frec_usdt_probes){0};
}
