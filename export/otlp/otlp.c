// SPDX-License-Identifier: MIT
// OpenTelemetry logs, as OTLP in protobuf: a LogsData, which is also the body of a request to a
// collector. An event is a LogRecord with
//
//	time_unix_nano  CLOCK_REALTIME
//	event_name      "shop.request_done"
//	trace_id,       of the span that the event begins, ends or is in, the same as in
//	span_id         otlp/traces.c
//	attributes      "shop.order_id": the fields, under the name of their provider or group;
//			process.pid, process.executable.name, thread.id, thread.name and
//			cpu.logical_number as in OpenTelemetry's conventions; flightrec.time:
//			CLOCK_MONOTONIC, nanoseconds; flightrec.truncated: the names of fields whose
//			text was longer when it was emitted; then the tags of the process
//
// OTLP's integers are int64, so larger ones are strings of digits. If a payload is too short for a
// field, the field's value is empty. Records are written in batches, each with its resource (the
// host, and the tags of the recorder): concatenated protobuf messages are one message, so the whole
// file is one LogsData.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "export/read/clocks.h"
#include "export/report/crash.h"
#include "export/otlp/spans.h"
#include "export/otlp/values.h"
#include "export/packed.h"
#include "export/writer.h"

#define BATCH 256

struct otlp {
	const struct frec_export *context;
	struct frec_otlp_spans spans;
	struct frec_arena arena; /* for the batch */
	struct {
		Otlp__LogRecord *records[BATCH];
		size_t count;
	} * hosts; /* the records of the batch, by host */
	size_t count;
	struct frec_packed packed;
};

// Adds a record to the batch, with space for `room` attributes beside the common ones. Returns NULL
// if memory runs out.
static Otlp__LogRecord *start_record(struct otlp *otlp, const struct frec_host *host, uint64_t time,
				     size_t room, struct frec_otlp_attributes *ret)
{
	Otlp__LogRecord *record = frec__arena_alloc(&otlp->arena, sizeof(*record));

	if (!record ||
	    !frec__otlp_attributes(&otlp->arena, ret, room + FREC_OTLP_OTHER_ATTRIBUTES_MAX))
		return NULL;
	otlp__log_record__init(record);
	record->time_unix_nano = frec__snapshot_realtime(host->snapshot, time);
	record->observed_time_unix_nano = record->time_unix_nano;
	otlp->hosts[host->index].records[otlp->hosts[host->index].count++] = record;
	otlp->count++;
	frec__otlp_add_integer(&otlp->arena, ret, "flightrec.time", (int64_t)time);
	return record;
}

static void finish_record(Otlp__LogRecord *record, const struct frec_otlp_attributes *attributes)
{
	record->attributes = attributes->items;
	record->n_attributes = attributes->count;
}

// Writes one host's part of the batch.
static int flush_host(struct otlp *otlp, const struct frec_host *of, struct frec_error *reterr)
{
	Otlp__LogsData data = OTLP__LOGS_DATA__INIT;
	Otlp__ResourceLogs resource_logs = OTLP__RESOURCE_LOGS__INIT;
	Otlp__Resource resource = OTLP__RESOURCE__INIT;
	Otlp__ScopeLogs scope_logs = OTLP__SCOPE_LOGS__INIT;
	Otlp__ResourceLogs *all_resources[] = {&resource_logs};
	Otlp__ScopeLogs *all_scopes[] = {&scope_logs};
	struct frec_otlp_attributes host;

	if (frec__otlp_attributes(&otlp->arena, &host,
				  FREC_OTLP_OTHER_ATTRIBUTES_MAX + FREC_OTLP_TAGS_MAX)) {
		frec__otlp_add_host(&otlp->arena, &host, of);
		frec__otlp_add_tags(&otlp->arena, &host, of->snapshot->header->tag,
				    of->snapshot->header->n_tag);
	}
	resource.attributes = host.items;
	resource.n_attributes = host.count;
	scope_logs.scope = frec__otlp_scope(&otlp->arena, of);
	scope_logs.log_records = otlp->hosts[of->index].records;
	scope_logs.n_log_records = otlp->hosts[of->index].count;
	resource_logs.resource = &resource;
	resource_logs.scope_logs = all_scopes;
	resource_logs.n_scope_logs = 1;
	data.resource_logs = all_resources;
	data.n_resource_logs = 1;
	otlp->hosts[of->index].count = 0;
	if (otlp->arena.failed)
		return frec__error(reterr, -ENOMEM, "out of memory");
	return frec__packed_write(&otlp->packed, &data.base, otlp->context->output, reterr);
}

static int flush(struct otlp *otlp, struct frec_error *reterr)
{
	const struct frec_hosts *hosts = &otlp->context->timeline->hosts;
	int r = 0;

	for (size_t i = 0; i < hosts->count && !r; i++) {
		if (otlp->hosts[i].count || otlp->arena.failed)
			r = flush_host(otlp, &hosts->hosts[i], reterr);
	}
	frec__arena_reset(&otlp->arena);
	otlp->count = 0;
	return r;
}

static int begin(const struct frec_export *context, void **ret_state, struct frec_error *reterr)
{
	struct otlp *otlp = calloc(1, sizeof(*otlp));

	if (!otlp)
		return frec__error(reterr, -ENOMEM, "out of memory");
	otlp->context = context;
	otlp->spans.shapes = &context->timeline->shapes;
	otlp->hosts = calloc(context->timeline->hosts.count, sizeof(*otlp->hosts));
	if (!otlp->hosts) {
		free(otlp);
		return frec__error(reterr, -ENOMEM, "out of memory");
	}
	*ret_state = otlp;
	return 0;
}

static int event(void *state, const struct frec_event *event, struct frec_error *reterr)
{
	struct otlp *otlp = state;
	struct frec_arena *arena = &otlp->arena;
	const Flightrec__Source *source = event->source;
	struct frec_otlp_attributes attributes;
	struct frec_otlp_ids ids;
	struct frec_otlp_field *fields = frec__arena_array(arena, source->n_field, sizeof(*fields));
	int r = frec__otlp_follow(&otlp->spans, event, &ids, NULL, reterr);
	const Flightrec__Process *tagged;
	Otlp__LogRecord *record;

	if (r)
		return r;
	tagged = event->who && event->who->process->n_tag ? event->who->process : NULL;
	record = start_record(otlp, event->host, event->record->time,
			      source->n_field + (tagged ? FREC_OTLP_TAGS_MAX : 0), &attributes);
	if (!record || !fields)
		return frec__error(reterr, -ENOMEM, "out of memory");
	record->event_name = frec__otlp_qualified(arena, source->system, source->name);
	record->trace_id = frec__otlp_id(arena, ids.trace, sizeof(ids.trace));
	record->span_id = frec__otlp_id(arena, ids.span, sizeof(ids.span));
	frec__otlp_add_process(arena, &attributes, event->who, event->record->pid);
	frec__otlp_add_thread(arena, &attributes, event->who, event->record->tid);
	if (event->record->cpu != FREC_UNKNOWN)
		frec__otlp_add_integer(arena, &attributes, "cpu.logical_number",
				       event->record->cpu);
	for (size_t i = 0; i < source->n_field; i++)
		fields[i] = (struct frec_otlp_field){
			frec__otlp_qualified(arena, source->system, source->field[i]->name),
			&event->values[i]};
	frec__otlp_add_fields(arena, &attributes, fields, source->n_field);
	if (tagged)
		frec__otlp_add_tags(arena, &attributes, tagged->tag, tagged->n_tag);
	finish_record(record, &attributes);
	return otlp->count == BATCH ? flush(otlp, reterr) : 0;
}

// Adds a record of the death, the only kind of record with a severity.
static void add_crash(struct otlp *otlp, const struct frec_timeline_file *file)
{
	const Flightrec__Crash *crash = file->events.snapshot->crash;
	struct frec_otlp_attributes attributes;
	Otlp__LogRecord *record = start_record(otlp, file->host, crash->time, 0, &attributes);
	Otlp__AnyValue *body = frec__arena_alloc(&otlp->arena, sizeof(*body));
	uint32_t tid = crash->tid ? crash->tid : crash->pid;
	const struct frec_process_entry *who =
		frec__processes_find(&file->events.processes, tid, crash->time);
	FREC_TEXT_FREE struct frec_text words = {0};

	if (!record || !body)
		return;
	record->event_name = "flightrec.crash";
	record->severity_number = OTLP__SEVERITY_NUMBER__SEVERITY_NUMBER_FATAL;
	frec__otlp_add_process(&otlp->arena, &attributes, who, crash->pid);
	frec__otlp_add_thread(&otlp->arena, &attributes, who, tid);
	frec__crash_headline(&words, crash);
	otlp__any_value__init(body);
	frec__otlp_set_string(body, frec__arena_utf8(&otlp->arena, words.data, words.size, ""));
	record->body = body;
	finish_record(record, &attributes);
	otlp->arena.failed |= words.failed;
}

static int end(void *state, struct frec_error *reterr)
{
	struct otlp *otlp = state;

	const struct frec_timeline *timeline = otlp->context->timeline;
	int r = 0;

	for (size_t i = 0; i < timeline->file_count && !r; i++) {
		if (timeline->snapshots[i]->crash)
			add_crash(otlp, &timeline->files[i]);
		if (otlp->count || otlp->arena.failed)
			r = flush(otlp, reterr);
	}
	return r;
}

static void destroy(void *state)
{
	struct otlp *otlp = state;

	frec__otlp_spans_deinit(&otlp->spans);
	frec__arena_free(&otlp->arena);
	free(otlp->hosts);
	free(otlp->packed.data);
	free(otlp);
}

const struct frec_writer frec__writer_otlp = {
	.name = "otlp",
	.what = "OpenTelemetry logs in protobuf",
	.suffix = ".otlp",
	.other_suffix = ".otlp.pb",
	.several_hosts = true,
	.collector_path = "/v1/logs",
	.begin = begin,
	.event = event,
	.end = end,
	.destroy = destroy,
};
