// SPDX-License-Identifier: MIT
// Loads tracepoints.bpf.c and attaches it to tracepoints.
#include "recorder/sources/tracepoints.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "recorder/sources/tracepoint_layout.h"
#include "tracepoints.skel.h"

struct frec_tracepoints {
	struct tracepoints_bpf *skeleton;
	struct frec_bpf_output output;
	uint32_t slots, used;
	struct bpf_link **link;		       /* one per used slot */
	struct frec_tracepoint_layout *layout; /* one per used slot */
};

static int load(struct frec_tracepoints *tracepoints)
{
	struct bpf_map *layouts;
	int r;

	libbpf_set_print(NULL);
	tracepoints->skeleton = tracepoints_bpf__open();
	if (!tracepoints->skeleton)
		return -errno;
	layouts = tracepoints->skeleton->maps.layouts;
	r = frec__bpf_output_size(tracepoints->skeleton->obj, tracepoints->slots,
				  &tracepoints->skeleton->rodata->frec_cpus);
	if (!r)
		r = bpf_map__set_max_entries(layouts, tracepoints->slots);
	if (!r)
		r = tracepoints_bpf__load(tracepoints->skeleton);
	return r ? r : frec__bpf_output_open(&tracepoints->output, tracepoints->skeleton->obj);
}

int frec__tracepoints_create(struct frec_tracepoints **ret, uint32_t slots,
			     struct frec_error *reterr)
{
	struct frec_tracepoints *tracepoints = calloc(1, sizeof(*tracepoints));
	int r = tracepoints ? 0 : -ENOMEM;

	if (!r) {
		tracepoints->slots = slots;
		tracepoints->link = calloc(slots, sizeof(struct bpf_link *));
		tracepoints->layout = calloc(slots, sizeof(*tracepoints->layout));
		r = tracepoints->link && tracepoints->layout ? load(tracepoints) : -ENOMEM;
	}
	if (r) {
		frec__tracepoints_destroy(tracepoints);
		return frec__error(reterr, r,
				   "the BPF program on tracepoints cannot be loaded (%s): it needs "
				   "CAP_BPF and CAP_PERFMON, and Linux 5.15 with CONFIG_BPF_EVENTS",
				   strerror(-r));
	}
	*ret = tracepoints;
	return 0;
}

void frec__tracepoints_destroy(struct frec_tracepoints *tracepoints)
{
	if (!tracepoints)
		return;
	for (uint32_t i = 0; i < tracepoints->used; i++)
		bpf_link__destroy(tracepoints->link[i]);
	frec__bpf_output_close(&tracepoints->output);
	tracepoints_bpf__destroy(tracepoints->skeleton);
	free(tracepoints->link);
	free(tracepoints->layout);
	free(tracepoints);
}

static int describe(struct frec_tracepoint_layout *ret, const struct frec_format *format)
{
	*ret = (struct frec_tracepoint_layout){.id = format->id, .size = FREC_COMMON_SIZE};
	for (size_t i = 0; i < format->count; i++) {
		const struct frec_field *field = &format->field[i];

		if (field->offset + field->size > ret->size)
			ret->size = field->offset + field->size;
		if (field->locator == FLIGHTREC__LOCATOR__LOCATOR_NONE)
			continue;
		if (ret->count == FREC_TRACEPOINT_DATA_MAX)
			return -E2BIG;
		ret->data[ret->count].offset = (unsigned short)field->offset;
		ret->data[ret->count++].relative =
			field->locator == FLIGHTREC__LOCATOR__LOCATOR_RELATIVE;
	}
	return ret->size > FREC_BPF_RECORD_MAX ? -E2BIG : 0;
}

static int set_layout(const struct frec_tracepoints *tracepoints, uint32_t slot)
{
	return bpf_map_update_elem(bpf_map__fd(tracepoints->skeleton->maps.layouts), &slot,
				   &tracepoints->layout[slot], BPF_ANY)
		       ? -errno
		       : 0;
}

// A program is attached to an event of perf, and then runs on all CPUs. This event is one of the
// calling thread, which counts and writes nothing.
static struct bpf_link *attach(const struct frec_tracepoints *tracepoints, uint32_t id,
			       uint32_t slot)
{
	LIBBPF_OPTS(bpf_perf_event_opts, options, .bpf_cookie = slot);
	struct perf_event_attr attr;
	struct bpf_link *link;
	int fd;

	frec__perf_attr_init(&attr, PERF_TYPE_TRACEPOINT, id);
	fd = frec__perf_open(&attr, 0, NULL); // CPU 0 always exists
	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	link = bpf_program__attach_perf_event_opts(tracepoints->skeleton->progs.tracepoint, fd,
						   &options);
	if (!link)
		close(fd);
	return link;
}

int frec__tracepoints_take(struct frec_tracepoints *tracepoints, struct frec_source *source)
{
	uint32_t slot = tracepoints->used;
	int r;

	if (slot == tracepoints->slots)
		return -ENOSPC;
	r = describe(&tracepoints->layout[slot], &source->format);
	if (!r)
		r = set_layout(tracepoints, slot);
	if (r)
		return r;
	tracepoints->link[slot] = attach(tracepoints, source->format.id, slot);
	if (!tracepoints->link[slot])
		return -errno;
	tracepoints->used++;
	source->output = &tracepoints->output;
	source->slot = slot;
	return 0;
}

void frec__tracepoints_begin(struct frec_tracepoints *tracepoints, const struct frec_source *source)
{
	tracepoints->layout[source->slot].on = 1;
	(void)set_layout(tracepoints, source->slot);
}
