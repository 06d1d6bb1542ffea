// SPDX-License-Identifier: MIT
// ELF files, read with libelf, which checks bounds: a section that lies outside the file has no
// data.
#include "unwind/elf_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/regular_file.h"
#include "unwind/unwind.h"

// The segments are walked often, so at most this many of them are used. No real program has more.
#define SEGMENTS_MAX 256
// The largest size of a file of which pieces were kept. That much address space is taken.
#define PROGRAM_MAX (UINT64_C(8) << 30)

static size_t segment_count(const struct frec_elf *elf)
{
	size_t count;

	if (elf_getphdrnum(elf->elf, &count))
		return 0;
	return count < SEGMENTS_MAX ? count : SEGMENTS_MAX;
}

static void read_build_id(struct frec_elf *elf, Elf_Data *data)
{
	size_t offset = 0, next, name, descriptor;
	GElf_Nhdr note;

	while (data && (next = gelf_getnote(data, offset, &note, &name, &descriptor))) {
		const char *bytes = data->d_buf;

		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof("GNU") &&
		    !memcmp(bytes + name, "GNU", sizeof("GNU")) && note.n_descsz &&
		    note.n_descsz <= FREC_BUILD_ID_MAX) {
			memcpy(elf->build_id.bytes, bytes + descriptor, note.n_descsz);
			elf->build_id.size = note.n_descsz;
			return;
		}
		offset = next;
	}
}

static void read_segments(struct frec_elf *elf)
{
	const size_t count = segment_count(elf);

	elf->base = UINT64_MAX;
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr segment;
		uint64_t end;

		if (!gelf_getphdr(elf->elf, (int)i, &segment))
			continue;
		if (segment.p_type == PT_NOTE && !elf->build_id.size)
			read_build_id(elf, elf_getdata_rawchunk(elf->elf, (int64_t)segment.p_offset,
								segment.p_filesz,
								segment.p_align == 8 ? ELF_T_NHDR8
										     : ELF_T_NHDR));
		if (segment.p_type != PT_LOAD ||
		    __builtin_add_overflow(segment.p_vaddr, segment.p_memsz, &end))
			continue;
		if (segment.p_vaddr < elf->base)
			elf->base = segment.p_vaddr;
		if (end > elf->end)
			elf->end = end;
	}
	if (elf->base == UINT64_MAX)
		elf->base = 0;
}

// A separate debug file has the program headers of its program, but not the bytes that they refer
// to. So if a section holds a build-id, that one is used.
static void read_build_id_section(struct frec_elf *elf)
{
	GElf_Shdr header;
	Elf_Data *data = frec__elf_section(elf, ".note.gnu.build-id", &header);

	elf->build_id.size = 0;
	if (data && header.sh_type == SHT_NOTE)
		read_build_id(elf, data);
}

static int open_elf(struct frec_elf *elf, struct frec_error *reterr)
{
	GElf_Ehdr header;
	GElf_Shdr note;

	if (!elf->elf || elf_kind(elf->elf) != ELF_K_ELF || !gelf_getehdr(elf->elf, &header) ||
	    gelf_getclass(elf->elf) != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB)
		return frec__error(reterr, -ENOEXEC, "%s: not a 64-bit little-endian ELF file",
				   elf->path);
	elf->machine = header.e_machine;
	elf->entry = header.e_entry;
	read_segments(elf);
	if (frec__elf_section(elf, ".note.gnu.build-id", &note))
		read_build_id_section(elf);
	return 0;
}

// Takes ownership of `fd`, even on failure.
static struct frec_elf *new_elf(int fd, const char *path)
{
	struct frec_elf *elf = calloc(1, sizeof(*elf));
	char *copy = strdup(path);

	elf_version(EV_CURRENT);
	if (!elf || !copy) {
		if (fd >= 0)
			close(fd);
		free(elf);
		free(copy);
		return NULL;
	}
	elf->fd = fd;
	elf->path = copy;
	return elf;
}

// The user whom the children of a root recorder become. Its files are those of strangers all the
// same.
#define NOBODY 65534

static bool can_be_cut_by_others(const struct stat *status)
{
	return (status->st_uid && (status->st_uid != geteuid() || status->st_uid == NOBODY)) ||
	       status->st_mode & 022;
}

int frec__elf_open_fd(int fd, const char *path, struct frec_elf **ret, struct frec_error *reterr)
{
	FREC_CLOSE_ELF struct frec_elf *elf = new_elf(fd, path);
	struct stat status;
	int r;

	if (!elf)
		return frec__error(reterr, -ENOMEM, "%s: out of memory", path);
	if (fstat(fd, &status) || !S_ISREG(status.st_mode))
		return frec__error(reterr, -ENOEXEC, "%s: not a regular file", path);
	elf->mapped = !can_be_cut_by_others(&status);
	elf->elf = elf_begin(fd, elf->mapped ? ELF_C_READ_MMAP_PRIVATE : ELF_C_READ, NULL);
	r = open_elf(elf, reterr);
	if (!r)
		*ret = FREC_TAKE_PTR(elf);
	return r;
}

static int (*open_file)(const char *path) = frec__open_regular;

void frec__elf_open_through(int (*opener)(const char *path))
{
	open_file = opener ? opener : frec__open_regular;
}

int frec__elf_open(const char *path, struct frec_elf **ret, struct frec_error *reterr)
{
	// The path comes from a snapshot or from a program, so anybody may have chosen it.
	int fd = open_file(path);

	if (fd < 0 && frec__is_shortage(-fd))
		errno = -fd; // for those who would take it for a missing file
	if (fd < 0)
		return frec__error(reterr, fd, "%s: %s", path,
				   fd == -EINVAL    ? "not a regular file"
				   : fd == -ENOEXEC ? "not a 64-bit little-endian ELF file"
						    : strerror(-fd));
	return frec__elf_open_fd(fd, path, ret, reterr);
}

int frec__elf_open_memory(const void *image, size_t size, const char *name, struct frec_elf **ret,
			  struct frec_error *reterr)
{
	FREC_CLOSE_ELF struct frec_elf *elf = new_elf(-1, name);
	int r;

	if (!elf)
		return frec__error(reterr, -ENOMEM, "%s: out of memory", name);
	elf->elf = elf_memory((char *)(uintptr_t)image, size);
	r = open_elf(elf, reterr);
	if (!r)
		*ret = FREC_TAKE_PTR(elf);
	return r;
}

static bool is_kept(const struct frec_program *program, uint64_t offset, uint64_t size)
{
	for (size_t i = 0; i < program->count; i++) {
		const struct frec_piece *piece = &program->pieces[i];

		if (offset >= piece->offset && offset - piece->offset <= piece->size &&
		    size <= piece->size - (offset - piece->offset))
			return true;
	}
	return false;
}

// Lets sections and notes that were not kept look empty, because zeros are there instead. Headers
// that are not there are left out.
static void hide_missing(struct frec_elf *elf, const struct frec_program *program)
{
	char *image = elf->image;
	Elf64_Ehdr *header = elf->image;
	Elf64_Phdr *segment;
	Elf64_Shdr *section;

	if (!is_kept(program, 0, sizeof(*header)))
		return;
	if (header->e_phoff % 8 || header->e_phentsize != sizeof(*segment) ||
	    !is_kept(program, header->e_phoff, (uint64_t)header->e_phnum * sizeof(*segment)))
		header->e_phnum = 0;
	segment = (void *)(image + header->e_phoff);
	for (size_t i = 0; i < header->e_phnum; i++) {
		if (segment[i].p_type == PT_NOTE &&
		    !is_kept(program, segment[i].p_offset, segment[i].p_filesz))
			segment[i].p_filesz = 0;
	}
	if (header->e_shoff % 8 || header->e_shentsize != sizeof(*section) || !header->e_shnum ||
	    !is_kept(program, header->e_shoff, (uint64_t)header->e_shnum * sizeof(*section)))
		header->e_shnum = header->e_shstrndx = header->e_shoff = 0;
	section = (void *)(image + header->e_shoff);
	for (size_t i = 0; i < header->e_shnum; i++) {
		if (!is_kept(program, section[i].sh_offset, section[i].sh_size))
			section[i].sh_type = SHT_NOBITS;
	}
}

int frec__elf_open_program(const struct frec_program *program, struct frec_elf **ret,
			   struct frec_error *reterr)
{
	FREC_CLOSE_ELF struct frec_elf *elf = new_elf(-1, program->path);
	int r;

	if (!elf)
		return frec__error(reterr, -ENOMEM, "%s: out of memory", program->path);
	if (program->size < sizeof(Elf64_Ehdr) || program->size > PROGRAM_MAX)
		return frec__error(reterr, -ENOEXEC, "%s: no program has %" PRIu64 " bytes",
				   program->path, program->size);
	// Pages that nothing is copied to take no memory.
	elf->image = mmap(NULL, program->size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (elf->image == MAP_FAILED) {
		elf->image = NULL;
		return frec__error(reterr, -ENOMEM, "%s: out of memory", program->path);
	}
	elf->image_size = program->size;
	for (size_t i = 0; i < program->count; i++) {
		const struct frec_piece *piece = &program->pieces[i];

		if (piece->size && piece->offset < program->size &&
		    piece->size <= program->size - piece->offset)
			memcpy((char *)elf->image + piece->offset, piece->data, piece->size);
	}
	hide_missing(elf, program);
	elf->elf = elf_memory(elf->image, elf->image_size);
	r = open_elf(elf, reterr);
	if (!r)
		*ret = FREC_TAKE_PTR(elf);
	return r;
}

void frec__elf_close(struct frec_elf *elf)
{
	if (!elf)
		return;
	elf_end(elf->elf);
	if (elf->image)
		munmap(elf->image, elf->image_size);
	if (elf->fd >= 0)
		close(elf->fd);
	free(elf->path);
	free(elf);
}

Elf_Data *frec__elf_section(const struct frec_elf *elf, const char *name, GElf_Shdr *ret_header)
{
	Elf_Scn *section = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf->elf, &names))
		return NULL;
	while ((section = elf_nextscn(elf->elf, section))) {
		const char *its_name;
		Elf_Data *data;

		if (!gelf_getshdr(section, ret_header))
			continue;
		its_name = elf_strptr(elf->elf, names, ret_header->sh_name);
		if (!its_name || strcmp(its_name, name))
			continue;
		if (ret_header->sh_type == SHT_NOBITS)
			return NULL;
		if (ret_header->sh_flags & SHF_COMPRESSED && elf_compress(section, 0, 0) < 0)
			return NULL;
		data = elf_getdata(section, NULL);
		return data && data->d_buf && data->d_size ? data : NULL;
	}
	return NULL;
}

Elf_Data *frec__elf_at(const struct frec_elf *elf, uint64_t address, uint64_t size)
{
	const size_t count = segment_count(elf);

	for (size_t i = 0; i < count; i++) {
		GElf_Phdr segment;
		uint64_t offset;

		if (!gelf_getphdr(elf->elf, (int)i, &segment) || segment.p_type != PT_LOAD ||
		    address < segment.p_vaddr || address - segment.p_vaddr >= segment.p_filesz)
			continue;
		offset = address - segment.p_vaddr;
		if (size > segment.p_filesz - offset)
			size = segment.p_filesz - offset;
		if (__builtin_add_overflow(offset, segment.p_offset, &offset) || offset > INT64_MAX)
			return NULL;
		return elf_getdata_rawchunk(elf->elf, (int64_t)offset, size, ELF_T_BYTE);
	}
	return NULL;
}

bool frec__elf_bias(const struct frec_elf *elf, uint64_t start, uint64_t offset, uint64_t *ret)
{
	// The kernel maps whole pages of up to 64 KiB, so a mapping can begin almost 64 KiB before
	// its segment.
	const uint64_t page = 64 << 10;
	const size_t count = segment_count(elf);

	// A page with the end of one segment and the start of the next is mapped twice, once for
	// each. Only executable mappings are looked up, so only executable segments count.
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr segment;

		if (!gelf_getphdr(elf->elf, (int)i, &segment) || segment.p_type != PT_LOAD ||
		    !(segment.p_flags & PF_X))
			continue;
		if (offset + page > segment.p_offset &&
		    offset < segment.p_offset + segment.p_filesz) {
			*ret = start - offset + segment.p_offset - segment.p_vaddr;
			return true;
		}
	}
	return false;
}

bool frec__elf_bias_by_size(const struct frec_elf *elf, uint64_t start, uint64_t end, uint64_t *ret)
{
	const uint64_t page = 4096;
	const size_t count = segment_count(elf);
	uint64_t first = 0, last = 0;
	size_t executable = 0;

	for (size_t i = 0; i < count; i++) {
		GElf_Phdr segment;

		if (!gelf_getphdr(elf->elf, (int)i, &segment) || segment.p_type != PT_LOAD ||
		    !(segment.p_flags & PF_X))
			continue;
		executable++;
		first = segment.p_vaddr & ~(page - 1);
		last = (segment.p_vaddr + segment.p_memsz + page - 1) & ~(page - 1);
	}
	if (executable != 1 || last - first != end - start)
		return false;
	*ret = start - first;
	return true;
}
