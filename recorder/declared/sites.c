// SPDX-License-Identifier: MIT
// Reads the notes that describe the sites of events. The file is untrusted: each address must lie
// in one of its segments, and a breakpoint is set only where the file has the instructions of a
// site.
#include "recorder/declared/sites.h"

#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "recorder/declared/elf_notes.h"

#define SECTION ".note.flightrec"
#define OWNER "flightrec"
#define NOTE_TYPE 1
#define SECTION_SIZE_MAX (1u << 20)
#define DECLARATION_SIZE_MAX (64u << 10)
#define SITES_MAX 4096

struct addresses {
	uint64_t site, declaration, enable;
};

#if defined(__x86_64__)
static const uint8_t instructions[] = {0x90, 0x0f, 0x1f, 0x44, 0x00, 0x00};
#elif defined(__aarch64__)
static const uint8_t instructions[] = {0x1f, 0x20, 0x03, 0xd5};
#endif

// Translates an address of the program into an offset in the file. Returns false if the `size`
// bytes from there are not in one segment that has all of `flags`.
static bool find_offset(Elf *elf, uint64_t address, uint64_t size, uint32_t flags, uint64_t *ret)
{
	size_t count;

	if (elf_getphdrnum(elf, &count))
		return false;
	for (size_t i = 0; i < count && i < UINT16_MAX; i++) {
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

static bool is_site(int fd, uint64_t offset, uint64_t enable)
{
	uint8_t found[sizeof(instructions)];
	uint32_t word;

	return pread(fd, &word, sizeof(word), (off_t)enable) == sizeof(word) &&
	       pread(fd, found, sizeof(found), (off_t)offset) == sizeof(found) &&
	       !memcmp(found, instructions, sizeof(found));
}

// Returns 1 if there is a valid declaration at `offset`, 0 if not, or -ENOMEM.
static int read_declaration(struct frec_declarations *declarations, int fd, uint64_t offset,
			    size_t *ret_event)
{
	FREC_FREE uint8_t *data = NULL;
	uint32_t head[2]; // the start of every declaration: magic and size
	ssize_t n;

	if (pread(fd, head, sizeof(head), (off_t)offset) != sizeof(head) ||
	    head[1] > DECLARATION_SIZE_MAX)
		return 0;
	data = malloc(head[1]);
	if (!data)
		return -ENOMEM;
	if (pread(fd, data, head[1], (off_t)offset) != head[1])
		return 0;
	n = frec__declaration_read(declarations, data, head[1], ret_event);
	return n == -ENOMEM ? -ENOMEM : n > 0 && *ret_event != SIZE_MAX;
}

static int read_site(struct frec_declarations *declarations, Elf *elf, int fd,
		     const struct addresses *note, struct frec_site *ret)
{
	uint64_t declaration;

	if (!find_offset(elf, note->site, sizeof(instructions), PF_R | PF_X, &ret->offset) ||
	    !find_offset(elf, note->enable, sizeof(uint32_t), PF_R | PF_W, &ret->enable) ||
	    !find_offset(elf, note->declaration, 1, PF_R, &declaration) ||
	    !is_site(fd, ret->offset, ret->enable))
		return 0;
	return read_declaration(declarations, fd, declaration, &ret->event);
}

int frec__sites_read(struct frec_declarations *declarations, Elf *elf, int fd)
{
	FREC_FREE struct frec_site *sites = NULL;
	Elf_Scn *section = NULL;
	Elf_Data *data = frec__elf_notes(elf, &section, SECTION, SECTION_SIZE_MAX);
	size_t count = 0, at = 0, name, description;
	GElf_Nhdr note;
	int r = 0;

	if (!data)
		return 0;
	sites = calloc(SITES_MAX, sizeof(*sites));
	if (!sites)
		return -ENOMEM;
	while (r >= 0 && count < SITES_MAX &&
	       (at = gelf_getnote(data, at, &note, &name, &description))) {
		struct addresses addresses;

		if (note.n_type != NOTE_TYPE || note.n_namesz != sizeof(OWNER) ||
		    memcmp((char *)data->d_buf + name, OWNER, sizeof(OWNER)) ||
		    note.n_descsz != sizeof(addresses))
			continue;
		memcpy(&addresses, (char *)data->d_buf + description, sizeof(addresses));
		r = read_site(declarations, elf, fd, &addresses, &sites[count]);
		if (r > 0)
			count++;
	}
	if (r >= 0 && count)
		declarations->found_sites(declarations->context, fd, sites, count);
	return r < 0 ? r : 0;
}
