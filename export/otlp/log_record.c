// SPDX-License-Identifier: MIT
// The key of an attribute, the name of an event and the attributes of a thread are packed only
// once: they are the made texts of a host. What follows them is packed for each event.
#include "export/otlp/log_record.h"

#include "export/otlp/values.h"
#include "export/pack.h"
#include "export/read/clocks.h"
#include "export/read/numbers.h"

// Field numbers of proto/otlp.proto.
enum { SCOPE_LOG_RECORDS = 2 };
enum {
	RECORD_TIME = 1,
	RECORD_ATTRIBUTES = 6,
	RECORD_TRACE_ID = 9,
	RECORD_SPAN_ID = 10,
	RECORD_OBSERVED_TIME = 11,
	RECORD_EVENT_NAME = 12,
};
enum { PAIR_KEY = 1, PAIR_VALUE = 2 };
enum {
	VALUE_STRING = 1,
	VALUE_BOOL = 2,
	VALUE_INTEGER = 3,
	VALUE_DOUBLE = 4,
	VALUE_ARRAY = 5,
	VALUE_BYTES = 7,
};
enum { ARRAY_VALUES = 1 };

// The most bytes that a number, or what surrounds a value, takes.
#define PIECE_MAX 64
// The most bytes that a byte of text takes: \xNN.
#define ESCAPE_MAX 4
// The most bytes that an element of an array takes, which is a number and perhaps one byte.
#define ELEMENT_MAX 32

static uint8_t *pack_text(struct frec_text *scratch, uint8_t *p, const void *data, size_t size)
{
	return frec__pack_text(p, VALUE_STRING, data, size, "", scratch);
}

static uint8_t *pack_array(struct frec_text *scratch, uint8_t *p, const struct frec_value *array);

static uint8_t *pack_value(struct frec_text *scratch, uint8_t *p, const struct frec_value *value)
{
	char digits[FREC_DIGITS_MAX + 3];

	switch (value->kind) {
	case FREC_VALUE_INVALID:
		return p;
	case FREC_VALUE_UNSIGNED:
		if (value->u <= INT64_MAX)
			return frec__pack_number(p, VALUE_INTEGER, value->u);
		return frec__pack_bytes(p, VALUE_STRING, digits,
					(size_t)(frec__digits(digits, value->u) - digits));
	case FREC_VALUE_ENUM:
		if (value->name)
			return pack_text(scratch, p, value->name, strlen(value->name));
		// fall through
	case FREC_VALUE_SIGNED:
		return frec__pack_number(p, VALUE_INTEGER, value->u);
	case FREC_VALUE_BOOL:
		return frec__pack_number(p, VALUE_BOOL, value->u != 0);
	case FREC_VALUE_POINTER:
		frec__text_clear(scratch);
		frec__text_pointer(scratch, value->u);
		return frec__pack_bytes(p, VALUE_STRING, scratch->data, scratch->size);
	case FREC_VALUE_DOUBLE:
	case FREC_VALUE_FLOAT:
		return frec__pack_double(p, VALUE_DOUBLE, value->d);
	case FREC_VALUE_TEXT:
		return pack_text(scratch, p, value->data, value->size);
	case FREC_VALUE_BYTES:
		return frec__pack_bytes(p, VALUE_BYTES, value->data, value->size);
	case FREC_VALUE_ARRAY:
		return pack_array(scratch, p, value);
	}
	return p;
}

static uint8_t *pack_array(struct frec_text *scratch, uint8_t *p, const struct frec_value *array)
{
	uint8_t *start = frec__pack_begin(p, VALUE_ARRAY);
	struct frec_value element;

	p = start;
	for (size_t i = 0; frec__value_element(array, i, &element); i++) {
		uint8_t *one = frec__pack_begin(p, ARRAY_VALUES);

		p = frec__pack_end(one, pack_value(scratch, one, &element));
	}
	return frec__pack_end(start, p);
}

// Returns an upper bound for the bytes that the value takes.
static size_t bound(const struct frec_value *value)
{
	switch (value->kind) {
	case FREC_VALUE_ENUM:
		return PIECE_MAX + (value->name ? ESCAPE_MAX * strlen(value->name) : 0);
	case FREC_VALUE_TEXT:
	case FREC_VALUE_BYTES:
		return PIECE_MAX + ESCAPE_MAX * value->size;
	case FREC_VALUE_ARRAY:
		return PIECE_MAX + ELEMENT_MAX * value->size;
	default:
		return PIECE_MAX;
	}
}

// Packs an attribute whose key is packed already.
static uint8_t *pack_keyed(struct frec_text *scratch, uint8_t *p, const void *key, size_t key_size,
			   const struct frec_value *value)
{
	uint8_t *pair = frec__pack_begin(p, RECORD_ATTRIBUTES), *start;

	frec__copy_short(pair, key, key_size);
	start = frec__pack_begin(pair + key_size, PAIR_VALUE);
	return frec__pack_end(pair, frec__pack_end(start, pack_value(scratch, start, value)));
}

static uint8_t *pack_pair(struct frec_text *scratch, uint8_t *p, const char *key,
			  const struct frec_value *value)
{
	uint8_t packed[PIECE_MAX];
	size_t size = (size_t)(frec__pack_bytes(packed, PAIR_KEY, key, strlen(key)) - packed);

	return pack_keyed(scratch, p, packed, size, value);
}

static uint8_t *pack_integer(uint8_t *p, const char *key, uint64_t number)
{
	const struct frec_value value = {.kind = FREC_VALUE_SIGNED, .u = number};

	return pack_pair(NULL, p, key, &value);
}

// Adds "first.second" as the string of a field.
static void add_qualified(struct frec_text *text, uint32_t field, const char *first,
			  const char *second)
{
	FREC_TEXT_FREE struct frec_text name = {0}, scratch = {0};
	uint8_t *p;

	frec__text_puts(&name, first);
	frec__text_puts(&name, ".");
	frec__text_puts(&name, second);
	p = (uint8_t *)frec__text_room(text, PIECE_MAX + ESCAPE_MAX * name.size);
	if (!p)
		return;
	p = frec__pack_text(p, field, name.data, name.size, "", &scratch);
	text->failed |= name.failed || scratch.failed;
	frec__text_end(text, (char *)p);
}

static void make_event_name(struct frec_text *text, const Flightrec__Source *source, void *data)
{
	(void)data;
	add_qualified(text, RECORD_EVENT_NAME, source->system, source->name);
}

static void make_key(struct frec_text *text, const Flightrec__Source *source, size_t i, void *data)
{
	(void)data;
	add_qualified(text, PAIR_KEY, source->system, source->field[i]->name);
}

static void add_name(struct frec_text *text, struct frec_text *scratch, const char *key,
		     ProtobufCBinaryData name)
{
	const struct frec_value value = {
		.kind = FREC_VALUE_TEXT, .data = name.data, .size = name.len};
	char *p = name.len ? frec__text_room(text, 2 * PIECE_MAX + bound(&value)) : NULL;

	if (p)
		frec__text_end(text, (char *)pack_pair(scratch, (uint8_t *)p, key, &value));
}

// Makes the attributes process.executable.name, thread.id and thread.name. A thread is found by its
// number, so its events have that number too.
static void make_thread(struct frec_text *text, const struct frec_process_entry *who, void *data)
{
	struct frec_otlp_records *records = data;
	char *p;

	add_name(text, &records->scratch, "process.executable.name", who->process->name);
	p = who->tid == FREC_UNKNOWN ? NULL : frec__text_room(text, 2 * PIECE_MAX);
	if (p)
		frec__text_end(text, (char *)pack_integer((uint8_t *)p, "thread.id", who->tid));
	add_name(text, &records->scratch, "thread.name", frec__process_entry_thread_name(who));
	text->failed |= records->scratch.failed;
}

void frec__otlp_records_init(struct frec_otlp_records *records,
			     const struct frec_snapshot *snapshot)
{
	static const struct frec_made_by by = {
		.event = make_event_name, .field = make_key, .thread = make_thread};

	*records = (struct frec_otlp_records){
		.texts = {.by = &by, .data = records, .snapshot = snapshot}, .record_length = 2};
}

void frec__otlp_records_deinit(struct frec_otlp_records *records)
{
	frec__made_texts_deinit(&records->texts);
	frec__text_free(&records->scratch);
	frec__text_free(&records->packed);
}

static uint8_t *pack_truncated(struct frec_text *scratch, uint8_t *p,
			       const struct frec_event *event)
{
	uint8_t *pair = frec__pack_begin(p, RECORD_ATTRIBUTES), *value, *array;

	p = frec__pack_bytes(pair, PAIR_KEY, "flightrec.truncated", 19);
	value = frec__pack_begin(p, PAIR_VALUE);
	array = p = frec__pack_begin(value, VALUE_ARRAY);
	for (size_t i = 0; i < event->source->n_field; i++) {
		const char *name = event->source->field[i]->name;
		uint8_t *one;

		if (!event->values[i].cut)
			continue;
		one = frec__pack_begin(p, ARRAY_VALUES);
		p = frec__pack_end(one, pack_text(scratch, one, name, strlen(name)));
	}
	return frec__pack_end(pair, frec__pack_end(value, frec__pack_end(array, p)));
}

static const uint8_t *read_varint(const uint8_t *p, size_t *ret)
{
	unsigned int shift = 0;

	*ret = 0;
	do
		*ret |= (size_t)(*p & 0x7f) << shift, shift += 7;
	while (*p++ & 0x80);
	return p;
}

// Returns whether one of the packed attributes has this packed key. Each begins with its key.
static bool has_key(const uint8_t *p, const uint8_t *end, const uint8_t *key, size_t size)
{
	while (p < end) {
		size_t length;

		p = read_varint(p + 1, &length);
		if (length >= size && !memcmp(p, key, size))
			return true;
		p += length;
	}
	return false;
}

static size_t tags_bound(const Flightrec__Process *process)
{
	size_t size = 0;

	for (size_t i = 0; i < process->n_tag; i++)
		size += 2 * PIECE_MAX +
			ESCAPE_MAX * (strlen(process->tag[i]->key) + process->tag[i]->value.len);
	return size;
}

// Packs the tags of a process. An attribute that is there already, from `attributes` on, stays, so
// that tags cannot pass for what was measured.
static uint8_t *pack_tags(struct frec_otlp_records *records, uint8_t *p, const uint8_t *attributes,
			  const Flightrec__Process *process)
{
	FREC_TEXT_FREE struct frec_text key = {0};
	const Flightrec__Pair *pair;
	size_t at = 0;

	while ((pair = frec__pairs_next(process->tag, process->n_tag, &at))) {
		const struct frec_value value = {
			.kind = FREC_VALUE_TEXT, .data = pair->value.data, .size = pair->value.len};
		size_t size = strlen(pair->key);
		uint8_t *start;

		frec__text_clear(&key);
		start = (uint8_t *)frec__text_room(&key, PIECE_MAX + ESCAPE_MAX * size);
		if (!start)
			break;
		// An empty text is no field.
		if (size)
			start = frec__pack_text(start, PAIR_KEY, pair->key, size, "",
						&records->scratch);
		frec__text_end(&key, (char *)start);
		if (!size || !has_key(attributes, p, (uint8_t *)key.data, key.size))
			p = pack_keyed(&records->scratch, p, key.data, key.size, &value);
	}
	records->packed.failed |= key.failed;
	return p;
}

static uint8_t *pack_time(uint8_t *p, uint32_t field, uint64_t time)
{
	if (!time)
		return p;
	p = frec__pack_varint(p, field << 3 | 1);
	memcpy(p, &time, sizeof(time));
	return p + sizeof(time);
}

// An id of all zeroes means that there is none.
static uint8_t *pack_id(uint8_t *p, uint32_t field, const uint8_t *id, size_t size)
{
	uint8_t any = 0;

	for (size_t i = 0; i < size; i++)
		any |= id[i];
	return any ? frec__pack_bytes(p, field, id, size) : p;
}

static uint8_t *pack_attributes(struct frec_otlp_records *records, uint8_t *p,
				const struct frec_event *event, const struct frec_made_source *made,
				const struct frec_text *thread)
{
	const struct frec_record *record = event->record;
	const Flightrec__Process *process = event->who ? event->who->process : NULL;
	const uint8_t *attributes = p;
	bool cut = false;

	p = pack_integer(p, "flightrec.time", record->time);
	if (record->pid != FREC_UNKNOWN)
		p = pack_integer(p, "process.pid", record->pid);
	if (thread && thread->size) {
		memcpy(p, thread->data, thread->size);
		p += thread->size;
	} else if (!thread && record->tid != FREC_UNKNOWN) {
		p = pack_integer(p, "thread.id", record->tid);
	}
	if (record->cpu != FREC_UNKNOWN)
		p = pack_integer(p, "cpu.logical_number", record->cpu);
	for (size_t i = 0; i < event->source->n_field; i++) {
		p = pack_keyed(&records->scratch, p, made->fields[i].data, made->fields[i].size,
			       &event->values[i]);
		cut |= event->values[i].cut;
	}
	if (cut)
		p = pack_truncated(&records->scratch, p, event);
	return process && process->n_tag ? pack_tags(records, p, attributes, process) : p;
}

void frec__otlp_records_add(struct frec_otlp_records *records, const struct frec_event *event,
			    const struct frec_otlp_ids *ids)
{
	const struct frec_process_entry *who = event->who;
	const struct frec_made_source *made = frec__made_source(&records->texts, event);
	const struct frec_text *thread = who ? frec__made_thread(&records->texts, who) : NULL;
	uint64_t time = frec__snapshot_realtime(event->host->snapshot, event->record->time);
	size_t most = 16 * PIECE_MAX;
	uint8_t *start, *p;

	records->packed.failed |= !made || (who && (!thread || thread->failed));
	if (records->packed.failed)
		return;
	most += made->event.size + (thread ? thread->size : 0);
	most += who ? tags_bound(who->process) : 0;
	for (size_t i = 0; i < event->source->n_field; i++)
		most += PIECE_MAX + made->fields[i].size + bound(&event->values[i]) +
			(event->values[i].cut ? PIECE_MAX + ESCAPE_MAX * made->fields[i].size : 0);
	p = (uint8_t *)frec__text_room(&records->packed, most);
	if (!p)
		return;
	start = frec__pack_begin_sized(p, SCOPE_LOG_RECORDS, records->record_length);
	p = pack_time(start, RECORD_TIME, time);
	p = pack_attributes(records, p, event, made, thread);
	p = pack_id(p, RECORD_TRACE_ID, ids->trace, sizeof(ids->trace));
	p = pack_id(p, RECORD_SPAN_ID, ids->span, sizeof(ids->span));
	p = pack_time(p, RECORD_OBSERVED_TIME, time);
	memcpy(p, made->event.data, made->event.size);
	p = frec__pack_end_sized(start, p + made->event.size, &records->record_length);
	frec__text_end(&records->packed, (char *)p);
	records->packed.failed |= records->scratch.failed;
	records->count++;
}

void frec__otlp_records_add_message(struct frec_otlp_records *records,
				    const ProtobufCMessage *record)
{
	size_t size = protobuf_c_message_get_packed_size(record);
	uint8_t *p = (uint8_t *)frec__text_room(&records->packed, size + PIECE_MAX);

	if (!p)
		return;
	p = frec__pack_varint(p, SCOPE_LOG_RECORDS << 3 | 2);
	p = frec__pack_varint(p, size);
	frec__text_end(&records->packed, (char *)p + protobuf_c_message_pack(record, p));
	records->count++;
}
