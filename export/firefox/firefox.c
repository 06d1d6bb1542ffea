// SPDX-License-Identifier: MIT
// The Firefox Profiler's processed profile (version 60 of the format), for profiler.firefox.com. An
// event is a marker on its thread, and a thread is a track of its process. In the format, the
// markers of a thread are all in one place, with each of their columns as a separate array. So
// events wait in a spool, in two streams for each thread, of which the one of numbers is read back
// once for each column.
//
// A span is a marker from its begin to its end, with the fields of the event that ends it. The
// event that begins it has a marker of its own, like every event that does not end a span.
//
// An event's call stack is written as the cause of its marker, and as a sample of its thread, for
// the call tree and the flame graph.
//
// Fields of a marker are called "fields.NAME", because "type" and others have a meaning of their
// own in a marker. Integers that JavaScript cannot hold are strings of digits. A field for which
// the payload was too short is absent.
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "export/read/text_values.h"
#include "export/report/crash.h"
#include "export/firefox/profile.h"
#include "export/read/numbers.h"
#include "proto/grow.h"

// How many threads get tracks of their own. Further threads of a host share one, because each track
// costs a block of memory.
#define THREADS_MAX 8192

static struct frec_firefox_thread *find_thread(struct frec_firefox *firefox,
					       const struct frec_host *host, uint64_t key,
					       const struct frec_process_entry *who)
{
	size_t low = 0, high = firefox->count;
	struct frec_firefox_thread *thread;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		thread = firefox->threads[middle];
		if (thread->host != host ? thread->host < host : thread->key < key)
			low = middle + 1;
		else
			high = middle;
	}
	thread = low < firefox->count ? firefox->threads[low] : NULL;
	if (thread && thread->host == host && thread->key == key)
		return thread;
	if (firefox->count >= THREADS_MAX && key != UINT64_MAX)
		return find_thread(firefox, host, UINT64_MAX, NULL);
	if (!frec__grow(&firefox->threads, firefox->count, sizeof(struct frec_firefox_thread *)))
		return NULL;
	thread = calloc(1, sizeof(*thread));
	if (!thread)
		return NULL;
	thread->host = host;
	thread->key = key;
	thread->who = who;
	memmove(firefox->threads + low + 1, firefox->threads + low,
		(firefox->count - low) * sizeof(struct frec_firefox_thread *));
	firefox->threads[low] = thread;
	firefox->count++;
	return thread;
}

static uint64_t first_time(const struct frec_export *context)
{
	const struct frec_timeline *timeline = context->timeline;
	uint64_t first = UINT64_MAX;

	for (size_t i = 0; i < timeline->file_count; i++) {
		const struct frec_snapshot *snapshot = timeline->snapshots[i];

		for (size_t k = 0; k < snapshot->chunk_count; k++) {
			uint64_t begin = snapshot->chunks[k].first + timeline->files[i].host->shift;

			if (snapshot->chunks[k].last && begin < first)
				first = begin;
		}
	}
	if (first == UINT64_MAX)
		first = 0;
	return first > context->filter->from ? first : context->filter->from;
}

static void destroy(void *state)
{
	struct frec_firefox *firefox = state;

	for (size_t i = 0; i < firefox->count; i++) {
		frec__spool_stream_free(&firefox->threads[i]->rows);
		frec__spool_stream_free(&firefox->threads[i]->data);
		free(firefox->threads[i]);
	}
	for (size_t i = 0; firefox->names && i < firefox->context->timeline->hosts.count; i++)
		free(firefox->names[i]);
	for (size_t i = 0; firefox->texts && i < firefox->context->timeline->hosts.count; i++)
		frec__made_texts_deinit(&firefox->texts[i]);
	free(firefox->texts);
	free(firefox->names);
	free(firefox->span_names);
	free(firefox->threads);
	frec__spool_deinit(&firefox->spool);
	frec__firefox_tables_deinit(&firefox->tables);
	frec__text_free(&firefox->text);
	frec__text_free(&firefox->data);
	free(firefox);
}

static uint32_t number_of(struct frec_firefox *firefox, const char *name)
{
	int64_t number = frec__strings_add(&firefox->tables.strings, name);

	firefox->data.failed |= number < 0;
	return number < 0 ? 0 : (uint32_t)number;
}

static uint32_t number_of_pair(struct frec_firefox *firefox, const char *system, const char *name)
{
	struct frec_text *text = &firefox->text;

	frec__text_clear(text);
	frec__text_printf(text, "%s:%s", system, name);
	firefox->data.failed |= text->failed;
	return number_of(firefox, text->data ? text->data : "");
}

// Numbers the names of all markers in advance, so that no name has to be searched for when an event
// arrives.
static int number_names(struct frec_firefox *firefox)
{
	const struct frec_hosts *hosts = &firefox->context->timeline->hosts;
	const struct frec_shapes *shapes = &firefox->context->timeline->shapes;

	firefox->names = calloc(hosts->count, sizeof(uint32_t *));
	firefox->span_names = calloc(shapes->span_count + 1, sizeof(*firefox->span_names));
	if (!firefox->names || !firefox->span_names)
		return -ENOMEM;
	for (size_t i = 0; i < hosts->count; i++) {
		const struct frec_snapshot *snapshot = hosts->hosts[i].snapshot;

		firefox->names[i] = calloc(snapshot->source_count + 1, sizeof(**firefox->names));
		if (!firefox->names[i])
			return -ENOMEM;
		for (size_t k = 0; k < snapshot->source_count; k++)
			firefox->names[i][k] = number_of_pair(firefox, snapshot->sources[k]->system,
							      snapshot->sources[k]->name);
	}
	for (size_t i = 0; i < shapes->span_count; i++)
		firefox->span_names[i] =
			number_of_pair(firefox, shapes->spans[i].system, shapes->spans[i].name);
	frec__text_clear(&firefox->text);
	return firefox->data.failed ? -ENOMEM : 0;
}

static void make_type(struct frec_text *text, const Flightrec__Source *source, void *data)
{
	(void)data;
	frec__text_puts(text, "{\"type\":");
	frec__firefox_add_key(text, source->system, ":", source->name);
}

static void make_key(struct frec_text *text, const Flightrec__Source *source, size_t i, void *data)
{
	(void)data;
	frec__text_puts(text, ",");
	frec__firefox_add_key(text, "fields.", source->field[i]->name, "");
	frec__text_puts(text, ":");
}

static int begin(const struct frec_export *context, void **ret_state, struct frec_error *reterr)
{
	static const struct frec_made_by by = {.event = make_type, .field = make_key};
	const struct frec_hosts *hosts = &context->timeline->hosts;
	struct frec_firefox *firefox = calloc(1, sizeof(*firefox));
	int r;

	if (!firefox)
		return frec__error(reterr, -ENOMEM, "out of memory");
	firefox->context = context;
	firefox->base = first_time(context);
	firefox->texts = calloc(hosts->count, sizeof(*firefox->texts));
	for (size_t i = 0; firefox->texts && i < hosts->count; i++)
		firefox->texts[i] =
			(struct frec_made_texts){.by = &by, .snapshot = hosts->hosts[i].snapshot};
	r = frec__spool_init(&firefox->spool, reterr);
	if (!r && (!firefox->texts || number_names(firefox)))
		r = frec__error(reterr, -ENOMEM, "out of memory");
	if (r)
		destroy(firefox);
	else
		*ret_state = firefox;
	return r;
}

static int add_row(struct frec_firefox *firefox, struct frec_firefox_thread *thread,
		   struct frec_firefox_row *row, struct frec_error *reterr)
{
	int r;

	if (!thread || firefox->data.failed)
		return frec__error(reterr, -ENOMEM, "out of memory");
	if (!thread->markers++ || row->begin < thread->first)
		thread->first = row->begin;
	if (row->time > thread->last)
		thread->last = row->time;
	thread->samples += row->stack != 0;
	firefox->samples += row->stack != 0;
	r = frec__spool_write(&firefox->spool, &thread->rows, row, sizeof(*row), reterr);
	if (r)
		return r;
	return frec__spool_write(&firefox->spool, &thread->data, firefox->data.data,
				 firefox->data.size, reterr);
}

// Ends a marker's data, with the call stack if there is one. Returns the value for
// frec_firefox_row.stack.
static uint32_t end_data(struct frec_firefox *firefox, const struct frec_call_stack *stack)
{
	int64_t node = frec__stack_tree_add(&firefox->tables.stacks, stack);

	if (node > 0)
		frec__text_printf(&firefox->data, ",\"cause\":{\"stack\":%" PRId64 "}", node - 1);
	frec__text_puts(&firefox->data, "},");
	firefox->data.failed |= node < 0;
	return node > 0 ? (uint32_t)node : 0;
}

static int event(void *state, const struct frec_event *event, struct frec_error *reterr)
{
	struct frec_firefox *firefox = state;
	const struct frec_record *record = event->record;
	const Flightrec__Source *source = event->source;
	const struct frec_made_source *made =
		frec__made_source(&firefox->texts[event->host->index], event);
	struct frec_text *data = &firefox->data;
	uint32_t pid = event->who ? event->who->process->pid : record->pid;
	bool is_span = event->shape && event->shape->kind == FREC_SHAPE_END;
	struct frec_firefox_row row = {
		.begin = is_span ? event->shape->begin : event->time,
		.time = event->time,
		.name = is_span ? firefox->span_names[event->shape->span]
				: firefox->names[event->host->index][event->source_index],
		.category = source->kind == FLIGHTREC__SOURCE_KIND__SOURCE_TRACEPOINT ||
					    source->kind ==
						    FLIGHTREC__SOURCE_KIND__SOURCE_RAW_TRACEPOINT
				    ? FREC_FIREFOX_KERNEL
				    : FREC_FIREFOX_EVENT,
	};

	if (!made)
		return frec__error(reterr, -ENOMEM, "out of memory");
	frec__text_clear(data);
	frec__text_add_if_made(data, &made->event);
	if (record->cpu != FREC_UNKNOWN) {
		frec__text_puts(data, ",\"cpu\":");
		frec__text_unsigned(data, record->cpu);
	}
	for (size_t i = 0; i < source->n_field; i++) {
		const struct frec_value *value = &event->values[i];

		if (value->kind == FREC_VALUE_INVALID)
			continue;
		frec__text_add_if_made(data, &made->fields[i]);
		frec__text_javascript_value(data, value);
		if (!value->cut)
			continue;
		frec__text_puts(data, ",");
		frec__firefox_add_key(data, "fields.", source->field[i]->name, ".truncated");
		frec__text_puts(data, ":true");
	}
	row.stack = end_data(firefox, frec__event_stack(event));
	return add_row(
		firefox,
		find_thread(firefox, event->host, (uint64_t)pid << 32 | record->tid, event->who),
		&row, reterr);
}

static int add_crash(struct frec_firefox *firefox, const struct frec_timeline_file *file,
		     struct frec_error *reterr)
{
	const Flightrec__Crash *crash = file->events.snapshot->crash;
	uint32_t tid = crash->tid ? crash->tid : crash->pid, stack;
	uint64_t time = crash->time + file->host->shift, key = (uint64_t)crash->pid << 32 | tid;
	struct frec_firefox_row row = {
		.begin = time,
		.time = time,
		.name = number_of(firefox, "crash"),
		.category = FREC_FIREFOX_CRASH,
	};
	FREC_TEXT_FREE struct frec_text words = {0};

	frec__crash_headline(&words, crash);
	frec__text_clear(&firefox->data);
	frec__text_puts(&firefox->data, "{\"type\":\"flightrec:crash\",\"what\":");
	frec__text_json(&firefox->data, words.data, words.size);
	firefox->data.failed |= words.failed;
	stack = end_data(firefox, frec__stacks_of_crash(file->events.stacks));
	// If there are samples, one of them is taken to be the event of the fatal signal, with this
	// same stack, so the crash is not counted as a sample as well.
	row.stack = firefox->samples ? 0 : stack;
	return add_row(firefox,
		       find_thread(firefox, file->host, key,
				   frec__processes_find(&file->events.processes, tid, crash->time)),
		       &row, reterr);
}

static int add_thread(struct frec_firefox *firefox, const struct frec_timeline_file *file,
		      const Flightrec__ThreadStack *thread, struct frec_error *reterr)
{
	const struct frec_call_stack *stack = frec__stacks_of_thread(file->events.stacks, thread);
	uint64_t time = thread->time + file->host->shift,
		 key = (uint64_t)thread->pid << 32 | thread->tid;
	struct frec_firefox_row row = {
		.begin = time,
		.time = time,
		.name = number_of(firefox, "stack at the death of the process"),
		.category = FREC_FIREFOX_CRASH,
	};

	if (!stack)
		return 0;
	frec__text_clear(&firefox->data);
	frec__text_puts(&firefox->data, "{\"type\":\"flightrec:stack\"");
	row.stack = end_data(firefox, stack);
	return add_row(firefox,
		       find_thread(firefox, file->host, key,
				   frec__processes_find(&file->events.processes, thread->tid,
							thread->time)),
		       &row, reterr);
}

static int add_death(struct frec_firefox *firefox, const struct frec_timeline_file *file,
		     struct frec_error *reterr)
{
	const struct frec_snapshot *snapshot = file->events.snapshot;
	int r = snapshot->crash ? add_crash(firefox, file, reterr) : 0;

	for (size_t i = 0; i < snapshot->thread_stack_count && !r; i++) {
		// The stack of the thread that crashed has already been written with the crash.
		if (!snapshot->crash || snapshot->thread_stacks[i]->tid != snapshot->crash->tid)
			r = add_thread(firefox, file, snapshot->thread_stacks[i], reterr);
	}
	return r;
}

static int end(void *state, struct frec_error *reterr)
{
	struct frec_firefox *firefox = state;
	const struct frec_timeline *timeline = firefox->context->timeline;
	int r = 0;

	for (size_t i = 0; i < timeline->file_count && !r; i++)
		r = add_death(firefox, &timeline->files[i], reterr);
	return r ? r : frec__firefox_write(firefox, reterr);
}

static uint64_t pending(void *state)
{
	return ((const struct frec_firefox *)state)->spool.end;
}

const struct frec_writer frec__writer_firefox = {
	.name = "firefox",
	.what = "for profiler.firefox.com",
	.suffix = ".firefox.json",
	.other_suffix = ".profile.json",
	.several_hosts = true,
	.begin = begin,
	.event = event,
	.end = end,
	.destroy = destroy,
	.pending = pending,
};
