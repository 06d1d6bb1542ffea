/* SPDX-License-Identifier: MIT */
/*
 * The sources whose records one loaded BPF object writes. Each source has a perf event on each CPU,
 * redirected into that CPU's ring, and counts that can be read like those of a perf event. The BPF
 * side is bpf_output.bpf.h.
 */
#ifndef FREC_RECORDER_SOURCES_BPF_OUTPUT_H
#define FREC_RECORDER_SOURCES_BPF_OUTPUT_H

#include <bpf/libbpf.h>
#include <stdint.h>

#include "recorder/sources/bpf_counts.h"
#include "recorder/rings/perf.h"

struct frec_bpf_output {
	int rings; /* descriptor of the object's perf event array */
	uint32_t cpus, slots;
	uint32_t used;			/* slots with a source */
	struct frec_bpf_counts *counts; /* mapping of the map `counts`; index slot * cpus + cpu */
};

/*
 * Sizes the maps of an object that is open and not yet loaded, for `slots` sources on every
 * possible CPU. `cpus` points to the object's constant frec_cpus, which this sets. Returns 0 or a
 * negative errno.
 */
int frec__bpf_output_size(const struct bpf_object *object, uint32_t slots, volatile uint32_t *cpus);

/* Maps the counts of a loaded object, which must outlive `output`. Returns 0 or a negative
 * errno. */
int frec__bpf_output_open(struct frec_bpf_output *output, const struct bpf_object *object);
void frec__bpf_output_close(struct frec_bpf_output *output);

/* Directs the records of `slot` on `cpu` to the perf event `fd`, a PERF_COUNT_SW_BPF_OUTPUT on that
 * CPU. Returns 0 or a negative errno. */
int frec__bpf_output_connect(const struct frec_bpf_output *output, uint32_t slot, int cpu, int fd);

/* Reads the counts in such an order that `begun` is never less than `written` plus `lost`. */
void frec__bpf_output_count(const struct frec_bpf_output *output, uint32_t slot, int cpu,
			    struct frec_bpf_counts *ret);

#endif
