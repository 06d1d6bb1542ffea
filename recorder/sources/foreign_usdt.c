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
	uint32_t sites; /* how many entries of the map of sites are in use */
	struct frec_bpf_output output;
	size_t links;
	/* at most two for each site: one records it, one brings into memory what is recorded */
	struct bpf_link **link;
};

static size_t count_sites(const struct frec_foreign_targets *targets)
{
	size_t count = 0;

	for (size_t i = 0; i < targets->count; i++)
		count += targets->target[i].probe.sites;
	return count;
}

// Makes every map large enough for the targets. Must be called before the object is loaded.
static int size_maps(struct foreign_usdt_bpf *skeleton, const struct frec_foreign_targets *targets)
{
	uint32_t slots = (uint32_t)targets->count;
	int r = frec__bpf_output_size(skeleton->obj, slots, &skeleton->rodata->frec_cpus);

	if (!r)
		r = bpf_map__set_max_entries(skeleton->maps.slots, slots);
	return r ? r
		 : bpf_map__set_max_entries(skeleton->maps.sites, (uint32_t)count_sites(targets));
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
			  int file, const struct frec_usdt_probe_site *site, uint32_t number)
{
	LIBBPF_OPTS(bpf_uprobe_opts, options, .ref_ctr_offset = site->semaphore,
		    .bpf_cookie = number);
	struct bpf_link *link;
	char path[64];

	// Opens the file whose probes were read, even if its path leads to another file by now.
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	link = bpf_program__attach_uprobe_opts(program, -1, path, site->offset, &options);
	if (!link)
		return -errno;
	usdt->link[usdt->links++] = link;
	return 0;
}

// Returns whether something that a record of the target has can be paged out when its thread is at
// the site. The stack cannot be, in practice.
static bool can_be_paged_out(const struct frec_foreign_target *target,
			     const struct frec_usdt_probe_site *site)
{
	const uint8_t flags = FREC_USDT_READABLE | FREC_USDT_MEMORY | FREC_USDT_FROM_SITE;

	for (uint32_t i = 0; i < site->places; i++) {
		if ((site->place[i].flags & flags) == flags)
			return true;
	}
	return target->strings;
}

static int attach_site(struct frec_foreign_usdt *usdt, size_t slot,
		       const struct frec_usdt_probe_site *site)
{
	const struct frec_foreign_target *target = &usdt->targets.target[slot];
	struct frec_usdt_site entry = {.slot = (uint32_t)slot, .places = site->places};
	uint32_t number = usdt->sites;
	int r;

	memcpy(entry.place, site->place, site->places * sizeof(*site->place));
	r = bpf_map_update_elem(bpf_map__fd(usdt->skeleton->maps.sites), &number, &entry, BPF_ANY);
	if (!r)
		r = attach_program(usdt, usdt->skeleton->progs.foreign_usdt, target->file.fd, site,
				   number);
	if (r)
		return r;
	usdt->sites++;
	// foreign_touch is attached last, so that it runs first. If it cannot be attached, the
	// record lacks what is paged out, and says so.
	if (can_be_paged_out(target, site) &&
	    bpf_program__fd(usdt->skeleton->progs.foreign_touch) >= 0)
		(void)attach_program(usdt, usdt->skeleton->progs.foreign_touch, target->file.fd,
				     site, number);
	return 0;
}

static void detach(struct frec_foreign_usdt *usdt, size_t links)
{
	while (usdt->links > links)
		bpf_link__destroy(usdt->link[--usdt->links]);
}

static int attach(struct frec_foreign_usdt *usdt, size_t slot, struct frec_error *reterr)
{
	const struct frec_foreign_target *target = &usdt->targets.target[slot];
	struct frec_usdt_slot config = frec__foreign_target_slot(target);
	uint32_t key = (uint32_t)slot;
	size_t attached = 0, links = usdt->links;
	int error = 0, r = bpf_map_update_elem(bpf_map__fd(usdt->skeleton->maps.slots), &key,
					       &config, BPF_ANY);

	for (size_t i = 0; i < target->probe.sites && !r; i++) {
		r = attach_site(usdt, slot, &target->probe.site[i]);
		attached += !r;
		error = r ? r : error;
		r = r == -ENOMEM || r == -EMFILE ? r : 0;
	}
	r = r || attached ? r : error;
	if (r) {
		detach(usdt, links);
		return frec__error(reterr, r, "%s:%s of %s: %s", target->probe.provider,
				   target->probe.name, target->file.path,
				   r == -EMFILE ? FREC_TOO_MANY_FILES : strerror(-r));
	}
	if (error)
		frec__report(LOG_WARNING,
			     "-e %s: %s:%s of %s: %zu of its %zu places are not recorded: %s",
			     target->selection->text, target->probe.provider, target->probe.name,
			     target->file.path, target->probe.sites - attached, target->probe.sites,
			     strerror(-error));
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

// Says once for each selection that some arguments have no value. Its targets are those
// from `first` to `last`.
static void report_unreadable(const struct frec_foreign_target *first,
			      const struct frec_foreign_target *last)
{
	const struct frec_foreign_target *example = NULL;
	size_t others = 0;
	char more[64] = "";

	for (const struct frec_foreign_target *target = first; target <= last; target++) {
		if (target->probe.left_out)
			frec__report(LOG_WARNING,
				     "-e %s: %s:%s of %s: only its first %d arguments are recorded",
				     target->selection->text, target->probe.provider,
				     target->probe.name, target->file.path,
				     FREC_USDT_ARGUMENTS_MAX);
		if (!target->probe.unreadable)
			continue;
		others += example != NULL;
		example = example ? example : target;
	}
	if (!example)
		return;
	if (others)
		snprintf(more, sizeof(more), "; so are arguments of %zu other probes", others);
	frec__report(
		LOG_WARNING,
		"-e %s: %s:%s of %s: arg%d is null where it is in a place that cannot be read%s",
		example->selection->text, example->probe.provider, example->probe.name,
		example->file.path, __builtin_ctz(example->probe.unreadable), more);
}

// Attaches the targets and adds a source for each. Fails if a selection has no probe that can be
// attached.
static int add_all(struct frec_foreign_usdt *usdt, frec_foreign_add *add, void *context,
		   struct frec_error *reterr)
{
	const struct frec_foreign_targets *targets = &usdt->targets;
	size_t attached = 0, first = 0;
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
		if (last && !r) {
			report_unreadable(&targets->target[first], &targets->target[i]);
			first = i + 1;
			attached = 0;
		}
	}
	return r;
}

static int start(struct frec_foreign_usdt *usdt, frec_foreign_add *add, void *context,
		 struct frec_error *reterr)
{
	int r = -ENOMEM;

	libbpf_set_print(NULL);
	usdt->link = calloc(2 * count_sites(&usdt->targets), sizeof(struct bpf_link *));
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
				   "Linux 5.15, and CAP_BPF and CAP_PERFMON, or root",
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
	detach(usdt, 0);
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
