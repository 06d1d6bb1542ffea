/* SPDX-License-Identifier: MIT */
/*
 * Stacks that are unwound while the programs on them are certain to be the ones that ran, as a file
 * keeps them: see Frames in flightrec.proto. Not for two threads at once.
 */
#ifndef FREC_RECORDER_SNAPSHOT_UNWOUND_H
#define FREC_RECORDER_SNAPSHOT_UNWOUND_H

#include "flightrec.pb-c.h"
#include "recorder/processes/processes.h"
#include "unwind/unwind.h"

/* A stack. Too large for a stack of one's own; not to be copied, because the message points into
 * it. */
struct frec_unwound {
	Flightrec__Frames frames; /* what to write */
	uint64_t pc[FREC_FRAMES_MAX];
	uint8_t how[FREC_FRAMES_MAX];
	struct frec_frame frame[FREC_FRAMES_MAX]; /* the same once more, as the unwinder tells it */
};

/* What is known of the stack of a thread of `pid` at `time`, nanoseconds of CLOCK_MONOTONIC. */
struct frec_stack_sample {
	uint32_t pid;
	uint64_t time;
	struct frec_unwind_registers registers; /* without values: there are none */
	struct frec_stack stack;
};

/*
 * An unwinder for processes of this machine and this boot. It asks no server: nothing here waits
 * for the network. -ENOTSUP on a machine whose registers it does not know, -ENOMEM.
 */
int frec__unwound_open(struct frec_unwinder **ret);

/*
 * The process with the mappings that it had at `time`, nanoseconds of CLOCK_MONOTONIC. They are
 * copied, so the table may change afterwards. Who has mappings from elsewhere calls
 * frec__unwind_process_create(). -ENOMEM.
 */
int frec__unwound_process(struct frec_unwinder *unwinder, const struct frec_process *process,
			  uint64_t time, struct frec_unwind_process **ret);

/* Unwinds a stack of which these registers and bytes are known. There are no frames where there are
 * no registers. */
void frec__unwound_stack(struct frec_unwind_process *process,
			 const struct frec_unwind_registers *registers,
			 const struct frec_stack *stack, struct frec_unwound *ret);

/* Makes the message of ret->pc and ret->how, of which there are `count`. */
void frec__unwound_init(struct frec_unwound *ret, size_t count, enum frec_unwind_reason end,
			uint64_t address);

/* Fills in the message from ret->frame, of which there are `count`, for who has unwound by other
 * means. */
void frec__unwound_encode(struct frec_unwound *ret, size_t count,
			  const struct frec_unwind_end *end);

#endif
