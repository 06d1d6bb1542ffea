// SPDX-License-Identifier: MIT
// Finds the files of a module. The build-id decides which file is the right one; if the program has
// none, the checksum in its .gnu_debuglink does.
#include "unwind/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "unwind/debuginfod.h"

#define SYSTEM_FOLDER "/usr/lib/debug"

static bool is_wanted(const struct frec_unwinder *unwinder, const struct frec_elf *elf,
		      const struct frec_build_id *build_id)
{
	return elf->machine == unwinder->machine->elf_machine &&
	       (!build_id->size || frec__build_id_equal(&elf->build_id, build_id));
}

static struct frec_elf *try_path(const struct frec_unwinder *unwinder, const char *path,
				 const struct frec_build_id *build_id, struct frec_error *reterr)
{
	FREC_CLOSE_ELF struct frec_elf *elf = NULL;

	if (frec__elf_open(path, &elf, reterr))
		return NULL;
	if (is_wanted(unwinder, elf, build_id))
		return FREC_TAKE_PTR(elf);
	frec__error(reterr, -ESTALE, "%s: not the file that was running: it has another build-id",
		    path);
	return NULL;
}

// Tries FOLDER/.build-id/xx/yyyySUFFIX.
static struct frec_elf *try_folder(const struct frec_unwinder *unwinder, const char *root,
				   const char *folder, const struct frec_build_id *build_id,
				   const char *suffix)
{
	char path[PATH_MAX], hex[2 * FREC_BUILD_ID_MAX + 1];

	for (size_t i = 0; i < build_id->size; i++)
		snprintf(hex + 2 * i, 3, "%02x", build_id->bytes[i]);
	if (snprintf(path, sizeof(path), "%s%s/.build-id/%.2s/%s%s", root, folder, hex, hex + 2,
		     suffix) >= (int)sizeof(path))
		return NULL;
	return try_path(unwinder, path, build_id, NULL);
}

static struct frec_elf *by_build_id(const struct frec_unwinder *unwinder,
				    const struct frec_build_id *build_id, const char *suffix)
{
	const struct frec_unwinder_options *options = &unwinder->options;
	struct frec_elf *elf = NULL;

	if (build_id->size < 2)
		return NULL;
	for (size_t i = 0; i < options->folder_count && !elf; i++)
		elf = try_folder(unwinder, "", options->folders[i], build_id, suffix);
	if (!elf)
		elf = try_folder(unwinder, options->root ? options->root : "", SYSTEM_FOLDER,
				 build_id, suffix);
	return elf;
}

static struct frec_elf *from_server(const struct frec_unwinder *unwinder, const char *kind,
				    const struct frec_build_id *build_id)
{
	FREC_CLOSE_ELF struct frec_elf *elf = NULL;
	FREC_FREE char *path = NULL;
	int fd;

	if (!unwinder->options.debuginfod || !build_id->size)
		return NULL;
	fd = frec__debuginfod(kind, build_id, &path);
	if (fd < 0 && frec__is_shortage(-fd))
		errno = -fd; // as in frec__elf_open()
	if (fd < 0 || frec__elf_open_fd(fd, path, &elf, NULL) ||
	    !is_wanted(unwinder, elf, build_id))
		return NULL;
	return FREC_TAKE_PTR(elf);
}

// Returns whether two paths are the same, apart from the kernel's remark that the file was deleted.
static bool is_same_path(const char *a, const char *b)
{
	static const char remark[] = " (deleted)";
	size_t length = strlen(a), other = strlen(b), shorter = length < other ? length : other;

	return !memcmp(a, b, shorter) &&
	       (length == other || !strcmp(length > other ? a + other : b + length, remark));
}

static bool is_of(const struct frec_program *program, const char *path,
		  const struct frec_build_id *build_id)
{
	if (!build_id->size)
		return is_same_path(program->path, path);
	return program->build_id_size == build_id->size &&
	       !memcmp(program->build_id, build_id->bytes, build_id->size);
}

// Returns what the recorder kept of the file, or NULL.
static struct frec_elf *from_programs(const struct frec_unwinder *unwinder, const char *path,
				      const struct frec_build_id *build_id)
{
	const struct frec_unwinder_options *options = &unwinder->options;

	for (size_t i = 0; i < options->program_count; i++) {
		FREC_CLOSE_ELF struct frec_elf *elf = NULL;

		if (is_of(&options->programs[i], path, build_id) &&
		    !frec__elf_open_program(&options->programs[i], &elf, NULL) &&
		    is_wanted(unwinder, elf, build_id))
			return FREC_TAKE_PTR(elf);
	}
	return NULL;
}

static bool is_same_file(const struct frec_elf *a, const struct frec_elf *b)
{
	struct stat one, other;

	return !fstat(a->fd, &one) && !fstat(b->fd, &other) && one.st_dev == other.st_dev &&
	       one.st_ino == other.st_ino;
}

// Returns the file itself if the file at the path, which is `elf` or NULL, is another one. A file
// with the recorded build-id is as good as the same.
static struct frec_elf *prefer_mapped(const struct frec_unwinder *unwinder,
				      const struct frec_unwind_map *map,
				      const struct frec_build_id *build_id, struct frec_elf *elf,
				      bool *ret_lost)
{
	struct frec_elf *mapped;

	if (!map->file || (elf && build_id->size))
		return elf;
	mapped = try_path(unwinder, map->file, build_id, NULL);
	if (!mapped)
		return elf;
	if (elf && is_same_file(elf, mapped)) {
		frec__elf_close(mapped);
		return elf;
	}
	frec__elf_close(elf);
	*ret_lost = true;
	return mapped;
}

struct frec_elf *frec__files_main(const struct frec_unwinder *unwinder,
				  const struct frec_unwind_map *map,
				  const struct frec_build_id *build_id, bool *ret_lost,
				  struct frec_error *reterr)
{
	const char *root = unwinder->options.root ? unwinder->options.root : "";
	struct frec_elf *elf = NULL;
	char full[PATH_MAX];

	frec__error(reterr, -ENOENT, "%s: no such file", map->path);
	// Without a build-id nobody can say whether the file at the path is still the same.
	if (!build_id->size)
		elf = from_programs(unwinder, map->path, build_id);
	if (!elf && *map->path == '/' &&
	    snprintf(full, sizeof(full), "%s%s", root, map->path) < (int)sizeof(full))
		elf = try_path(unwinder, full, build_id, reterr);
	elf = prefer_mapped(unwinder, map, build_id, elf, ret_lost);
	if (!elf)
		elf = by_build_id(unwinder, build_id, "");
	if (!elf)
		elf = from_programs(unwinder, map->path, build_id);
	if (!elf)
		elf = from_server(unwinder, "executable", build_id);
	return elf;
}

// Returns whether the CRC-32 of the whole file, as zlib computes it, is `wanted`.
static bool file_has_crc(const struct frec_elf *elf, uint32_t wanted)
{
	uint32_t table[256], crc = UINT32_MAX;
	uint8_t buffer[65536];
	off_t offset = 0;
	ssize_t size;

	for (uint32_t i = 0; i < 256; i++) {
		table[i] = i;
		for (int bit = 0; bit < 8; bit++)
			table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xedb88320u : 0);
	}
	while ((size = pread(elf->fd, buffer, sizeof(buffer), offset)) > 0) {
		for (ssize_t i = 0; i < size; i++)
			crc = crc >> 8 ^ table[(crc ^ buffer[i]) & 0xff];
		offset += size;
	}
	return !size && ~crc == wanted;
}

static struct frec_elf *try_link(const struct frec_unwinder *unwinder, const char *path,
				 uint32_t crc, const struct frec_elf *main)
{
	static const struct frec_build_id any;
	FREC_CLOSE_ELF struct frec_elf *elf = try_path(unwinder, path, &any, NULL);

	if (!elf)
		return NULL;
	// If the debug file has the program's name, `path` can be that of the program itself.
	if (main->build_id.size && elf->build_id.size
		    ? frec__build_id_equal(&main->build_id, &elf->build_id) &&
			      strcmp(main->path, path)
		    : file_has_crc(elf, crc))
		return FREC_TAKE_PTR(elf);
	return NULL;
}

// Tries the name in .gnu_debuglink in three folders: that of the program, .debug in it, and the
// same folder below SYSTEM_FOLDER.
static struct frec_elf *by_link(const struct frec_unwinder *unwinder, const char *path,
				const struct frec_elf *main)
{
	const char *root = unwinder->options.root ? unwinder->options.root : "";
	const char *slash = strrchr(path, '/'), *name;
	struct frec_elf *elf = NULL;
	size_t length, crc_offset;
	GElf_Shdr header;
	Elf_Data *data;
	uint32_t crc;

	data = frec__elf_section(main, ".gnu_debuglink", &header);
	if (!data || !slash)
		return NULL;
	name = data->d_buf;
	length = strnlen(name, data->d_size);
	crc_offset = (length + 4) & ~(size_t)3;
	if (!length || length == data->d_size || memchr(name, '/', length) ||
	    crc_offset + sizeof(crc) > data->d_size)
		return NULL;
	memcpy(&crc, name + crc_offset, sizeof(crc));
	for (int place = 0; place < 3 && !elf; place++) {
		static const char *const before[] = {"", "", SYSTEM_FOLDER};
		static const char *const after[] = {"", "/.debug", ""};
		char full[PATH_MAX];

		if (snprintf(full, sizeof(full), "%s%s%.*s%s/%s", root, before[place],
			     (int)(slash - path), path, after[place], name) < (int)sizeof(full))
			elf = try_link(unwinder, full, crc, main);
	}
	return elf;
}

struct frec_elf *frec__files_debug(const struct frec_unwinder *unwinder, const char *path,
				   const struct frec_elf *main,
				   const struct frec_build_id *build_id)
{
	struct frec_elf *elf = by_build_id(unwinder, build_id, ".debug");

	if (!elf && main)
		elf = by_link(unwinder, path, main);
	if (!elf)
		elf = from_server(unwinder, "debuginfo", build_id);
	return elf;
}

struct frec_elf *frec__files_alternate(const struct frec_unwinder *unwinder,
				       const struct frec_elf *elf)
{
	GElf_Shdr header;
	Elf_Data *data = frec__elf_section(elf, ".gnu_debugaltlink", &header);
	struct frec_build_id build_id = {.size = 0};
	struct frec_elf *found;
	const char *name, *slash;
	char path[PATH_MAX];
	size_t length;
	int folder;

	if (!data)
		return NULL;
	name = data->d_buf;
	length = strnlen(name, data->d_size);
	if (!length || length == data->d_size || data->d_size - length - 1 > FREC_BUILD_ID_MAX)
		return NULL;
	build_id.size = data->d_size - length - 1;
	memcpy(build_id.bytes, name + length + 1, build_id.size);
	found = by_build_id(unwinder, &build_id, ".debug");
	if (found || !build_id.size)
		return found;
	slash = *name == '/' ? NULL : strrchr(elf->path, '/');
	folder = slash ? (int)(slash + 1 - elf->path) : 0;
	if (snprintf(path, sizeof(path), "%.*s%s", folder, elf->path, name) >= (int)sizeof(path))
		return NULL;
	return try_path(unwinder, path, &build_id, NULL);
}
