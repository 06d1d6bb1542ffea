// SPDX-License-Identifier: MIT
// JSON lines: one object for each event, one event on each line, in order of time.
//
//	{"time":81234567890,"cpu":1,"pid":123,"tid":125,"process":"shopd","thread":"worker-1",
//	 "event":"shop:request_done","fields":{"order_id":7,"path":"/cart"},"truncated":["path"]}
//
//	time       CLOCK_MONOTONIC, nanoseconds, integer
//	host       name of the host; absent if there is only one. With several hosts, times
//		   are on the clock of the host that booted first
//	cpu        the CPU on which the event happened; null if it was not recorded
//	pid, tid   null if the kernel could not determine them
//	claimed_pid
//		   the process that the event names, if that is no process of the user in whose
//		   shared memory the event was: somebody else may have written it. pid and tid are
//		   null then, and the name of the event ends in -claimed-by-UID
//	process,   names; absent if unknown
//	thread
//	event      system:name, as given to -e
//	fields     in the order of the event's declaration. Depending on the kind: integers of up
//		   to 64 bits as integers, never as 1e18 (a reader that converts them to doubles
//		   loses digits above 2^53); booleans as true and false; floats with as many digits
//		   as needed to read back the same value, "nan", "inf" and "-inf" as strings;
//		   pointers as "0x..."; enums by name, or by number if the number has no name; text
//		   as strings, in which a byte that is not UTF-8 appears as \xNN, four characters;
//		   bytes as a string of two hexadecimal digits for each byte, or as text if they are
//		   printable; arrays as arrays; null if the payload is too short for the field
//	truncated  names of the fields whose text was longer when it was emitted; absent if there
//		   are none
//	readable   names of the fields of bytes that are given as text; absent if there are none
//	registers  user registers by name as "0x...", if they were recorded
//	stack_size bytes of the stack that were recorded with the event, if any
//	stack      functions, innermost first, if the event has a call stack: objects with
//		   "address", in the program's file, and as far as they are known "function",
//		   "offset" (in the function), "file", "line", "column", "inlined", "module" (the
//		   program's path; without it, "address" is an address in the process), "build_id"
//	stack_end  why the stack ends, if it does not reach the outermost frame
#include "export/json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "export/read/numbers.h"
#include "export/read/text_values.h"
#include "export/report/stack_text.h"

static void add_event_name(struct frec_text *text, const Flightrec__Source *source, void *data)
{
	FREC_TEXT_FREE struct frec_text name = {0};

	(void)data;
	frec__text_puts(&name, source->system);
	frec__text_puts(&name, ":");
	frec__text_puts(&name, source->name);
	frec__text_puts(text, ",\"event\":");
	frec__text_json(text, name.data, name.size);
	frec__text_puts(text, ",\"fields\":{");
	text->failed |= name.failed;
}

static void add_field_name(struct frec_text *text, const Flightrec__Source *source, size_t i,
			   void *data)
{
	(void)data;
	frec__text_puts(text, i ? "," : "");
	frec__text_json_puts(text, source->field[i]->name);
	frec__text_puts(text, ":");
}

static void add_name(struct frec_text *line, const char *key, ProtobufCBinaryData name)
{
	if (!name.len)
		return;
	frec__text_puts(line, key);
	frec__text_json(line, name.data, name.len);
}

// Adds a text like ,"process":"shopd","thread":"worker-1"
static void add_names(struct frec_text *text, const struct frec_process_entry *who, void *data)
{
	(void)data;
	add_name(text, ",\"process\":", who->process->name);
	add_name(text, ",\"thread\":", frec__process_entry_thread_name(who));
}

void frec__json_init(struct frec_json *json, const struct frec_snapshot *snapshot)
{
	static const struct frec_made_by by = {
		.event = add_event_name, .field = add_field_name, .thread = add_names};

	*json = (struct frec_json){
		.registers = frec__registers_find(snapshot->header->machine),
		.texts = {.by = &by, .snapshot = snapshot},
	};
}

void frec__json_deinit(struct frec_json *json)
{
	for (size_t i = 0; i < json->locations.count; i++)
		frec__text_free((struct frec_text *)json->locations.entries + i);
	free(json->locations.entries);
	frec__text_free(&json->location);
	frec__made_texts_deinit(&json->texts);
	*json = (struct frec_json){0};
}

static bool is_cut(const struct frec_value *value)
{
	return value->cut;
}

// Returns whether the value is text although the field holds bytes.
static bool is_readable(const struct frec_value *value)
{
	return value->kind == FREC_VALUE_TEXT &&
	       value->field->kind == FLIGHTREC__FIELD_KIND__FIELD_BYTES;
}

// Adds the names of the fields that `wanted` chooses. The caller knows that there is at least one.
static void name_fields(struct frec_text *line, const struct frec_event *event, const char *before,
			bool (*wanted)(const struct frec_value *value))
{
	for (size_t i = 0; i < event->source->n_field; i++) {
		if (!wanted(&event->values[i]))
			continue;
		frec__text_puts(line, before);
		frec__text_json_puts(line, event->source->field[i]->name);
		before = ",";
	}
	frec__text_puts(line, "]");
}

static void add_fields(struct frec_text *line, const struct frec_made_source *made,
		       const struct frec_event *event)
{
	const Flightrec__Source *source = event->source;
	bool any_cut = false, any_readable = false;

	for (size_t i = 0; i < source->n_field; i++) {
		frec__text_add_if_made(line, &made->fields[i]);
		frec__text_json_value(line, &event->values[i]);
		any_cut |= is_cut(&event->values[i]);
		any_readable |= is_readable(&event->values[i]);
	}
	frec__text_add(line, "}", 1);
	if (any_cut)
		name_fields(line, event, ",\"truncated\":[", is_cut);
	if (any_readable)
		name_fields(line, event, ",\"readable\":[", is_readable);
}

void frec__json_registers(struct frec_text *line, const struct frec_registers *layout,
			  const struct frec_record *record)
{
	const uint8_t *p = record->registers;
	const char *comma = "";

	frec__text_puts(line, "\"registers\":{");
	for (size_t i = 0; i < 64; i++) {
		uint64_t value;

		if (!(record->register_mask >> i & 1))
			continue;
		memcpy(&value, p, sizeof(value));
		p += sizeof(value);
		frec__text_puts(line, comma);
		comma = ",";
		if (layout && i < layout->count && layout->names[i])
			frec__text_json_puts(line, layout->names[i]);
		else
			frec__text_printf(line, "\"r#%zu\"", i);
		frec__text_printf(line, ":\"0x%" PRIx64 "\"", value);
	}
	frec__text_puts(line, "}");
}

// Once the objects of locations that are kept have more bytes than this, no further ones are kept.
#define LOCATIONS_SIZE_MAX (64u << 20)

// Returns the JSON objects of a location, one for each function, separated by commas. They are made
// only once and kept, until LOCATIONS_SIZE_MAX is exceeded; from then on they are made each time.
// Returns NULL if memory runs out.
static const struct frec_text *location_of(struct frec_json *json,
					   const struct frec_location *location)
{
	struct frec_text *objects;

	if (json->locations_size > LOCATIONS_SIZE_MAX) {
		frec__text_clear(&json->location);
		frec__location_json(&json->location, location, NULL);
		return &json->location;
	}
	objects = frec__by_id(&json->locations, location->id, sizeof(*objects));
	if (objects && !objects->size) {
		frec__location_json(objects, location, NULL);
		json->locations_size += objects->size;
	}
	return objects;
}

static void add_stack(struct frec_text *line, struct frec_json *json,
		      const struct frec_call_stack *stack)
{
	frec__text_puts(line, ",\"stack\":[");
	for (size_t i = 0; i < stack->count; i++) {
		const struct frec_text *objects = location_of(json, stack->locations[i]);

		frec__text_puts(line, i ? "," : "");
		line->failed |= !objects || objects->failed;
		if (objects)
			frec__text_add(line, objects->data, objects->size);
	}
	frec__text_puts(line, "]");
	if (stack->end != FREC_UNWIND_COMPLETE) {
		frec__text_puts(line, ",\"stack_end\":");
		frec__text_json_puts(line, frec__stack_end_word(stack->end));
	}
}

static void add_number(struct frec_text *line, const char *key, uint32_t number)
{
	frec__text_puts(line, key);
	if (number == FREC_UNKNOWN)
		frec__text_puts(line, "null");
	else
		frec__text_unsigned(line, number);
}

void frec__json_event(struct frec_text *line, struct frec_json *json,
		      const struct frec_event *event)
{
	const struct frec_record *record = event->record;
	const struct frec_made_source *made = frec__made_source(&json->texts, event);
	const struct frec_call_stack *stack = frec__event_stack(event);

	if (!made) {
		line->failed = true;
		return;
	}
	frec__text_puts(line, "{\"time\":");
	frec__text_unsigned(line, event->time);
	if (json->host) {
		frec__text_puts(line, ",\"host\":");
		frec__text_json_puts(line, json->host);
	}
	add_number(line, ",\"cpu\":", record->cpu);
	add_number(line, ",\"pid\":", record->pid);
	add_number(line, ",\"tid\":", record->tid);
	if (record->claimed_pid)
		frec__text_printf(line, ",\"claimed_pid\":%" PRIu32, record->claimed_pid);
	if (event->who)
		frec__text_add_if_made(line, frec__made_thread(&json->texts, event->who));
	frec__text_add_if_made(line, &made->event);
	add_fields(line, made, event);
	if (record->registers) {
		frec__text_puts(line, ",");
		frec__json_registers(line, json->registers, record);
	}
	if (record->stack_size)
		frec__text_printf(line, ",\"stack_size\":%zu", record->stack_size);
	if (stack)
		add_stack(line, json, stack);
	frec__text_puts(line, "}");
}

struct lines {
	const struct frec_export *context;
	struct frec_json *hosts;
	size_t host_count;
	struct frec_text line;
};

static void destroy(void *state)
{
	struct lines *lines = state;

	while (lines->host_count)
		frec__json_deinit(&lines->hosts[--lines->host_count]);
	free(lines->hosts);
	frec__text_free(&lines->line);
	free(lines);
}

static int begin(const struct frec_export *context, void **ret_state, struct frec_error *reterr)
{
	const struct frec_hosts *hosts = &context->timeline->hosts;
	struct lines *lines = calloc(1, sizeof(*lines));

	if (lines)
		lines->hosts = calloc(hosts->count, sizeof(*lines->hosts));
	if (!lines || !lines->hosts) {
		free(lines);
		return frec__error(reterr, -ENOMEM, "out of memory");
	}
	lines->context = context;
	for (size_t i = 0; i < hosts->count; i++) {
		frec__json_init(&lines->hosts[i], hosts->hosts[i].snapshot);
		lines->host_count++;
		lines->hosts[i].host = hosts->count > 1 ? hosts->hosts[i].name : NULL;
	}
	*ret_state = lines;
	return 0;
}

static int event(void *state, const struct frec_event *event, struct frec_error *reterr)
{
	struct lines *lines = state;
	struct frec_text *line = &lines->line;

	frec__text_clear(line);
	frec__json_event(line, &lines->hosts[event->host->index], event);
	frec__text_puts(line, "\n");
	return frec__output_text(lines->context->output, line, reterr);
}

const struct frec_writer frec__writer_json = {
	.name = "json",
	.what = "one object on each line",
	.suffix = ".jsonl",
	.other_suffix = ".json",
	.several_hosts = true,
	.begin = begin,
	.event = event,
	.destroy = destroy,
};
