// SPDX-License-Identifier: MIT
// Runs an export from end to end on a file in memory.
#include "tests/data/pipeline.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "export/export.h"
#include "export/read/input.h"
#include "export/timeline/merge.h"
#include "export/show.h"
#include "export/verify.h"
#include "proto/crc32c.h"
#include "proto/part.h"
#include "tests/data/make_snapshot.h"

static int null_device = -1;

static void require(int condition)
{
	if (!condition)
		abort();
}

static int open_bytes(const uint8_t *data, size_t size)
{
	int fd = memfd_create("snapshot", MFD_CLOEXEC);

	require(fd >= 0);
	while (size) {
		ssize_t n = write(fd, data, size);

		require(n > 0);
		data += n;
		size -= (size_t)n;
	}
	return fd;
}

static void open_null_device(void)
{
	if (null_device < 0)
		null_device = open("/dev/null", O_WRONLY | O_CLOEXEC);
	require(null_device >= 0);
}

// Opens an output that leaves nothing behind after it is discarded.
static void open_output(struct frec_output *output, enum frec_output_kind kind)
{
	struct frec_error error = {0};
	char path[64];

	// A file is synced before it gets its name. In /dev/shm that is fast enough for thousands
	// of files.
	snprintf(path, sizeof(path), "/dev/shm/flightrec-test-%d", (int)getpid());
	switch (kind) {
	case FREC_OUTPUT_STREAM:
		require(!frec__output_open_stream(output, null_device, &error));
		break;
	case FREC_OUTPUT_FILE:
		require(!frec__output_open(output, path, &error));
		break;
	case FREC_OUTPUT_FOLDER:
		require(!frec__output_open_folder(output, path, &error));
		break;
	}
}

static void export(struct frec_snapshot *snapshot, const struct frec_writer *writer)
{
	struct frec_error error = {0}, trouble;
	struct frec_output output;
	const struct frec_export_target target = {writer, &output};
	const struct frec_export_job job = {&snapshot, 1, &target, 1, .filter = NULL};

	open_output(&output, writer->kind);
	require(!frec__export(&job, &trouble, &error));
	frec__output_discard(&output);
}

// Rules for the events of data/make_snapshot.c.
static const struct frec_shape_rules *make_rules(void)
{
	static const struct {
		enum frec_shape_rule_kind kind;
		const char *text;
	} texts[] = {
		{FREC_RULE_SPAN, "sched:sched_waking,sched:sched_switch"},
		{FREC_RULE_SPAN, "irq:*,signal:*"},
		{FREC_RULE_SPAN, "shop:request_done,shop:*,key=order_id"},
		{FREC_RULE_COUNTER, "shop:request_done.ratio"},
		{FREC_RULE_COUNTER, "shop:request_done.status,name=status"},
		{FREC_RULE_FLOW, "order_id,path,pid"},
		{FREC_RULE_LOG, "shop:request_done.path,level=state"},
	};
	static struct frec_shape_rules rules;
	struct frec_error error = {0};

	if (rules.count)
		return &rules;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		require(!frec__shape_rules_add(&rules, texts[i].kind, texts[i].text, &error));
	return &rules;
}

// Exports two files together, with rules, in all stream formats or, with `other_host`, in those
// that support several hosts. Returns 0, or -EINVAL if the files cannot be combined because the
// clocks, or events that the rules name, are missing.
static int export_both(struct frec_snapshot *one, struct frec_snapshot *other, bool other_host)
{
	struct frec_snapshot *const snapshots[] = {one, other};
	struct frec_export_target targets[32];
	struct frec_export_job job = {snapshots, 2, targets, .rules = make_rules()};
	struct frec_output outputs[32];
	struct frec_error error = {0}, trouble;
	size_t *count = &job.target_count;
	int r;

	for (size_t i = 0; frec__writers[i]; i++) {
		const struct frec_writer *writer = frec__writers[i];

		if (writer->kind != FREC_OUTPUT_STREAM || (other_host && !writer->several_hosts))
			continue;
		require(*count < 32);
		open_output(&outputs[*count], writer->kind);
		targets[*count] = (struct frec_export_target){writer, &outputs[*count]};
		++*count;
	}
	r = frec__export(&job, &trouble, &error);
	require(!r == !error.code && !error.code == !*error.message);
	require(!r || r == -EINVAL);
	while (*count)
		frec__output_discard(&outputs[--*count]);
	return r;
}

int pipeline_together(const uint8_t *data, size_t size)
{
	const struct make_options options = {.other_host = true};
	static struct made_file healthy;
	struct frec_snapshot snapshot, other;
	struct frec_error error = {0};
	int r;

	open_null_device();
	if (frec__input_open_fd(&snapshot, open_bytes(data, size), "memory", &error))
		return error.code;
	if (!healthy.data)
		make_small(&healthy, &options);
	require(!frec__input_open_fd(&other, open_bytes(data, size), "again", &error));
	r = export_both(&snapshot, &other, false);
	frec__input_close(&other);
	require(!frec__input_open_fd(&other, open_bytes(healthy.data, healthy.size), "healthy",
				     &error));
	r |= export_both(&other, &snapshot, true);
	frec__input_close(&other);
	frec__input_close(&snapshot);
	return r;
}

static void show(struct frec_snapshot *snapshot, const struct frec_show_options *options)
{
	struct frec_error error = {0}, trouble;
	struct frec_output output;

	require(!frec__output_open_stream(&output, null_device, &error));
	require(!frec__show(snapshot, options, &output, &trouble, &error));
	require(!frec__output_commit(&output, &error));
}

struct pipeline_result pipeline_run(const uint8_t *data, size_t size)
{
	const struct frec_show_options last = {.last = 3}, all = {.all = true, .colored = true},
				       json = {.last = 2, .json = true};
	struct pipeline_result result = {0};
	struct frec_snapshot snapshot;
	struct frec_error error = {0};
	struct frec_output output;
	struct frec_merge merge;

	open_null_device();
	result.opened = frec__input_open_fd(&snapshot, open_bytes(data, size), "memory", &error);
	// Each failure has a code and a message.
	require(!result.opened == !error.code && !error.code == !*error.message);
	if (result.opened)
		return result;
	result.damaged = snapshot.damage.code;
	require(!frec__merge_init(&merge, &snapshot));
	while (frec__merge_next(&merge))
		result.events++;
	frec__merge_deinit(&merge);
	for (size_t i = 0; frec__writers[i]; i++)
		export(&snapshot, frec__writers[i]);
	show(&snapshot, &last);
	show(&snapshot, &all);
	show(&snapshot, &json);
	require(!frec__output_open_stream(&output, null_device, &error));
	require(!frec__verify(&snapshot, NULL, &output, &result.problems, &error));
	require(!frec__output_commit(&output, &error));
	frec__input_close(&snapshot);
	// This takes as long as all the rest, so do it for some inputs only.
	if (frec__crc32c(0, data, size) % 8 == 0)
		pipeline_together(data, size);
	return result;
}

void pipeline_repair(uint8_t *data, size_t size)
{
	size_t at = 0;
	struct frec_part_view view;

	while (at < size) {
		int r = frec__part_next(data + at, size - at, &view);

		if (r && r != -EILSEQ)
			return;
		at += view.size;
		for (int i = 0; i < 4; i++)
			data[at - 4 + (size_t)i] = (uint8_t)(view.crc >> (8 * i));
	}
}
