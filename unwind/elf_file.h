/* SPDX-License-Identifier: MIT */
/* An ELF file, or an image of one in memory, and where a process maps it. */
#ifndef FREC_UNWIND_ELF_FILE_H
#define FREC_UNWIND_ELF_FILE_H

#include <gelf.h>
#include <libelf.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "proto/error.h"

/* Linkers write 20 bytes (SHA-1); --build-id=0x... can have any length. */
#define FREC_BUILD_ID_MAX 64

struct frec_build_id {
	uint8_t bytes[FREC_BUILD_ID_MAX];
	size_t size; /* 0: unknown */
};

struct frec_elf {
	Elf *elf;
	int fd;	     /* -1: an image in memory */
	void *image; /* NULL, or memory that the file was put together in */
	size_t image_size;
	bool mapped;	      /* rather than read, because no other user can truncate the file */
	char *path;	      /* for error messages; never NULL */
	unsigned int machine; /* EM_ */
	uint64_t base;	      /* the lowest address of a loaded segment */
	uint64_t end;	      /* the end of the highest one */
	uint64_t entry;	      /* the address at which the program starts; 0: none */
	struct frec_build_id build_id;
};

/*
 * Opens a regular file: 64-bit, little-endian ELF. It is mapped only if it belongs to root or to
 * this user and nobody else can write to it. Otherwise its sections are read when they are needed,
 * because truncating a mapped file kills the process that reads it. Returns 0, the errors of
 * open(2), -EINVAL if this is not a regular file, -ENOEXEC if it is another kind of regular file,
 * or -ENOMEM.
 */
int frec__elf_open(const char *path, struct frec_elf **ret, struct frec_error *reterr);

/* Makes frec__elf_open() open files with `opener`, for a process that may not open files itself.
 * `opener` returns a descriptor or a negative errno. If `opener` is NULL, frec__elf_open() uses
 * frec__open_regular() again. */
void frec__elf_open_through(int (*opener)(const char *path));

/* Opens an ELF file in memory: `size` bytes at `image`, which the caller keeps until after
 * frec__elf_close(). `name` is for error messages. Returns 0, -ENOMEM or -ENOEXEC. */
int frec__elf_open_memory(const void *image, size_t size, const char *name, struct frec_elf **ret,
			  struct frec_error *reterr);

struct frec_program;

/* Opens what was kept of a file. The parts that were not kept are zeros. Returns 0, -ENOMEM, or
 * -ENOEXEC. */
int frec__elf_open_program(const struct frec_program *program, struct frec_elf **ret,
			   struct frec_error *reterr);

/* Does what frec__elf_open() does, for an open file, but returns -ENOEXEC for any other kind of
 * file. Takes ownership of `fd`, also on failure. */
int frec__elf_open_fd(int fd, const char *path, struct frec_elf **ret, struct frec_error *reterr);
void frec__elf_close(struct frec_elf *elf);

static inline void frec__cleanup_elf(struct frec_elf **elf)
{
	frec__elf_close(*elf);
}

/* Closes the file at the end of the variable's scope. */
#define FREC_CLOSE_ELF __attribute__((cleanup(frec__cleanup_elf)))

/* Returns the section `name`, decompressed, or NULL if it does not exist or has no bytes. */
Elf_Data *frec__elf_section(const struct frec_elf *elf, const char *name, GElf_Shdr *ret_header);

/* Returns up to `size` of the file's bytes that are loaded at `address`, or NULL if there are
 * none. */
Elf_Data *frec__elf_at(const struct frec_elf *elf, uint64_t address, uint64_t size);

/*
 * Finds the bias of a mapping: what is added to an address in the file to get the address in the
 * process. The mapping begins at `start` and maps the file from `offset` on. Returns false if no
 * executable segment is there.
 */
bool frec__elf_bias(const struct frec_elf *elf, uint64_t start, uint64_t offset, uint64_t *ret);

/*
 * Finds the bias from a separate debug file, whose segments have lost their offsets in the
 * program's file. Returns false unless the debug file has exactly one executable segment, and the
 * size of that segment is the size of the mapping.
 */
bool frec__elf_bias_by_size(const struct frec_elf *elf, uint64_t start, uint64_t end,
			    uint64_t *ret);

static inline bool frec__build_id_equal(const struct frec_build_id *a,
					const struct frec_build_id *b)
{
	return a->size && a->size == b->size && !memcmp(a->bytes, b->bytes, a->size);
}

#endif
