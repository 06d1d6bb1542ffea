/* SPDX-License-Identifier: MIT */
/*
 * Unwinds stacks on the machine that recorded them, before the machine reboots, while the program
 * files are certain to be those that ran. Encodes the frames for a file: see Frames in
 * flightrec.proto. Not thread-safe.
 */
#ifndef FREC_RECORDER_SNAPSHOT_UNWOUND_H
#define FREC_RECORDER_SNAPSHOT_UNWOUND_H

#include "flightrec.pb-c.h"
#include "recorder/processes/processes.h"
#include "unwind/unwind.h"

/* An unwound stack. Allocate it on the heap, because it is large, and do not copy it, because
 * `frames` points into it. */
struct frec_unwound {
	Flightrec__Frames frames; /* the message to write */
	uint64_t pc[FREC_FRAMES_MAX];
	uint8_t how[FREC_FRAMES_MAX];
	/* the unwinder's output, from which the members above are made */
	struct frec_frame frame[FREC_FRAMES_MAX];
};

/* What unwinding starts from: registers and stack of a thread of `pid` at `time`, in nanoseconds of
 * CLOCK_MONOTONIC. */
struct frec_stack_sample {
	uint32_t pid;
	uint64_t time;
	struct frec_unwind_registers registers; /* count 0: none */
	struct frec_stack stack;
};

/*
 * Creates an unwinder for processes of this machine and boot. It asks no debuginfod server, so it
 * never waits for the network. Returns 0, -ENOMEM, or -ENOTSUP on an unknown machine.
 */
int frec__unwound_open(struct frec_unwinder **ret);

/*
 * Creates the unwinder's view of a process, with the mappings that the process had at `time`, in
 * nanoseconds of CLOCK_MONOTONIC. The mappings are copied, so the process table may change
 * afterwards. Returns 0 or -ENOMEM.
 */
int frec__unwound_process(struct frec_unwinder *unwinder, const struct frec_process *process,
			  uint64_t time, struct frec_unwind_process **ret);

/* Unwinds a stack and fills in `ret`. If there are no registers, there are no frames. Returns 0, or
 * without frames -ENOMEM, or -EPIPE if the process that opens files (unwind/opener.h) is gone. */
int frec__unwound_stack(struct frec_unwind_process *process,
			const struct frec_unwind_registers *registers,
			const struct frec_stack *stack, struct frec_unwound *ret);

/* Fills in ret->frames from the `count` elements of ret->pc and ret->how. */
void frec__unwound_init(struct frec_unwound *ret, size_t count, enum frec_unwind_reason end,
			uint64_t address);

/* Fills in ret->pc, ret->how and ret->frames from the `count` elements of ret->frame. */
void frec__unwound_encode(struct frec_unwound *ret, size_t count,
			  const struct frec_unwind_end *end);

#endif
