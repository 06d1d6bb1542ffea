// SPDX-License-Identifier: MIT
// The page's data: first the report, as `flightrec show --json` prints it, then the object that
// model.js reads:
//
//	reference   CLOCK_MONOTONIC, nanoseconds: the events' times are relative to it
//	left_out    how many older events are not in the page: [of the process that died, of all
//		    others]
//	selection   what was recorded
//	ring_size   bytes of each CPU's ring
//	since       when the recording began, CLOCK_MONOTONIC
//	realtime    CLOCK_REALTIME at the reference, if it is known
//	sources     {"name","kernel","fields":[[name, "text", "bytes" or ""]...]}
//	hosts       names, if there are several: the report, the coverage and the loss are those of
//		    one of them
//	threads     [pid, tid, process, thread, host], sorted by host, pid and tid; the host is -1
//		    for the host of the report, else an index
//	events      [time, cpu or null, thread, source, stack or -1, [values], notes]; thread,
//		    source and stack are indices. If an event begins or ends a span, its notes hold
//		    "span", an index in spans; "lane", if the span has a key: a number that its begin
//		    and end have, and no other open span has; and at the end "took", "cut" and
//		    "abandoned", as in struct frec_shape
//	spans       names
//	locations   each an array of functions as in JSON lines' "stack", the innermost inlined
//		    function first
//	stacks      [why it ends, location...], innermost first
//	crash_stack, thread_stacks
//		    {"stack":index,"end":words,"pcs":[one for each location]}; those of threads
//		    also have "pid", "tid" and "name"
//	stacks_left_out
//		    how many events have stacks that are not in the page
//	missing     why functions of some programs on the stacks have no names
#include "export/html/html_page.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "export/by_id.h"
#include "export/read/clocks.h"
#include "export/read/numbers.h"
#include "export/report/crash.h"
#include "export/html/pieces.h"
#include "export/report/report.h"
#include "export/report/stack_text.h"

// When the text of all locations and stacks is longer than this, further stacks are left out.
#define STACKS_BYTES_MAX (8u << 20)
#define MISSING_MAX 16

struct output {
	const struct frec_html_page *page;
	const struct frec_timeline_file *file; /* the file whose report the page shows */
	struct frec_stacks *stacks;	       /* of the file */
	const struct frec_html_event *
		*threads; /* one event for each thread, sorted by host, pid and tid */
	size_t thread_count;
	const struct frec_html_event **sources; /* one event for each source */
	size_t source_count;
	struct frec_text locations, stack_list;
	/* entries are uint32_t: index plus 1; 0: not written */
	struct frec_by_id location_index, stack_index;
	uint32_t location_count, stack_count;
	uint64_t stacks_left_out;
	const struct frec_error *missing[MISSING_MAX];
	size_t missing_count;
	struct frec_text text;
};

// Writes JSON with each '<' escaped, which is possible because '<' occurs in JSON only in strings.
static int write_json(struct output *out, struct frec_text *text, struct frec_error *reterr)
{
	struct frec_output *file = out->page->context->output;
	size_t start = 0;
	int r = 0;

	if (text->failed)
		return frec__error(reterr, -ENOMEM, "out of memory");
	while (start < text->size && !r) {
		const char *found = memchr(text->data + start, '<', text->size - start);
		size_t length = found ? (size_t)(found - text->data) - start : text->size - start;

		r = frec__output_write(file, text->data + start, length, reterr);
		if (found && !r)
			r = frec__output_write(file, "\\u003c", 6, reterr);
		start += length + 1;
	}
	frec__text_clear(text);
	return r;
}

static int by_thread(const void *left, const void *right)
{
	const struct frec_html_event *a = *(const struct frec_html_event *const *)left;
	const struct frec_html_event *b = *(const struct frec_html_event *const *)right;

	if (a->host != b->host)
		return a->host->index < b->host->index ? -1 : 1;
	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	if (a->tid != b->tid)
		return a->tid < b->tid ? -1 : 1;
	// Different threads can have the same tid, if it was reused.
	return ((uintptr_t)a->who > (uintptr_t)b->who) - ((uintptr_t)a->who < (uintptr_t)b->who);
}

// Compares by host, and by index in the host's sources.
static int by_place(const void *left, const void *right)
{
	const struct frec_html_event *a = *(const struct frec_html_event *const *)left;
	const struct frec_html_event *b = *(const struct frec_html_event *const *)right;

	if (a->host != b->host)
		return a->host->index < b->host->index ? -1 : 1;
	return (a->source_index > b->source_index) - (a->source_index < b->source_index);
}

// Sorts an array of pointers and removes duplicates. Returns how many remain.
static size_t unique(void *array, size_t count, int (*compare)(const void *, const void *))
{
	const void **items = array;
	size_t kept = 0;

	qsort(items, count, sizeof(*items), compare);
	for (size_t i = 0; i < count; i++) {
		if (!kept || compare(&items[kept - 1], &items[i]))
			items[kept++] = items[i];
	}
	return kept;
}

static size_t find(const void *item, const void *array, size_t count,
		   int (*compare)(const void *, const void *))
{
	const void *const *found = bsearch(&item, array, count, sizeof(void *), compare);

	return (size_t)(found - (const void *const *)array);
}

static int collect(struct output *out)
{
	const struct frec_html_page *page = out->page;

	out->threads = calloc(page->count + 1, sizeof(*out->threads));
	out->sources = calloc(page->count + 1, sizeof(*out->sources));
	if (!out->threads || !out->sources)
		return -ENOMEM;
	for (size_t i = 0; i < page->count; i++) {
		out->threads[i] = page->events[i];
		out->sources[i] = page->events[i];
	}
	out->thread_count = unique(out->threads, page->count, by_thread);
	out->source_count = unique(out->sources, page->count, by_place);
	return 0;
}

static void remember_missing(struct output *out, const struct frec_error *missing)
{
	if (!missing || out->missing_count == MISSING_MAX)
		return;
	for (size_t i = 0; i < out->missing_count; i++) {
		if (out->missing[i] == missing)
			return;
	}
	out->missing[out->missing_count++] = missing;
}

static void add_location(struct output *out, const struct frec_location *location)
{
	uint32_t *index = frec__by_id(&out->location_index, location->id, sizeof(*index));

	if (!index) {
		out->stack_list.failed = true;
		return;
	}
	if (!*index) {
		frec__text_puts(&out->locations, out->location_count ? ",\n[" : "[");
		frec__location_json(&out->locations, location, NULL);
		frec__text_puts(&out->locations, "]");
		*index = ++out->location_count;
		remember_missing(out, location->names.missing);
	}
	frec__text_printf(&out->stack_list, ",%" PRIu32, *index - 1);
}

// Adds the stack unless the page has it. Returns its index, or -1 if there is none or it is left
// out.
static int64_t add_stack(struct output *out, const struct frec_call_stack *stack)
{
	uint32_t *index;

	if (!stack)
		return -1;
	index = frec__by_id(&out->stack_index, stack->id, sizeof(*index));
	if (!index) {
		out->stack_list.failed = true;
		return -1;
	}
	if (!*index) {
		if (out->locations.size + out->stack_list.size > STACKS_BYTES_MAX) {
			out->stacks_left_out++;
			return -1;
		}
		frec__text_puts(&out->stack_list, out->stack_count ? ",\n[" : "[");
		frec__text_json_puts(&out->stack_list, frec__stack_end_word(stack->end));
		for (size_t i = 0; i < stack->count; i++)
			add_location(out, stack->locations[i]);
		frec__text_puts(&out->stack_list, "]");
		*index = ++out->stack_count;
	}
	return *index - 1;
}

// Adds `stack`, which must be the last one that out->stacks returned, because out->stacks knows why
// a stack ends, and its addresses in the process, only for the last one.
static void add_last_stack(struct output *out, const struct frec_call_stack *stack)
{
	const struct frec_unwind_end *end = frec__stacks_end(out->stacks);
	struct frec_text *text = &out->text;
	char words[320];

	frec__text_printf(text, "\"stack\":%" PRId64, add_stack(out, stack));
	if (!stack)
		return;
	frec__text_puts(text, ",\"end\":");
	frec__text_json_puts(text, stack->end == FREC_UNWIND_COMPLETE
					   ? ""
					   : frec__unwind_end_words(end, words, sizeof(words)));
	frec__text_puts(text, ",\"pcs\":[");
	for (size_t i = 0; i < stack->count; i++)
		frec__text_printf(text, "%s\"0x%" PRIx64 "\"", i ? "," : "",
				  frec__stacks_pcs(out->stacks)[i]);
	frec__text_puts(text, "]");
}

const struct frec_timeline_file *frec__html_file(const struct frec_timeline *timeline)
{
	for (size_t i = 0; i < timeline->file_count; i++) {
		if (timeline->snapshots[i]->crash)
			return &timeline->files[i];
	}
	return &timeline->files[0];
}

static void add_thread_stacks(struct output *out)
{
	const struct frec_snapshot *snapshot = out->file->events.snapshot;
	struct frec_text *text = &out->text;

	if (snapshot->crash) {
		frec__text_puts(text, ",\n\"crash_stack\":{");
		add_last_stack(out, frec__stacks_of_crash(out->stacks));
		frec__text_puts(text, "}");
	}
	frec__text_puts(text, ",\n\"thread_stacks\":[");
	for (size_t i = 0; i < snapshot->thread_stack_count; i++) {
		const Flightrec__ThreadStack *thread = snapshot->thread_stacks[i];

		frec__text_printf(text, "%s{\"pid\":%" PRIu32 ",\"tid\":%" PRIu32 ",\"name\":",
				  i ? ",\n" : "", thread->pid, thread->tid);
		frec__text_json(text, thread->name.data, thread->name.len);
		frec__text_puts(text, ",");
		add_last_stack(out, frec__stacks_of_thread(out->stacks, thread));
		frec__text_puts(text, "}");
	}
	frec__text_puts(text, "]");
}

static void add_recording(struct output *out)
{
	const struct frec_hosts *hosts = &out->page->context->timeline->hosts;
	const struct frec_snapshot *snapshot = out->file->host->snapshot;
	const Flightrec__Header *header = snapshot->header;
	struct frec_text *text = &out->text;
	uint64_t reference = frec__snapshot_reference(snapshot);

	frec__text_printf(text, "{\"reference\":%" PRIu64 ",\"left_out\":[%" PRIu64 ",%" PRIu64 "]",
			  reference, out->page->left_out_dead, out->page->left_out_others);
	if (snapshot->clocks_count)
		frec__text_printf(text, ",\"realtime\":%" PRIu64,
				  frec__snapshot_realtime(snapshot, reference));
	frec__text_printf(text, ",\"ring_size\":%" PRIu64 ",\"since\":%" PRIu64 ",\"selection\":[",
			  header->ring_size, header->recording_since);
	for (size_t i = 0; i < header->n_selection; i++) {
		frec__text_puts(text, i ? "," : "");
		frec__text_json_puts(text, header->selection[i]);
	}
	frec__text_puts(text, "],\"hosts\":[");
	for (size_t i = 0; i < hosts->count && hosts->count > 1; i++) {
		frec__text_puts(text, i ? "," : "");
		frec__text_json_puts(text, hosts->hosts[i].name);
	}
	frec__text_puts(text, "]");
}

static const Flightrec__Source *source_of(const struct frec_html_event *event)
{
	return event->host->snapshot->sources[event->source_index];
}

// Returns whether the events come from the kernel rather than from a program.
static bool is_kernel(const Flightrec__Source *source)
{
	return source->kind == FLIGHTREC__SOURCE_KIND__SOURCE_TRACEPOINT ||
	       source->kind == FLIGHTREC__SOURCE_KIND__SOURCE_RAW_TRACEPOINT ||
	       source->kind == FLIGHTREC__SOURCE_KIND__SOURCE_CRASH;
}

static void add_sources(struct output *out)
{
	FREC_TEXT_FREE struct frec_text name = {0};
	struct frec_text *text = &out->text;

	frec__text_puts(text, ",\n\"sources\":[");
	for (size_t i = 0; i < out->source_count; i++) {
		const Flightrec__Source *source = source_of(out->sources[i]);

		frec__text_clear(&name);
		frec__text_printf(&name, "%s:%s", source->system, source->name);
		frec__text_puts(text, i ? ",\n{\"name\":" : "{\"name\":");
		frec__text_json(text, name.data, name.size);
		frec__text_printf(text, ",\"kernel\":%s,\"fields\":[",
				  is_kernel(source) ? "true" : "false");
		for (size_t k = 0; k < source->n_field; k++) {
			enum frec_field_type type = frec__field_type(source->field[k]);

			frec__text_puts(text, k ? ",[" : "[");
			frec__text_json_puts(text, source->field[k]->name);
			frec__text_printf(text, ",\"%s\"]",
					  type == FREC_FIELD_TEXT    ? "text"
					  : type == FREC_FIELD_BYTES ? "bytes"
								     : "");
		}
		frec__text_puts(text, "]}");
	}
	text->failed |= name.failed;
	frec__text_puts(text, "]");
}

static void add_spans(struct output *out)
{
	const struct frec_shapes *shapes = &out->page->context->timeline->shapes;
	FREC_TEXT_FREE struct frec_text name = {0};
	struct frec_text *text = &out->text;

	frec__text_puts(text, ",\n\"spans\":[");
	for (size_t i = 0; i < shapes->span_count; i++) {
		frec__text_clear(&name);
		frec__text_printf(&name, "%s:%s", shapes->spans[i].system, shapes->spans[i].name);
		frec__text_puts(text, i ? "," : "");
		frec__text_json(text, name.data, name.size);
	}
	text->failed |= name.failed;
	frec__text_puts(text, "]");
}

// Returns the index in "hosts", or -1 for the host of the report.
static int host_of(const struct output *out, const struct frec_host *host)
{
	return host == out->file->host ? -1 : (int)host->index;
}

static void add_threads(struct output *out)
{
	struct frec_text *text = &out->text;

	frec__text_puts(text, ",\n\"threads\":[");
	for (size_t i = 0; i < out->thread_count; i++) {
		const struct frec_html_event *thread = out->threads[i];
		ProtobufCBinaryData process =
			thread->who ? thread->who->process->name : (ProtobufCBinaryData){0};
		ProtobufCBinaryData name = frec__process_entry_thread_name(thread->who);

		frec__text_printf(text, "%s[%" PRId32 ",%" PRId32 ",", i ? ",\n" : "",
				  (int32_t)thread->pid, (int32_t)thread->tid);
		frec__text_json(text, process.data, process.len);
		frec__text_puts(text, ",");
		frec__text_json(text, name.data, name.len);
		frec__text_printf(text, ",%d]", host_of(out, thread->host));
	}
	frec__text_puts(text, "]");
}

static int write_events(struct output *out, struct frec_error *reterr)
{
	const struct frec_html_page *page = out->page;
	uint64_t reference =
		frec__snapshot_reference(out->file->host->snapshot) + out->file->host->shift;
	int r = 0;

	frec__text_puts(&out->text, ",\n\"events\":[");
	for (size_t i = 0; i < page->count && !r; i++) {
		const struct frec_html_event *event = page->events[i];

		frec__text_printf(&out->text, "%s[%" PRId64 ",", i ? ",\n" : "\n",
				  (int64_t)(event->time - reference));
		if (event->cpu == FREC_UNKNOWN)
			frec__text_puts(&out->text, "null");
		else
			frec__text_unsigned(&out->text, event->cpu);
		frec__text_printf(&out->text, ",%zu,%zu,%" PRId64 ",",
				  find(event, out->threads, out->thread_count, by_thread),
				  find(event, out->sources, out->source_count, by_place),
				  add_stack(out, event->stack));
		frec__text_add(&out->text, event->text, event->size);
		frec__text_puts(&out->text, "]");
		r = write_json(out, &out->text, reterr);
	}
	frec__text_puts(&out->text, "]");
	return r;
}

static int write_data(struct output *out, struct frec_error *reterr)
{
	struct frec_text *text = &out->text;
	int r;

	add_recording(out);
	add_thread_stacks(out);
	add_sources(out);
	add_spans(out);
	add_threads(out);
	r = write_events(out, reterr);
	// The stacks come last, because the events determine which ones are needed.
	frec__text_printf(text, ",\n\"stacks_left_out\":%" PRIu64 ",\n\"missing\":[",
			  out->stacks_left_out);
	for (size_t i = 0; i < out->missing_count; i++) {
		frec__text_puts(text, i ? "," : "");
		frec__text_json_puts(text, out->missing[i]->message);
	}
	frec__text_puts(text, "],\n\"locations\":[");
	if (!r)
		r = write_json(out, text, reterr);
	if (!r)
		r = write_json(out, &out->locations, reterr);
	frec__text_puts(text, "],\n\"stacks\":[");
	if (!r)
		r = write_json(out, text, reterr);
	if (!r)
		r = write_json(out, &out->stack_list, reterr);
	frec__text_puts(text, "]}");
	return r ? r : write_json(out, text, reterr);
}

static int write_all(struct output *out, struct frec_error *reterr)
{
	static const char
		report[] = "<script type=\"application/json\" id=\"report-data\">",
		events[] = "</script>\n<script type=\"application/json\" id=\"events-data\">",
		after[] = "</script>\n";
	struct frec_output *file = out->page->context->output;
	int r = frec__output_write(file, frec__html_head, frec__html_head_size, reterr);

	if (!r)
		r = frec__output_write(file, report, sizeof(report) - 1, reterr);
	frec__report_json(&out->text, out->file->host->snapshot, NULL);
	frec__text_puts(&out->text, "}");
	if (!r)
		r = write_json(out, &out->text, reterr);
	if (!r)
		r = frec__output_write(file, events, sizeof(events) - 1, reterr);
	if (!r)
		r = write_data(out, reterr);
	if (!r)
		r = frec__output_write(file, after, sizeof(after) - 1, reterr);
	return r ? r : frec__output_write(file, frec__html_tail, frec__html_tail_size, reterr);
}

int frec__html_write(const struct frec_html_page *page, struct frec_error *reterr)
{
	const struct frec_timeline_file *file = frec__html_file(page->context->timeline);
	struct output out = {.page = page, .file = file, .stacks = file->events.stacks};
	int r = collect(&out);

	if (r)
		frec__error(reterr, r, "out of memory");
	else
		r = write_all(&out, reterr);
	free(out.threads);
	free(out.sources);
	free(out.location_index.entries);
	free(out.stack_index.entries);
	frec__text_free(&out.locations);
	frec__text_free(&out.stack_list);
	frec__text_free(&out.text);
	return r;
}
