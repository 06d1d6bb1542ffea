// SPDX-License-Identifier: MIT
// Extracts the state of a crashed thread from the two records of its signal: perf's record with
// registers and stack, and the record of the BPF program.
#include "recorder/snapshot/crash_state.h"

#include <stddef.h>
#include <string.h>

#include "recorder/snapshot/sample_parts.h"

static void read_sample(const struct frec_crash_finder *finder, struct frec_crash_state *ret)
{
	struct frec_perf_sample parts;

	// The sideband's record of the signal, which raised the alert, is slightly younger than
	// this record. So the time of this record is used.
	ret->time = finder->sample->time;
	if (!frec__sample_read(finder->source, (const void *)finder->sample, &parts))
		frec__sample_state(finder->source, &parts, ret->value, &ret->registers,
				   &ret->stack);
}

static void read_details(const struct frec_crash_finder *finder, struct frec_crash_state *ret)
{
	size_t head = offsetof(struct frec_crash_record, stack), room = finder->details_size - head;
	struct frec_crash_record details;

	memcpy(&details, finder->details, head);
	ret->details_known = true;
	ret->code = details.code;
	ret->address = details.address;
	ret->sender_pid = details.sender_pid;
	// If the stack pointer was in a guard page, perf's copy of the stack is empty, and the BPF
	// program's copy is used.
	if (!ret->stack.size && details.stack_size && details.stack_size <= room)
		ret->stack = (struct frec_stack){.address = details.stack_address,
						 .data = finder->details + head,
						 .size = details.stack_size};
}

void frec__crash_state(const struct frec_crash_finder *finder, struct frec_crash_state *ret)
{
	*ret = (struct frec_crash_state){0};
	if (finder->sample)
		read_sample(finder, ret);
	if (finder->details)
		read_details(finder, ret);
}
