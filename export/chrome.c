// SPDX-License-Identifier: MIT
// Chrome's Trace Event Format: the JSON that chrome://tracing, Perfetto, Speedscope and others
// read.
//
// Metadata events name processes and threads. Each event is an instant event ("ph":"i") on its
// thread, with the fields as arguments. Spans are "B" and "E", or "b" and "e" if they have a key;
// counters are "C". Times are microseconds with three decimals, which is nanoseconds. Readers
// convert numbers to doubles, so integers that a double cannot hold are written as strings of
// digits.
//
// "sf" refers to an event's call stack: it is the number of the innermost function in "stackFrames"
// at the end of the file.
//
// An arrow is a separate event ("s" at its start, "t" where it continues) with the time and thread
// of the event it belongs to. It is written after that event, because readers attach an arrow to
// the slice that is on the thread at that time. An event that begins or ends a span with a key is
// on no thread, so it has no arrow. Nor has an event that ends another span, because the arrow
// would connect the slice with itself.
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export/read/text_values.h"
#include "export/report/crash.h"
#include "export/json.h"
#include "export/recent.h"
#include "export/stack_tree.h"
#include "export/writer.h"
#include "unwind/registers.h"

struct chrome {
	const struct frec_export *context;
	struct frec_stack_tree stacks;
	struct frec_recent flows; /* flows whose start has been written */
	struct frec_text text, name;
	bool any; /* the array has an element already */
};

static void start_element(struct chrome *chrome)
{
	frec__text_puts(&chrome->text, chrome->any ? ",\n" : "\n");
	chrome->any = true;
}

static void add_time(struct frec_text *text, uint64_t time)
{
	frec__text_printf(text, "%" PRIu64 ".%03u", time / 1000, (unsigned int)(time % 1000));
}

static void name_something(struct chrome *chrome, const char *what, int64_t pid, int64_t tid,
			   const char *name, size_t size)
{
	start_element(chrome);
	frec__text_printf(&chrome->text,
			  "{\"ph\":\"M\",\"name\":\"%s\",\"pid\":%" PRId64 ",\"tid\":%" PRId64
			  ",\"args\":{\"name\":",
			  what, pid, tid);
	frec__text_json(&chrome->text, name, size);
	frec__text_puts(&chrome->text, "}}");
}

static int flush(struct chrome *chrome, struct frec_error *reterr)
{
	int r = frec__output_text(chrome->context->output, &chrome->text, reterr);

	frec__text_clear(&chrome->text);
	return r;
}

static void add_names(struct chrome *chrome, const struct frec_host *host,
		      const struct frec_process_entry *entry)
{
	ProtobufCBinaryData process = entry->process->name,
			    thread = frec__process_entry_thread_name(entry);
	int64_t pid = frec__host_number(host, entry->process->pid),
		tid = frec__host_number(host, entry->tid);

	if (tid == pid && process.len) {
		frec__text_clear(&chrome->name);
		frec__text_add(&chrome->name, process.data, process.len);
		frec__host_suffix(&chrome->name, &chrome->context->timeline->hosts, host);
		name_something(chrome, "process_name", pid, tid, chrome->name.data,
			       chrome->name.size);
	}
	if (thread.len)
		name_something(chrome, "thread_name", pid, tid, (const char *)thread.data,
			       thread.len);
}

static int write_names(struct chrome *chrome, const struct frec_host *host,
		       struct frec_error *reterr)
{
	const struct frec_processes *table = &host->processes;
	int r = 0;

	for (size_t i = 0; i < table->count && !r; i++) {
		// If a tid was reused, the name of its last owner is written.
		if (i + 1 < table->count && table->entries[i + 1].tid == table->entries[i].tid)
			continue;
		add_names(chrome, host, &table->entries[i]);
		r = flush(chrome, reterr);
	}
	return r;
}

static void destroy(void *state)
{
	struct chrome *chrome = state;

	frec__stack_tree_deinit(&chrome->stacks);
	frec__recent_free(&chrome->flows);
	frec__text_free(&chrome->text);
	frec__text_free(&chrome->name);
	free(chrome);
}

static void add_host(struct frec_text *text, const Flightrec__Host *host)
{
	if (!host)
		return;
	frec__text_puts(text, ",\"host\":");
	frec__text_json(text, host->hostname.data, host->hostname.len);
	frec__text_puts(text, ",\"kernel\":");
	frec__text_json_puts(text, host->kernel_release);
}

static int begin(const struct frec_export *context, void **ret_state, struct frec_error *reterr)
{
	const struct frec_hosts *hosts = &context->timeline->hosts;
	struct chrome *chrome = calloc(1, sizeof(*chrome));
	int r;

	if (!chrome)
		return frec__error(reterr, -ENOMEM, "out of memory");
	chrome->context = context;
	frec__text_puts(&chrome->text,
			"{\"displayTimeUnit\":\"ns\",\n\"otherData\":{\"flightrec\":");
	frec__text_json_puts(&chrome->text, context->snapshot->header->writer);
	// With several hosts, the host is in the names of the processes instead.
	if (hosts->count == 1)
		add_host(&chrome->text, context->snapshot->header->host);
	frec__text_puts(&chrome->text, "},\n\"traceEvents\":[");
	r = flush(chrome, reterr);
	for (size_t i = 0; i < hosts->count && !r; i++)
		r = write_names(chrome, &hosts->hosts[i], reterr);
	if (r)
		destroy(chrome);
	else
		*ret_state = chrome;
	return r;
}

static void add_name(struct frec_text *text, const char *name, const char *category)
{
	frec__text_puts(text, "\"name\":");
	frec__text_json_puts(text, name);
	frec__text_puts(text, ",\"cat\":");
	frec__text_json_puts(text, category);
}

// Begins an element with its phase, time, process and thread.
static void start_at(struct chrome *chrome, const char *phase, uint64_t time,
		     const struct frec_host *host, uint32_t pid, uint32_t tid)
{
	start_element(chrome);
	frec__text_printf(&chrome->text, "{\"ph\":%s,\"ts\":", phase);
	add_time(&chrome->text, time);
	frec__text_printf(&chrome->text, ",\"pid\":%" PRId64 ",\"tid\":%" PRId64 ",",
			  frec__host_number(host, pid), frec__host_number(host, tid));
}

static void start_event(struct chrome *chrome, const char *phase, uint64_t time,
			const struct frec_event *event)
{
	const struct frec_record *record = event->record;

	start_at(chrome, phase, time, event->host,
		 event->who ? event->who->process->pid : record->pid, record->tid);
	if (record->cpu != FREC_UNKNOWN)
		frec__text_printf(&chrome->text, "\"cpu\":%" PRIu32 ",", record->cpu);
}

static void add_stack(struct chrome *chrome, const struct frec_call_stack *stack)
{
	int64_t node = frec__stack_tree_add(&chrome->stacks, stack);

	chrome->text.failed |= node < 0;
	if (node > 0)
		frec__text_printf(&chrome->text, ",\"sf\":%" PRId64, node);
}

// Begins the event at the begin or the end of a span: writes everything before its arguments.
static void start_edge(struct chrome *chrome, bool begin, uint64_t time,
		       const struct frec_event *event)
{
	const struct frec_shape *shape = event->shape;
	const struct frec_span *span = &chrome->context->timeline->shapes.spans[shape->span];

	if (shape->lane)
		start_event(chrome, begin ? "\"b\"" : "\"e\"", time, event);
	else
		start_event(chrome, begin ? "\"B\"" : "\"E\"", time, event);
	add_name(&chrome->text, span->name, span->system);
	if (shape->lane)
		frec__text_printf(&chrome->text, ",\"id\":\"0x%" PRIx32 "\"", shape->lane);
}

static void add_counters(struct chrome *chrome, const struct frec_event *event)
{
	const struct frec_shape *shape = event->shape;

	for (size_t i = 0; i < shape->counter_count; i++) {
		start_event(chrome, "\"C\"", event->time, event);
		add_name(&chrome->text,
			 chrome->context->timeline->shapes.counters[shape->counters[i].number].name,
			 event->source->system);
		frec__text_puts(&chrome->text, ",\"args\":{\"value\":");
		frec__text_javascript_value(&chrome->text, shape->counters[i].value);
		frec__text_puts(&chrome->text, "}}");
	}
}

static void add_flows(struct chrome *chrome, const struct frec_event *event)
{
	const struct frec_shape *shape = event->shape;

	for (size_t i = 0; i < shape->flow_count && !shape->lane && shape->kind != FREC_SHAPE_END;
	     i++) {
		int met = frec__recent_meet(&chrome->flows, shape->flows[i]);

		chrome->text.failed |= met < 0;
		start_event(chrome, met > 0 ? "\"t\"" : "\"s\"", event->time, event);
		add_name(&chrome->text, "flow", "flightrec");
		frec__text_printf(&chrome->text, ",\"id\":\"0x%" PRIx64 "\"}", shape->flows[i]);
	}
}

static void add_before(struct chrome *chrome, const struct frec_event *event)
{
	const struct frec_shape *shape = event->shape;

	for (size_t i = 0; i < shape->abandoned; i++) {
		start_event(chrome, "\"E\"", event->time, event);
		frec__text_puts(&chrome->text,
				"\"args\":{\"flightrec\":\"its end is not there\"}}");
	}
	if (shape->cut) {
		start_edge(chrome, true, shape->begin, event);
		frec__text_puts(&chrome->text,
				",\"args\":{\"flightrec\":\"its begin is not there\"}}");
	}
}

static void add_fields(struct chrome *chrome, const struct frec_event *event)
{
	struct frec_text *text = &chrome->text;

	for (size_t i = 0; i < event->source->n_field; i++) {
		const char *name = event->source->field[i]->name;
		char truncated[256];

		frec__text_puts(text, i ? "," : "");
		frec__text_json_puts(text, name);
		frec__text_puts(text, ":");
		frec__text_javascript_value(text, &event->values[i]);
		if (!event->values[i].cut)
			continue;
		frec__text_puts(text, ",");
		snprintf(truncated, sizeof(truncated), "%s.truncated", name);
		frec__text_json_puts(text, truncated);
		frec__text_puts(text, ":true");
	}
}

static int event(void *state, const struct frec_event *event, struct frec_error *reterr)
{
	struct chrome *chrome = state;
	const struct frec_record *record = event->record;
	const struct frec_shape *shape = event->shape;
	struct frec_text *text = &chrome->text;

	if (shape)
		add_before(chrome, event);
	if (shape && shape->kind != FREC_SHAPE_INSTANT) {
		start_edge(chrome, shape->kind == FREC_SHAPE_BEGIN, event->time, event);
	} else {
		start_event(chrome, "\"i\",\"s\":\"t\"", event->time, event);
		add_name(text, event->source->name, event->source->system);
	}
	frec__text_puts(text, ",\"args\":{");
	add_fields(chrome, event);
	if (record->registers) {
		frec__text_puts(text, event->source->n_field ? "," : "");
		frec__json_registers(
			text, frec__registers_find(event->host->snapshot->header->machine), record);
	}
	frec__text_puts(text, "}");
	add_stack(chrome, frec__event_stack(event));
	frec__text_puts(text, "}");
	if (shape) {
		add_flows(chrome, event);
		add_counters(chrome, event);
	}
	return flush(chrome, reterr);
}

// Adds the death, an event that readers draw over all threads of the process.
static void add_crash(struct chrome *chrome, const struct frec_timeline_file *file)
{
	const Flightrec__Crash *crash = file->events.snapshot->crash;
	struct frec_text *text = &chrome->text;

	start_at(chrome, "\"i\",\"s\":\"p\"", crash->time + file->host->shift, file->host,
		 crash->pid, crash->tid ? crash->tid : crash->pid);
	add_name(text, crash->signal ? "crash" : "exit", "flightrec");
	frec__text_clear(&chrome->name);
	frec__crash_headline(&chrome->name, crash);
	frec__text_puts(text, ",\"args\":{\"what\":");
	frec__text_json(text, chrome->name.data, chrome->name.size);
	frec__text_puts(text, "}");
	add_stack(chrome, frec__stacks_of_crash(file->events.stacks));
	frec__text_puts(text, "}");
}

static void add_thread(struct chrome *chrome, const struct frec_timeline_file *file,
		       const Flightrec__ThreadStack *thread)
{
	const struct frec_call_stack *stack = frec__stacks_of_thread(file->events.stacks, thread);

	if (!stack)
		return;
	start_at(chrome, "\"i\",\"s\":\"t\"", thread->time + file->host->shift, file->host,
		 thread->pid, thread->tid);
	add_name(&chrome->text, "stack at the death of the process", "flightrec");
	add_stack(chrome, stack);
	frec__text_puts(&chrome->text, "}");
}

static void add_death(struct chrome *chrome, const struct frec_timeline_file *file)
{
	const struct frec_snapshot *snapshot = file->events.snapshot;

	if (snapshot->crash)
		add_crash(chrome, file);
	for (size_t i = 0; i < snapshot->thread_stack_count; i++) {
		// The stack of the thread that crashed has already been written with the crash.
		if (!snapshot->crash || snapshot->thread_stacks[i]->tid != snapshot->crash->tid)
			add_thread(chrome, file, snapshot->thread_stacks[i]);
	}
}

static int write_frames(struct chrome *chrome, struct frec_error *reterr)
{
	struct frec_text *text = &chrome->text;
	int r = 0;

	frec__text_puts(text, ",\n\"stackFrames\":{");
	for (size_t i = 0; i < chrome->stacks.count && !r; i++) {
		const struct frec_stack_node *node = &chrome->stacks.nodes[i];

		frec__text_clear(&chrome->name);
		frec__stack_node_text(&chrome->name, node);
		frec__text_printf(text, "%s\"%zu\":{\"name\":", i ? ",\n" : "\n", i + 1);
		frec__text_json(text, chrome->name.data, chrome->name.size);
		if (node->location && node->location->code) {
			frec__text_puts(text, ",\"category\":");
			frec__text_json_puts(text, node->location->code->path);
		}
		if (node->caller)
			frec__text_printf(text, ",\"parent\":%" PRIu32, node->caller);
		frec__text_puts(text, "}");
		r = flush(chrome, reterr);
	}
	frec__text_puts(text, "}");
	return r;
}

static int end(void *state, struct frec_error *reterr)
{
	struct chrome *chrome = state;
	const struct frec_timeline *timeline = chrome->context->timeline;
	int r = 0;

	for (size_t i = 0; i < timeline->file_count; i++)
		add_death(chrome, &timeline->files[i]);
	frec__text_puts(&chrome->text, "\n]");
	if (chrome->stacks.count)
		r = write_frames(chrome, reterr);
	frec__text_puts(&chrome->text, "}\n");
	return r ? r : flush(chrome, reterr);
}

const struct frec_writer frec__writer_chrome = {
	.name = "chrome",
	.what = "Trace Event JSON, for chrome://tracing, Speedscope and others",
	.suffix = ".chrome.json",
	.other_suffix = ".trace.json",
	.several_hosts = true,
	.begin = begin,
	.event = event,
	.end = end,
	.destroy = destroy,
};
