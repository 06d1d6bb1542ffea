// SPDX-License-Identifier: MIT
// Reads the build-id note of an ELF file, which may be hostile, and of the vDSO's image.
// unwind/elf_file reads build-ids too, but it maps files and runs libelf on them, which the
// recorder does only in a child process. This code runs in the recorder's own loop, so it reads
// only a few pieces of limited size.
#include "recorder/processes/build_ids.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/bytes.h"
#include "proto/cleanup.h"

// The number of slots in the cache, a power of two. Each file can be in only one slot, and replaces
// the file that was there. frec_table is not used because it would grow without bound.
#define FILES 1024
#define SEGMENTS_MAX 64
#define NOTES_MAX 4096 // bytes

struct known {
	dev_t device;
	ino_t inode; // 0: free
	struct timespec changed;
	uint8_t id[sizeof(((struct frec_mapping *)0)->build_id)];
	uint8_t size; // 0: the file has no build-id
};

struct frec_build_ids {
	struct known known[FILES];
};

void frec__build_ids_free(struct frec_build_ids *ids)
{
	free(ids);
}

// An ELF file, or an image in memory if `fd` is -1.
struct image {
	int fd;
	const uint8_t *bytes;
	size_t size;
};

static bool read_at(const struct image *image, uint64_t offset, void *to, size_t size)
{
	if (image->fd >= 0)
		return offset < INT64_MAX - size &&
		       pread(image->fd, to, size, (off_t)offset) == (ssize_t)size;
	if (offset > image->size || size > image->size - offset)
		return false;
	memcpy(to, image->bytes + offset, size);
	return true;
}

// Skips the padding up to a multiple of `alignment` bytes from `start`.
static void align(struct frec_bytes *bytes, const uint8_t *start, size_t alignment)
{
	size_t padding = -(size_t)(bytes->at - start) & (alignment - 1);

	frec__bytes_take(bytes, padding);
}

static bool find_note(const struct image *image, const Elf64_Phdr *segment,
		      struct frec_mapping *map)
{
	uint8_t notes[NOTES_MAX];
	size_t alignment = segment->p_align == 8 ? 8 : 4;
	size_t size = segment->p_filesz < sizeof(notes) ? segment->p_filesz : sizeof(notes);
	struct frec_bytes bytes;

	if (!read_at(image, segment->p_offset, notes, size))
		return false;
	bytes = frec__bytes(notes, size);
	while (frec__bytes_left(&bytes) >= sizeof(Elf64_Nhdr)) {
		const uint8_t *name, *description;
		Elf64_Nhdr note;

		memcpy(&note, frec__bytes_take(&bytes, sizeof(note)), sizeof(note));
		name = frec__bytes_take(&bytes, note.n_namesz);
		align(&bytes, notes, alignment);
		description = frec__bytes_take(&bytes, note.n_descsz);
		if (!description)
			return false;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof(ELF_NOTE_GNU) &&
		    !memcmp(name, ELF_NOTE_GNU, sizeof(ELF_NOTE_GNU)) && note.n_descsz &&
		    note.n_descsz <= sizeof(map->build_id)) {
			memcpy(map->build_id, description, note.n_descsz);
			map->build_id_size = (uint8_t)note.n_descsz;
			return true;
		}
		align(&bytes, notes, alignment);
	}
	return false;
}

static void read_build_id(const struct image *image, struct frec_mapping *map)
{
	Elf64_Ehdr header;

	if (!read_at(image, 0, &header, sizeof(header)) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) || header.e_ident[EI_CLASS] != ELFCLASS64 ||
	    header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_phentsize != sizeof(Elf64_Phdr))
		return;
	for (size_t i = 0; i < header.e_phnum && i < SEGMENTS_MAX; i++) {
		Elf64_Phdr segment;

		if (!read_at(image, header.e_phoff + i * sizeof(segment), &segment,
			     sizeof(segment)))
			return;
		if (segment.p_type == PT_NOTE && find_note(image, &segment, map))
			return;
	}
}

void frec__build_ids_vdso(struct frec_mapping *map)
{
	// The vDSO's notes are at its beginning, so the first page is enough.
	const struct image image = {.fd = -1,
				    .bytes = (const uint8_t *)(uintptr_t)getauxval(AT_SYSINFO_EHDR),
				    .size = (size_t)sysconf(_SC_PAGESIZE)};

	// A vDSO below 4 GiB belongs to a 32-bit process, whose vDSO is a different file.
	if (image.bytes && map->end > UINT32_MAX)
		read_build_id(&image, map);
}

// A file and its status. `path` is absolute or relative to /proc/PID.
struct file {
	char path[4200];
	struct stat status;
};

// Finds the mapped file through its link in /proc/PID/map_files. If that is not possible, looks at
// the program that the process runs, at the path of the mapping in the root folder of the process
// and then in the root folder of the recorder, and accepts a file only if its device and inode are
// `device` and `inode`. Returns whether it found a regular file.
static bool find_file(int proc, dev_t device, ino_t inode, const struct frec_mapping *map,
		      struct file *ret)
{
	snprintf(ret->path, sizeof(ret->path), "map_files/%llx-%llx",
		 (unsigned long long)map->start, (unsigned long long)map->end);
	// This link leads to the mapped file itself, so device and inode are not compared: on
	// a layered file system they can differ from those of the mapping.
	if (!fstatat(proc, ret->path, &ret->status, 0))
		return S_ISREG(ret->status.st_mode);
	// The program itself can be had even if it was deleted.
	snprintf(ret->path, sizeof(ret->path), "exe");
	if (!fstatat(proc, ret->path, &ret->status, 0) && ret->status.st_dev == device &&
	    ret->status.st_ino == inode)
		return S_ISREG(ret->status.st_mode);
	for (int i = 0; i < 2; i++) {
		int size =
			snprintf(ret->path, sizeof(ret->path), "%s%s", i ? "" : "root", map->path);

		if (size < (int)sizeof(ret->path) && !fstatat(proc, ret->path, &ret->status, 0) &&
		    ret->status.st_dev == device && ret->status.st_ino == inode)
			return S_ISREG(ret->status.st_mode);
	}
	return false;
}

int frec__mapped_file_open(int proc, dev_t device, ino_t inode, const struct frec_mapping *map)
{
	struct file file;
	struct stat opened;
	int fd;

	if (!find_file(proc, device, inode, map, &file))
		return -1;
	fd = openat(proc, file.path, O_PATH | O_CLOEXEC);
	if (fd >= 0 && !fstat(fd, &opened) && opened.st_dev == file.status.st_dev &&
	    opened.st_ino == file.status.st_ino)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

bool frec__is_same_path(const char *a, const char *b)
{
	static const char remark[] = " (deleted)";
	size_t length = strlen(a), other = strlen(b), shorter = length < other ? length : other;

	if (memcmp(a, b, shorter))
		return false;
	return length == other || !strcmp(length > other ? a + other : b + length, remark);
}

static struct known *slot_of(struct frec_build_ids *ids, const struct stat *status)
{
	uint64_t hash =
		(status->st_ino ^ (uint64_t)status->st_dev << 32) * UINT64_C(0x9e3779b97f4a7c15);

	return &ids->known[hash >> 32 & (FILES - 1)];
}

static bool is_same(const struct known *known, const struct stat *status)
{
	return known->inode == status->st_ino && known->device == status->st_dev &&
	       known->changed.tv_sec == status->st_ctim.tv_sec &&
	       known->changed.tv_nsec == status->st_ctim.tv_nsec;
}

void frec__build_ids_find(struct frec_build_ids **ids, int proc, dev_t device, ino_t inode,
			  struct frec_mapping *map)
{
	FREC_CLOSE int fd = -1;
	struct known *known;
	struct stat opened;
	struct file file;

	if (!*ids)
		*ids = calloc(1, sizeof(**ids));
	if (!*ids || *map->path != '/' || !inode || map->build_id_size ||
	    !find_file(proc, device, inode, map, &file))
		return;
	known = slot_of(*ids, &file.status);
	if (!is_same(known, &file.status)) {
		*known = (struct known){.device = file.status.st_dev,
					.inode = file.status.st_ino,
					.changed = file.status.st_ctim};
		fd = openat(proc, file.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		if (fd < 0 || fstat(fd, &opened) || !is_same(known, &opened)) {
			known->inode = 0;
			return;
		}
		read_build_id(&(struct image){.fd = fd}, map);
		memcpy(known->id, map->build_id, sizeof(known->id));
		known->size = map->build_id_size;
	}
	memcpy(map->build_id, known->id, sizeof(map->build_id));
	map->build_id_size = known->size;
}
