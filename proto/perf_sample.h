/* SPDX-License-Identifier: MIT */
/* Parses records with any layout that a perf_event_attr can describe: see perf_event_open(2). */
#ifndef FREC_PROTO_PERF_SAMPLE_H
#define FREC_PROTO_PERF_SAMPLE_H

#include <errno.h>
#include <linux/perf_event.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "proto/bytes.h"

/* A parsed record. Its pointers point into the record's bytes and may be unaligned. Parts that the
 * record does not have are 0. */
struct frec_perf_sample {
	uint64_t id, time, ip, period;
	uint32_t pid, tid, cpu;
	uint64_t chain_count;
	const uint8_t *chain; /* chain_count addresses */
	uint32_t raw_size;
	const uint8_t *raw;
	uint64_t abi;
	/* a u64 for each bit of attr.sample_regs_user; NULL if abi is 0 */
	const uint8_t *registers;
	uint64_t stack_size, stack_used;
	const uint8_t *stack;
};

/* What the layout of a sample depends on, named as in struct perf_event_attr. */
struct frec_perf_layout {
	uint64_t sample_type, sample_regs_user, read_format, branch_sample_type;
};

static inline struct frec_perf_layout frec__perf_layout(const struct perf_event_attr *attr)
{
	return (struct frec_perf_layout){attr->sample_type, attr->sample_regs_user,
					 attr->read_format, attr->branch_sample_type};
}

/* Newer than the kernel headers of Debian 12. */
#define FREC_PERF_BRANCH_COUNTERS (UINT64_C(1) << 19)
#define FREC_PERF_BRANCH_SIZE 24 /* bytes of a struct perf_branch_entry */

/* The next three functions are helpers of frec__perf_sample_parse(). The first parses what a sample
 * has in common with the end of any other record; the others skip parts that flightrec does not
 * use. */
static inline void frec__perf_sample_parse_common(struct frec_bytes *bytes, uint64_t type,
						  struct frec_perf_sample *ret)
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

static inline void frec__perf_sample_skip_read(struct frec_bytes *bytes,
					       const struct frec_perf_layout *layout)
{
	uint64_t format = layout->read_format;
	size_t times = !!(format & PERF_FORMAT_TOTAL_TIME_ENABLED) +
		       !!(format & PERF_FORMAT_TOTAL_TIME_RUNNING);
	size_t each = 1 + !!(format & PERF_FORMAT_ID) + !!(format & PERF_FORMAT_LOST);
	uint64_t count = format & PERF_FORMAT_GROUP ? frec__bytes_u64(bytes) : 1;

	frec__bytes_take(bytes, 8 * times);
	frec__bytes_array(bytes, count, 8 * each);
}

static inline void frec__perf_sample_skip_branches(struct frec_bytes *bytes,
						   const struct frec_perf_layout *layout)
{
	uint64_t count = frec__bytes_u64(bytes);

	if (layout->branch_sample_type & PERF_SAMPLE_BRANCH_HW_INDEX)
		frec__bytes_u64(bytes);
	frec__bytes_array(bytes, count, FREC_PERF_BRANCH_SIZE);
	if (layout->branch_sample_type & FREC_PERF_BRANCH_COUNTERS)
		frec__bytes_array(bytes, count, 8);
}

/*
 * Parses the body of a PERF_RECORD_SAMPLE, up to and including the user's stack, and moves the
 * cursor past the stack. The parts follow each other in the order of perf_event_open(2), and
 * sample_type says which are present. Parts that later kernels add come after the stack, so this
 * function does not meet them. Returns 0, or -EPROTO if the body does not have this layout. Inline,
 * so that the cursor stays in registers: an export calls this for each event with a stack.
 */
static inline int frec__perf_sample_parse(const struct frec_perf_layout *layout,
					  struct frec_bytes *bytes, struct frec_perf_sample *ret)
{
	uint64_t type = layout->sample_type;

	*ret = (struct frec_perf_sample){0};
	if (type & PERF_SAMPLE_IDENTIFIER)
		ret->id = frec__bytes_u64(bytes);
	if (type & PERF_SAMPLE_IP)
		ret->ip = frec__bytes_u64(bytes);
	frec__perf_sample_parse_common(bytes, type, ret);
	if (type & PERF_SAMPLE_PERIOD)
		ret->period = frec__bytes_u64(bytes);
	if (type & PERF_SAMPLE_READ)
		frec__perf_sample_skip_read(bytes, layout);
	if (type & PERF_SAMPLE_CALLCHAIN) {
		ret->chain_count = frec__bytes_u64(bytes);
		ret->chain = frec__bytes_array(bytes, ret->chain_count, 8);
	}
	if (type & PERF_SAMPLE_RAW) {
		ret->raw_size = frec__bytes_u32(bytes);
		ret->raw = frec__bytes_take(bytes, ret->raw_size);
	}
	if (type & PERF_SAMPLE_BRANCH_STACK)
		frec__perf_sample_skip_branches(bytes, layout);
	if (type & PERF_SAMPLE_REGS_USER) {
		ret->abi = frec__bytes_u64(bytes);
		if (ret->abi)
			ret->registers = frec__bytes_array(
				bytes, (uint64_t)__builtin_popcountll(layout->sample_regs_user), 8);
	}
	if (type & PERF_SAMPLE_STACK_USER) {
		ret->stack_size = frec__bytes_u64(bytes);
		if (ret->stack_size) {
			ret->stack = frec__bytes_take(bytes, ret->stack_size);
			ret->stack_used = frec__bytes_u64(bytes);
			if (ret->stack_used > ret->stack_size)
				frec__bytes_fail(bytes);
		}
	}
	return bytes->failed ? -EPROTO : 0;
}

/* Parses a body of `size` bytes as frec__perf_sample_parse() does. */
int frec__perf_sample_read(const struct perf_event_attr *attr, const void *body, size_t size,
			   struct frec_perf_sample *ret);

/* The layout of flightrec's own samples without a stack, which are most samples. All parts are at
 * fixed places. */
#define FREC_PERF_PLAIN \
	(PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU | \
	 PERF_SAMPLE_RAW)

struct frec_perf_plain {
	uint64_t id;
	uint32_t pid, tid;
	uint64_t time;
	uint32_t cpu, reserved;
	uint32_t raw_size;
} __attribute__((packed));

/* Reads the body of a sample of this layout. Returns the raw data, or NULL if the body is too
 * short. Inline, because an export calls this for each event. */
static inline const uint8_t *frec__perf_plain_read(const uint8_t *body, size_t size,
						   struct frec_perf_plain *ret)
{
	if (size < sizeof(*ret))
		return NULL;
	memcpy(ret, body, sizeof(*ret));
	return ret->raw_size <= size - sizeof(*ret) ? body + sizeof(*ret) : NULL;
}

/* Parses the end of any record but a sample: pid, tid, time, cpu and id. All are 0 if `attr` has no
 * sample_id_all. Returns 0, or -EPROTO if the body is too short. */
int frec__perf_sample_read_trailer(const struct perf_event_attr *attr, const void *body,
				   size_t size, struct frec_perf_sample *ret);

/* The first function returns the offset of the id in the body of a sample; the second, the distance
 * of the id from the end of any other record. Both return SIZE_MAX if there is no id. */
size_t frec__perf_sample_id_offset(const struct perf_event_attr *attr);
size_t frec__perf_sample_id_trailer(const struct perf_event_attr *attr);

#endif
