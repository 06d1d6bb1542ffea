// SPDX-License-Identifier: MIT
// Reads the notes that describe the sites of events. The file is untrusted: each address must lie
// in one of its segments, and a breakpoint is set only where the file has the instructions of a
// site.
#include "recorder/declared/elf_sites.h"

#include <errno.h>
#include <gelf.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "recorder/declared/elf_notes.h"

#define SECTION ".note.flightrec"
#define OWNER "flightrec"
#define NOTE_TYPE 1
#define SECTION_SIZE_MAX (1u << 20)
#define DECLARATION_SIZE_MAX (64u << 10)
#define NOTES_MAX 65536

struct addresses {
	uint64_t site, declaration, enable;
};

#if defined(__x86_64__)
static const uint8_t instructions[] = {0x90, 0x0f, 0x1f, 0x44, 0x00, 0x00};
#elif defined(__aarch64__)
static const uint8_t instructions[] = {0x1f, 0x20, 0x03, 0xd5};
#endif

static bool is_site(int fd, uint64_t offset, uint64_t enable)
{
	uint8_t found[sizeof(instructions)];
	uint32_t word;

	return pread(fd, &word, sizeof(word), (off_t)enable) == sizeof(word) &&
	       pread(fd, found, sizeof(found), (off_t)offset) == sizeof(found) &&
	       !memcmp(found, instructions, sizeof(found));
}

// Reads the declaration at `offset` into `data`. Returns its size, or 0 if there is none.
static uint32_t read_declaration(int fd, uint64_t offset, uint8_t *data)
{
	uint32_t head[2]; // the start of every declaration: magic and size

	if (pread(fd, head, sizeof(head), (off_t)offset) != sizeof(head) ||
	    head[1] > DECLARATION_SIZE_MAX ||
	    pread(fd, data, head[1], (off_t)offset) != (ssize_t)head[1])
		return 0;
	return head[1];
}

int frec__elf_sites(Elf *elf, int fd,
		    int (*found)(void *context, uint64_t offset, uint64_t enable,
				 const uint8_t *declaration, uint32_t size),
		    void *context)
{
	static uint8_t declaration[DECLARATION_SIZE_MAX];
	Elf_Scn *section = NULL;
	Elf_Data *data = frec__elf_notes(elf, &section, SECTION, SECTION_SIZE_MAX);
	size_t at = 0, name, description, notes = 0;
	GElf_Nhdr note;
	int r = 0;

	while (data && !r && (at = gelf_getnote(data, at, &note, &name, &description))) {
		struct addresses addresses;
		uint64_t site, enable, place;
		uint32_t size;

		if (++notes > NOTES_MAX)
			return -E2BIG;
		if (note.n_type != NOTE_TYPE || note.n_namesz != sizeof(OWNER) ||
		    memcmp((char *)data->d_buf + name, OWNER, sizeof(OWNER)) ||
		    note.n_descsz != sizeof(addresses))
			continue;
		memcpy(&addresses, (char *)data->d_buf + description, sizeof(addresses));
		if (!frec__elf_file_offset(elf, addresses.site, sizeof(instructions), PF_R | PF_X,
					   &site) ||
		    !frec__elf_file_offset(elf, addresses.enable, sizeof(uint32_t), PF_R | PF_W,
					   &enable) ||
		    !frec__elf_file_offset(elf, addresses.declaration, 1, PF_R, &place) ||
		    !is_site(fd, site, enable))
			continue;
		size = read_declaration(fd, place, declaration);
		if (size)
			r = found(context, site, enable, declaration, size);
	}
	return r;
}
