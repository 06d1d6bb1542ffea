// SPDX-License-Identifier: MIT
// Parses the records of perf_event_open(2). The parts of a sample are in the order of its manual
// page, each one present if sample_type has its bit. Parsing ends after the user stack, so parts
// that later kernels add after it do not matter.
#include "proto/perf_sample.h"

#include <errno.h>

#include "proto/bytes.h"

#define READ_GROUP PERF_FORMAT_GROUP
#define BRANCH_ENTRY_SIZE 24

// The parts that a sample and the end of any other record share. Only a sample has an address.
static void parse_common(struct frec_bytes *bytes, uint64_t type, struct frec_perf_sample *ret)
{
	if (type & PERF_SAMPLE_TID) {
		ret->pid = frec__bytes_u32(bytes);
		ret->tid = frec__bytes_u32(bytes);
	}
	if (type & PERF_SAMPLE_TIME)
		ret->time = frec__bytes_u64(bytes);
	if (type & PERF_SAMPLE_ADDR)
		frec__bytes_u64(bytes);
	if (type & PERF_SAMPLE_ID)
		ret->id = frec__bytes_u64(bytes);
	if (type & PERF_SAMPLE_STREAM_ID)
		frec__bytes_u64(bytes);
	if (type & PERF_SAMPLE_CPU) {
		ret->cpu = frec__bytes_u32(bytes);
		frec__bytes_u32(bytes);
	}
}

static void skip_read_values(struct frec_bytes *bytes, uint64_t format)
{
	size_t times = !!(format & PERF_FORMAT_TOTAL_TIME_ENABLED) +
		       !!(format & PERF_FORMAT_TOTAL_TIME_RUNNING);
	size_t each = 1 + !!(format & PERF_FORMAT_ID) + !!(format & PERF_FORMAT_LOST);
	uint64_t count = format & READ_GROUP ? frec__bytes_u64(bytes) : 1;

	frec__bytes_take(bytes, 8 * times);
	frec__bytes_array(bytes, count, 8 * each);
}

static void skip_branches(struct frec_bytes *bytes, const struct perf_event_attr *attr)
{
	uint64_t count = frec__bytes_u64(bytes);

	if (attr->branch_sample_type & PERF_SAMPLE_BRANCH_HW_INDEX)
		frec__bytes_u64(bytes);
	frec__bytes_array(bytes, count, BRANCH_ENTRY_SIZE);
}

static void parse_stack(struct frec_bytes *bytes, struct frec_perf_sample *ret)
{
	ret->stack_size = frec__bytes_u64(bytes);
	if (!ret->stack_size)
		return;
	ret->stack = frec__bytes_take(bytes, ret->stack_size);
	ret->stack_used = frec__bytes_u64(bytes);
	if (ret->stack_used > ret->stack_size)
		frec__bytes_fail(bytes);
}

int frec__perf_sample_read(const struct perf_event_attr *attr, const void *body, size_t size,
			   struct frec_perf_sample *ret)
{
	struct frec_bytes bytes = frec__bytes(body, size);
	uint64_t type = attr->sample_type;

	*ret = (struct frec_perf_sample){0};
	if (type & PERF_SAMPLE_IDENTIFIER)
		ret->id = frec__bytes_u64(&bytes);
	if (type & PERF_SAMPLE_IP)
		ret->ip = frec__bytes_u64(&bytes);
	parse_common(&bytes, type, ret);
	if (type & PERF_SAMPLE_PERIOD)
		ret->period = frec__bytes_u64(&bytes);
	if (type & PERF_SAMPLE_READ)
		skip_read_values(&bytes, attr->read_format);
	if (type & PERF_SAMPLE_CALLCHAIN) {
		ret->chain_count = frec__bytes_u64(&bytes);
		ret->chain = frec__bytes_array(&bytes, ret->chain_count, 8);
	}
	if (type & PERF_SAMPLE_RAW) {
		ret->raw_size = frec__bytes_u32(&bytes);
		ret->raw = frec__bytes_take(&bytes, ret->raw_size);
	}
	if (type & PERF_SAMPLE_BRANCH_STACK)
		skip_branches(&bytes, attr);
	if (type & PERF_SAMPLE_REGS_USER) {
		ret->abi = frec__bytes_u64(&bytes);
		if (ret->abi)
			ret->registers = frec__bytes_array(
				&bytes, (uint64_t)__builtin_popcountll(attr->sample_regs_user), 8);
	}
	if (type & PERF_SAMPLE_STACK_USER)
		parse_stack(&bytes, ret);
	return bytes.failed ? -EPROTO : 0;
}

#define TRAILER \
	(PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ID | PERF_SAMPLE_STREAM_ID | \
	 PERF_SAMPLE_CPU | PERF_SAMPLE_IDENTIFIER)

int frec__perf_sample_read_trailer(const struct perf_event_attr *attr, const void *body,
				   size_t size, struct frec_perf_sample *ret)
{
	uint64_t type = attr->sample_type & TRAILER;
	size_t trailer = 8 * (size_t)__builtin_popcountll(type);
	struct frec_bytes bytes = frec__bytes(body, size);

	*ret = (struct frec_perf_sample){0};
	if (!attr->sample_id_all)
		return 0;
	if (size < trailer)
		return -EPROTO;
	frec__bytes_take(&bytes, size - trailer);
	parse_common(&bytes, type, ret);
	if (type & PERF_SAMPLE_IDENTIFIER)
		ret->id = frec__bytes_u64(&bytes);
	return 0;
}

size_t frec__perf_sample_id_offset(const struct perf_event_attr *attr)
{
	uint64_t before = PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ADDR;

	if (attr->sample_type & PERF_SAMPLE_IDENTIFIER)
		return 0;
	return attr->sample_type & PERF_SAMPLE_ID
		       ? 8 * (size_t)__builtin_popcountll(attr->sample_type & before)
		       : SIZE_MAX;
}

size_t frec__perf_sample_id_trailer(const struct perf_event_attr *attr)
{
	uint64_t after = PERF_SAMPLE_ID | PERF_SAMPLE_STREAM_ID | PERF_SAMPLE_CPU;

	if (!attr->sample_id_all)
		return SIZE_MAX;
	if (attr->sample_type & PERF_SAMPLE_IDENTIFIER)
		return 8;
	return attr->sample_type & PERF_SAMPLE_ID
		       ? 8 * (size_t)__builtin_popcountll(attr->sample_type & after)
		       : SIZE_MAX;
}
