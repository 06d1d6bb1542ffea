/* SPDX-License-Identifier: MIT */
/* Parses records with any layout that a perf_event_attr can describe: see perf_event_open(2). */
#ifndef FREC_PROTO_PERF_SAMPLE_H
#define FREC_PROTO_PERF_SAMPLE_H

#include <linux/perf_event.h>
#include <stddef.h>
#include <stdint.h>

/* Pointers point into the record and may be unaligned. Parts that it does not have are 0. */
struct frec_perf_sample {
	uint64_t id, time, ip, period;
	uint32_t pid, tid, cpu;
	uint64_t chain_count;
	const uint8_t *chain; /* addresses */
	uint32_t raw_size;
	const uint8_t *raw;
	uint64_t abi;
	/* one for each bit of attr.sample_regs_user; NULL if abi is 0 */
	const uint8_t *registers;
	uint64_t stack_size, stack_used;
	const uint8_t *stack;
};

/* Parses the body of a PERF_RECORD_SAMPLE. Returns 0, or -EPROTO if it does not match `attr`. */
int frec__perf_sample_read(const struct perf_event_attr *attr, const void *body, size_t size,
			   struct frec_perf_sample *ret);

/* Parses the end of any other record: pid, tid, time, cpu and id. All are 0 if `attr` has no
 * sample_id_all. Returns 0 or -EPROTO. */
int frec__perf_sample_read_trailer(const struct perf_event_attr *attr, const void *body,
				   size_t size, struct frec_perf_sample *ret);

/* The offset of the id in the body of a sample, and its distance from the end of any other record.
 * SIZE_MAX: it is not there. */
size_t frec__perf_sample_id_offset(const struct perf_event_attr *attr);
size_t frec__perf_sample_id_trailer(const struct perf_event_attr *attr);

#endif
