// SPDX-License-Identifier: MIT
// Records the arguments of kernel tracepoints. Each tracepoint has its own layout, so
// foreign_raw.bpf.c is loaded once for each. All loaded programs share the maps of the first one.
#include "recorder/sources/foreign_raw.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "proto/grow.h"
#include "proto/report.h"
#include "recorder/sources/raw_tracepoints.h"

#include "foreign_raw.skel.h" // comes last because it uses struct frec_raw_layout

// The number of tracepoints is limited because each needs its own program, which the kernel takes
// some time to verify.
#define RAW_TRACEPOINTS_MAX 256

struct target {
	const struct frec_selection *selection;
	struct frec_listed listed;
	struct frec_format format;
	struct frec_raw_layout layout;
	struct frec_stack_choice stack;
	struct foreign_raw_bpf *skeleton; /* NULL if the program is not loaded */
	struct bpf_link *link;
};

struct frec_foreign_raw {
	size_t count;
	struct target *target;
	struct frec_bpf_output output;
	const struct foreign_raw_bpf *first; /* loaded first; the others use its maps */
};

static void cleanup_btf(struct btf **btf)
{
	btf__free(*btf);
}
#define FREE_BTF __attribute__((cleanup(cleanup_btf)))

static int load_btf(struct btf **ret, struct frec_error *reterr)
{
	struct btf *btf;

	libbpf_set_print(NULL);
	btf = btf__load_vmlinux_btf();
	if (!btf)
		return frec__error(reterr, -errno,
				   "tp_btf: this kernel does not describe its types "
				   "(CONFIG_DEBUG_INFO_BTF): %s",
				   strerror(errno));
	*ret = btf;
	return 0;
}

static int nothing_found(const struct frec_selection *selection, struct frec_error *reterr)
{
	return frec__error(reterr, -ENOENT,
			   "-e %s: the kernel has no such tracepoint: 'flightrec events "
			   "\"tp_btf:*\"' lists what there is",
			   selection->text);
}

struct gathering {
	struct frec_foreign_raw *raw;
	const struct frec_selection *selection;
	size_t found;
};

static int gather(void *context, const struct frec_listed *listed, struct frec_format *format,
		  const struct frec_raw_layout *layout)
{
	struct gathering *gathering = context;
	struct frec_foreign_raw *raw = gathering->raw;
	struct target *target;

	gathering->found++;
	for (size_t i = 0; i < raw->count; i++) {
		if (!strcmp(raw->target[i].listed.name, listed->name)) {
			frec__format_deinit(format);
			if (gathering->selection->stack.is_set)
				raw->target[i].stack = gathering->selection->stack;
			return 0;
		}
	}
	if (raw->count == RAW_TRACEPOINTS_MAX ||
	    !frec__grow(&raw->target, raw->count, sizeof(*target))) {
		frec__format_deinit(format);
		return raw->count == RAW_TRACEPOINTS_MAX ? -E2BIG : -ENOMEM;
	}
	target = &raw->target[raw->count];
	*target = (struct target){.selection = gathering->selection,
				  .listed = *listed,
				  .format = *format,
				  .layout = *layout,
				  .stack = gathering->selection->stack};
	target->layout.slot = (uint32_t)raw->count++;
	return 0;
}

static int gather_all(struct frec_foreign_raw *raw, const struct frec_selection *selection,
		      size_t count, struct frec_error *reterr)
{
	FREE_BTF struct btf *btf = NULL;
	int r = 0;

	for (size_t i = 0; i < count && !r; i++) {
		struct gathering gathering = {.raw = raw, .selection = &selection[i]};

		if (selection[i].kind != FREC_SELECT_RAW_TRACEPOINT)
			continue;
		r = btf ? 0 : load_btf(&btf, reterr);
		if (r)
			return r;
		r = frec__raw_tracepoints_walk(btf, selection[i].name, gather, &gathering);
		if (r == -E2BIG)
			frec__error(reterr, r, "-e %s: more than %d tracepoints: narrow it",
				    selection[i].text, RAW_TRACEPOINTS_MAX);
		else if (r)
			frec__error(reterr, r, "out of memory");
		else if (!gathering.found)
			r = nothing_found(&selection[i], reterr);
	}
	return r;
}

static int share_maps(struct foreign_raw_bpf *skeleton, const struct foreign_raw_bpf *first)
{
	int r = bpf_map__reuse_fd(skeleton->maps.rings, bpf_map__fd(first->maps.rings));

	if (!r)
		r = bpf_map__reuse_fd(skeleton->maps.counts, bpf_map__fd(first->maps.counts));
	return r ? r : bpf_map__reuse_fd(skeleton->maps.buffers, bpf_map__fd(first->maps.buffers));
}

static int load(struct frec_foreign_raw *raw, struct target *target)
{
	struct foreign_raw_bpf *skeleton = foreign_raw_bpf__open();
	int r = skeleton ? 0 : -errno;

	if (!r) {
		skeleton->rodata->layout = target->layout;
		r = frec__bpf_output_size(skeleton->obj, (uint32_t)raw->count,
					  &skeleton->rodata->frec_cpus);
	}
	if (!r && raw->first)
		r = share_maps(skeleton, raw->first);
	if (!r)
		r = foreign_raw_bpf__load(skeleton);
	if (!r && !raw->first)
		r = frec__bpf_output_open(&raw->output, skeleton->obj);
	if (!r) {
		target->link = bpf_program__attach_raw_tracepoint(skeleton->progs.foreign_raw,
								  target->listed.name);
		r = target->link ? 0 : -errno;
	}
	if (r) {
		if (!raw->first)
			frec__bpf_output_close(&raw->output);
		foreign_raw_bpf__destroy(skeleton);
		return r;
	}
	if (!raw->first)
		raw->first = skeleton;
	target->skeleton = skeleton;
	return 0;
}

static int add_all(struct frec_foreign_raw *raw, frec_foreign_add *add, void *context,
		   struct frec_error *reterr)
{
	size_t loaded = 0;
	int r = 0;

	for (size_t i = 0; i < raw->count && !r; i++) {
		struct target *target = &raw->target[i];
		bool last = i + 1 == raw->count || target[1].selection != target->selection;
		int problem = load(raw, target);

		if (!problem) {
			struct frec_source source = {
				.listed = target->listed,
				.format = target->format,
				.transport = FLIGHTREC__TRANSPORT__TRANSPORT_KERNEL,
				.sample_type = FREC_SAMPLE_TYPE | PERF_SAMPLE_RAW,
				.output = &raw->output,
				.slot = target->layout.slot};

			frec__source_set_stack(&source, &target->stack);
			target->format = (struct frec_format){0};
			r = add(context, &source, reterr);
			loaded++;
		} else if (last && !loaded) {
			r = frec__error(reterr, problem,
					"-e %s: the BPF program on %s cannot be loaded (%s): it "
					"needs CAP_BPF and CAP_PERFMON, or root",
					target->selection->text, target->listed.name,
					strerror(-problem));
		} else {
			frec__report(LOG_WARNING, "-e %s: %s: %s: it is not recorded",
				     target->selection->text, target->listed.name,
				     strerror(-problem));
		}
		loaded = last ? 0 : loaded;
	}
	for (size_t i = 0; i < raw->count && !r; i++) {
		if (raw->target[i].skeleton)
			raw->target[i].skeleton->bss->frec_on = 1;
	}
	return r;
}

int frec__foreign_raw_create(struct frec_foreign_raw **ret, const struct frec_selection *selection,
			     size_t count, frec_foreign_add *add, void *context,
			     struct frec_error *reterr)
{
	struct frec_foreign_raw *raw = calloc(1, sizeof(*raw));
	int r = raw ? gather_all(raw, selection, count, reterr)
		    : frec__error(reterr, -ENOMEM, "out of memory");

	if (!r)
		r = add_all(raw, add, context, reterr);
	if (r) {
		frec__foreign_raw_destroy(raw);
		return r;
	}
	*ret = raw;
	return 0;
}

void frec__foreign_raw_destroy(struct frec_foreign_raw *raw)
{
	if (!raw)
		return;
	for (size_t i = 0; i < raw->count; i++) {
		bpf_link__destroy(raw->target[i].link);
		frec__format_deinit(&raw->target[i].format);
	}
	frec__bpf_output_close(&raw->output);
	for (size_t i = 0; i < raw->count; i++)
		foreign_raw_bpf__destroy(raw->target[i].skeleton);
	free(raw->target);
	free(raw);
}

struct listing {
	frec_foreign_visit *visit;
	void *context;
	size_t found;
};

static int list(void *context, const struct frec_listed *listed, struct frec_format *format,
		const struct frec_raw_layout *layout)
{
	struct listing *listing = context;

	(void)layout;
	listing->found++;
	return listing->visit(listing->context, listed, format);
}

int frec__foreign_raw_list(const struct frec_selection *selection, frec_foreign_visit *visit,
			   void *context, struct frec_error *reterr)
{
	struct listing listing = {.visit = visit, .context = context};
	FREE_BTF struct btf *btf = NULL;
	int r = load_btf(&btf, reterr);

	if (r)
		return r;
	r = frec__raw_tracepoints_walk(btf, selection->name, list, &listing);
	if (r)
		return frec__error(reterr, r, "out of memory");
	return listing.found ? 0 : nothing_found(selection, reterr);
}
