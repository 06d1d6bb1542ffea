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
#include "export/otlp/log_record.h"
#include "export/otlp/values.h"
#include "export/pack.h"
#include "export/packed.h"
#include "export/writer.h"

#define BATCH 256

// Field numbers of proto/otlp.proto.
enum { DATA_RESOURCE_LOGS = 1 };
enum { RESOURCE_LOGS_RESOURCE = 1, RESOURCE_LOGS_SCOPE_LOGS = 2 };
enum { SCOPE_LOGS_SCOPE = 1 };

struct otlp {
	const struct frec_export *context;
	struct frec_otlp_spans spans;
	struct frec_arena arena;	 /* for the batch */
	struct frec_otlp_records *hosts; /* of the batch, by index of the host */
	size_t count;
	struct frec_packed packed;
};

// Packs a field that is a message. Returns where its content goes.
static uint8_t *pack_head(uint8_t *p, uint32_t field, size_t size)
{
	return frec__pack_varint(frec__pack_varint(p, field << 3 | 2), size);
}

static size_t size_with_head(size_t size)
{
	uint8_t head[2 * FREC_PACK_VARINT_MAX];

	return (size_t)(pack_head(head, 1, size) - head) + size;
}

// Writes one host's part of the batch, as one message.
static int flush_host(struct otlp *otlp, const struct frec_host *of, struct frec_error *reterr)
{
	struct frec_otlp_records *records = &otlp->hosts[of->index];
	Otlp__Resource resource = OTLP__RESOURCE__INIT;
	Otlp__InstrumentationScope *scope = frec__otlp_scope(&otlp->arena, of);
	struct frec_otlp_attributes host;
	size_t resource_size, scope_size, scope_logs, all;
	uint8_t *data, *p;

	if (frec__otlp_attributes(&otlp->arena, &host,
				  FREC_OTLP_OTHER_ATTRIBUTES_MAX + FREC_OTLP_TAGS_MAX)) {
		frec__otlp_add_host(&otlp->arena, &host, of);
		frec__otlp_add_tags(&otlp->arena, &host, of->snapshot->header->tag,
				    of->snapshot->header->n_tag);
	}
	resource.attributes = host.items;
	resource.n_attributes = host.count;
	if (otlp->arena.failed || records->packed.failed || !scope)
		return frec__error(reterr, -ENOMEM, "out of memory");
	resource_size = otlp__resource__get_packed_size(&resource);
	scope_size = otlp__instrumentation_scope__get_packed_size(scope);
	scope_logs = size_with_head(scope_size) + records->packed.size;
	all = size_with_head(resource_size) + size_with_head(scope_logs);
	data = frec__packed_room(&otlp->packed, size_with_head(all));
	if (!data)
		return frec__error(reterr, -ENOMEM, "out of memory");
	p = pack_head(data, DATA_RESOURCE_LOGS, all);
	p = pack_head(p, RESOURCE_LOGS_RESOURCE, resource_size);
	p += otlp__resource__pack(&resource, p);
	p = pack_head(p, RESOURCE_LOGS_SCOPE_LOGS, scope_logs);
	p = pack_head(p, SCOPE_LOGS_SCOPE, scope_size);
	p += otlp__instrumentation_scope__pack(scope, p);
	memcpy(p, records->packed.data, records->packed.size);
	p += records->packed.size;
	frec__text_clear(&records->packed);
	records->count = 0;
	return frec__output_write(otlp->context->output, data, (size_t)(p - data), reterr);
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
	for (size_t i = 0; i < context->timeline->hosts.count; i++)
		frec__otlp_records_init(&otlp->hosts[i],
					context->timeline->hosts.hosts[i].snapshot);
	*ret_state = otlp;
	return 0;
}

static int event(void *state, const struct frec_event *event, struct frec_error *reterr)
{
	struct otlp *otlp = state;
	struct frec_otlp_records *records = &otlp->hosts[event->host->index];
	struct frec_otlp_ids ids;
	int r = frec__otlp_follow(&otlp->spans, event, &ids, NULL, reterr);

	if (r)
		return r;
	frec__otlp_records_add(records, event, &ids);
	if (records->packed.failed)
		return frec__error(reterr, -ENOMEM, "out of memory");
	return ++otlp->count == BATCH ? flush(otlp, reterr) : 0;
}

// Adds a record of the death, the only kind of record with a severity.
static void add_crash(struct otlp *otlp, const struct frec_timeline_file *file)
{
	const Flightrec__Crash *crash = file->events.snapshot->crash;
	Otlp__LogRecord record = OTLP__LOG_RECORD__INIT;
	Otlp__AnyValue body = OTLP__ANY_VALUE__INIT;
	struct frec_otlp_attributes attributes;
	uint32_t tid = crash->tid ? crash->tid : crash->pid;
	const struct frec_process_entry *who =
		frec__processes_find(&file->events.processes, tid, crash->time);
	FREC_TEXT_FREE struct frec_text words = {0};

	if (!frec__otlp_attributes(&otlp->arena, &attributes, FREC_OTLP_OTHER_ATTRIBUTES_MAX))
		return;
	record.time_unix_nano = frec__snapshot_realtime(file->host->snapshot, crash->time);
	record.observed_time_unix_nano = record.time_unix_nano;
	record.event_name = "flightrec.crash";
	record.severity_number = OTLP__SEVERITY_NUMBER__SEVERITY_NUMBER_FATAL;
	frec__otlp_add_integer(&otlp->arena, &attributes, "flightrec.time", (int64_t)crash->time);
	frec__otlp_add_process(&otlp->arena, &attributes, who, crash->pid);
	frec__otlp_add_thread(&otlp->arena, &attributes, who, tid);
	frec__crash_headline(&words, crash);
	frec__otlp_set_string(&body, frec__arena_utf8(&otlp->arena, words.data, words.size, ""));
	record.body = &body;
	record.attributes = attributes.items;
	record.n_attributes = attributes.count;
	otlp->arena.failed |= words.failed;
	frec__otlp_records_add_message(&otlp->hosts[file->host->index], &record.base);
	otlp->count++;
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
	for (size_t i = 0; i < otlp->context->timeline->hosts.count; i++)
		frec__otlp_records_deinit(&otlp->hosts[i]);
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
