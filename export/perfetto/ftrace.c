// SPDX-License-Identifier: MIT
// Packs kernel tracepoints as ftrace events. The few that Perfetto interprets (mainly the
// scheduler's, from which it draws what ran where) have messages of their own, whose fields have
// the kernel's names and are filled in by name. All others are generic events, whose fields become
// arguments.
#include "export/perfetto/ftrace.h"

#include <errno.h>
#include <string.h>

#include "export/perfetto/packet.h"
#include "export/perfetto/sources.h"
#include "export/perfetto/switches.h"
#include "export/read/clocks.h"
#include "export/read/text_values.h"

// These are field numbers, like those in packet.h.
enum { BUNDLE_CPU = 1 };
enum { EVENT_TIMESTAMP = 1, EVENT_PID = 2, EVENT_GENERIC = 327 };
enum { GENERIC_EVENT_NAME = 1, GENERIC_FIELD = 2 };
enum { FIELD_NAME = 1, VALUE_STR = 3, VALUE_INT = 4, VALUE_UINT = 5 };

// Returns whether the event's values have the types of the fields in Perfetto's message for the
// event.
static bool fits_known(const struct frec_perfetto_source *source, const struct frec_event *event)
{
	const ProtobufCMessageDescriptor *descriptor;

	if (!source->known)
		return false;
	descriptor = source->known->descriptor;
	for (unsigned int i = 0; i < descriptor->n_fields; i++) {
		enum frec_value_kind kind = event->values[source->known_field[i]].kind;
		bool number = kind == FREC_VALUE_SIGNED || kind == FREC_VALUE_UNSIGNED ||
			      kind == FREC_VALUE_ENUM;

		bool fits = number;

		if (descriptor->fields[i].type == PROTOBUF_C_TYPE_STRING)
			fits = kind == FREC_VALUE_TEXT;
		else if (descriptor->fields[i].label == PROTOBUF_C_LABEL_REPEATED)
			fits = kind == FREC_VALUE_ARRAY;
		if (!fits)
			return false;
	}
	return true;
}

static uint8_t *pack_known(struct frec_perfetto *perfetto, uint8_t *p,
			   const struct frec_perfetto_source *source,
			   const struct frec_event *event)
{
	const ProtobufCMessageDescriptor *descriptor = source->known->descriptor;
	uint8_t *start = frec__pack_begin(p, source->known->id);

	p = start;
	for (unsigned int i = 0; i < descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
		const struct frec_value *value = &event->values[source->known_field[i]];

		if (field->label == PROTOBUF_C_LABEL_REPEATED) {
			struct frec_value element;

			for (size_t k = 0; frec__value_element(value, k, &element); k++)
				p = frec__pack_number(p, field->id, element.u);
		} else if (field->type == PROTOBUF_C_TYPE_STRING) {
			p = frec__packet_text(perfetto, p, field->id, value->data, value->size, "");
		} else {
			p = frec__pack_number(p, field->id,
					      field->type == PROTOBUF_C_TYPE_INT64
						      ? value->u
						      : (uint64_t)(int32_t)value->i);
		}
	}
	return frec__pack_end(start, p);
}

// A generic field holds only integers and strings, so all other values become text.
static uint8_t *pack_as_text(struct frec_perfetto *perfetto, uint8_t *p,
			     const struct frec_value *value)
{
	FREC_TEXT_FREE struct frec_text text = {0};

	frec__text_plain_value(&text, value);
	perfetto->arena.failed |= text.failed;
	return frec__pack_bytes(p, VALUE_STR, text.data, text.size);
}

static uint8_t *pack_value(struct frec_perfetto *perfetto, uint8_t *p,
			   const struct frec_value *value)
{
	switch (value->kind) {
	case FREC_VALUE_UNSIGNED:
	case FREC_VALUE_BOOL:
	case FREC_VALUE_POINTER:
		return frec__pack_number(p, VALUE_UINT, value->u);
	case FREC_VALUE_ENUM:
		if (value->name)
			return frec__packet_text(perfetto, p, VALUE_STR, value->name,
						 strlen(value->name), "");
		// fall through
	case FREC_VALUE_SIGNED:
		return frec__pack_number(p, VALUE_INT, value->u);
	case FREC_VALUE_TEXT:
		return frec__packet_text(perfetto, p, VALUE_STR, value->data, value->size,
					 value->cut ? "…" : "");
	default:
		return pack_as_text(perfetto, p, value);
	}
}

static uint8_t *pack_generic(struct frec_perfetto *perfetto, uint8_t *p,
			     const struct frec_event *event)
{
	const Flightrec__Source *source = event->source;
	uint8_t *start = frec__pack_begin(p, EVENT_GENERIC);

	p = frec__packet_text(perfetto, start, GENERIC_EVENT_NAME, source->name,
			      strlen(source->name), "");
	for (size_t i = 0; i < source->n_field; i++) {
		const char *name = source->field[i]->name;
		uint8_t *field = frec__pack_begin(p, GENERIC_FIELD);

		p = frec__packet_text(perfetto, field, FIELD_NAME, name, strlen(name), "");
		p = frec__pack_end(field, pack_value(perfetto, p, &event->values[i]));
	}
	return frec__pack_end(start, p);
}

uint8_t *frec__perfetto_ftrace_head(const struct frec_perfetto *perfetto, uint8_t *p,
				    const struct frec_event *event, uint32_t tid)
{
	// Readers assume CLOCK_BOOTTIME for these times, whatever the packet says.
	p = frec__pack_number(p, EVENT_TIMESTAMP,
			      frec__snapshot_boottime(perfetto->context->snapshot, event->time));
	return frec__pack_number(p, EVENT_PID, tid);
}

static uint8_t *fill_gap(struct frec_perfetto *perfetto, uint8_t *p,
			 const struct frec_perfetto_source *source, const struct frec_event *event)
{
	const ProtobufCMessageDescriptor *descriptor = source->known->descriptor;
	const struct frec_value *values[FREC_KNOWN_FIELDS_MAX];

	for (unsigned int i = 0; i < descriptor->n_fields; i++)
		values[i] = &event->values[source->known_field[i]];
	return frec__perfetto_fill_gap(perfetto, p, event, values);
}

int frec__perfetto_write_ftrace(struct frec_perfetto *perfetto, const struct frec_event *event,
				struct frec_error *reterr)
{
	const struct frec_record *record = event->record;
	const struct frec_perfetto_source *source =
		&perfetto->sources[event->host->index][event->source_index];
	bool known = fits_known(source, event),
	     is_switch = known && source->known->id == FREC_FTRACE_SCHED_SWITCH;
	uint8_t *data = frec__perfetto_room(perfetto,
					    frec__perfetto_event_bound(source, event) +
						    (is_switch ? FREC_PERFETTO_GAP_MAX : 0),
					    reterr);
	uint8_t *packet, *bundle, *one, *p;

	if (!data)
		return -ENOMEM;
	packet = frec__pack_begin(data, TRACE_PACKET);
	bundle = frec__pack_begin(packet, PACKET_FTRACE_EVENTS);
	p = frec__pack_number(bundle, BUNDLE_CPU, record->cpu);
	if (is_switch)
		p = fill_gap(perfetto, p, source, event);
	if (!p)
		return frec__error(reterr, -ENOMEM, "out of memory");
	one = frec__pack_begin(p, FREC_BUNDLE_EVENT);
	p = frec__perfetto_ftrace_head(perfetto, one, event, record->tid);
	if (known)
		p = pack_known(perfetto, p, source, event);
	else
		p = pack_generic(perfetto, p, event);
	p = frec__pack_end(one, p);
	p = frec__pack_end(bundle, p);
	p = frec__pack_end(packet, frec__packet_machine(p, event->host));
	return frec__perfetto_flush(perfetto, p, reterr);
}
