// SPDX-License-Identifier: MIT
// Reads the notes of a core dump from a pipe. The input may be hostile, because anybody can run the
// handler by hand.
#include "recorder/core/notes.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/procfs.h>
#include <unistd.h>

#include "proto/grow.h"

// How many program headers are searched for the notes. The kernel describes the notes in the first
// one.
#define SEGMENTS_MAX 64

#ifdef __x86_64__
#define MACHINE EM_X86_64
#else
#define MACHINE EM_AARCH64
#endif

struct reader {
	int source, kept;
	uint64_t size; /* bytes in `kept` */
};

// Moves bytes from the pipe to `kept` until `kept` has `end` bytes. Returns 0, -ENODATA if the pipe
// ends before that, or another negative errno.
static int fetch(struct reader *reader, uint64_t end)
{
	while (reader->size < end) {
		ssize_t n = splice(reader->source, NULL, reader->kept, NULL, end - reader->size, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return -ENODATA;
		reader->size += (uint64_t)n;
	}
	return 0;
}

static int read_at(struct reader *reader, uint64_t offset, void *ret, size_t size)
{
	uint64_t end;
	ssize_t n;
	int r;

	if (__builtin_add_overflow(offset, size, &end) || end > FREC_CORE_HEAD_MAX)
		return -EFBIG;
	r = fetch(reader, end);
	if (r)
		return r;
	n = pread(reader->kept, ret, size, (off_t)offset);
	return n < 0 ? -errno : (size_t)n == size ? 0 : -EIO;
}

static int fail(struct frec_error *reterr, int r, const char *what, uint64_t offset)
{
	return frec__error(reterr, r, "core dump: %s at byte %llu: %s", what,
			   (unsigned long long)offset, strerror(-r));
}

static int find_notes(struct reader *reader, Elf64_Phdr *ret, struct frec_error *reterr)
{
	Elf64_Ehdr header;
	int r = read_at(reader, 0, &header, sizeof(header));

	if (r)
		return fail(reterr, r, "the ELF header", 0);
	if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_type != ET_CORE)
		return fail(reterr, -EBADMSG, "no ELF header of a core dump", 0);
	if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
	    header.e_machine != MACHINE || header.e_phentsize != sizeof(*ret))
		return frec__error(reterr, -EBADMSG,
				   "core dump: of a program for another machine (class %d, machine "
				   "%d), whose threads are not unwound",
				   header.e_ident[EI_CLASS], header.e_machine);
	for (uint64_t i = 0; i < header.e_phnum && i < SEGMENTS_MAX; i++) {
		uint64_t offset;

		if (__builtin_add_overflow(header.e_phoff, i * sizeof(*ret), &offset))
			break;
		r = read_at(reader, offset, ret, sizeof(*ret));
		if (r)
			return fail(reterr, r, "a program header", offset);
		if (ret->p_type == PT_NOTE)
			return 0;
	}
	return fail(reterr, -EBADMSG, "no notes in the segments", header.e_phoff);
}

static int add(struct frec_core_notes *notes, const struct elf_prstatus *status, size_t threads_max)
{
	struct frec_core_thread *thread;

	if (notes->count == threads_max) {
		notes->beyond++;
		return 0;
	}
	if (!frec__grow(&notes->thread, notes->count, sizeof(*thread)))
		return -ENOMEM;
	thread = &notes->thread[notes->count];
	thread->tid = (uint32_t)status->pr_pid;
	if (frec__core_registers(&status->pr_reg, sizeof(status->pr_reg), thread->value))
		return -EBADMSG;
	notes->count++;
	return 0;
}

static uint64_t padded(uint32_t size)
{
	return ((uint64_t)size + 3) & ~UINT64_C(3);
}

static int read_notes(struct reader *reader, const Elf64_Phdr *segment, size_t threads_max,
		      struct frec_core_notes *ret, struct frec_error *reterr)
{
	uint64_t offset = segment->p_offset, end;

	if (__builtin_add_overflow(offset, segment->p_filesz, &end))
		return fail(reterr, -EBADMSG, "a segment of notes beyond all bounds", offset);
	while (offset + sizeof(Elf64_Nhdr) <= end) {
		struct elf_prstatus status;
		Elf64_Nhdr note;
		uint64_t descriptor;
		int r = read_at(reader, offset, &note, sizeof(note));

		if (r)
			return fail(reterr, r, "a note", offset);
		descriptor = offset + sizeof(note) + padded(note.n_namesz);
		if (note.n_type == NT_PRSTATUS && note.n_descsz == sizeof(status)) {
			r = read_at(reader, descriptor, &status, sizeof(status));
			if (!r)
				r = add(ret, &status, threads_max);
			if (r)
				return fail(reterr, r, "a thread", offset);
		}
		offset = descriptor + padded(note.n_descsz);
	}
	return 0;
}

int frec__core_notes_read(int source, int kept, size_t threads_max, struct frec_core_notes *ret,
			  struct frec_error *reterr)
{
	struct reader reader = {.source = source, .kept = kept};
	Elf64_Phdr segment;
	int r;

	*ret = (struct frec_core_notes){.count = 0};
	r = find_notes(&reader, &segment, reterr);
	if (r)
		return r;
	r = read_notes(&reader, &segment, threads_max, ret, reterr);
	// If the notes are broken somewhere, the threads before that place are still good, so this
	// is no failure.
	return ret->count ? 0
	       : r	  ? r
			  : fail(reterr, -EBADMSG, "no thread in the notes", segment.p_offset);
}

void frec__core_notes_deinit(struct frec_core_notes *notes)
{
	free(notes->thread);
	*notes = (struct frec_core_notes){.count = 0};
}
