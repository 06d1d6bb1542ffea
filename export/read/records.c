// SPDX-License-Identifier: MIT
// Decodes records: finds the source of a sample, parses the sample (proto/perf_sample.h), and then
// the frames that a recorder may have put in the place of its stack.
#include "export/read/records.h"

#include <errno.h>
#include <string.h>

#include "proto/perf_sample.h"

// The parts of a sample that are supported.
#define KNOWN \
	(PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | \
	 PERF_SAMPLE_ADDR | PERF_SAMPLE_ID | PERF_SAMPLE_STREAM_ID | PERF_SAMPLE_CPU | \
	 PERF_SAMPLE_PERIOD | PERF_SAMPLE_CALLCHAIN | PERF_SAMPLE_RAW | PERF_SAMPLE_REGS_USER | \
	 PERF_SAMPLE_STACK_USER)

static void parse_frames(struct frec_bytes *bytes, struct frec_record *ret)
{
	uint32_t count = frec__bytes_u32(bytes);

	ret->frames_end = frec__bytes_u32(bytes);
	ret->frames_address = frec__bytes_u64(bytes);
	ret->frames = frec__bytes_array(bytes, count, 8);
	ret->frames_how = frec__bytes_take(bytes, ((uint64_t)count + 7) & ~UINT64_C(7));
	ret->frames_count = bytes->failed ? 0 : count;
}

// perf gives no tid for a task that is exiting, but a tracepoint has it among the common fields of
// its payload. In a payload that did not come from a tracepoint these are zero.
static void thread_from_payload(struct frec_record *record)
{
	uint32_t tid;

	if (record->tid != FREC_UNKNOWN || record->payload_size < 8)
		return;
	memcpy(&tid, record->payload + 4, sizeof(tid));
	if (tid)
		record->tid = tid;
}

static int parse_plain(struct frec_bytes *bytes, struct frec_record *ret)
{
	struct frec_perf_plain sample;

	ret->payload = frec__perf_plain_read(bytes->at, frec__bytes_left(bytes), &sample);
	if (!ret->payload)
		return -EPROTO;
	ret->payload_size = sample.raw_size;
	ret->pid = sample.pid;
	ret->tid = sample.tid;
	ret->time = sample.time;
	ret->cpu = sample.cpu;
	ret->weight = 1;
	thread_from_payload(ret);
	return 0;
}

static int parse_sample(struct frec_bytes *bytes, struct frec_record *ret)
{
	const struct frec_perf_layout layout = {
		.sample_type = ret->source->sample_type,
		.sample_regs_user = ret->source->sample_regs_user,
	};
	struct frec_perf_sample sample;

	if ((layout.sample_type & ~(uint64_t)KNOWN) ||
	    !(layout.sample_type & PERF_SAMPLE_IDENTIFIER) ||
	    frec__perf_sample_parse(&layout, bytes, &sample))
		return -EPROTO;
	if (ret->source->unwound)
		parse_frames(bytes, ret);
	if (bytes->failed || !sample.raw)
		return -EPROTO;
	ret->pid = sample.pid;
	ret->tid = sample.tid;
	ret->time = sample.time;
	ret->cpu = sample.cpu;
	ret->weight = layout.sample_type & PERF_SAMPLE_PERIOD ? sample.period : 1;
	ret->callchain = sample.chain;
	ret->callchain_count = (size_t)sample.chain_count;
	ret->payload = sample.raw;
	ret->payload_size = sample.raw_size;
	ret->register_abi = sample.abi;
	ret->register_mask = sample.abi ? layout.sample_regs_user : 0;
	ret->registers = sample.registers;
	ret->stack = sample.stack;
	ret->stack_size = (size_t)sample.stack_used;
	thread_from_payload(ret);
	return 0;
}

int frec__record_next(const struct frec_snapshot *snapshot, const uint8_t *data, size_t size,
		      struct frec_record *ret)
{
	struct perf_event_header header;
	struct frec_bytes bytes;

	if (!size)
		return -ENODATA;
	if (size < sizeof(header))
		return -EBADMSG;
	memcpy(&header, data, sizeof(header));
	if (header.size < sizeof(header) || header.size > size)
		return -EBADMSG;
	*ret = (struct frec_record){.data = data, .size = header.size};
	ret->sample = header.type == PERF_RECORD_SAMPLE;
	if (!ret->sample)
		return 0;
	bytes = frec__bytes(data + sizeof(header), header.size - sizeof(header));
	if (frec__bytes_left(&bytes) < sizeof(ret->source_id))
		return -EPROTO;
	memcpy(&ret->source_id, bytes.at, sizeof(ret->source_id));
	ret->source_index = frec__snapshot_source(snapshot, ret->source_id);
	if (ret->source_index == SIZE_MAX)
		return 0;
	ret->source = snapshot->sources[ret->source_index];
	return ret->source->sample_type == FREC_PERF_PLAIN && !ret->source->unwound
		       ? parse_plain(&bytes, ret)
		       : parse_sample(&bytes, ret);
}
