// SPDX-License-Identifier: MIT
// Splits samples of our own sources into their parts. Services write such records too, so every
// size in a record is checked.
#include "recorder/snapshot/sample_parts.h"

#include <errno.h>
#include <string.h>

#include "recorder/rings/registers.h"

int frec__sample_read(const struct frec_source *source, const struct perf_event_header *record,
		      struct frec_perf_sample *ret)
{
	const struct perf_event_attr attr = {.sample_type = source->sample_type,
					     .sample_regs_user = source->sample_regs_user};

	if (record->type != PERF_RECORD_SAMPLE)
		return -EPROTO;
	return frec__perf_sample_read(&attr, record + 1, record->size - sizeof(*record), ret);
}

size_t frec__sample_head(const struct frec_source *source)
{
	return offsetof(struct frec_sample, raw_size) +
	       (source->sample_type & PERF_SAMPLE_PERIOD ? sizeof(uint64_t) : 0);
}

size_t frec__sample_stacks(const struct frec_source *source, const struct perf_event_header *record)
{
	struct frec_perf_sample parts;
	size_t stacks;

	if (frec__sample_read(source, record, &parts))
		return 0;
	// Only registers and stack come after the payload.
	stacks = (size_t)((const uint8_t *)record + record->size - (parts.raw + parts.raw_size));
	if (source->sample_type & PERF_SAMPLE_CALLCHAIN)
		stacks += sizeof(uint64_t) * (size_t)(1 + parts.chain_count);
	return stacks;
}

void frec__sample_state(const struct frec_source *source, const struct frec_perf_sample *parts,
			uint64_t values[64], struct frec_unwind_registers *ret_registers,
			struct frec_stack *ret_stack)
{
	*ret_registers = (struct frec_unwind_registers){.values = values};
	if (parts->registers) {
		ret_registers->mask = source->sample_regs_user;
		ret_registers->count = (size_t)__builtin_popcountll(ret_registers->mask);
		memcpy(values, parts->registers, ret_registers->count * sizeof(*values));
	}
	*ret_stack = (struct frec_stack){
		.address = frec__unwind_register(ret_registers, frec__perf_user_stack_pointer),
		.data = parts->stack,
		.size = parts->stack_used};
}
