// SPDX-License-Identifier: MIT
// Connects the maps of a BPF object with the rings and with readers of its counts.
#include "recorder/sources/bpf_output.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

static int resize(const struct bpf_object *object, const char *name, uint32_t entries)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, name);

	return map ? bpf_map__set_max_entries(map, entries) : 0;
}

int frec__bpf_output_size(const struct bpf_object *object, uint32_t slots, volatile uint32_t *cpus)
{
	int possible = libbpf_num_possible_cpus(), r;

	if (possible < 0)
		return possible;
	*cpus = (uint32_t)possible;
	r = resize(object, "rings", slots * *cpus);
	if (!r)
		r = resize(object, "counts", slots * *cpus);
	// Only some objects have the map `buffers`: see bpf_buffers.bpf.h.
	return r ? r : resize(object, "buffers", FREC_BPF_BUFFERS * *cpus);
}

static size_t counts_size(const struct frec_bpf_output *output)
{
	return (size_t)output->cpus * output->slots * sizeof(*output->counts);
}

int frec__bpf_output_open(struct frec_bpf_output *output, const struct bpf_object *object)
{
	const struct bpf_map *counts = bpf_object__find_map_by_name(object, "counts");

	*output =
		(struct frec_bpf_output){.rings = bpf_object__find_map_fd_by_name(object, "rings"),
					 .cpus = (uint32_t)libbpf_num_possible_cpus()};
	if (!counts)
		return -ENOENT;
	output->slots = bpf_map__max_entries(counts) / output->cpus;
	output->counts =
		mmap(NULL, counts_size(output), PROT_READ, MAP_SHARED, bpf_map__fd(counts), 0);
	if (output->counts == MAP_FAILED) {
		output->counts = NULL;
		return -errno;
	}
	return 0;
}

void frec__bpf_output_close(struct frec_bpf_output *output)
{
	if (output->counts)
		munmap(output->counts, counts_size(output));
	output->counts = NULL;
}

int frec__bpf_output_connect(const struct frec_bpf_output *output, uint32_t slot, int cpu, int fd)
{
	uint32_t key = slot * output->cpus + (uint32_t)cpu;

	return bpf_map_update_elem(output->rings, &key, &fd, BPF_ANY) ? -errno : 0;
}

void frec__bpf_output_count(const struct frec_bpf_output *output, uint32_t slot, int cpu,
			    struct frec_bpf_counts *ret)
{
	struct frec_bpf_counts *counts = &output->counts[slot * output->cpus + (uint32_t)cpu];

	// Reads the counts in the reverse order of the program's stores: `begun` comes last, so it
	// is never less than the sum of the others.
	*ret = (struct frec_bpf_counts){0};
	ret->written = __atomic_load_n(&counts->written, __ATOMIC_ACQUIRE);
	ret->lost = __atomic_load_n(&counts->lost, __ATOMIC_ACQUIRE);
	ret->begun = __atomic_load_n(&counts->begun, __ATOMIC_ACQUIRE);
}
