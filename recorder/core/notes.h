/* SPDX-License-Identifier: MIT */
/*
 * The registers of all threads, from the head of a core dump: the kernel writes the notes first, in
 * the order of the threads with the one that crashed before all others, and then waits, with the
 * process as it is, until somebody reads on.
 */
#ifndef FREC_RECORDER_CORE_NOTES_H
#define FREC_RECORDER_CORE_NOTES_H

#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"
#include "recorder/core/registers.h"

/* Bytes of a core dump that are looked at: notes of thousands of threads with all their vector
 * registers. */
#define FREC_CORE_HEAD_MAX (64u << 20)

struct frec_core_thread {
	uint32_t tid;				 /* in the pid namespace of the process */
	uint64_t value[FREC_CORE_REGISTERS_MAX]; /* see frec__core_registers() */
};

struct frec_core_notes {
	size_t count;
	struct frec_core_thread *thread;
	size_t beyond; /* threads above the limit, as far as they were seen */
};

/*
 * Reads the head of a core dump from the pipe `source` into the file `kept`, which holds nothing
 * yet, and takes the threads out of it, `threads_max` at most. What `kept` holds afterwards is what
 * was taken from the pipe, to the byte, whatever happens meanwhile. -EBADMSG: it is no core dump of
 * this machine's programs; `reterr` says where.
 */
int frec__core_notes_read(int source, int kept, size_t threads_max, struct frec_core_notes *ret,
			  struct frec_error *reterr);
void frec__core_notes_deinit(struct frec_core_notes *notes);

#endif
