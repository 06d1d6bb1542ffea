/* SPDX-License-Identifier: MIT */
/*
 * The call stack of the thread that emits an event, for a recorder's shared memory. There are two
 * ways, and the recorder chooses one for each event (FREC_SHM_STACK_... in shm.h):
 *
 *	frames	Follows frame pointers. Reads only the stack that the thread runs on, from the
 *		present frame up to the stack's end (shm_stack_bounds.h), so it never faults,
 *		whatever is in the frame pointer. Makes no system call and takes no lock: it is
 *		as safe as an emit without a stack, in signal handlers, too.
 *	self	Asks libunwind's unw_backtrace(). This needs no frame pointers, but libunwind makes
 *		system calls when a thread first uses it, and when it meets a function that the
 *		thread's cache does not know: mmap(2), pipe2(2), mincore(2), read(2), write(2),
 *		rt_sigprocmask(2). It also allocates memory and takes locks. A thread that seccomp
 *		does not let do this must not be recorded in this way. A program says so with
 *		frec_stacks_off(), since nothing shows from within whether a thread is locked in.
 *
 * libunwind is loaded when a recorder first asks for it, by the thread that registers the event.
 *
 * A stack is left out, and counted in frec_stats.stacks_left_out, if it cannot be had: on a stack
 * that the C library did not give to the thread (an alternate signal stack, a coroutine), and with
 * `self` also in a signal handler, after frec_stacks_off(), in a child of clone(2) or _Fork(3), in
 * a child that was forked while another thread was in libunwind, whose locks it may have kept, and
 * without libunwind. The event itself is recorded as ever.
 */
#ifndef FREC_RECORDER_SERVICE_SHM_STACK_H
#define FREC_RECORDER_SERVICE_SHM_STACK_H

#include <stdint.h>

#include "recorder/service/shm.h"

/* Where an event was emitted. */
struct frec__shm_caller {
	const uintptr_t *frame; /* the frame of the library's function that was called */
	uintptr_t address;	/* where that function returns to */
};

/*
 * Prepares for stacks of the kind `how` (FREC_SHM_STACK_...), which may load libunwind. Call it
 * before the first event that is to have such stacks is turned on, and never from an emit. Returns
 * 0, or -ENOENT if there is no libunwind, or -ENOTSUP if its stacks cannot be taken here: such
 * stacks are then left out.
 */
int frec__shm_stack_prepare(int how);

/* Takes the stack of the calling thread: fills in `ret`, with ret->count = 0 if the stack is left
 * out. Async-signal-safe. Leaves errno alone. */
void frec__shm_stack_take(int how, const struct frec__shm_caller *caller,
			  struct frec_shm_chain *ret);

/* Call this in the child of a fork(2), in its only thread. Async-signal-safe. */
void frec__shm_stack_forked(void);

#endif
