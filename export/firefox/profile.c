// SPDX-License-Identifier: MIT
// Writes a Firefox profile: metadata, the schemas of markers, each thread with its markers column
// by column, and the tables that threads share.
#include "export/firefox/profile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "export/read/clocks.h"
#include "export/read/numbers.h"
#include "proto/cleanup.h"

// The categories, in the order of enum frec_firefox_category. The profiler uses the grey category
// for stacks about which nothing else is known.
static const char categories[] =
	"[{\"name\":\"Event\",\"color\":\"blue\",\"subcategories\":[\"Other\"]},"
	"{\"name\":\"Kernel\",\"color\":\"orange\",\"subcategories\":[\"Other\"]},"
	"{\"name\":\"Crash\",\"color\":\"red\",\"subcategories\":[\"Other\"]},"
	"{\"name\":\"User\",\"color\":\"yellow\",\"subcategories\":[\"Other\"]},"
	"{\"name\":\"Other\",\"color\":\"grey\",\"subcategories\":[\"Other\"]}]";

void frec__firefox_add_key(struct frec_text *text, const char *prefix, const char *name,
			   const char *suffix)
{
	FREC_TEXT_FREE struct frec_text key = {0};

	frec__text_puts(&key, prefix);
	frec__text_puts(&key, name);
	frec__text_puts(&key, suffix);
	frec__text_json(text, key.data, key.size);
	text->failed |= key.failed;
}

#define NS_PER_MS 1000000

static int flush(struct frec_firefox *firefox, struct frec_error *reterr)
{
	int r = frec__output_text(firefox->context->output, &firefox->text, reterr);

	frec__text_clear(&firefox->text);
	return r;
}

// Adds milliseconds since the base, with six decimals.
static void add_time(struct frec_firefox *firefox, uint64_t time)
{
	uint64_t distance = time < firefox->base ? firefox->base - time : time - firefox->base;

	char *p = frec__text_room(&firefox->text, 2 * FREC_DIGITS_MAX), *point;

	if (!p)
		return;
	if (time < firefox->base)
		*p++ = '-';
	point = frec__digits(p, distance / NS_PER_MS);
	// The first of these seven digits becomes the point.
	p = frec__digits(point, NS_PER_MS + distance % NS_PER_MS);
	*point = '.';
	frec__text_end(&firefox->text, p);
}

// A source and the name of its markers.
struct named {
	uint32_t name;
	const Flightrec__Source *source;
};

static int by_name(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	return (x->name > y->name) - (x->name < y->name);
}

static bool has_field(const struct named *named, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < named[i].source->n_field; k++) {
			if (!strcmp(named[i].source->field[k]->name, name))
				return true;
		}
	}
	return false;
}

// There is one schema for each name, so sources with the same name, which several hosts can have,
// share a single schema, which has the fields of all these sources.
static void add_schema(struct frec_text *text, const struct named *named, size_t count)
{
	frec__text_puts(text, "{\"name\":");
	frec__firefox_add_key(text, named->source->system, ":", named->source->name);
	frec__text_puts(text,
			",\"display\":[\"marker-chart\",\"marker-table\",\"timeline-overview\"],"
			"\"fields\":[{\"key\":\"cpu\",\"label\":\"cpu\",\"format\":\"string\"}");
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < named[i].source->n_field; k++) {
			const char *name = named[i].source->field[k]->name;

			if (has_field(named, i, name))
				continue;
			frec__text_puts(text, ",{\"key\":");
			frec__firefox_add_key(text, "fields.", name, "");
			frec__text_puts(text, ",\"label\":");
			frec__text_json_puts(text, name);
			frec__text_puts(text, ",\"format\":\"string\"}");
		}
	}
	frec__text_puts(text, "]},\n");
}

static int write_schemas(struct frec_firefox *firefox, struct frec_error *reterr)
{
	const struct frec_hosts *hosts = &firefox->context->timeline->hosts;
	size_t count = 0, of_name;
	FREC_FREE struct named *named = NULL;
	int r = 0;

	for (size_t i = 0; i < hosts->count; i++)
		count += hosts->hosts[i].snapshot->source_count;
	named = calloc(count + 1, sizeof(*named));
	if (!named)
		return frec__error(reterr, -ENOMEM, "out of memory");
	count = 0;
	for (size_t i = 0; i < hosts->count; i++) {
		const struct frec_host *host = &hosts->hosts[i];

		for (size_t k = 0; k < host->snapshot->source_count; k++) {
			if (host->filter.sources[k])
				named[count++] = (struct named){firefox->names[i][k],
								host->snapshot->sources[k]};
		}
	}
	qsort(named, count, sizeof(*named), by_name);
	for (size_t i = 0; i < count && !r; i += of_name) {
		for (of_name = 1; i + of_name < count && named[i + of_name].name == named[i].name;)
			of_name++;
		add_schema(&firefox->text, &named[i], of_name);
		r = flush(firefox, reterr);
	}
	return r;
}

static int write_head(struct frec_firefox *firefox, struct frec_error *reterr)
{
	uint64_t start = frec__snapshot_realtime(firefox->context->snapshot, firefox->base);
	struct frec_text *text = &firefox->text;
	int r;

	frec__text_printf(
		text,
		"{\"meta\":{\"version\":28,\"preprocessedProfileVersion\":60,\"interval\":1,"
		"\"startTime\":%" PRIu64 ".%06u,\"processType\":0,\"product\":\"flightrec\","
		"\"stackwalk\":%d,\"debug\":false,\"symbolicated\":true,\"platform\":\"Linux\","
		"\"importedFrom\":\"flightrec\","
		"\"extensions\":{\"id\":[],\"name\":[],\"baseURL\":[],\"length\":0},"
		"\"categories\":%s,\n\"markerSchema\":[",
		start / 1000000, (unsigned int)(start % 1000000), firefox->samples != 0,
		categories);
	r = write_schemas(firefox, reterr);
	if (r)
		return r;
	frec__text_puts(text,
			"{\"name\":\"flightrec:stack\",\"display\":[\"marker-chart\",\"marker-"
			"table\",\"timeline-overview\"],"
			"\"fields\":[]},\n"
			"{\"name\":\"flightrec:crash\",\"display\":[\"marker-chart\",\"marker-"
			"table\",\"timeline-overview\"],"
			"\"tableLabel\":\"{marker.data.what}\",\"fields\":[{\"key\":\"what\","
			"\"label\":\"what\","
			"\"format\":\"string\"}]}]},\n"
			"\"pages\":[],\"counters\":[],\"profilerOverhead\":[],\n\"threads\":[");
	return flush(firefox, reterr);
}

enum column { DATA, NAME, START, CATEGORY, END, PHASE, SAMPLE_STACK, SAMPLE_TIME };

static const char *const column_names[] = {
	[DATA] = "data",   [NAME] = "name",   [START] = "startTime",	[CATEGORY] = "category",
	[END] = "endTime", [PHASE] = "phase", [SAMPLE_STACK] = "stack", [SAMPLE_TIME] = "time",
};

static void add_cell(struct frec_firefox *firefox, enum column column,
		     const struct frec_firefox_row *row)
{
	struct frec_text *text = &firefox->text;

	switch (column) {
	case DATA: // written by write_data()
		break;
	case NAME:
		frec__text_unsigned(text, row->name);
		break;
	case START:
		add_time(firefox, row->begin);
		break;
	case CATEGORY:
		frec__text_unsigned(text, row->category);
		break;
	case END:
		if (row->begin == row->time)
			frec__text_puts(text, "null");
		else
			add_time(firefox, row->time);
		break;
	case PHASE:
		// 0: an instant, 1: an interval
		frec__text_puts(text, row->begin == row->time ? "0" : "1");
		break;
	case SAMPLE_STACK:
		frec__text_unsigned(text, row->stack - 1);
		break;
	case SAMPLE_TIME:
		add_time(firefox, row->time);
		break;
	}
}

// Writes the data of all markers as it is in the spool, but for the comma after the last.
static int write_data(struct frec_firefox *firefox, struct frec_firefox_thread *thread,
		      struct frec_error *reterr)
{
	uint64_t left = thread->markers ? thread->data.size - 1 : 0;
	int r = frec__spool_rewind(&firefox->spool, &thread->data, reterr);

	frec__text_printf(&firefox->text, ",\n\"%s\":[", column_names[DATA]);
	while (left && !r) {
		size_t size = left < FREC_SPOOL_BLOCK ? (size_t)left : FREC_SPOOL_BLOCK;
		char *p = frec__text_room(&firefox->text, size);

		if (!p)
			return frec__error(reterr, -ENOMEM, "out of memory");
		r = frec__spool_read(&firefox->spool, &thread->data, p, size, reterr);
		frec__text_end(&firefox->text, p + size);
		left -= size;
		r = r ? r : flush(firefox, reterr);
	}
	frec__text_puts(&firefox->text, "]");
	return r;
}

static int write_column(struct frec_firefox *firefox, struct frec_firefox_thread *thread,
			enum column column, struct frec_error *reterr)
{
	bool of_samples = column == SAMPLE_STACK || column == SAMPLE_TIME;
	uint64_t left = of_samples ? thread->samples : thread->markers;
	int r = frec__spool_rewind(&firefox->spool, &thread->rows, reterr);

	frec__text_printf(&firefox->text, ",\n\"%s\":[", column_names[column]);
	while (left && !r) {
		struct frec_firefox_row row;

		r = frec__spool_read(&firefox->spool, &thread->rows, &row, sizeof(row), reterr);
		if (r || (of_samples && !row.stack))
			continue;
		add_cell(firefox, column, &row);
		frec__text_puts(&firefox->text, --left ? "," : "");
		if (firefox->text.size >= FREC_SPOOL_BLOCK)
			r = flush(firefox, reterr);
	}
	frec__text_puts(&firefox->text, "]");
	return r;
}

static void add_thread_head(struct frec_firefox *firefox, const struct frec_firefox_thread *thread)
{
	const struct frec_process_entry *who = thread->who;
	ProtobufCBinaryData name = frec__process_entry_thread_name(who);
	int64_t pid = frec__host_number(thread->host, (uint32_t)(thread->key >> 32));
	int64_t tid = frec__host_number(thread->host, (uint32_t)thread->key);
	struct frec_text *text = &firefox->text;

	frec__text_puts(text, "{\"name\":");
	if (name.len)
		frec__text_json(text, name.data, name.len);
	else
		frec__text_printf(text, "\"%" PRId32 "\"", (int32_t)thread->key);
	frec__text_puts(text, ",\"processName\":");
	frec__text_clear(&firefox->data);
	if (who && who->process->name.len)
		frec__text_add(&firefox->data, who->process->name.data, who->process->name.len);
	else
		frec__text_printf(&firefox->data, "%" PRId32, (int32_t)(thread->key >> 32));
	frec__host_suffix(&firefox->data, &firefox->context->timeline->hosts, thread->host);
	frec__text_json(text, firefox->data.data, firefox->data.size);
	frec__text_printf(text,
			  ",\"isMainThread\":%s,\"processType\":\"default\",\"pid\":\"%" PRId64
			  "\",\"tid\":\"%" PRId64 "\",\"pausedRanges\":[],\"registerTime\":",
			  pid == tid ? "true" : "false", pid, tid);
	add_time(firefox, thread->first);
	frec__text_puts(text, ",\"unregisterTime\":null,\"processStartupTime\":");
	add_time(firefox, thread->first);
	frec__text_puts(text, ",\"processShutdownTime\":null");
}

static int write_thread(struct frec_firefox *firefox, struct frec_firefox_thread *thread,
			struct frec_error *reterr)
{
	struct frec_text *text = &firefox->text;
	int r = frec__spool_end(&firefox->spool, &thread->rows, reterr);

	r = r ? r : frec__spool_end(&firefox->spool, &thread->data, reterr);
	add_thread_head(firefox, thread);
	frec__text_printf(text,
			  ",\n\"samples\":{\"length\":%" PRIu64
			  ",\"weight\":null,\"weightType\":\"samples\"",
			  thread->samples);
	for (enum column column = SAMPLE_STACK; column <= SAMPLE_TIME && !r; column++)
		r = write_column(firefox, thread, column, reterr);
	frec__text_printf(text, "},\n\"markers\":{\"length\":%" PRIu64, thread->markers);
	r = r ? r : write_data(firefox, thread, reterr);
	for (enum column column = NAME; column <= PHASE && !r; column++)
		r = write_column(firefox, thread, column, reterr);
	frec__text_puts(text, "}}");
	return r ? r : flush(firefox, reterr);
}

int frec__firefox_write(struct frec_firefox *firefox, struct frec_error *reterr)
{
	const struct frec_export *context = firefox->context;
	int r = write_head(firefox, reterr);

	for (size_t i = 0; i < firefox->count && !r; i++) {
		frec__text_puts(&firefox->text, i ? ",\n" : "\n");
		r = write_thread(firefox, firefox->threads[i], reterr);
	}
	frec__text_puts(&firefox->text, "\n]");
	if (!r)
		r = flush(firefox, reterr);
	if (!r)
		r = frec__firefox_tables_write(&firefox->tables, context->snapshot->header->machine,
					       context->output, reterr);
	frec__text_puts(&firefox->text, "}\n");
	return r ? r : flush(firefox, reterr);
}
