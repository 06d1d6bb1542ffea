// SPDX-License-Identifier: MIT
// Chrome's Trace Event Format, the JSON that chrome://tracing, Perfetto, Speedscope and others read:
// metadata events that name processes and threads, then an instant event ("ph":"i") an event, on its
// thread, with the fields as arguments. Spans are "B" and "E", or "b" and "e" where they have a key, counters "C".
// Arrows there are none: they would have to say which event is the first of its kind. Times are microseconds with three decimals, so nanoseconds.
// Readers turn numbers into doubles: integers that a double cannot hold are strings of digits.
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export/crash.h"
#include "export/json.h"
#include "export/writer.h"
#include "unwind/registers.h"

struct chrome {
	const struct frec_export *context;
	const struct frec_registers *registers; /* NULL for a machine that is not known */
	struct frec_text text;
	bool any; /* an element of the array was written */
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

static void name_something(struct chrome *chrome, const char *what, uint32_t pid, uint32_t tid,
			   ProtobufCBinaryData name)
{
	if (!name.len)
		return;
	start_element(chrome);
	frec__text_printf(&chrome->text,
			  "{\"ph\":\"M\",\"name\":\"%s\",\"pid\":%" PRIu32 ",\"tid\":%" PRIu32
			  ",\"args\":{\"name\":",
			  what, pid, tid);
	frec__text_json(&chrome->text, name.data, name.len);
	frec__text_puts(&chrome->text, "}}");
}

static int flush(struct chrome *chrome, struct frec_error *reterr)
{
	int result = frec__output_text(chrome->context->output, &chrome->text, reterr);

	frec__text_clear(&chrome->text);
	return result;
}

static int write_names(struct chrome *chrome, struct frec_error *reterr)
{
	const struct frec_processes *table = chrome->context->processes;
	int result = 0;

	for (size_t i = 0; i < table->count && !result; i++) {
		const struct frec_process_entry *entry = &table->entries[i];

		// Of several that had one number, the last.
		if (i + 1 < table->count && table->entries[i + 1].tid == entry->tid)
			continue;
		if (entry->tid == entry->process->pid)
			name_something(chrome, "process_name", entry->tid, entry->tid,
				       entry->process->name);
		name_something(chrome, "thread_name", entry->process->pid, entry->tid,
			       frec__process_entry_thread_name(entry));
		result = flush(chrome, reterr);
	}
	return result;
}

static void destroy(void *state)
{
	struct chrome *chrome = state;

	frec__text_free(&chrome->text);
	free(chrome);
}

static int begin(const struct frec_export *context, void **ret_state, struct frec_error *reterr)
{
	const Flightrec__Header *header = context->snapshot->header;
	struct chrome *chrome = calloc(1, sizeof(*chrome));
	int result;

	if (!chrome)
		return frec__error(reterr, -ENOMEM, "out of memory");
	chrome->context = context;
	chrome->registers = frec__registers_find(header->machine);
	frec__text_puts(&chrome->text,
			"{\"displayTimeUnit\":\"ns\",\n\"otherData\":{\"flightrec\":");
	frec__text_json_puts(&chrome->text, header->writer);
	if (header->host) {
		frec__text_puts(&chrome->text, ",\"host\":");
		frec__text_json(&chrome->text, header->host->hostname.data,
				header->host->hostname.len);
		frec__text_puts(&chrome->text, ",\"kernel\":");
		frec__text_json_puts(&chrome->text, header->host->kernel_release);
	}
	frec__text_puts(&chrome->text, "},\n\"traceEvents\":[");
	result = flush(chrome, reterr);
	if (!result)
		result = write_names(chrome, reterr);
	if (result)
		destroy(chrome);
	else
		*ret_state = chrome;
	return result;
}

static void add_name(struct frec_text *text, const char *name, const char *category)
{
	frec__text_puts(text, "\"name\":");
	frec__text_json_puts(text, name);
	frec__text_puts(text, ",\"cat\":");
	frec__text_json_puts(text, category);
}

// The element up to its name: what it is, when, and where.
static void start_event(struct chrome *chrome, const char *phase, uint64_t time,
			const struct frec_event *event)
{
	const struct frec_record *record = event->record;
	uint32_t pid = event->who ? event->who->process->pid : record->pid;

	start_element(chrome);
	frec__text_printf(&chrome->text, "{\"ph\":%s,\"ts\":", phase);
	add_time(&chrome->text, time);
	frec__text_printf(&chrome->text,
			  ",\"pid\":%" PRId32 ",\"tid\":%" PRId32 ",\"cpu\":%" PRIu32 ",",
			  (int32_t)pid, (int32_t)record->tid, record->cpu);
}

// One end of a span, up to its arguments.
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

static void add_before(struct chrome *chrome, const struct frec_event *event)
{
	const struct frec_shape *shape = event->shape;

	for (size_t i = 0; i < shape->abandoned; i++) {
		start_event(chrome, "\"E\"", event->time, event);
		frec__text_puts(&chrome->text, "\"args\":{\"flightrec\":\"its end is not there\"}}");
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
		frec__json_registers(text, chrome->registers, record);
	}
	frec__text_puts(text, "}}");
	if (shape)
		add_counters(chrome, event);
	return flush(chrome, reterr);
}

// The death, across the whole height of the process.
static void add_crash(struct chrome *chrome, const Flightrec__Crash *crash)
{
	struct frec_text words = {0};
	struct frec_text *text = &chrome->text;

	start_element(chrome);
	frec__text_puts(text, "{\"ph\":\"i\",\"s\":\"p\",\"ts\":");
	add_time(text, crash->time);
	frec__text_printf(text, ",\"pid\":%" PRIu32 ",\"tid\":%" PRIu32 ",\"name\":", crash->pid,
			  crash->tid ? crash->tid : crash->pid);
	frec__text_json_puts(text, crash->signal ? "crash" : "exit");
	frec__text_puts(text, ",\"cat\":\"flightrec\",\"args\":{\"what\":");
	frec__crash_headline(&words, crash);
	frec__text_json(text, words.data, words.size);
	frec__text_puts(text, "}}");
	text->failed |= words.failed;
	frec__text_free(&words);
}

static int end(void *state, struct frec_error *reterr)
{
	struct chrome *chrome = state;

	const struct frec_timeline *timeline = chrome->context->timeline;

	for (size_t i = 0; i < timeline->file_count; i++) {
		if (timeline->snapshots[i]->crash)
			add_crash(chrome, timeline->snapshots[i]->crash);
	}
	frec__text_puts(&chrome->text, "\n]}\n");
	return flush(chrome, reterr);
}

const struct frec_writer frec__writer_chrome = {
	.name = "chrome",
	.what = "Trace Event JSON, for chrome://tracing, Speedscope and others",
	.suffix = ".chrome.json",
	.other_suffix = ".trace.json",
	.begin = begin,
	.event = event,
	.end = end,
	.destroy = destroy,
};
