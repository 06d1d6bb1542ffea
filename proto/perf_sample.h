/* SPDX-License-Identifier: MIT */
/* Taking a record apart whose layout somebody else chose: any perf_event_attr, as
 * perf_event_open(2) describes. */
#ifndef FREC_PROTO_PERF_SAMPLE_H
#define FREC_PROTO_PERF_SAMPLE_H

#include <linux/perf_event.h>
#include <stddef.h>
#include <stdint.h>

/* Pointers point into the record and are not aligned. What the record does not have is 0. */
struct frec_perf_sample {
	uint64_t id, time, ip, period;
	uint32_t pid, tid, cpu;
	uint64_t chain_count;
	const uint8_t *chain; /* addresses */
	uint32_t raw_size;
	const uint8_t *raw;
	uint64_t abi;
	/* one for each bit of attr.sample_regs_user; NULL with an abi of 0 */
	const uint8_t *registers;
	uint64_t stack_size, stack_used;
	const uint8_t *stack;
};

/* The body of a PERF_RECORD_SAMPLE. Returns 0, or -EPROTO where it is not as `attr` promises. */
int frec__perf_sample_read(const struct perf_event_attr *attr, const void *body, size_t size,
			   struct frec_perf_sample *ret);

/* What stands at the end of every other record: pid, tid, time, cpu and id. All 0 where `attr`
 * promises none. */
int frec__perf_sample_read_trailer(const struct perf_event_attr *attr, const void *body,
				   size_t size, struct frec_perf_sample *ret);

/* Where the id stands in a sample, or SIZE_MAX for nowhere; and how far before the end of every
 * other record. */
size_t frec__perf_sample_id_offset(const struct perf_event_attr *attr);
size_t frec__perf_sample_id_trailer(const struct perf_event_attr *attr);

#endif
