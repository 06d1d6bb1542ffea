// SPDX-License-Identifier: MIT
// Records USDT probes of unmodified programs: loads foreign_usdt.bpf.c and attaches it to the
// probes.
#include "recorder/sources/foreign_usdt.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "foreign_usdt.skel.h"
#include "proto/report.h"
#include "recorder/sources/foreign_targets.h"

struct frec_foreign_usdt {
	struct frec_foreign_targets targets;
	struct foreign_usdt_bpf *skeleton;
	struct frec_bpf_output output;
	size_t links;
	/* at most two for each target: one records it, one brings its texts into memory */
	struct bpf_link **link;
};

// Makes every map large enough for the targets. Must be called before the object is loaded.
static int size_maps(struct foreign_usdt_bpf *skeleton, const struct frec_foreign_targets *targets)
{
	uint32_t sites = 0, slots = (uint32_t)targets->count;
	int r;

	for (size_t i = 0; i < targets->count; i++)
		sites += targets->target[i].probe.sites * (targets->target[i].strings ? 2 : 1);
	r = frec__bpf_output_size(skeleton->obj, slots, &skeleton->rodata->frec_cpus);
	if (!r)
		r = bpf_map__set_max_entries(skeleton->maps.slots, slots);
	if (!r)
		r = bpf_map__set_max_entries(skeleton->maps.__bpf_usdt_specs, sites);
	// Before Linux 5.15 uprobes have no cookies, so libbpf uses this map to find probes by
	// their address.
	if (!r)
		r = bpf_map__set_max_entries(skeleton->maps.__bpf_usdt_ip_to_spec_id, sites);
	return r;
}

static int load(struct frec_foreign_usdt *usdt, bool with_touch)
{
	int r;

	usdt->skeleton = foreign_usdt_bpf__open();
	if (!usdt->skeleton)
		return -errno;
	bpf_program__set_autoload(usdt->skeleton->progs.foreign_touch, with_touch);
	r = size_maps(usdt->skeleton, &usdt->targets);
	if (!r)
		r = foreign_usdt_bpf__load(usdt->skeleton);
	if (r) {
		foreign_usdt_bpf__destroy(usdt->skeleton);
		usdt->skeleton = NULL;
	}
	return r;
}

static int attach_program(struct frec_foreign_usdt *usdt, const struct bpf_program *program,
			  size_t slot)
{
	const struct frec_foreign_target *target = &usdt->targets.target[slot];
	LIBBPF_OPTS(bpf_usdt_opts, options, .usdt_cookie = slot + 1);
	struct bpf_link *link;
	char path[64];

	// Opens the file whose probes were read, even if its path leads to another file by now.
	snprintf(path, sizeof(path), "/proc/self/fd/%d", target->file.fd);
	link = bpf_program__attach_usdt(program, -1, path, target->probe.provider,
					target->probe.name, &options);
	if (!link)
		return -errno;
	usdt->link[usdt->links++] = link;
	return 0;
}

// The probe exists, because its notes were read. So what libbpf does not find or understand can
// only be the location of an argument.
static const char *why_not_attached(int error)
{
	switch (error) {
	case -EINVAL:
	case -ENOENT:
	case -E2BIG:
		return "it has an argument in a place that libbpf cannot read";
	case -EMFILE:
		return FREC_TOO_MANY_FILES;
	default:
		return strerror(-error);
	}
}

static int attach(struct frec_foreign_usdt *usdt, size_t slot, struct frec_error *reterr)
{
	const struct frec_foreign_target *target = &usdt->targets.target[slot];
	struct frec_usdt_slot config = frec__foreign_target_slot(target);
	uint32_t key = (uint32_t)slot;
	int r = bpf_map_update_elem(bpf_map__fd(usdt->skeleton->maps.slots), &key, &config,
				    BPF_ANY);

	if (!r)
		r = attach_program(usdt, usdt->skeleton->progs.foreign_usdt, slot);
	if (r)
		return frec__error(reterr, r, "%s:%s of %s: %s", target->probe.provider,
				   target->probe.name, target->file.path, why_not_attached(r));
	// foreign_touch is attached last, so that it runs first. If it cannot be attached, the
	// record says "(not in memory)" instead of a text that is paged out.
	if (target->strings && bpf_program__fd(usdt->skeleton->progs.foreign_touch) >= 0)
		(void)attach_program(usdt, usdt->skeleton->progs.foreign_touch, slot);
	return 0;
}

static int add_source(struct frec_foreign_usdt *usdt, size_t slot, frec_foreign_add *add,
		      void *context, struct frec_error *reterr)
{
	struct frec_source source = {.transport = FLIGHTREC__TRANSPORT__TRANSPORT_USDT,
				     .sample_type = FREC_SAMPLE_TYPE | PERF_SAMPLE_RAW,
				     .output = &usdt->output,
				     .slot = (uint32_t)slot};

	if (frec__foreign_target_describe(&usdt->targets.target[slot], &source.listed,
					  &source.format))
		return frec__error(reterr, -ENOMEM, "out of memory");
	frec__source_set_stack(&source, &usdt->targets.target[slot].stack);
	return add(context, &source, reterr);
}

// Attaches the targets and adds a source for each. Fails if a selection has no probe that can be
// attached.
static int add_all(struct frec_foreign_usdt *usdt, frec_foreign_add *add, void *context,
		   struct frec_error *reterr)
{
	const struct frec_foreign_targets *targets = &usdt->targets;
	size_t attached = 0;
	int r = 0;

	for (size_t i = 0; i < targets->count && !r; i++) {
		const struct frec_selection *selection = targets->target[i].selection;
		bool last =
			i + 1 == targets->count || targets->target[i + 1].selection != selection;
		struct frec_error error = {0};

		if (!attach(usdt, i, &error)) {
			r = add_source(usdt, i, add, context, reterr);
			attached++;
		} else if (last && !attached) {
			r = frec__error(reterr, error.code, "-e %s: %s", selection->text,
					error.message);
		} else {
			frec__report(LOG_WARNING, "-e %s: %s: it is not recorded", selection->text,
				     error.message);
		}
		attached = last ? 0 : attached;
	}
	return r;
}

static int start(struct frec_foreign_usdt *usdt, frec_foreign_add *add, void *context,
		 struct frec_error *reterr)
{
	int r = -ENOMEM;

	libbpf_set_print(NULL);
	usdt->link = calloc(2 * usdt->targets.count, sizeof(struct bpf_link *));
	if (usdt->link)
		r = load(usdt, true);
	// Before Linux 6.0 a BPF program on a uprobe cannot sleep: try again without foreign_touch.
	if (r && r != -ENOMEM)
		r = load(usdt, false);
	if (!r)
		r = frec__bpf_output_open(&usdt->output, usdt->skeleton->obj);
	if (r)
		return frec__error(reterr, r,
				   "USDT probes: the BPF program cannot be loaded (%s): it needs "
				   "CAP_BPF and CAP_PERFMON, or root",
				   strerror(-r));
	r = add_all(usdt, add, context, reterr);
	if (r)
		return r;
	usdt->skeleton->bss->frec_on = 1;
	return 0;
}

int frec__foreign_usdt_create(struct frec_foreign_usdt **ret,
			      const struct frec_selection *selection, size_t count,
			      frec_foreign_add *add, void *context, struct frec_error *reterr)
{
	struct frec_foreign_usdt *usdt = calloc(1, sizeof(*usdt));
	int r = usdt ? 0 : frec__error(reterr, -ENOMEM, "out of memory");

	for (size_t i = 0; i < count && !r; i++) {
		if (selection[i].kind == FREC_SELECT_USDT)
			r = frec__foreign_targets_add(&usdt->targets, &selection[i], reterr);
	}
	if (!r && usdt->targets.count)
		r = start(usdt, add, context, reterr);
	if (r) {
		frec__foreign_usdt_destroy(usdt);
		return r;
	}
	*ret = usdt;
	return 0;
}

void frec__foreign_usdt_destroy(struct frec_foreign_usdt *usdt)
{
	if (!usdt)
		return;
	for (size_t i = 0; i < usdt->links; i++)
		bpf_link__destroy(usdt->link[i]);
	free(usdt->link);
	frec__bpf_output_close(&usdt->output);
	foreign_usdt_bpf__destroy(usdt->skeleton);
	frec__foreign_targets_deinit(&usdt->targets);
	free(usdt);
}

int frec__foreign_usdt_list(const struct frec_selection *selection, frec_foreign_visit *visit,
			    void *context, struct frec_error *reterr)
{
	FREC_FOREIGN_TARGETS struct frec_foreign_targets targets = {0};
	int r = frec__foreign_targets_add(&targets, selection, reterr);

	for (size_t i = 0; i < targets.count && !r; i++) {
		struct frec_listed listed;
		struct frec_format format;

		r = frec__foreign_target_describe(&targets.target[i], &listed, &format)
			    ? frec__error(reterr, -ENOMEM, "out of memory")
			    : visit(context, &listed, &format);
	}
	return r;
}
