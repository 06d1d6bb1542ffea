/* SPDX-License-Identifier: MIT */
/* What the kernel recorded about the thread that crashed. */
#ifndef FREC_RECORDER_SNAPSHOT_CRASH_STATE_H
#define FREC_RECORDER_SNAPSHOT_CRASH_STATE_H

#include "recorder/snapshot/crash_finder.h"
#include "unwind/unwind.h"

struct frec_crash_state {
	uint64_t time; /* of the signal; 0 if no record of the signal was found */
	/* registers.count is 0 if there are none. registers.values points to `value` below, so this
	 * struct must not be copied. */
	struct frec_unwind_registers registers;
	/* Its bytes are in the capture, or were set aside. stack.piece points to `piece`. */
	struct frec_stack stack;
	/* What the BPF program recorded about the signal, if `details_known`: see struct
	 * frec_crash_record. */
	bool details_known;
	int code;
	uint64_t address;
	uint32_t sender_pid;
	uint64_t value[64];
	struct frec_stack_piece piece[FREC_CRASH_PAGES];
};

void frec__crash_state(const struct frec_crash_finder *finder, struct frec_crash_state *ret);

#endif
