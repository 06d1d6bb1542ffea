/* SPDX-License-Identifier: MIT */
/*
 * Reads the registers of all threads from the head of a core dump. The registers are in the notes
 * of the core dump, which the kernel writes before the memory of the process, with the crashed
 * thread first. The kernel keeps the process until the whole core dump is read.
 */
#ifndef FREC_RECORDER_CORE_NOTES_H
#define FREC_RECORDER_CORE_NOTES_H

#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"
#include "recorder/core/registers.h"

/* At most this many bytes of a core dump are parsed: enough for notes of thousands of threads with
 * all their vector registers. */
#define FREC_CORE_HEAD_MAX (64u << 20)

struct frec_core_thread {
	uint32_t tid;				 /* in the process's own pid namespace */
	uint64_t value[FREC_CORE_REGISTERS_MAX]; /* see frec__core_registers() */
};

struct frec_core_notes {
	size_t count;
	struct frec_core_thread *thread;
	size_t beyond; /* number of threads above the limit, which are not in `thread` */
};

/*
 * Reads the head of a core dump from the pipe `source` into the empty file `kept`, and returns the
 * registers of at most `threads_max` threads. Even after a failure, `kept` holds exactly the bytes
 * that were read from the pipe. Returns 0, -EBADMSG if the pipe does not contain a core dump of a
 * program for this machine, or another negative errno.
 */
int frec__core_notes_read(int source, int kept, size_t threads_max, struct frec_core_notes *ret,
			  struct frec_error *reterr);
void frec__core_notes_deinit(struct frec_core_notes *notes);
#define FREC_CORE_NOTES __attribute__((cleanup(frec__core_notes_deinit)))

#endif
