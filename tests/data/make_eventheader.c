// SPDX-License-Identifier: MIT
// Builds payloads byte by byte, according to the description of the format in
// github.com/microsoft/LinuxTracepoints.
#include "tests/data/make_eventheader.h"

#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>

#include "proto/part.h"

#define SAMPLE_TYPE \
	(PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU | \
	 PERF_SAMPLE_RAW)

static void require(bool condition)
{
	if (!condition)
		abort();
}

void eh_number(struct eh_payload *payload, bool metadata, uint64_t value, size_t size)
{
	uint8_t *to = metadata ? payload->metadata + payload->metadata_size
			       : payload->data + payload->data_size;

	for (size_t i = 0; i < size; i++)
		to[i] = (uint8_t)(value >> 8 * (payload->big ? size - 1 - i : i));
	*(metadata ? &payload->metadata_size : &payload->data_size) += size;
}

void eh_bytes(struct eh_payload *payload, const void *data, size_t size)
{
	memcpy(payload->data + payload->data_size, data, size);
	payload->data_size += size;
}

void eh_name(struct eh_payload *payload, const char *name)
{
	memcpy(payload->metadata + payload->metadata_size, name, strlen(name) + 1);
	payload->metadata_size += strlen(name) + 1;
}

// `encoding` includes the flags for arrays. `length` is the number of elements of an array of fixed
// length.
void eh_field(struct eh_payload *payload, const char *name, uint8_t encoding, uint8_t format,
	      uint16_t length)
{
	eh_name(payload, name);
	eh_number(payload, true, encoding | (format ? FREC_EH_CHAIN : 0), 1);
	if (format)
		eh_number(payload, true, format, 1);
	if (encoding & FREC_EH_FIXED_ARRAY)
		eh_number(payload, true, length, 2);
}

size_t eh_finish(struct eh_payload *payload, uint8_t opcode, uint16_t id, uint16_t tag,
		 const uint8_t *activities, size_t activities_size, uint8_t *ret)
{
	struct eh_payload whole = {.big = payload->big};

	eh_bytes(&whole, (const uint8_t[]){7, 0, 0, 0, 42, 0, 0, 0}, 8);
	eh_number(&whole, false, EH_EXTENSION | EH_POINTER64 | (payload->big ? 0 : EH_LITTLE), 1);
	eh_number(&whole, false, 3, 1); // version
	eh_number(&whole, false, id, 2);
	eh_number(&whole, false, tag, 2);
	eh_number(&whole, false, opcode, 1);
	eh_number(&whole, false, 2, 1); // level
	if (activities_size) {
		eh_number(&whole, false, activities_size, 2);
		eh_number(&whole, false, 2 | 0x8000, 2);
		eh_bytes(&whole, activities, activities_size);
	}
	eh_number(&whole, false, payload->metadata_size, 2);
	eh_number(&whole, false, 1, 2);
	eh_bytes(&whole, payload->metadata, payload->metadata_size);
	eh_bytes(&whole, payload->data, payload->data_size);
	memcpy(ret, whole.data, whole.data_size);
	return whole.data_size;
}

static void put(struct made_file *file, enum frec_part part, const ProtobufCMessage *message)
{
	uint8_t *data;
	size_t size;

	require(!frec__part_pack(part, message, &data, &size));
	file->data = realloc(file->data, file->size + size);
	require(file->data);
	memcpy(file->data + file->size, data, size);
	file->size += size;
	free(data);
}

void make_eventheader(struct made_file *ret, const uint8_t *const *payloads, const size_t *sizes,
		      const uint32_t *tids, uint32_t count)
{
	static const char *const names[] = {
		"eventheader_flags", "version", "id", "tag", "opcode", "level"};
	static const uint32_t places[][2] = {{8, 1}, {9, 1}, {10, 2}, {12, 2}, {14, 1}, {15, 1}};
	Flightrec__Header header = FLIGHTREC__HEADER__INIT;
	Flightrec__Source source = FLIGHTREC__SOURCE__INIT;
	Flightrec__Records records = FLIGHTREC__RECORDS__INIT;
	Flightrec__CpuCoverage cpu = FLIGHTREC__CPU_COVERAGE__INIT;
	Flightrec__Loss loss = FLIGHTREC__LOSS__INIT;
	Flightrec__End end = FLIGHTREC__END__INIT;
	Flightrec__Field fields[6], *pointers[6];
	uint8_t *plain = calloc(1, FREC_RECORDS_SIZE_MAX);
	size_t size = 0;

	header.magic = (ProtobufCBinaryData){4, (uint8_t *)"FREC"};
	header.version = 1;
	header.machine = "x86_64";
	*ret = (struct made_file){0};
	put(ret, FREC_PART_HEADER, &header.base);
	for (size_t i = 0; i < 6; i++) {
		flightrec__field__init(&fields[i]);
		fields[i].name = (char *)names[i];
		fields[i].kind = FLIGHTREC__FIELD_KIND__FIELD_UNSIGNED;
		fields[i].offset = places[i][0];
		fields[i].size = places[i][1];
		pointers[i] = &fields[i];
	}
	source.id = 1;
	source.kind = FLIGHTREC__SOURCE_KIND__SOURCE_USER_EVENT;
	source.system = "user_events";
	source.name = (char *)EH_RAW_NAME;
	source.kernel_name = (char *)"user_events:" EH_RAW_NAME;
	source.tracepoint_id = 7;
	source.sample_type = SAMPLE_TYPE;
	source.n_field = 6;
	source.field = pointers;
	put(ret, FREC_PART_SOURCE, &source.base);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t raw = (uint32_t)((sizes[i] + 4 + 7) / 8 * 8 - 4);
		struct perf_event_header head = {.type = PERF_RECORD_SAMPLE,
						 .size = (uint16_t)(8 + 32 + 4 + raw)};
		uint64_t fixed[] = {1, 42 | (uint64_t)(tids ? tids[i] : 42) << 32, 1000 + i, 0};

		memcpy(plain + size, &head, 8);
		memcpy(plain + size + 8, fixed, 32);
		memcpy(plain + size + 40, &raw, 4);
		memcpy(plain + size + 44, payloads[i], sizes[i]);
		size += head.size;
	}
	records.count = count;
	records.first = 1000;
	records.last = 1000 + count - 1;
	records.size = (uint32_t)size;
	records.content_case = FLIGHTREC__RECORDS__CONTENT_PLAIN;
	records.plain = (ProtobufCBinaryData){size, plain};
	put(ret, FREC_PART_RECORDS, &records.base);
	cpu.until = 5000;
	cpu.bytes_kept = cpu.bytes_written = size;
	cpu.records_kept = count;
	put(ret, FREC_PART_CPU, &cpu.base);
	loss.source = 1;
	loss.emitted_before = loss.emitted_after = loss.in_file = count;
	put(ret, FREC_PART_LOSS, &loss.base);
	end.parts = 5;
	end.records = count;
	put(ret, FREC_PART_END, &end.base);
	free(plain);
}

// The events of a file, in order.
struct events {
	uint8_t bytes[16][512];
	const uint8_t *pointers[16];
	size_t sizes[16];
	uint32_t tids[16];
	uint32_t count;
};

static void add_event(struct events *events, uint32_t tid, struct eh_payload *payload,
		      uint8_t opcode, const uint8_t *activities, size_t activities_size)
{
	uint32_t i = events->count++;

	events->pointers[i] = events->bytes[i];
	events->tids[i] = tid;
	events->sizes[i] =
		eh_finish(payload, opcode, 0, 0, activities, activities_size, events->bytes[i]);
}

// Adds an event with one text. `activity` is the first byte of the id of the event's activity, and
// `related` that of the activity that contains it; 0: no such id.
static void add_activity(struct events *events, uint32_t tid, const char *name, uint8_t opcode,
			 uint8_t activity, uint8_t related, const char *field, const char *text)
{
	const uint8_t activities[32] = {[0] = activity, [15] = 0xaa, [16] = related, [31] = 0xaa};
	static struct eh_payload payload;

	payload = (struct eh_payload){0};
	eh_name(&payload, name);
	eh_field(&payload, field, FREC_EH_ZSTRING8, 0, 0);
	eh_bytes(&payload, text, strlen(text) + 1);
	add_event(events, tid, &payload, opcode, activities, related ? 32 : activity ? 16 : 0);
}

void make_activities(struct made_file *ret)
{
	static struct events events;

	events.count = 0;
	add_activity(&events, 42, "RequestStart", EH_START, 1, 0, "path", "/pay");
	add_activity(&events, 42, "Query", EH_START, 2, 1, "table", "orders");
	add_activity(&events, 43, "Note", EH_INFO, 2, 0, "message", "half of it");
	add_activity(&events, 43, "RequestStart", EH_START, 3, 0, "path", "/left");
	add_activity(&events, 42, "Answered", EH_STOP, 2, 0, "rows", "3");
	add_activity(&events, 43, "RequestStop", EH_STOP, 1, 0, "status", "200");
	add_activity(&events, 42, "Step", EH_START, 0, 0, "of", "all");
	add_activity(&events, 42, "Step", EH_STOP, 0, 0, "of", "all");
	add_activity(&events, 43, "Stray", EH_STOP, 4, 0, "why", "lost");
	make_eventheader(ret, events.pointers, events.sizes, events.tids, events.count);
}

void make_eventheader_fields(struct made_file *ret)
{
	static const uint8_t formats[FREC_EH_ENCODINGS] = {
		[FREC_EH_VALUE8] = FREC_EH_BOOLEAN, [FREC_EH_VALUE16] = FREC_EH_PORT,
		[FREC_EH_VALUE32] = FREC_EH_ERRNO,  [FREC_EH_VALUE64] = FREC_EH_TIME,
		[FREC_EH_VALUE128] = FREC_EH_UUID,  [FREC_EH_ZSTRING8] = FREC_EH_LATIN1,
		[FREC_EH_ZSTRING16] = FREC_EH_UTF,  [FREC_EH_ZSTRING32] = FREC_EH_JSON,
		[FREC_EH_STRING8] = FREC_EH_XML,    [FREC_EH_STRING16] = FREC_EH_UTF_BOM,
		[FREC_EH_STRING32] = FREC_EH_UTF,   [FREC_EH_BINARY] = FREC_EH_IP};
	// `first` is the size of a number (of the lower half, if it has 128 bits) or of a text's
	// single character; `rest` is the size of what follows: the upper half, or a terminator.
	static const uint8_t first[FREC_EH_ENCODINGS] = {0, 0, 1, 2, 4, 8, 8, 1, 2, 4, 1, 2, 4, 4},
			     rest[FREC_EH_ENCODINGS] = {
				     [FREC_EH_VALUE128] = 8, [FREC_EH_ZSTRING8] = 1, 2, 4};
	static struct eh_payload payload;
	static struct events events;

	events.count = 0;
	for (int kind = 0; kind < 8; kind++) {
		bool arrays = kind & 2, structs = kind & 4;

		payload = (struct eh_payload){.big = kind & 1};
		eh_name(&payload, structs ? "Struct;a=b" : arrays ? "Arrays" : "Values");
		if (structs)
			eh_field(&payload, "outer",
				 FREC_EH_STRUCT | (arrays ? FREC_EH_VARIABLE_ARRAY : 0),
				 FREC_EH_ENCODINGS - 2, 0);
		if (structs && arrays)
			eh_number(&payload, false, 1, 2);
		for (uint8_t encoding = FREC_EH_VALUE8; encoding < FREC_EH_ENCODINGS; encoding++) {
			char name[] = {'f', (char)('a' + encoding), 0};
			bool counted = encoding >= FREC_EH_STRING8;
			uint8_t array =
				arrays ? encoding & 1 ? FREC_EH_FIXED_ARRAY : FREC_EH_VARIABLE_ARRAY
				       : 0;

			eh_field(&payload, name, encoding | array, kind & 1 ? 0 : formats[encoding],
				 1);
			if (array == FREC_EH_VARIABLE_ARRAY)
				eh_number(&payload, false, 1, 2);
			if (counted)
				eh_number(&payload, false, encoding == FREC_EH_BINARY ? 4 : 1, 2);
			eh_number(&payload, false, 0x41, first[encoding]);
			eh_number(&payload, false, 0, rest[encoding]);
		}
		add_event(&events, 42, &payload, (uint8_t)kind, NULL, 0);
	}
	make_eventheader(ret, events.pointers, events.sizes, events.tids, events.count);
}
