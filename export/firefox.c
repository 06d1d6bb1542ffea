// SPDX-License-Identifier: MIT
// The Firefox Profiler's processed profile (version 48 of that format), for profiler.firefox.com:
// an event is a marker of its thread, a thread a track of its process. The format wants a thread's
// markers together and each of their columns as an array of its own, so events wait in a spool, one
// stream for each thread, and are read back once for each column that differs.
//
// A span is a marker from its begin to its end, with the fields of its end; its begin has a marker of its own, as
// every event that is not the end of a span.
//
// Fields of a marker are called "fields.NAME": "type" and others have a meaning of their own there.
// Integers that JavaScript could not hold are strings of digits; a field that its payload was too
// short for is absent.
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "export/crash.h"
#include "export/numbers.h"
#include "export/spool.h"
#include "export/writer.h"

// Threads beyond share one track: a block of memory for each is what they cost.
#define THREADS_MAX 8192

enum { CATEGORY_EVENT, CATEGORY_KERNEL, CATEGORY_CRASH };

static const char categories[] =
	"[{\"name\":\"Event\",\"color\":\"blue\",\"subcategories\":[\"Other\"]},"
	"{\"name\":\"Kernel\",\"color\":\"orange\",\"subcategories\":[\"Other\"]},"
	"{\"name\":\"Crash\",\"color\":\"red\",\"subcategories\":[\"Other\"]}]";

struct thread {
	uint64_t key; /* pid and tid */
	const struct frec_process_entry *who;
	uint64_t markers, first, last;
	struct frec_spool_stream stream;
};

// What stands in the spool before a marker's data.
struct row {
	uint64_t begin, time; /* equal but for the end of a span, which stands for all of it */
	uint32_t name; /* index of the source; behind those the crash, and the spans */
	uint32_t category;
	uint32_t size;
};

struct firefox {
	const struct frec_export *context;
	uint64_t base; /* what times are told from */
	struct frec_spool spool;
	struct thread **threads; /* by key */
	size_t count, capacity;
	struct frec_text text, data;
};

static struct thread *find_thread(struct firefox *firefox, uint64_t key,
				  const struct frec_process_entry *who)
{
	size_t low = 0, high = firefox->count;
	struct thread *thread;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (firefox->threads[middle]->key < key)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < firefox->count && firefox->threads[low]->key == key)
		return firefox->threads[low];
	if (firefox->count >= THREADS_MAX && key != UINT64_MAX)
		return find_thread(firefox, UINT64_MAX, NULL);
	if (firefox->count == firefox->capacity) {
		size_t capacity = firefox->capacity ? 2 * firefox->capacity : 64;
		struct thread **threads =
			reallocarray(firefox->threads, capacity, sizeof(struct thread *));

		if (!threads)
			return NULL;
		firefox->threads = threads;
		firefox->capacity = capacity;
	}
	thread = calloc(1, sizeof(*thread));
	if (!thread)
		return NULL;
	thread->key = key;
	thread->who = who;
	memmove(firefox->threads + low + 1, firefox->threads + low,
		(firefox->count - low) * sizeof(struct thread *));
	firefox->threads[low] = thread;
	firefox->count++;
	return thread;
}

static uint64_t first_time(const struct frec_export *context)
{
	const struct frec_snapshot *snapshot = context->snapshot;
	uint64_t first = UINT64_MAX;

	for (size_t i = 0; i < snapshot->chunk_count; i++) {
		if (snapshot->chunks[i].last && snapshot->chunks[i].first < first)
			first = snapshot->chunks[i].first;
	}
	if (first == UINT64_MAX)
		first = 0;
	return first > context->filter->from ? first : context->filter->from;
}

static void destroy(void *state)
{
	struct firefox *firefox = state;

	for (size_t i = 0; i < firefox->count; i++) {
		frec__spool_stream_free(&firefox->threads[i]->stream);
		free(firefox->threads[i]);
	}
	free(firefox->threads);
	frec__spool_deinit(&firefox->spool);
	frec__text_free(&firefox->text);
	frec__text_free(&firefox->data);
	free(firefox);
}

static int begin(const struct frec_export *context, void **ret_state, struct frec_error *reterr)
{
	struct firefox *firefox = calloc(1, sizeof(*firefox));
	int result;

	if (!firefox)
		return frec__error(reterr, -ENOMEM, "out of memory");
	firefox->context = context;
	firefox->base = first_time(context);
	result = frec__spool_init(&firefox->spool, reterr);
	if (result)
		destroy(firefox);
	else
		*ret_state = firefox;
	return result;
}

static int add_row(struct firefox *firefox, struct thread *thread, struct row *row,
		   struct frec_error *reterr)
{
	int result;

	if (!thread || firefox->data.failed)
		return frec__error(reterr, -ENOMEM, "out of memory");
	row->size = (uint32_t)firefox->data.size;
	if (!thread->markers++ || row->begin < thread->first)
		thread->first = row->begin;
	if (row->time > thread->last)
		thread->last = row->time;
	result = frec__spool_write(&firefox->spool, &thread->stream, row, sizeof(*row), reterr);
	if (result)
		return result;
	return frec__spool_write(&firefox->spool, &thread->stream, firefox->data.data,
				 firefox->data.size, reterr);
}

static void add_key(struct frec_text *text, const char *prefix, const char *name,
		    const char *suffix)
{
	struct frec_text key = {0};

	frec__text_puts(&key, prefix);
	frec__text_puts(&key, name);
	frec__text_puts(&key, suffix);
	frec__text_json(text, key.data, key.size);
	text->failed |= key.failed;
	frec__text_free(&key);
}

static int event(void *state, const struct frec_event *event, struct frec_error *reterr)
{
	struct firefox *firefox = state;
	const struct frec_record *record = event->record;
	const Flightrec__Source *source = event->source;
	struct frec_text *data = &firefox->data;
	uint32_t pid = event->who ? event->who->process->pid : record->pid;
	bool is_span = event->shape && event->shape->kind == FREC_SHAPE_END;
	struct row row = {
		.begin = is_span ? event->shape->begin : event->time,
		.time = event->time,
		.name = is_span ? (uint32_t)firefox->context->snapshot->source_count + 1 +
					  event->shape->span
				: (uint32_t)event->source_index,
		.category = source->kind == FLIGHTREC__SOURCE_KIND__SOURCE_TRACEPOINT ||
					    source->kind ==
						    FLIGHTREC__SOURCE_KIND__SOURCE_RAW_TRACEPOINT
				    ? CATEGORY_KERNEL
				    : CATEGORY_EVENT,
	};

	frec__text_clear(data);
	frec__text_puts(data, "{\"type\":");
	add_key(data, source->system, ":", source->name);
	frec__text_puts(data, ",\"cpu\":");
	frec__text_unsigned(data, record->cpu);
	for (size_t i = 0; i < source->n_field; i++) {
		const struct frec_value *value = &event->values[i];

		if (value->kind == FREC_VALUE_INVALID)
			continue;
		frec__text_puts(data, ",");
		add_key(data, "fields.", source->field[i]->name, "");
		frec__text_puts(data, ":");
		frec__text_javascript_value(data, value);
		if (!value->cut)
			continue;
		frec__text_puts(data, ",");
		add_key(data, "fields.", source->field[i]->name, ".truncated");
		frec__text_puts(data, ":true");
	}
	frec__text_puts(data, "}");
	return add_row(firefox, find_thread(firefox, (uint64_t)pid << 32 | record->tid, event->who),
		       &row, reterr);
}

static int add_crash(struct firefox *firefox, const Flightrec__Crash *crash,
		     struct frec_error *reterr)
{
	uint32_t tid = crash->tid ? crash->tid : crash->pid;
	const struct frec_process_entry *who =
		frec__processes_find(firefox->context->processes, tid, crash->time);
	struct row row = {
		.begin = crash->time,
		.time = crash->time,
		.name = (uint32_t)firefox->context->snapshot->source_count,
		.category = CATEGORY_CRASH,
	};
	struct frec_text words = {0};

	frec__crash_headline(&words, crash);
	frec__text_clear(&firefox->data);
	frec__text_puts(&firefox->data, "{\"type\":\"flightrec:crash\",\"what\":");
	frec__text_json(&firefox->data, words.data, words.size);
	frec__text_puts(&firefox->data, "}");
	firefox->data.failed |= words.failed;
	frec__text_free(&words);
	return add_row(firefox, find_thread(firefox, (uint64_t)crash->pid << 32 | tid, who), &row,
		       reterr);
}

static int flush(struct firefox *firefox, struct frec_error *reterr)
{
	int result = frec__output_text(firefox->context->output, &firefox->text, reterr);

	frec__text_clear(&firefox->text);
	return result;
}

// Milliseconds from the base, with six decimals.
static void add_time(struct firefox *firefox, uint64_t time)
{
	uint64_t distance = time < firefox->base ? firefox->base - time : time - firefox->base;

	frec__text_printf(&firefox->text, "%s%" PRIu64 ".%06u", time < firefox->base ? "-" : "",
			  distance / 1000000, (unsigned int)(distance % 1000000));
}

static void add_schema(struct frec_text *text, const Flightrec__Source *source)
{
	frec__text_puts(text, "{\"name\":");
	add_key(text, source->system, ":", source->name);
	frec__text_puts(text,
			",\"display\":[\"marker-chart\",\"marker-table\",\"timeline-overview\"],"
			"\"data\":[{\"key\":\"cpu\",\"label\":\"cpu\",\"format\":\"string\"}");
	for (size_t i = 0; i < source->n_field; i++) {
		frec__text_puts(text, ",{\"key\":");
		add_key(text, "fields.", source->field[i]->name, "");
		frec__text_puts(text, ",\"label\":");
		frec__text_json_puts(text, source->field[i]->name);
		frec__text_puts(text, ",\"format\":\"string\",\"searchable\":true}");
	}
	frec__text_puts(text, "]}");
}

static int write_head(struct firefox *firefox, struct frec_error *reterr)
{
	const struct frec_snapshot *snapshot = firefox->context->snapshot;
	uint64_t start = frec__snapshot_realtime(snapshot, firefox->base);
	struct frec_text *text = &firefox->text;

	frec__text_printf(
		text,
		"{\"meta\":{\"version\":28,\"preprocessedProfileVersion\":48,\"interval\":1,"
		"\"startTime\":%" PRIu64 ".%06u,\"processType\":0,\"product\":\"flightrec\","
		"\"stackwalk\":0,\"debug\":false,\"symbolicated\":true,\"platform\":\"Linux\","
		"\"importedFrom\":\"flightrec\","
		"\"extensions\":{\"id\":[],\"name\":[],\"baseURL\":[],\"length\":0},"
		"\"categories\":%s,\n\"markerSchema\":[",
		start / 1000000, (unsigned int)(start % 1000000), categories);
	for (size_t i = 0; i < snapshot->source_count; i++) {
		int result;

		if (!firefox->context->filter->sources[i])
			continue;
		add_schema(text, snapshot->sources[i]);
		frec__text_puts(text, ",\n");
		result = flush(firefox, reterr);
		if (result)
			return result;
	}
	frec__text_puts(
		text,
		"{\"name\":\"flightrec:crash\",\"display\":[\"marker-chart\",\"marker-table\","
		"\"timeline-overview\"],\"tableLabel\":\"{marker.data.what}\",\"data\":[{\"key\":"
		"\"what\",\"label\":\"what\",\"format\":\"string\",\"searchable\":true}]}]},\n"
		"\"libs\":[],\"pages\":[],\"counters\":[],\"profilerOverhead\":[],\n\"threads\":[");
	return flush(firefox, reterr);
}

enum column { DATA, NAME, START, CATEGORY, END, PHASE };

static const char *const column_names[] = {
	[DATA] = "data",	 [NAME] = "name",   [START] = "startTime",
	[CATEGORY] = "category", [END] = "endTime", [PHASE] = "phase",
};

static int write_cell(struct firefox *firefox, struct thread *thread, enum column column,
		      struct frec_error *reterr)
{
	struct frec_text *text = &firefox->text;
	struct row row;
	int result = frec__spool_read(&firefox->spool, &thread->stream, &row, sizeof(row), reterr);

	if (result)
		return result;
	frec__text_clear(&firefox->data);
	if (!frec__text_grow(&firefox->data, row.size))
		return frec__error(reterr, -ENOMEM, "out of memory");
	result = frec__spool_read(&firefox->spool, &thread->stream, firefox->data.data, row.size,
				  reterr);
	if (result)
		return result;
	switch (column) {
	case DATA:
		frec__text_add(text, firefox->data.data, row.size);
		break;
	case NAME:
		frec__text_unsigned(text, row.name);
		break;
	case START:
		add_time(firefox, row.begin);
		break;
	case CATEGORY:
		frec__text_unsigned(text, row.category);
		break;
	case END:
		if (row.begin == row.time)
			frec__text_puts(text, "null");
		else
			add_time(firefox, row.time);
		break;
	case PHASE:
		frec__text_puts(text, row.begin == row.time ? "0" : "1"); // an instant, an interval
		break;
	}
	return 0;
}

static int write_column(struct firefox *firefox, struct thread *thread, enum column column,
			struct frec_error *reterr)
{
	int result = frec__spool_rewind(&firefox->spool, &thread->stream, reterr);

	frec__text_printf(&firefox->text, "%s\"%s\":[", column ? ",\n" : "", column_names[column]);
	for (uint64_t i = 0; i < thread->markers && !result; i++) {
		frec__text_puts(&firefox->text, i ? "," : "");
		result = write_cell(firefox, thread, column, reterr);
		if (!result)
			result = flush(firefox, reterr);
	}
	frec__text_puts(&firefox->text, "]");
	return result;
}

static void add_thread_head(struct firefox *firefox, const struct thread *thread)
{
	const struct frec_process_entry *who = thread->who;
	ProtobufCBinaryData name = frec__process_entry_thread_name(who);
	int32_t pid = (int32_t)(thread->key >> 32), tid = (int32_t)thread->key;
	struct frec_text *text = &firefox->text;

	frec__text_puts(text, "{\"name\":");
	if (name.len)
		frec__text_json(text, name.data, name.len);
	else
		frec__text_printf(text, "\"%" PRId32 "\"", tid);
	frec__text_puts(text, ",\"processName\":");
	if (who && who->process->name.len)
		frec__text_json(text, who->process->name.data, who->process->name.len);
	else
		frec__text_printf(text, "\"%" PRId32 "\"", pid);
	frec__text_printf(text,
			  ",\"isMainThread\":%s,\"processType\":\"default\",\"pid\":\"%" PRId32
			  "\",\"tid\":\"%" PRId32 "\",\"pausedRanges\":[],\"registerTime\":",
			  pid == tid ? "true" : "false", pid, tid);
	add_time(firefox, thread->first);
	frec__text_puts(text, ",\"unregisterTime\":null,\"processStartupTime\":");
	add_time(firefox, thread->first);
	frec__text_puts(text, ",\"processShutdownTime\":null,\n\"stringArray\":[");
}

// Samples and frames: none yet.
static const char no_samples[] =
	"\"samples\":{\"length\":0,\"stack\":[],\"time\":[],\"weight\":null,\"weightType\":"
	"\"samples\"},"
	"\"stackTable\":{\"length\":0,\"frame\":[],\"prefix\":[],\"category\":[],\"subcategory\":[]"
	"},"
	"\"frameTable\":{\"length\":0,\"address\":[],\"inlineDepth\":[],\"category\":[],"
	"\"subcategory\":[],\"func\":[],\"nativeSymbol\":[],\"innerWindowID\":[],"
	"\"implementation\":[],\"line\":[],\"column\":[]},"
	"\"funcTable\":{\"length\":0,\"name\":[],\"isJS\":[],\"relevantForJS\":[],\"resource\":[],"
	"\"fileName\":[],\"lineNumber\":[],\"columnNumber\":[]},"
	"\"resourceTable\":{\"length\":0,\"lib\":[],\"name\":[],\"host\":[],\"type\":[]},"
	"\"nativeSymbols\":{\"length\":0,\"libIndex\":[],\"address\":[],\"name\":[],"
	"\"functionSize\":[]},";

static int write_thread(struct firefox *firefox, struct thread *thread, struct frec_error *reterr)
{
	const struct frec_snapshot *snapshot = firefox->context->snapshot;
	const struct frec_shapes *shapes = &firefox->context->timeline->shapes;
	struct frec_text *text = &firefox->text;
	int result = frec__spool_end(&firefox->spool, &thread->stream, reterr);

	add_thread_head(firefox, thread);
	// All names, in the order of their numbers: a marker's name is one of these.
	for (size_t i = 0; i < snapshot->source_count; i++) {
		add_key(text, snapshot->sources[i]->system, ":", snapshot->sources[i]->name);
		frec__text_puts(text, ",");
	}
	frec__text_puts(text, "\"crash\"");
	for (size_t i = 0; i < shapes->span_count; i++) {
		frec__text_puts(text, ",");
		add_key(text, shapes->spans[i].system, ":", shapes->spans[i].name);
	}
	frec__text_puts(text, "],\n");
	frec__text_puts(text, no_samples);
	frec__text_printf(text, "\n\"markers\":{\"length\":%" PRIu64 ",\n", thread->markers);
	for (enum column column = DATA; column <= PHASE && !result; column++)
		result = write_column(firefox, thread, column, reterr);
	frec__text_puts(text, "}}");
	return result ? result : flush(firefox, reterr);
}

static int end(void *state, struct frec_error *reterr)
{
	struct firefox *firefox = state;
	const struct frec_timeline *timeline = firefox->context->timeline;
	int result = 0;

	for (size_t i = 0; i < timeline->file_count && !result; i++) {
		if (timeline->snapshots[i]->crash)
			result = add_crash(firefox, timeline->snapshots[i]->crash, reterr);
	}
	if (!result)
		result = write_head(firefox, reterr);
	for (size_t i = 0; i < firefox->count && !result; i++) {
		frec__text_puts(&firefox->text, i ? ",\n" : "\n");
		result = write_thread(firefox, firefox->threads[i], reterr);
	}
	frec__text_puts(&firefox->text, "\n]}\n");
	return result ? result : flush(firefox, reterr);
}

const struct frec_writer frec__writer_firefox = {
	.name = "firefox",
	.what = "for profiler.firefox.com",
	.suffix = ".firefox.json",
	.other_suffix = ".profile.json",
	.begin = begin,
	.event = event,
	.end = end,
	.destroy = destroy,
};
