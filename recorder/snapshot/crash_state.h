/* SPDX-License-Identifier: MIT */
/* What the kernel kept of the thread that crashed. */
#ifndef FREC_RECORDER_SNAPSHOT_CRASH_STATE_H
#define FREC_RECORDER_SNAPSHOT_CRASH_STATE_H

#include "recorder/snapshot/crash_finder.h"
#include "unwind/unwind.h"

struct frec_crash_state {
	uint64_t time; /* of the signal; 0: there is no record of it */
	/* Without values where there are no registers; the values stay where this is, so it is not
	 * to be copied. */
	struct frec_unwind_registers registers;
	struct frec_stack stack; /* its bytes lie in the capture */
	/* What the BPF program recorded about the signal, if `details_known`: see struct
	 * frec_crash_record. */
	bool details_known;
	int code;
	uint64_t address;
	uint32_t sender_pid;
	uint64_t value[64];
};

void frec__crash_state(const struct frec_crash_finder *finder, struct frec_crash_state *ret);

#endif
