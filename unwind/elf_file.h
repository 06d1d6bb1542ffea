/* SPDX-License-Identifier: MIT */
/* One ELF file, or the image of one in memory, and where its parts are mapped. */
#ifndef FREC_UNWIND_ELF_FILE_H
#define FREC_UNWIND_ELF_FILE_H

#include <gelf.h>
#include <libelf.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "proto/error.h"

/* SHA-1, as linkers make them, is 20; --build-id=0x... can be of any length. */
#define FREC_BUILD_ID_MAX 64

struct frec_build_id {
	uint8_t bytes[FREC_BUILD_ID_MAX];
	size_t size; /* 0: unknown */
};

struct frec_elf {
	Elf *elf;
	int fd;		      /* -1: an image in memory */
	bool mapped;	      /* nobody else can cut it: it is not read, but mapped */
	char *path;	      /* for errors; never NULL */
	unsigned int machine; /* EM_ */
	uint64_t base;	      /* lowest address of a loaded segment */
	uint64_t end;	      /* and the end of the highest */
	uint64_t entry;	      /* where the kernel or the loader jumps to; 0: nowhere */
	struct frec_build_id build_id;
};

/*
 * Opens what stands at `path`: a regular file, 64-bit, little-endian. It is mapped only where it
 * belongs to root or to this user and nobody else can write to it; of others the needed sections
 * are read, because a mapped file that is cut kills its reader. -ENOENT and other errors of
 * open(2); -ENOEXEC: it is not such a file.
 */
int frec__elf_open(const char *path, struct frec_elf **ret, struct frec_error *reterr);

/* The same for `size` bytes at `image`, which stay the caller's and have to live as long. `name` is
 * for errors. */
int frec__elf_open_memory(const void *image, size_t size, const char *name, struct frec_elf **ret,
			  struct frec_error *reterr);

/* As above for an ELF file that is open as `fd`, which this takes over in any case. */
int frec__elf_open_fd(int fd, const char *path, struct frec_elf **ret, struct frec_error *reterr);
void frec__elf_close(struct frec_elf *elf);

static inline void frec__cleanup_elf(struct frec_elf **elf)
{
	frec__elf_close(*elf);
}

/* Closes the file at the end of the variable's scope. */
#define FREC_CLOSE_ELF __attribute__((cleanup(frec__cleanup_elf)))

/* The section `name`, uncompressed, or NULL where there is none or it has no bytes. */
Elf_Data *frec__elf_section(const struct frec_elf *elf, const char *name, GElf_Shdr *ret_header);

/* Up to `size` bytes that are loaded at `address`, from the file, or NULL. */
Elf_Data *frec__elf_at(const struct frec_elf *elf, uint64_t address, uint64_t size);

/*
 * What has to be added to an address in the file for one in a process that has mapped [start, ...)
 * to the file's `offset`. False where the file loads nothing from there.
 */
bool frec__elf_bias(const struct frec_elf *elf, uint64_t start, uint64_t offset, uint64_t *ret);

/*
 * The same from a separate debug file, whose segments have lost their places in the file: [start,
 * end) must be as long as its one executable segment is.
 */
bool frec__elf_bias_by_size(const struct frec_elf *elf, uint64_t start, uint64_t end,
			    uint64_t *ret);

static inline bool frec__build_id_equal(const struct frec_build_id *a,
					const struct frec_build_id *b)
{
	return a->size && a->size == b->size && !memcmp(a->bytes, b->bytes, a->size);
}

#endif
