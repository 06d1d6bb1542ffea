/* SPDX-License-Identifier: MIT */
/*
 * The sources that one loaded BPF object writes: perf events of its own on each CPU, redirected
 * into the rings, and counts that can be read like those of perf's own events. The BPF side is
 * bpf_output.bpf.h.
 */
#ifndef FREC_RECORDER_SOURCES_BPF_OUTPUT_H
#define FREC_RECORDER_SOURCES_BPF_OUTPUT_H

#include <bpf/libbpf.h>
#include <stdint.h>

#include "recorder/sources/bpf_counts.h"
#include "recorder/rings/perf.h"

struct frec_bpf_output {
	int rings; /* perf event array, of the object */
	uint32_t cpus, slots;
	uint32_t used;			/* slots that sources have */
	struct frec_bpf_counts *counts; /* the object's map, mapped; [slot * cpus + cpu] */
};

/*
 * Sizes the maps of an object that is opened and not loaded yet, for `slots` sources on every CPU
 * that there can be. `cpus` is the object's constant frec_cpus. Returns 0 or a negative errno.
 */
int frec__bpf_output_size(const struct bpf_object *object, uint32_t slots, volatile uint32_t *cpus);

/* Takes up the maps of a loaded object, which must outlive it. */
int frec__bpf_output_open(struct frec_bpf_output *output, const struct bpf_object *object);
void frec__bpf_output_close(struct frec_bpf_output *output);

/* Has the records of `slot` on `cpu` written to the perf event `fd`, a PERF_COUNT_SW_BPF_OUTPUT on
 * that CPU. */
int frec__bpf_output_connect(const struct frec_bpf_output *output, uint32_t slot, int cpu, int fd);

/* value: those that are written or lost, never more than there are. `ret_begun` counts the ones
 * under way as well. */
void frec__bpf_output_count(const struct frec_bpf_output *output, uint32_t slot, int cpu,
			    struct frec_bpf_counts *ret);

#endif
