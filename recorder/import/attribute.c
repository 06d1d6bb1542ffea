// SPDX-License-Identifier: MIT
// Decides what the .frec file gets from an event of perf.data.
#include "recorder/import/attribute.h"

#include "recorder/rings/perf.h"

bool frec__import_is_written(const struct perf_event_attr *attr)
{
	// The dummy event exists only so that perf gets records about processes.
	return attr->type != PERF_TYPE_SOFTWARE || attr->config != PERF_COUNT_SW_DUMMY;
}

uint64_t frec__import_sample_type(const struct perf_event_attr *attr)
{
	uint64_t type = FREC_SAMPLE_TYPE | PERF_SAMPLE_RAW;

	type |= attr->sample_type & (PERF_SAMPLE_PERIOD | PERF_SAMPLE_CALLCHAIN |
				     PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER);
	// Of all payloads, only those of tracepoints are written. If samples of other events have
	// no call chain, a call chain is made from their instruction pointer.
	if (attr->type != PERF_TYPE_TRACEPOINT && attr->sample_type & PERF_SAMPLE_IP)
		type |= PERF_SAMPLE_CALLCHAIN;
	return type;
}
