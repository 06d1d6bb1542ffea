// SPDX-License-Identifier: MIT
// Loads crash.bpf.c.
#include "recorder/sources/crash_program.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "crash.skel.h"
#include "recorder/sources/crash_record.h"

struct frec_crash_program {
	struct crash_bpf *skeleton;
	struct frec_bpf_output output;
	struct bpf_link *link;
};

static int describe(struct frec_source *source)
{
	static const struct {
		const char *name, *type;
		Flightrec__FieldKind kind;
		size_t offset, size;
	} fields[] = {
		{"signal", "u32", FLIGHTREC__FIELD_KIND__FIELD_UNSIGNED,
		 offsetof(struct frec_crash_record, signal), 4},
		{"code", "s32", FLIGHTREC__FIELD_KIND__FIELD_SIGNED,
		 offsetof(struct frec_crash_record, code), 4},
		{"address", "u64", FLIGHTREC__FIELD_KIND__FIELD_POINTER,
		 offsetof(struct frec_crash_record, address), 8},
		{"sender_pid", "u32", FLIGHTREC__FIELD_KIND__FIELD_UNSIGNED,
		 offsetof(struct frec_crash_record, sender_pid), 4},
		{"pages", "u32", FLIGHTREC__FIELD_KIND__FIELD_UNSIGNED,
		 offsetof(struct frec_crash_record, pages), 4},
	};

	*source = (struct frec_source){
		.listed = {.kind = FLIGHTREC__SOURCE_KIND__SOURCE_CRASH,
			   .system = "flightrec",
			   .name = "fatal_signal",
			   .group = "flightrec",
			   .kernel_name = "fatal_signal"},
		.sample_type = FREC_SAMPLE_TYPE | PERF_SAMPLE_RAW,
	};
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (!frec__format_add(&source->format, fields[i].name, fields[i].type,
				      fields[i].kind, fields[i].offset, fields[i].size)) {
			frec__source_deinit(source);
			return -ENOMEM;
		}
	}
	return 0;
}

static int load(struct frec_crash_program *program, uint32_t stack_copied, size_t ring_size)
{
	int r;

	// Keeps libbpf from printing errors to stderr, because the caller's message summarises
	// them.
	libbpf_set_print(NULL);
	program->skeleton = crash_bpf__open();
	if (!program->skeleton)
		return -errno;
	program->skeleton->rodata->frec_stack_copied = stack_copied;
	program->skeleton->rodata->frec_pages_of_root = ring_size / 2 / FREC_CRASH_PAGE;
	program->skeleton->rodata->frec_pages_of_others = ring_size / 4 / FREC_CRASH_PAGE;
	r = frec__bpf_output_size(program->skeleton->obj, 2, &program->skeleton->rodata->frec_cpus);
	if (!r)
		r = bpf_map__set_max_entries(program->skeleton->maps.records,
					     program->skeleton->rodata->frec_cpus);
	if (!r)
		r = crash_bpf__load(program->skeleton);
	if (!r)
		r = frec__bpf_output_open(&program->output, program->skeleton->obj);
	if (r)
		return r;
	program->link = bpf_program__attach(program->skeleton->progs.signal_deliver);
	return program->link ? 0 : -errno;
}

int frec__crash_program_create(struct frec_crash_program **ret, struct frec_source *source,
			       uint32_t stack_copied, size_t ring_size, struct frec_error *reterr)
{
	struct frec_crash_program *program = calloc(1, sizeof(*program));
	int r;

	if (!program)
		return frec__error(reterr, -ENOMEM, "out of memory");
	r = load(program, stack_copied, ring_size);
	if (!r)
		r = describe(source);
	if (r) {
		frec__crash_program_destroy(program);
		return frec__error(
			reterr, r,
			"no faulting addresses: the BPF program on signal_deliver cannot be loaded "
			"(%s): it needs CAP_BPF and a kernel with BTF",
			strerror(-r));
	}
	source->output = &program->output;
	*ret = program;
	return 0;
}

void frec__crash_program_destroy(struct frec_crash_program *program)
{
	if (!program)
		return;
	bpf_link__destroy(program->link);
	frec__bpf_output_close(&program->output);
	crash_bpf__destroy(program->skeleton);
	free(program);
}
