// SPDX-License-Identifier: MIT
// The body of a PERF_RECORD_SAMPLE: its parts follow each other in the order of perf_event_open(2),
// each there or not as sample_type says.
#include "export/read/records.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>

#include "export/read/eventheader.h"
#include "proto/bytes.h"

// What can stand in a record of ours, up to the last part that is read here.
#define KNOWN \
	(PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | \
	 PERF_SAMPLE_ADDR | PERF_SAMPLE_ID | PERF_SAMPLE_STREAM_ID | PERF_SAMPLE_CPU | \
	 PERF_SAMPLE_PERIOD | PERF_SAMPLE_CALLCHAIN | PERF_SAMPLE_RAW | PERF_SAMPLE_REGS_USER | \
	 PERF_SAMPLE_STACK_USER)

static void take_callchain(struct frec_bytes *bytes, struct frec_record *ret)
{
	uint64_t count = frec__bytes_u64(bytes);

	ret->callchain = frec__bytes_array(bytes, count, 8);
	ret->callchain_count = ret->callchain ? (size_t)count : 0;
}

static void take_frames(struct frec_bytes *bytes, struct frec_record *ret)
{
	uint32_t count = frec__bytes_u32(bytes);

	ret->frames_end = frec__bytes_u32(bytes);
	ret->frames_address = frec__bytes_u64(bytes);
	ret->frames = frec__bytes_array(bytes, count, 8);
	ret->frames_how = frec__bytes_take(bytes, ((uint64_t)count + 7) & ~UINT64_C(7));
	ret->frames_count = bytes->failed ? 0 : count;
}

// A task that is exiting has no number any more for perf, but the tracepoint noted one in the
// payload's common fields.
static void thread_from_payload(struct frec_record *record)
{
	if (record->tid == UINT32_MAX && record->payload_size >= 8)
		memcpy(&record->tid, record->payload + 4, sizeof(record->tid));
}

// What records without stacks have, which most are: everything at its place.
#define PLAIN \
	(PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU | \
	 PERF_SAMPLE_RAW)

struct plain {
	uint32_t pid, tid;
	uint64_t time;
	uint32_t cpu, reserved;
	uint32_t raw_size;
} __attribute__((packed));

static int take_plain(struct frec_bytes *bytes, struct frec_record *ret)
{
	size_t left = (size_t)(bytes->end - bytes->at);
	struct plain plain;

	if (left < sizeof(plain))
		return -EPROTO;
	memcpy(&plain, bytes->at, sizeof(plain));
	if (plain.raw_size > left - sizeof(plain))
		return -EPROTO;
	ret->pid = plain.pid;
	ret->tid = plain.tid;
	ret->time = plain.time;
	ret->cpu = plain.cpu;
	ret->weight = 1;
	ret->payload = bytes->at + sizeof(plain);
	ret->payload_size = plain.raw_size;
	thread_from_payload(ret);
	return 0;
}

static int take_sample(struct frec_bytes *bytes, struct frec_record *ret)
{
	uint64_t type = ret->source->sample_type;

	if ((type & ~(uint64_t)KNOWN) || !(type & PERF_SAMPLE_IDENTIFIER))
		return -EPROTO;
	if (type & PERF_SAMPLE_IP)
		frec__bytes_u64(bytes);
	if (type & PERF_SAMPLE_TID) {
		ret->pid = frec__bytes_u32(bytes);
		ret->tid = frec__bytes_u32(bytes);
	}
	if (type & PERF_SAMPLE_TIME)
		ret->time = frec__bytes_u64(bytes);
	if (type & PERF_SAMPLE_ADDR)
		frec__bytes_u64(bytes);
	if (type & PERF_SAMPLE_ID)
		frec__bytes_u64(bytes);
	if (type & PERF_SAMPLE_STREAM_ID)
		frec__bytes_u64(bytes);
	if (type & PERF_SAMPLE_CPU) {
		ret->cpu = frec__bytes_u32(bytes);
		frec__bytes_u32(bytes);
	}
	ret->weight = type & PERF_SAMPLE_PERIOD ? frec__bytes_u64(bytes) : 1;
	if (type & PERF_SAMPLE_CALLCHAIN)
		take_callchain(bytes, ret);
	if (type & PERF_SAMPLE_RAW) {
		uint32_t size = frec__bytes_u32(bytes);

		ret->payload = frec__bytes_take(bytes, size);
		ret->payload_size = ret->payload ? size : 0;
	}
	if (type & PERF_SAMPLE_REGS_USER) {
		ret->register_abi = frec__bytes_u64(bytes);
		if (ret->register_abi) {
			ret->register_mask = ret->source->sample_regs_user;
			ret->registers = frec__bytes_array(
				bytes, (uint64_t)__builtin_popcountll(ret->register_mask), 8);
		}
	}
	if (type & PERF_SAMPLE_STACK_USER) {
		uint64_t size = frec__bytes_u64(bytes);

		ret->stack = frec__bytes_take(bytes, size);
		if (size) {
			uint64_t copied = frec__bytes_u64(bytes);

			if (copied > size)
				frec__bytes_fail(bytes);
			ret->stack_size = (size_t)copied;
		}
	}
	if (ret->source->unwound)
		take_frames(bytes, ret);
	if (bytes->failed || !ret->payload)
		return -EPROTO;
	thread_from_payload(ret);
	return 0;
}

int frec__record_next(const struct frec_snapshot *snapshot, const uint8_t *data, size_t size,
		      struct frec_record *ret)
{
	struct perf_event_header header;
	struct frec_bytes bytes;
	int result;

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
	ret->source_id = frec__bytes_u64(&bytes);
	if (bytes.failed)
		return -EPROTO;
	ret->source_index = frec__snapshot_source(snapshot, ret->source_id);
	if (ret->source_index == SIZE_MAX)
		return 0;
	ret->source = snapshot->sources[ret->source_index];
	result = ret->source->sample_type == PLAIN && !ret->source->unwound
			 ? take_plain(&bytes, ret)
			 : take_sample(&bytes, ret);
	if (!result && snapshot->eventheader)
		frec__eventheader_translate(snapshot, ret);
	return result;
}
