// SPDX-License-Identifier: MIT
// OpenTelemetry's logs, OTLP in protobuf: a LogsData, which is also the body of a request to a
// collector. An event is a LogRecord with
//
//	time_unix_nano  CLOCK_REALTIME
//	event_name      "shop.request_done"
//	attributes      "shop.order_id": the fields, under the name of their provider or group;
//	                process.pid, process.executable.name, thread.id, thread.name and
//	                cpu.logical_number as OpenTelemetry's conventions name them;
//	                flightrec.time: CLOCK_MONOTONIC, nanoseconds; flightrec.truncated: the names of
//	                fields whose text was longer when it was emitted
//
// Its numbers are int64: what is larger is a string of digits. A payload too short for a field
// leaves its value empty. Records go out in batches, each with the resource (the host) before it:
// the parts of a repeated field may follow each other, so the file as a whole is one message.
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export/arena.h"
#include "export/crash.h"
#include "export/writer.h"
#include "otlp_logs.pb-c.h"

#define BATCH 256

// Those beside the fields.
#define OTHER_ATTRIBUTES_MAX 8

struct otlp {
	const struct frec_export *context;
	struct frec_arena arena; /* of the batch */
	struct {
		Otlp__LogRecord *records[BATCH];
		size_t count;
	} *hosts; /* the batch, by host */
	size_t count;
	uint8_t *packed;
	size_t packed_size;
};

static Otlp__AnyValue *add(struct frec_arena *arena, size_t *count, Otlp__KeyValue **attributes,
			   char *key)
{
	struct {
		Otlp__KeyValue attribute;
		Otlp__AnyValue value;
	} *pair = frec__arena_alloc(arena, sizeof(*pair));

	if (!pair)
		return NULL;
	otlp__key_value__init(&pair->attribute);
	otlp__any_value__init(&pair->value);
	pair->attribute.key = key;
	pair->attribute.value = &pair->value;
	attributes[(*count)++] = &pair->attribute;
	return &pair->value;
}

static void set_string(Otlp__AnyValue *value, char *string)
{
	value->value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
	value->string_value = string;
}

static void set_integer(Otlp__AnyValue *value, int64_t integer)
{
	value->value_case = OTLP__ANY_VALUE__VALUE_INT_VALUE;
	value->int_value = integer;
}

static void set_unsigned(struct frec_arena *arena, Otlp__AnyValue *value, uint64_t number)
{
	char digits[24];

	if (number <= INT64_MAX) {
		set_integer(value, (int64_t)number);
		return;
	}
	snprintf(digits, sizeof(digits), "%" PRIu64, number);
	set_string(value, frec__arena_string(arena, digits));
}

static Otlp__ArrayValue *add_array(struct frec_arena *arena, Otlp__AnyValue *value, size_t count)
{
	Otlp__ArrayValue *array = frec__arena_alloc(arena, sizeof(*array));
	Otlp__AnyValue *elements = frec__arena_array(arena, count, sizeof(*elements));
	Otlp__AnyValue **pointers = frec__arena_array(arena, count, sizeof(*pointers));

	if (!array || !elements || !pointers)
		return NULL;
	otlp__array_value__init(array);
	for (size_t i = 0; i < count; i++) {
		otlp__any_value__init(&elements[i]);
		pointers[i] = &elements[i];
	}
	array->values = pointers;
	array->n_values = count;
	value->value_case = OTLP__ANY_VALUE__VALUE_ARRAY_VALUE;
	value->array_value = array;
	return array;
}

// The record is gone when the batch is written.
static void set_bytes(struct frec_arena *arena, Otlp__AnyValue *ret, const struct frec_value *value)
{
	uint8_t *copy = frec__arena_alloc(arena, value->size);

	if (!copy)
		return;
	if (value->size)
		memcpy(copy, value->data, value->size);
	ret->value_case = OTLP__ANY_VALUE__VALUE_BYTES_VALUE;
	ret->bytes_value = (ProtobufCBinaryData){value->size, copy};
}

static void set_value(struct frec_arena *arena, Otlp__AnyValue *ret, const struct frec_value *value)
{
	Otlp__ArrayValue *array;

	switch (value->kind) {
	case FREC_VALUE_INVALID:
		break;
	case FREC_VALUE_UNSIGNED:
		set_unsigned(arena, ret, value->u);
		break;
	case FREC_VALUE_ENUM:
		if (value->name) {
			set_string(ret, frec__arena_string(arena, value->name));
			break;
		}
		// fall through
	case FREC_VALUE_SIGNED:
		set_integer(ret, value->i);
		break;
	case FREC_VALUE_BOOL:
		ret->value_case = OTLP__ANY_VALUE__VALUE_BOOL_VALUE;
		ret->bool_value = value->u != 0;
		break;
	case FREC_VALUE_POINTER: {
		char digits[24];

		snprintf(digits, sizeof(digits), "0x%" PRIx64, value->u);
		set_string(ret, frec__arena_string(arena, digits));
		break;
	}
	case FREC_VALUE_DOUBLE:
	case FREC_VALUE_FLOAT:
		ret->value_case = OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE;
		ret->double_value = value->d;
		break;
	case FREC_VALUE_TEXT:
		set_string(ret, frec__arena_utf8(arena, value->data, value->size, ""));
		break;
	case FREC_VALUE_BYTES:
		set_bytes(arena, ret, value);
		break;
	case FREC_VALUE_ARRAY:
		array = add_array(arena, ret, frec__value_elements(value));
		for (size_t i = 0; array && i < array->n_values; i++) {
			struct frec_value element;

			if (frec__value_element(value, i, &element))
				set_value(arena, array->values[i], &element);
		}
		break;
	}
}

static void add_name(struct frec_arena *arena, Otlp__LogRecord *record, char *key,
		     ProtobufCBinaryData name)
{
	Otlp__AnyValue *value;

	if (!name.len)
		return;
	value = add(arena, &record->n_attributes, record->attributes, key);
	if (value)
		set_string(value, frec__arena_utf8(arena, name.data, name.len, ""));
}

static void add_integer(struct frec_arena *arena, Otlp__LogRecord *record, char *key,
			int64_t number)
{
	Otlp__AnyValue *value = add(arena, &record->n_attributes, record->attributes, key);

	if (value)
		set_integer(value, number);
}

// UINT32_MAX: not known.
static void add_thread(struct otlp *otlp, Otlp__LogRecord *record,
		       const struct frec_process_entry *who, uint32_t pid, uint32_t tid)
{
	struct frec_arena *arena = &otlp->arena;

	if (pid != UINT32_MAX)
		add_integer(arena, record, "process.pid", pid);
	if (who)
		add_name(arena, record, "process.executable.name", who->process->name);
	if (tid != UINT32_MAX)
		add_integer(arena, record, "thread.id", tid);
	add_name(arena, record, "thread.name", frec__process_entry_thread_name(who));
}

static char *qualified(struct frec_arena *arena, const char *first, const char *second)
{
	char name[512];

	snprintf(name, sizeof(name), "%s.%s", first, second);
	return frec__arena_string(arena, name);
}

static void add_truncated(struct frec_arena *arena, Otlp__LogRecord *record,
			  const struct frec_event *event)
{
	Otlp__AnyValue *value;
	Otlp__ArrayValue *names;
	size_t count = 0;

	for (size_t i = 0; i < event->source->n_field; i++)
		count += event->values[i].cut;
	if (!count)
		return;
	value = add(arena, &record->n_attributes, record->attributes, "flightrec.truncated");
	names = value ? add_array(arena, value, count) : NULL;
	count = 0;
	for (size_t i = 0; names && i < event->source->n_field; i++) {
		if (event->values[i].cut)
			set_string(names->values[count++],
				   frec__arena_string(arena, event->source->field[i]->name));
	}
}

// A record of the batch with room for this many attributes, or NULL.
static Otlp__LogRecord *start_record(struct otlp *otlp, const struct frec_host *host, uint64_t time,
				     size_t attributes)
{
	Otlp__LogRecord *record = frec__arena_alloc(&otlp->arena, sizeof(*record));
	Otlp__KeyValue **pointers = frec__arena_array(
		&otlp->arena, attributes + OTHER_ATTRIBUTES_MAX, sizeof(*pointers));

	if (!record || !pointers)
		return NULL;
	otlp__log_record__init(record);
	record->time_unix_nano = frec__snapshot_realtime(host->snapshot, time);
	record->observed_time_unix_nano = record->time_unix_nano;
	record->attributes = pointers;
	otlp->hosts[host->index].records[otlp->hosts[host->index].count++] = record;
	otlp->count++;
	add_integer(&otlp->arena, record, "flightrec.time", (int64_t)time);
	return record;
}

static void add_host_attribute(struct frec_arena *arena, Otlp__Resource *resource, char *key,
			       const void *data, size_t size)
{
	Otlp__AnyValue *value = add(arena, &resource->n_attributes, resource->attributes, key);

	if (value)
		set_string(value, frec__arena_utf8(arena, data, size, ""));
}

static void describe_host(struct otlp *otlp, const struct frec_host *host, Otlp__Resource *resource,
			  Otlp__KeyValue **attributes)
{
	const Flightrec__Header *header = host->snapshot->header;
	struct frec_arena *arena = &otlp->arena;

	resource->attributes = attributes;
	add_host_attribute(arena, resource, "os.type", "linux", 5);
	add_host_attribute(arena, resource, "host.arch", header->machine, strlen(header->machine));
	if (!header->host)
		return;
	add_host_attribute(arena, resource, "host.name", header->host->hostname.data,
			   header->host->hostname.len);
	add_host_attribute(arena, resource, "os.version", header->host->kernel_release,
			   strlen(header->host->kernel_release));
}

// The part of the batch that is of one host.
static int flush_host(struct otlp *otlp, const struct frec_host *of, struct frec_error *reterr)
{
	Otlp__LogsData data = OTLP__LOGS_DATA__INIT;
	Otlp__ResourceLogs resource_logs = OTLP__RESOURCE_LOGS__INIT;
	Otlp__Resource resource = OTLP__RESOURCE__INIT;
	Otlp__ScopeLogs scope_logs = OTLP__SCOPE_LOGS__INIT;
	Otlp__InstrumentationScope scope = OTLP__INSTRUMENTATION_SCOPE__INIT;
	Otlp__ResourceLogs *all_resources[] = {&resource_logs};
	Otlp__ScopeLogs *all_scopes[] = {&scope_logs};
	Otlp__KeyValue *host[OTHER_ATTRIBUTES_MAX];
	size_t size;

	describe_host(otlp, of, &resource, host);
	scope.name = "flightrec";
	scope.version = frec__arena_string(&otlp->arena, of->snapshot->header->writer);
	scope_logs.scope = &scope;
	scope_logs.log_records = otlp->hosts[of->index].records;
	scope_logs.n_log_records = otlp->hosts[of->index].count;
	resource_logs.resource = &resource;
	resource_logs.scope_logs = all_scopes;
	resource_logs.n_scope_logs = 1;
	data.resource_logs = all_resources;
	data.n_resource_logs = 1;
	if (otlp->arena.failed)
		return frec__error(reterr, -ENOMEM, "out of memory");
	size = otlp__logs_data__get_packed_size(&data);
	if (size > otlp->packed_size) {
		uint8_t *packed = realloc(otlp->packed, size + size / 2);

		if (!packed)
			return frec__error(reterr, -ENOMEM, "out of memory");
		otlp->packed = packed;
		otlp->packed_size = size + size / 2;
	}
	otlp__logs_data__pack(&data, otlp->packed);
	otlp->hosts[of->index].count = 0;
	return frec__output_write(otlp->context->output, otlp->packed, size, reterr);
}

static int flush(struct otlp *otlp, struct frec_error *reterr)
{
	const struct frec_hosts *hosts = &otlp->context->timeline->hosts;
	int result = 0;

	for (size_t i = 0; i < hosts->count && !result; i++) {
		if (otlp->hosts[i].count || otlp->arena.failed)
			result = flush_host(otlp, &hosts->hosts[i], reterr);
	}
	frec__arena_reset(&otlp->arena);
	otlp->count = 0;
	return result;
}

static int begin(const struct frec_export *context, void **ret_state, struct frec_error *reterr)
{
	struct otlp *otlp = calloc(1, sizeof(*otlp));

	if (!otlp)
		return frec__error(reterr, -ENOMEM, "out of memory");
	otlp->context = context;
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
	Otlp__LogRecord *record = start_record(otlp, event->host, event->record->time, source->n_field);

	if (!record)
		return frec__error(reterr, -ENOMEM, "out of memory");
	record->event_name = qualified(arena, source->system, source->name);
	add_thread(otlp, record, event->who, event->record->pid, event->record->tid);
	add_integer(arena, record, "cpu.logical_number", event->record->cpu);
	for (size_t i = 0; i < source->n_field; i++) {
		Otlp__AnyValue *value =
			add(arena, &record->n_attributes, record->attributes,
			    qualified(arena, source->system, source->field[i]->name));

		if (value)
			set_value(arena, value, &event->values[i]);
	}
	add_truncated(arena, record, event);
	return otlp->count == BATCH ? flush(otlp, reterr) : 0;
}

// The death: the only record with a severity.
static void add_crash(struct otlp *otlp, const struct frec_timeline_file *file)
{
	const Flightrec__Crash *crash = file->events.snapshot->crash;
	Otlp__LogRecord *record = start_record(otlp, file->host, crash->time, 0);
	Otlp__AnyValue *body = frec__arena_alloc(&otlp->arena, sizeof(*body));
	uint32_t tid = crash->tid ? crash->tid : crash->pid;
	struct frec_text words = {0};

	if (!record || !body)
		return;
	record->event_name = "flightrec.crash";
	record->severity_number = OTLP__SEVERITY_NUMBER__SEVERITY_NUMBER_FATAL;
	add_thread(otlp, record, frec__processes_find(&file->events.processes, tid, crash->time),
		   crash->pid, tid);
	frec__crash_headline(&words, crash);
	otlp__any_value__init(body);
	set_string(body, frec__arena_utf8(&otlp->arena, words.data, words.size, ""));
	record->body = body;
	otlp->arena.failed |= words.failed;
	frec__text_free(&words);
}

static int end(void *state, struct frec_error *reterr)
{
	struct otlp *otlp = state;

	const struct frec_timeline *timeline = otlp->context->timeline;
	int result = 0;

	for (size_t i = 0; i < timeline->file_count && !result; i++) {
		if (timeline->snapshots[i]->crash)
			add_crash(otlp, &timeline->files[i]);
		if (otlp->count || otlp->arena.failed)
			result = flush(otlp, reterr);
	}
	return result;
}

static void destroy(void *state)
{
	struct otlp *otlp = state;

	frec__arena_free(&otlp->arena);
	free(otlp->hosts);
	free(otlp->packed);
	free(otlp);
}

const struct frec_writer frec__writer_otlp = {
	.name = "otlp",
	.what = "OpenTelemetry logs in protobuf",
	.suffix = ".otlp",
	.other_suffix = ".otlp.pb",
	.several_hosts = true,
	.messages = true,
	.begin = begin,
	.event = event,
	.end = end,
	.destroy = destroy,
};
