// SPDX-License-Identifier: MIT
// JSON lines: one object a line, one line an event, in order of time.
//
//	{"time":81234567890,"cpu":1,"pid":123,"tid":125,"process":"shopd","thread":"worker-1",
//	 "event":"shop:request_done","fields":{"order_id":7,"path":"/cart"},"truncated":["path"]}
//
//	time       CLOCK_MONOTONIC, nanoseconds, integer
//	cpu        on which it happened
//	pid, tid   -1 where the kernel could not tell
//	process,   names; absent where unknown
//	thread
//	event      system:name, as after -e
//	fields     in their order in the event. By kind: integers of up to 64 bits as integers, never as
//	           1e18 (a reader that turns them into doubles loses digits above 2^53); true and false;
//	           floats with as many digits as read back to the same value, "nan", "inf" and "-inf" as
//	           strings; pointers as "0x..."; enums by name, by number where the number has no name;
//	           text as strings, in which a byte that is not UTF-8 stands as \xNN, four characters;
//	           bytes as a string of two digits each; arrays as arrays; null where the payload does not
//	           hold what its layout promises
//	truncated  names of strings that were longer when they were emitted; absent where there are none
//	registers  user registers by name as "0x...", where they were recorded
//	stack_size bytes of the stack that were recorded with it, where they were
#include "export/json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct json {
	const struct frec_export *context;
	const struct frec_registers *registers; /* NULL for a machine that is not known */
	struct frec_text line;
};

static int begin(const struct frec_export *context, void **ret_state, struct frec_error *reterr)
{
	struct json *json = calloc(1, sizeof(*json));

	if (!json)
		return frec__error(reterr, -ENOMEM, "out of memory");
	json->context = context;
	json->registers = frec__registers_find(context->snapshot->header->machine);
	*ret_state = json;
	return 0;
}

static void add_name(struct frec_text *line, const char *key, ProtobufCBinaryData name)
{
	if (!name.len)
		return;
	frec__text_printf(line, ",\"%s\":", key);
	frec__text_json(line, name.data, name.len);
}

static void add_fields(struct frec_text *line, const struct frec_event *event)
{
	const Flightrec__Source *source = event->source;
	bool any_cut = false;

	frec__text_puts(line, ",\"fields\":{");
	for (size_t i = 0; i < source->n_field; i++) {
		if (i)
			frec__text_puts(line, ",");
		frec__text_json_puts(line, source->field[i]->name);
		frec__text_puts(line, ":");
		frec__text_json_value(line, &event->values[i]);
		any_cut |= event->values[i].cut;
	}
	frec__text_puts(line, "}");
	if (!any_cut)
		return;
	frec__text_puts(line, ",\"truncated\":");
	for (size_t i = 0; i < source->n_field; i++) {
		if (!event->values[i].cut)
			continue;
		frec__text_puts(line, any_cut ? "[" : ",");
		any_cut = false;
		frec__text_json_puts(line, source->field[i]->name);
	}
	frec__text_puts(line, "]");
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

static void add_event_name(struct frec_text *line, const Flightrec__Source *source)
{
	char name[512];

	snprintf(name, sizeof(name), "%s:%s", source->system, source->name);
	frec__text_json_puts(line, name);
}

void frec__json_event(struct frec_text *line, const struct frec_registers *registers,
		      const struct frec_event *event)
{
	const struct frec_record *record = event->record;

	frec__text_printf(line,
			  "{\"time\":%" PRIu64 ",\"cpu\":%" PRIu32 ",\"pid\":%" PRId32
			  ",\"tid\":%" PRId32,
			  record->time, record->cpu, (int32_t)record->pid, (int32_t)record->tid);
	if (event->who) {
		add_name(line, "process", event->who->process->name);
		add_name(line, "thread", frec__process_entry_thread_name(event->who));
	}
	frec__text_puts(line, ",\"event\":");
	add_event_name(line, record->source);
	add_fields(line, event);
	if (record->registers) {
		frec__text_puts(line, ",");
		frec__json_registers(line, registers, record);
	}
	if (record->stack_size)
		frec__text_printf(line, ",\"stack_size\":%zu", record->stack_size);
	frec__text_puts(line, "}");
}

static int event(void *state, const struct frec_event *event, struct frec_error *reterr)
{
	struct json *json = state;
	struct frec_text *line = &json->line;

	frec__text_clear(line);
	frec__json_event(line, json->registers, event);
	frec__text_puts(line, "\n");
	return frec__output_text(json->context->output, line, reterr);
}

static int end(void *state, struct frec_error *reterr)
{
	(void)state;
	(void)reterr;
	return 0;
}

static void destroy(void *state)
{
	struct json *json = state;

	frec__text_free(&json->line);
	free(json);
}

const struct frec_writer frec__writer_json = {
	.name = "json",
	.what = "one object a line",
	.suffix = ".jsonl",
	.other_suffix = ".json",
	.begin = begin,
	.event = event,
	.end = end,
	.destroy = destroy,
};
