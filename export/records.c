// SPDX-License-Identifier: MIT
// The body of a PERF_RECORD_SAMPLE: its parts follow each other in the order of perf_event_open(2),
// each there or not as sample_type says.
#include "export/records.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>

#include "export/eventheader.h"

// What can stand in a record of ours, up to the last part that is read here.
#define KNOWN                                                                                   \
	(PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME |         \
	 PERF_SAMPLE_ADDR | PERF_SAMPLE_ID | PERF_SAMPLE_STREAM_ID | PERF_SAMPLE_CPU |          \
	 PERF_SAMPLE_PERIOD | PERF_SAMPLE_CALLCHAIN | PERF_SAMPLE_RAW | PERF_SAMPLE_REGS_USER | \
	 PERF_SAMPLE_STACK_USER)

struct cursor {
	const uint8_t *at, *end;
	bool failed;
};

static const uint8_t *take(struct cursor *cursor, uint64_t size)
{
	const uint8_t *p = cursor->at;

	if (cursor->failed || size > (uint64_t)(cursor->end - cursor->at)) {
		cursor->failed = true;
		return NULL;
	}
	cursor->at += size;
	return p;
}

static uint32_t take_u32(struct cursor *cursor)
{
	const uint8_t *p = take(cursor, 4);
	uint32_t value = 0;

	if (p)
		memcpy(&value, p, sizeof(value));
	return value;
}

static uint64_t take_u64(struct cursor *cursor)
{
	const uint8_t *p = take(cursor, 8);
	uint64_t value = 0;

	if (p)
		memcpy(&value, p, sizeof(value));
	return value;
}

// `count` times 8 bytes.
static const uint8_t *take_array(struct cursor *cursor, uint64_t count)
{
	if (count > (uint64_t)(cursor->end - cursor->at) / 8) {
		cursor->failed = true;
		return NULL;
	}
	return take(cursor, count * 8);
}

static void take_callchain(struct cursor *cursor, struct frec_record *ret)
{
	uint64_t count = take_u64(cursor);

	ret->callchain = take_array(cursor, count);
	ret->callchain_count = ret->callchain ? (size_t)count : 0;
}

static void take_frames(struct cursor *cursor, struct frec_record *ret)
{
	uint32_t count = take_u32(cursor);

	ret->frames_end = take_u32(cursor);
	ret->frames_address = take_u64(cursor);
	ret->frames = take_array(cursor, count);
	ret->frames_how = take(cursor, ((uint64_t)count + 7) & ~UINT64_C(7));
	ret->frames_count = cursor->failed ? 0 : count;
}

// A task that is exiting has no number any more for perf, but the tracepoint noted one in the
// payload's common fields.
static void thread_from_payload(struct frec_record *record)
{
	if (record->tid == UINT32_MAX && record->payload_size >= 8)
		memcpy(&record->tid, record->payload + 4, sizeof(record->tid));
}

// What records without stacks have, which most are: everything at its place.
#define PLAIN (PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU | PERF_SAMPLE_RAW)

struct plain {
	uint32_t pid, tid;
	uint64_t time;
	uint32_t cpu, reserved;
	uint32_t raw_size;
} __attribute__((packed));

static int take_plain(struct cursor *cursor, struct frec_record *ret)
{
	size_t left = (size_t)(cursor->end - cursor->at);
	struct plain plain;

	if (left < sizeof(plain))
		return -EPROTO;
	memcpy(&plain, cursor->at, sizeof(plain));
	if (plain.raw_size > left - sizeof(plain))
		return -EPROTO;
	ret->pid = plain.pid;
	ret->tid = plain.tid;
	ret->time = plain.time;
	ret->cpu = plain.cpu;
	ret->weight = 1;
	ret->payload = cursor->at + sizeof(plain);
	ret->payload_size = plain.raw_size;
	thread_from_payload(ret);
	return 0;
}

static int take_sample(struct cursor *cursor, struct frec_record *ret)
{
	uint64_t type = ret->source->sample_type;

	if ((type & ~(uint64_t)KNOWN) || !(type & PERF_SAMPLE_IDENTIFIER))
		return -EPROTO;
	if (type & PERF_SAMPLE_IP)
		take_u64(cursor);
	if (type & PERF_SAMPLE_TID) {
		ret->pid = take_u32(cursor);
		ret->tid = take_u32(cursor);
	}
	if (type & PERF_SAMPLE_TIME)
		ret->time = take_u64(cursor);
	if (type & PERF_SAMPLE_ADDR)
		take_u64(cursor);
	if (type & PERF_SAMPLE_ID)
		take_u64(cursor);
	if (type & PERF_SAMPLE_STREAM_ID)
		take_u64(cursor);
	if (type & PERF_SAMPLE_CPU) {
		ret->cpu = take_u32(cursor);
		take_u32(cursor);
	}
	ret->weight = type & PERF_SAMPLE_PERIOD ? take_u64(cursor) : 1;
	if (type & PERF_SAMPLE_CALLCHAIN)
		take_callchain(cursor, ret);
	if (type & PERF_SAMPLE_RAW) {
		uint32_t size = take_u32(cursor);

		ret->payload = take(cursor, size);
		ret->payload_size = ret->payload ? size : 0;
	}
	if (type & PERF_SAMPLE_REGS_USER) {
		ret->register_abi = take_u64(cursor);
		if (ret->register_abi) {
			ret->register_mask = ret->source->sample_regs_user;
			ret->registers = take_array(
				cursor, (uint64_t)__builtin_popcountll(ret->register_mask));
		}
	}
	if (type & PERF_SAMPLE_STACK_USER) {
		uint64_t size = take_u64(cursor);

		ret->stack = take(cursor, size);
		if (size) {
			uint64_t copied = take_u64(cursor);

			if (copied > size)
				cursor->failed = true;
			ret->stack_size = (size_t)copied;
		}
	}
	if (ret->source->unwound)
		take_frames(cursor, ret);
	if (cursor->failed || !ret->payload)
		return -EPROTO;
	thread_from_payload(ret);
	return 0;
}

int frec__record_next(const struct frec_snapshot *snapshot, const uint8_t *data, size_t size,
		      struct frec_record *ret)
{
	struct perf_event_header header;
	struct cursor cursor;
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
	cursor.at = data + sizeof(header);
	cursor.end = data + header.size;
	cursor.failed = false;
	ret->source_id = take_u64(&cursor);
	if (cursor.failed)
		return -EPROTO;
	ret->source_index = frec__snapshot_source(snapshot, ret->source_id);
	if (ret->source_index == SIZE_MAX)
		return 0;
	ret->source = snapshot->sources[ret->source_index];
	result = ret->source->sample_type == PLAIN && !ret->source->unwound
			 ? take_plain(&cursor, ret)
			 : take_sample(&cursor, ret);
	if (!result && snapshot->eventheader)
		frec__eventheader_translate(snapshot, ret);
	return result;
}
