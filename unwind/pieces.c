// SPDX-License-Identifier: MIT
// Takes from a file what unwinding and naming need, for readers who will not find the file: all of
// it if it is small, or else its headers and some sections. frec__elf_open_program() opens that.
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/grow.h"
#include "unwind/module.h"

// A file of at most this many bytes is kept whole.
#define WHOLE_MAX (1u << 20)
// At most this many section headers are read. No real program has more.
#define SECTIONS_MAX 4096

// The sections that are kept as long as there is room, most important ones first. What debuggers
// need is kept only if all of it fits.
static const char *const wanted[] = {
	".note.gnu.build-id",
	".eh_frame_hdr",
	".eh_frame",
	".dynstr",
	".dynsym",
	".strtab",
	".symtab",
	".gnu_debugdata",
	".plt",
	".plt.sec",
	".plt.got",
	".rela.plt",
	".debug_frame",
	".gnu_debuglink",
	".gnu_debugaltlink",
};
#define DEBUG_PREFIX ".debug_"
#define DEBUG_MAX (8u << 20) // bytes of them

struct pieces {
	const struct frec_elf *elf;
	uint64_t file_size, left; /* left: of what may be kept */
	struct frec_piece *piece;
	size_t count;
};

// Adds bytes of the file. Does nothing if they are not in the file or there is no room for them.
static int add(struct pieces *pieces, uint64_t offset, uint64_t size)
{
	uint8_t *data;

	if (!size || size > pieces->left || offset > pieces->file_size ||
	    size > pieces->file_size - offset)
		return 0;
	data = frec__grow(&pieces->piece, pieces->count, sizeof(*pieces->piece)) ? malloc(size)
										 : NULL;
	if (!data)
		return -ENOMEM;
	if (pread(pieces->elf->fd, data, size, (off_t)offset) != (ssize_t)size) {
		free(data);
		return 0;
	}
	pieces->piece[pieces->count++] = (struct frec_piece){offset, size, data};
	pieces->left -= size;
	return 0;
}

struct sections {
	size_t count, names; /* names: the number of the section with their names */
	Elf64_Shdr *section; /* a copy of the section headers */
	bool *kept;
};

static const char *name_of(const struct pieces *pieces, const struct sections *sections, size_t i)
{
	const char *name =
		elf_strptr(pieces->elf->elf, sections->names, sections->section[i].sh_name);

	return name ? name : "";
}

static int keep(struct pieces *pieces, struct sections *sections, size_t i)
{
	const Elf64_Shdr *section = &sections->section[i];
	size_t before = pieces->count;
	int r;

	if (section->sh_type == SHT_NOBITS || sections->kept[i])
		return 0;
	r = add(pieces, section->sh_offset, section->sh_size);
	sections->kept[i] = pieces->count > before;
	return r;
}

static int keep_wanted(struct pieces *pieces, struct sections *sections)
{
	int r = keep(pieces, sections, sections->names);

	for (size_t want = 0; want < sizeof(wanted) / sizeof(*wanted); want++) {
		for (size_t i = 0; i < sections->count && !r; i++) {
			if (!strcmp(name_of(pieces, sections, i), wanted[want]))
				r = keep(pieces, sections, i);
		}
	}
	return r;
}

static bool is_debug(const struct pieces *pieces, const struct sections *sections, size_t i)
{
	return sections->section[i].sh_type != SHT_NOBITS &&
	       !strncmp(name_of(pieces, sections, i), DEBUG_PREFIX, strlen(DEBUG_PREFIX));
}

static int keep_debug(struct pieces *pieces, struct sections *sections)
{
	uint64_t size = 0;
	int r = 0;

	for (size_t i = 0; i < sections->count; i++) {
		if (!is_debug(pieces, sections, i) || sections->kept[i])
			continue;
		size += sections->section[i].sh_size;
		if (sections->section[i].sh_size > DEBUG_MAX || size > DEBUG_MAX ||
		    size > pieces->left)
			return 0;
	}
	for (size_t i = 0; i < sections->count && !r; i++) {
		if (is_debug(pieces, sections, i))
			r = keep(pieces, sections, i);
	}
	return r;
}

static int add_sections(struct pieces *pieces, const GElf_Ehdr *header)
{
	struct sections sections = {.count = 0};
	FREC_FREE Elf64_Shdr *section = NULL;
	FREC_FREE bool *kept = NULL;
	size_t size;
	int r;

	if (elf_getshdrnum(pieces->elf->elf, &sections.count) ||
	    elf_getshdrstrndx(pieces->elf->elf, &sections.names) || !sections.count ||
	    sections.count > SECTIONS_MAX || sections.names >= sections.count)
		return 0;
	size = sections.count * sizeof(*section);
	sections.section = section = malloc(size);
	sections.kept = kept = calloc(sections.count, sizeof(*kept));
	if (!section || !kept)
		return -ENOMEM;
	if (pread(pieces->elf->fd, section, size, (off_t)header->e_shoff) != (ssize_t)size)
		return 0;
	r = add(pieces, header->e_shoff, size);
	if (!r)
		r = keep_wanted(pieces, &sections);
	return r ? r : keep_debug(pieces, &sections);
}

// Without section headers, .eh_frame is somewhere in the segment of .eh_frame_hdr.
static int add_segments(struct pieces *pieces)
{
	size_t count = 0;
	uint64_t header = UINT64_MAX;
	GElf_Phdr segment;
	int r = 0;

	if (elf_getphdrnum(pieces->elf->elf, &count))
		return 0;
	for (size_t i = 0; i < count; i++) {
		if (gelf_getphdr(pieces->elf->elf, (int)i, &segment) &&
		    segment.p_type == PT_GNU_EH_FRAME)
			header = segment.p_offset;
	}
	for (size_t i = 0; i < count && !r; i++) {
		if (gelf_getphdr(pieces->elf->elf, (int)i, &segment) &&
		    (segment.p_type == PT_NOTE ||
		     (segment.p_type == PT_LOAD && header >= segment.p_offset &&
		      header - segment.p_offset < segment.p_filesz)))
			r = add(pieces, segment.p_offset, segment.p_filesz);
	}
	return r;
}

static int take(struct pieces *pieces)
{
	GElf_Ehdr header;
	int r;

	if (pieces->file_size <= WHOLE_MAX)
		return add(pieces, 0, pieces->file_size);
	if (!gelf_getehdr(pieces->elf->elf, &header))
		return 0;
	r = add(pieces, 0, sizeof(Elf64_Ehdr));
	if (!r)
		r = add(pieces, header.e_phoff, (uint64_t)header.e_phnum * sizeof(Elf64_Phdr));
	if (!r)
		r = header.e_shoff ? add_sections(pieces, &header) : add_segments(pieces);
	return r;
}

static int pieces_of(const struct frec_module *module, struct frec_program *ret)
{
	struct pieces pieces = {.elf = module->elf, .left = FREC_PROGRAM_KEPT_MAX};
	const struct frec_build_id *build_id =
		module->build_id.size ? &module->build_id : &module->elf->build_id;
	struct stat status;
	int r;

	*ret = (struct frec_program){
		.path = module->path, .build_id = build_id->bytes, .build_id_size = build_id->size};
	if (fstat(module->elf->fd, &status))
		return 0;
	ret->size = pieces.file_size = (uint64_t)status.st_size;
	r = take(&pieces);
	ret->pieces = pieces.piece;
	ret->count = pieces.count;
	if (r)
		frec__program_deinit(ret);
	return r;
}

int frec__unwinder_lost_program(const struct frec_unwinder *unwinder, size_t *at,
				struct frec_program *ret)
{
	while (*at < unwinder->module_count) {
		const struct frec_module *module = unwinder->modules[(*at)++];
		int r;

		if (!module->lost || !module->elf || module->elf->fd < 0)
			continue;
		r = pieces_of(module, ret);
		if (r || ret->count)
			return r ? r : 1;
	}
	return 0;
}

void frec__program_deinit(struct frec_program *program)
{
	for (size_t i = 0; i < program->count; i++)
		free((void *)(uintptr_t)program->pieces[i].data);
	free((void *)(uintptr_t)program->pieces);
	program->pieces = NULL;
	program->count = 0;
}
