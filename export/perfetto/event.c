// SPDX-License-Identifier: MIT
// Packs an event by hand, as an instant on its thread or as the begin or end of a slice. A trace
// has one packet for each event and few others, so this is where speed counts. The field numbers
// are those of proto/perfetto_trace.proto; a test compares them, and compares the packets with
// those that protobuf-c packs.
#include "export/perfetto/event.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "export/perfetto/packet.h"
#include "export/perfetto/sources.h"

enum {
	EVENT_CATEGORY_IIDS = 3,
	EVENT_TYPE = 9,
	EVENT_NAME_IID = 10,
	EVENT_TRACK_UUID = 11,
	EVENT_LOG_MESSAGE = 21,
	EVENT_COUNTER_VALUE = 30,
	EVENT_DOUBLE_COUNTER_VALUE = 44,
	EVENT_FLOW_IDS = 47,
	EVENT_CALLSTACK_IID = 56,
};
// The most bytes that a packet with one number takes.
#define VALUE_PACKET_MAX 128

enum { INTERNED_LOG_MESSAGE_BODY = 20, BODY_IID = 1, BODY_BODY = 2 };
enum { LOG_BODY_IID = 2, LOG_PRIO = 3 };
enum {
	ANNOTATION_BOOL = 2,
	ANNOTATION_UINT = 3,
	ANNOTATION_INT = 4,
	ANNOTATION_DOUBLE = 5,
	ANNOTATION_STRING = 6,
	ANNOTATION_POINTER = 7,
	ANNOTATION_NAME = 10,
	ANNOTATION_DICT_ENTRIES = 11,
	ANNOTATION_ARRAY_VALUES = 12,
};

static uint8_t *pack_string(struct frec_perfetto *perfetto, uint8_t *p, const char *string)
{
	return frec__packet_text(perfetto, p, ANNOTATION_STRING, string, strlen(string), "");
}

static uint8_t *pack_hex(uint8_t *p, const struct frec_value *value)
{
	p = frec__pack_varint(p, ANNOTATION_STRING << 3 | 2);
	p = frec__pack_varint(p, 2 * value->size);
	frec__hex(p, value->data, value->size);
	return p + 2 * value->size;
}

static uint8_t *pack_array(uint8_t *p, const struct frec_value *array)
{
	struct frec_value element;

	for (size_t i = 0; frec__value_element(array, i, &element); i++) {
		uint8_t *start = frec__pack_begin(p, ANNOTATION_ARRAY_VALUES);

		p = frec__pack_number(
			start, element.kind == FREC_VALUE_SIGNED ? ANNOTATION_INT : ANNOTATION_UINT,
			element.u);
		p = frec__pack_end(start, p);
	}
	return p;
}

static uint8_t *pack_value(struct frec_perfetto *perfetto, uint8_t *p,
			   const struct frec_value *value)
{
	switch (value->kind) {
	case FREC_VALUE_UNSIGNED:
		return frec__pack_number(p, ANNOTATION_UINT, value->u);
	case FREC_VALUE_ENUM:
		if (value->name)
			return pack_string(perfetto, p, value->name);
		// fall through
	case FREC_VALUE_SIGNED:
		return frec__pack_number(p, ANNOTATION_INT, value->u);
	case FREC_VALUE_BOOL:
		return frec__pack_number(p, ANNOTATION_BOOL, value->u);
	case FREC_VALUE_POINTER:
		return frec__pack_number(p, ANNOTATION_POINTER, value->u);
	case FREC_VALUE_DOUBLE:
	case FREC_VALUE_FLOAT:
		// A NaN is written as text, because Perfetto stores numbers in a database that has
		// no NaN.
		if (isnan(value->d))
			return pack_string(perfetto, p, "nan");
		return frec__pack_double(p, ANNOTATION_DOUBLE, value->d);
	case FREC_VALUE_TEXT:
		return frec__packet_text(perfetto, p, ANNOTATION_STRING, value->data, value->size,
					 value->cut ? "…" : "");
	case FREC_VALUE_BYTES:
		return pack_hex(p, value);
	case FREC_VALUE_ARRAY:
		return pack_array(p, value);
	case FREC_VALUE_INVALID:
		break;
	}
	return pack_string(perfetto, p, value->absent ? "null" : "<invalid>");
}

static uint8_t *pack_annotation(struct frec_perfetto *perfetto, uint8_t *p,
				const struct frec_value *value,
				const struct frec_perfetto_annotation *prepared)
{
	uint8_t *start = frec__pack_begin(p, EVENT_DEBUG_ANNOTATIONS);
	const char *name = value->field->name;

	// Copy all of `bytes`, also those beyond prepared->size: the compiler inlines a copy of
	// constant size instead of calling memcpy(). The value then overwrites the bytes beyond.
	memcpy(p, prepared->bytes, sizeof(prepared->bytes));
	p = frec__pack_end(start, pack_value(perfetto, p + prepared->size, value));
	if (!value->cut)
		return p;
	start = frec__pack_begin(p, EVENT_DEBUG_ANNOTATIONS);
	p = frec__pack_number(start, ANNOTATION_BOOL, 1);
	p = frec__packet_text(perfetto, p, ANNOTATION_NAME, name, strlen(name), ".truncated");
	return frec__pack_end(start, p);
}

static uint8_t *pack_registers(struct frec_perfetto *perfetto, uint8_t *p,
			       const struct frec_record *record)
{
	const struct frec_registers *layout = frec__perfetto_registers(perfetto);
	uint8_t *start = frec__pack_begin(p, EVENT_DEBUG_ANNOTATIONS);
	const uint8_t *next = record->registers;

	p = frec__pack_bytes(start, ANNOTATION_NAME, "registers", 9);
	for (unsigned int i = 0; i < 64; i++) {
		uint8_t *entry;
		char number[8];
		const char *name = number;
		uint64_t value;

		if (!(record->register_mask >> i & 1))
			continue;
		memcpy(&value, next, sizeof(value));
		next += sizeof(value);
		snprintf(number, sizeof(number), "r#%u", i);
		if (layout && i < layout->count && layout->names[i])
			name = layout->names[i];
		entry = frec__pack_begin(p, ANNOTATION_DICT_ENTRIES);
		p = frec__pack_number(entry, ANNOTATION_POINTER, value);
		p = frec__pack_bytes(p, ANNOTATION_NAME, name, strlen(name));
		p = frec__pack_end(entry, p);
	}
	return frec__pack_end(start, p);
}

// Converts a level of syslog(3) to Perfetto's priority.
static uint64_t priority_of(int level)
{
	static const Perfetto__Protos__LogMessage__Priority priorities[] = {
		PERFETTO__PROTOS__LOG_MESSAGE__PRIORITY__PRIO_FATAL,
		PERFETTO__PROTOS__LOG_MESSAGE__PRIORITY__PRIO_FATAL,
		PERFETTO__PROTOS__LOG_MESSAGE__PRIORITY__PRIO_FATAL,
		PERFETTO__PROTOS__LOG_MESSAGE__PRIORITY__PRIO_ERROR,
		PERFETTO__PROTOS__LOG_MESSAGE__PRIORITY__PRIO_WARN,
		PERFETTO__PROTOS__LOG_MESSAGE__PRIORITY__PRIO_INFO,
		PERFETTO__PROTOS__LOG_MESSAGE__PRIORITY__PRIO_INFO,
		PERFETTO__PROTOS__LOG_MESSAGE__PRIORITY__PRIO_DEBUG,
	};

	return priorities[level];
}

// Packs what the shape adds to the event. A log message refers by iid to its text, which
// pack_interned() adds to the same packet.
static uint8_t *pack_shape(struct frec_perfetto *perfetto, uint8_t *p,
			   const struct frec_shape *shape)
{
	if (shape->message) {
		uint8_t *log = frec__pack_begin(p, EVENT_LOG_MESSAGE);

		p = frec__pack_number(log, LOG_BODY_IID, ++perfetto->log_count);
		p = frec__pack_number(p, LOG_PRIO, priority_of(shape->level));
		p = frec__pack_end(log, p);
	}
	// The end of a slice gets no arrow, because that would connect the slice with itself.
	for (size_t i = 0; i < shape->flow_count && shape->kind != FREC_SHAPE_END; i++) {
		p = frec__pack_varint(p, EVENT_FLOW_IDS << 3 | 1);
		memcpy(p, &shape->flows[i], sizeof(shape->flows[i]));
		p += sizeof(shape->flows[i]);
	}
	return p;
}

static uint8_t *pack_interned(struct frec_perfetto *perfetto, uint8_t *p,
			      const Perfetto__Protos__InternedData *interned,
			      const struct frec_value *message)
{
	uint8_t *data, *body;

	if (!interned && !message)
		return p;
	data = frec__pack_begin(p, PACKET_INTERNED_DATA);
	p = data;
	if (interned)
		p += perfetto__protos__interned_data__pack(interned, p);
	if (message) {
		body = frec__pack_begin(p, INTERNED_LOG_MESSAGE_BODY);
		p = frec__pack_number(body, BODY_IID, perfetto->log_count);
		p = frec__packet_text(perfetto, p, BODY_BODY, message->data, message->size,
				      message->cut ? "…" : "");
		p = frec__pack_end(body, p);
	}
	return frec__pack_end(data, p);
}

static uint8_t *pack_packet_end(const struct frec_perfetto *perfetto, uint8_t *p)
{
	p = frec__pack_number(p, PACKET_SEQUENCE_FLAGS, FREC_PERFETTO_NEEDS_STATE);
	return frec__packet_machine(p, perfetto->host);
}

int frec__perfetto_write_event(struct frec_perfetto *perfetto, const struct frec_event *event,
			       uint64_t track, uint64_t callstack_iid,
			       const Perfetto__Protos__InternedData *interned,
			       struct frec_error *reterr)
{
	static const Perfetto__Protos__TrackEvent__Type types[] = {
		[FREC_SHAPE_INSTANT] = PERFETTO__PROTOS__TRACK_EVENT__TYPE__TYPE_INSTANT,
		[FREC_SHAPE_BEGIN] = PERFETTO__PROTOS__TRACK_EVENT__TYPE__TYPE_SLICE_BEGIN,
		[FREC_SHAPE_END] = PERFETTO__PROTOS__TRACK_EVENT__TYPE__TYPE_SLICE_END,
	};
	const struct frec_record *record = event->record;
	const struct frec_shape *shape = event->shape;
	enum frec_shape_kind kind = shape ? shape->kind : FREC_SHAPE_INSTANT;
	uint64_t iid = event->source_index + 1;
	struct frec_perfetto_source *source =
		&perfetto->sources[event->host->index][event->source_index];
	size_t names = interned ? perfetto__protos__interned_data__get_packed_size(interned) : 0;
	uint8_t *data = frec__perfetto_room(
		perfetto, frec__perfetto_event_bound(source, event) + names, reterr);
	uint8_t *packet, *track_event, *p;

	if (!data)
		return -ENOMEM;
	packet = frec__pack_begin_sized(data, TRACE_PACKET, source->packet_length);
	p = frec__packet_begin(packet, perfetto, event->time);
	track_event = frec__pack_begin_sized(p, PACKET_TRACK_EVENT, source->event_length);
	p = track_event;
	// The end of a slice needs no category and no name. If it had them, readers would compare
	// them with those of the begin.
	if (kind != FREC_SHAPE_END)
		p = frec__pack_number(p, EVENT_CATEGORY_IIDS, iid);
	for (size_t i = 0; i < event->source->n_field; i++)
		p = pack_annotation(perfetto, p, &event->values[i], &source->annotations[i]);
	if (record->registers)
		p = pack_registers(perfetto, p, record);
	p = frec__pack_number(p, EVENT_TYPE, types[kind]);
	if (kind == FREC_SHAPE_BEGIN)
		p = frec__pack_number(p, EVENT_NAME_IID, event->host->snapshot->source_count + iid);
	else if (kind == FREC_SHAPE_INSTANT)
		p = frec__pack_number(p, EVENT_NAME_IID, iid);
	p = frec__pack_number(p, EVENT_TRACK_UUID, track);
	if (shape)
		p = pack_shape(perfetto, p, shape);
	if (callstack_iid)
		p = frec__pack_number(p, EVENT_CALLSTACK_IID, callstack_iid);
	p = frec__pack_end_sized(track_event, p, &source->event_length);
	p = pack_interned(perfetto, p, interned, shape ? shape->message : NULL);
	p = pack_packet_end(perfetto, p);
	p = frec__pack_end_sized(packet, p, &source->packet_length);
	return frec__perfetto_flush(perfetto, p, reterr);
}

int frec__perfetto_write_value(struct frec_perfetto *perfetto, uint64_t time, uint64_t track,
			       const struct frec_value *value, struct frec_error *reterr)
{
	uint8_t *data = frec__perfetto_room(perfetto, VALUE_PACKET_MAX, reterr);
	bool is_float = value->kind == FREC_VALUE_DOUBLE || value->kind == FREC_VALUE_FLOAT;
	uint8_t *packet, *event, *p;

	if (!data)
		return -ENOMEM;
	packet = frec__pack_begin(data, TRACE_PACKET);
	p = frec__packet_begin(packet, perfetto, time);
	event = frec__pack_begin(p, PACKET_TRACK_EVENT);
	p = frec__pack_number(event, EVENT_TYPE, PERFETTO__PROTOS__TRACK_EVENT__TYPE__TYPE_COUNTER);
	p = frec__pack_number(p, EVENT_TRACK_UUID, track);
	if (is_float)
		p = frec__pack_double(p, EVENT_DOUBLE_COUNTER_VALUE, value->d);
	else if (value->kind == FREC_VALUE_UNSIGNED && value->u > INT64_MAX)
		p = frec__pack_double(p, EVENT_DOUBLE_COUNTER_VALUE, (double)value->u);
	else
		p = frec__pack_number(p, EVENT_COUNTER_VALUE, value->u);
	p = frec__pack_end(event, p);
	p = frec__pack_end(packet, pack_packet_end(perfetto, p));
	return frec__perfetto_flush(perfetto, p, reterr);
}
