// SPDX-License-Identifier: MIT
// Each kind of file is expensive to read in one particular way.
#include "tests/attack/make_hostile.h"

#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "flightrec.pb-c.h"
#include "proto/crc32c.h"
#include "proto/part.h"
#include "tests/data/byte_buffer.h"

#define SAMPLE_TYPE \
	(PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU | \
	 PERF_SAMPLE_RAW)
#define SOURCE 1 /* the id of the source of all records */
#define PID 123
#define NOW 2000000000ull
#define TEXT_SIZE 60000

size_t hostile_chunk_size = 1u << 20;

static void add_varint(struct bytes *bytes, uint64_t value)
{
	do {
		uint8_t byte = (value & 0x7f) | (value > 0x7f ? 0x80 : 0);

		add(bytes, &byte, 1);
		value >>= 7;
	} while (value);
}

static void field_number(struct bytes *bytes, unsigned int field, uint64_t value)
{
	add_varint(bytes, field << 3);
	add_varint(bytes, value);
}

static void field_bytes(struct bytes *bytes, unsigned int field, const void *data, size_t size)
{
	add_varint(bytes, field << 3 | 2);
	add_varint(bytes, size);
	add(bytes, data, size);
}

static void field_text(struct bytes *bytes, unsigned int field, const char *text)
{
	field_bytes(bytes, field, text, strlen(text));
}

// Adds a part with its checksum, and frees the message.
static void end_part(struct bytes *file, enum frec_part part, struct bytes *message)
{
	uint8_t tag = (uint8_t)(part << 3 | 2);

	add(file, &tag, 1);
	add_varint(file, message->size + FREC_PART_CHECKSUM_SIZE);
	add(file, message->data, message->size);
	add(file, "\x7d", 1);
	add_number(file,
		   frec__crc32c(frec__crc32c(0, &tag, 1), message->data ? message->data : &tag,
				message->size),
		   4);
	free(message->data);
	*message = (struct bytes){0};
}

static void add_header(struct bytes *file)
{
	struct bytes message = {0};

	field_text(&message, 1, "FREC");
	field_number(&message, 2, 1);
	field_text(&message, 3, "flightrec 0.1.0");
	field_number(&message, 7, 1);
	field_text(&message, 9, "x86_64");
	end_part(file, FREC_PART_HEADER, &message);
}

static void begin_source(struct bytes *message, const char *name)
{
	field_number(message, 1, SOURCE);
	field_number(message, 2, FLIGHTREC__SOURCE_KIND__SOURCE_EVENT);
	field_text(message, 3, "shop");
	field_text(message, 4, name);
	field_number(message, 10, SAMPLE_TYPE);
}

static void add_field(struct bytes *source, const char *name, Flightrec__FieldKind kind,
		      const struct bytes *more)
{
	struct bytes message = {0};
	bool text = kind == FLIGHTREC__FIELD_KIND__FIELD_STRING;

	field_text(&message, 1, name);
	field_number(&message, 2, kind);
	field_number(&message, 3, 8);
	field_number(&message, 4, 4);
	if (text)
		field_number(&message, 5, FLIGHTREC__LOCATOR__LOCATOR_DATA);
	if (more)
		add(&message, more->data, more->size);
	field_bytes(source, 7, message.data, message.size);
	free(message.data);
}

// Adds one record of SOURCE. Its payload is the fields that all tracepoints have, then `data`.
static void add_record(struct bytes *records, uint32_t tid, uint64_t time, const void *data,
		       size_t size)
{
	size_t payload = 8 + size, padded = (payload + 4 + 7) / 8 * 8 - 4;
	struct perf_event_header header = {.type = PERF_RECORD_SAMPLE, .misc = 2};

	header.size = (uint16_t)(sizeof(header) + 8 + 8 + 8 + 8 + 4 + padded);
	add(records, &header, sizeof(header));
	add_number(records, SOURCE, 8);
	add_number(records, PID, 4);
	add_number(records, tid, 4);
	add_number(records, time, 8);
	add_number(records, 0, 8);
	add_number(records, padded, 4);
	add_number(records, 0, 4);
	add_number(records, tid, 4);
	add(records, data, size);
	for (size_t i = payload; i < padded; i++)
		add(records, "", 1);
}

static void add_records(struct bytes *file, uint32_t cpu, const struct bytes *records,
			uint32_t count)
{
	size_t room = ZSTD_compressBound(records->size);
	uint8_t *packed = malloc(room);
	struct bytes message = {0};
	size_t size;

	REQUIRE(packed);
	size = ZSTD_compress(packed, room, records->data, records->size, 3);
	REQUIRE(!ZSTD_isError(size));
	field_number(&message, 1, cpu);
	field_number(&message, 2, count);
	field_number(&message, 3, NOW);
	field_number(&message, 4, NOW);
	field_number(&message, 5, records->size);
	field_bytes(&message, 7, packed, size);
	end_part(file, FREC_PART_RECORDS, &message);
	free(packed);
}

static void end(struct bytes *file, struct made_file *ret)
{
	struct bytes message = {0};

	end_part(file, FREC_PART_END, &message);
	*ret = (struct made_file){file->data, file->size};
}

// Fills `records` up to hostile_chunk_size with copies of one small record. Returns their
// number.
static uint32_t fill_chunk(struct bytes *records)
{
	uint32_t count = 0;

	while (records->size + 64 < hostile_chunk_size) {
		add_record(records, PID, NOW, "abcd", 4);
		count++;
	}
	return count;
}

// One event with `count` fields, all of which claim the same long text in the payload.
static void make_fields(struct made_file *ret, size_t count)
{
	uint32_t word = (uint32_t)TEXT_SIZE << 16 | 12;
	struct bytes file = {0}, source = {0}, records = {0}, data = {0};

	add_header(&file);
	begin_source(&source, "request");
	for (size_t i = 0; i < count; i++)
		add_field(&source, "a", FLIGHTREC__FIELD_KIND__FIELD_STRING, NULL);
	end_part(&file, FREC_PART_SOURCE, &source);
	add_number(&data, word, 4);
	for (size_t i = 0; i < TEXT_SIZE; i++)
		add(&data, "\x01", 1);
	add_record(&records, PID, NOW, data.data, data.size);
	add_records(&file, 0, &records, 1);
	free(data.data);
	free(records.data);
	end(&file, ret);
}

// Two chunks of small events. The names of their source, field and process have `count` bytes, all
// control characters, and are repeated for each event.
static void make_names(struct made_file *ret, size_t count)
{
	struct bytes file = {0}, source = {0}, records = {0};
	char *name = malloc(count + 1);
	uint32_t events;

	REQUIRE(name);
	memset(name, 0x1b, count);
	name[count] = 0;
	add_header(&file);
	begin_source(&source, name);
	add_field(&source, name, FLIGHTREC__FIELD_KIND__FIELD_UNSIGNED, NULL);
	end_part(&file, FREC_PART_SOURCE, &source);
	field_number(&source, 1, PID);
	field_bytes(&source, 4, name, count);
	end_part(&file, FREC_PART_PROCESS, &source);
	events = fill_chunk(&records);
	for (uint32_t cpu = 0; cpu < 2; cpu++)
		add_records(&file, cpu, &records, events);
	free(records.data);
	free(name);
	end(&file, ret);
}

static void make_chunks(struct made_file *ret, size_t count, bool rings)
{
	struct bytes file = {0}, message = {0}, records = {0};
	uint32_t events;

	add_header(&file);
	begin_source(&message, "request");
	add_field(&message, "n", FLIGHTREC__FIELD_KIND__FIELD_UNSIGNED, NULL);
	end_part(&file, FREC_PART_SOURCE, &message);
	events = fill_chunk(&records);
	for (uint32_t i = 0; i < count; i++)
		add_records(&file, rings ? i : 0, &records, events);
	for (uint32_t i = 0; i < count && rings; i++) {
		field_number(&message, 1, i);
		end_part(&file, FREC_PART_CPU, &message);
	}
	free(records.data);
	end(&file, ret);
}

// `count` chunks of one ring. Each is about a hundred bytes that uncompress to a megabyte.
static void make_bomb(struct made_file *ret, size_t count)
{
	make_chunks(ret, count, false);
}

// `count` such chunks, each of another CPU.
static void make_cpus(struct made_file *ret, size_t count)
{
	make_chunks(ret, count, true);
}

static void make_processes(struct made_file *ret, size_t count)
{
	struct bytes file = {0}, message = {0};

	add_header(&file);
	for (size_t i = 0; i < count; i++) {
		field_number(&message, 1, i + 1);
		end_part(&file, FREC_PART_PROCESS, &message);
	}
	end(&file, ret);
}

// Adds parts with `count` fields in all, and at most 500 000 in each part. Every field has the
// number `field` and no bytes, so it takes two bytes in the file and far more in memory.
static void add_empties(struct bytes *file, enum frec_part part, unsigned int field, size_t count)
{
	while (count) {
		size_t here = count < 500000 ? count : 500000;
		struct bytes message = {0};

		for (size_t i = 0; i < here; i++)
			field_bytes(&message, field, "", 0);
		end_part(file, part, &message);
		count -= here;
	}
}

static void make_threads(struct made_file *ret, size_t count)
{
	struct bytes file = {0};

	add_header(&file);
	add_empties(&file, FREC_PART_PROCESS, 9, count);
	end(&file, ret);
}

static void make_source_fields(struct made_file *ret, size_t count)
{
	struct bytes file = {0};

	add_header(&file);
	add_empties(&file, FREC_PART_SOURCE, 7, count);
	end(&file, ret);
}

static void make_unknown(struct made_file *ret, size_t count)
{
	struct bytes file = {0};

	add_header(&file);
	add_empties(&file, FREC_PART_PROCESS, 14, count);
	end(&file, ret);
}

// Stacks of `count` numbers in all, which take one byte each in the file and eight in memory.
static void make_packed(struct made_file *ret, size_t count)
{
	struct bytes file = {0}, message = {0}, frames = {0};
	uint8_t *zeroes = calloc(1, 500000);

	REQUIRE(zeroes);
	add_header(&file);
	for (; count >= 500000; count -= 500000) {
		field_bytes(&frames, 1, zeroes, 500000);
		field_bytes(&message, 5, frames.data, frames.size);
		end_part(&file, FREC_PART_THREAD_STACK, &message);
		frames.size = 0;
	}
	free(frames.data);
	free(zeroes);
	end(&file, ret);
}

// Events with a field of `count` enumerators, all of which are searched because none has the value.
static void make_enumerators(struct made_file *ret, size_t count)
{
	struct bytes file = {0}, source = {0}, more = {0}, records = {0};
	uint32_t events;

	add_header(&file);
	begin_source(&source, "request");
	for (size_t i = 0; i < count; i++)
		field_bytes(&more, 6, "", 0);
	add_field(&source, "state", FLIGHTREC__FIELD_KIND__FIELD_ENUM, &more);
	end_part(&file, FREC_PART_SOURCE, &source);
	events = fill_chunk(&records);
	for (uint32_t cpu = 0; cpu < 8; cpu++)
		add_records(&file, cpu, &records, events);
	free(more.data);
	free(records.data);
	end(&file, ret);
}

// `count` sources, as many rings, and as many losses, each of another source and ring.
static void make_losses(struct made_file *ret, size_t count)
{
	struct bytes file = {0}, message = {0};

	add_header(&file);
	for (size_t i = 0; i < count; i++) {
		field_number(&message, 1, i + 1);
		field_text(&message, 3, "a");
		end_part(&file, FREC_PART_SOURCE, &message);
		field_number(&message, 1, i);
		end_part(&file, FREC_PART_CPU, &message);
		field_number(&message, 1, i + 1);
		field_number(&message, 2, i);
		field_number(&message, 8, 1);
		end_part(&file, FREC_PART_LOSS, &message);
	}
	end(&file, ret);
}

static void make_clocks(struct made_file *ret, size_t count)
{
	struct bytes file = {0}, message = {0}, records = {0};
	uint32_t events;

	add_header(&file);
	for (size_t i = 0; i < count; i++) {
		field_number(&message, 2, i + 1);
		end_part(&file, FREC_PART_CLOCKS, &message);
	}
	begin_source(&message, "request");
	end_part(&file, FREC_PART_SOURCE, &message);
	events = fill_chunk(&records);
	add_records(&file, 0, &records, events);
	free(records.data);
	end(&file, ret);
}

// Sources whose names all begin a span, for which an end is searched.
static void make_sources(struct made_file *ret, size_t count)
{
	struct bytes file = {0}, message = {0};

	add_header(&file);
	for (size_t i = 0; i < count; i++) {
		char name[32];

		snprintf(name, sizeof(name), "%zx_start", i);
		field_number(&message, 1, i + 1);
		field_number(&message, 2, FLIGHTREC__SOURCE_KIND__SOURCE_EVENT);
		field_text(&message, 4, name);
		end_part(&file, FREC_PART_SOURCE, &message);
	}
	end(&file, ret);
}

static void add_process_with_map(struct bytes *file, const char *path)
{
	struct bytes message = {0}, map = {0};

	field_number(&map, 1, 0x1000);
	field_number(&map, 2, 1ull << 40);
	field_text(&map, 4, path);
	field_number(&message, 1, PID);
	field_text(&message, 4, "shopd");
	field_bytes(&message, 10, map.data, map.size);
	end_part(file, FREC_PART_PROCESS, &message);
	free(map.data);
}

// `count` call stacks of a thousand frames. Each stack differs from all others in one frame.
static void make_stacks(struct made_file *ret, size_t count)
{
	enum { FRAMES = 1000 };
	struct bytes file = {0}, message = {0}, records = {0};
	uint32_t events = 0, cpu = 0;

	add_header(&file);
	add_process_with_map(&file, "/no/such/file");
	field_number(&message, 1, SOURCE);
	field_number(&message, 2, FLIGHTREC__SOURCE_KIND__SOURCE_EVENT);
	field_text(&message, 4, "request");
	field_number(&message, 10, SAMPLE_TYPE | PERF_SAMPLE_CALLCHAIN);
	end_part(&file, FREC_PART_SOURCE, &message);
	for (size_t i = 0; i < count; i++) {
		struct perf_event_header header = {.type = PERF_RECORD_SAMPLE, .misc = 2};

		header.size = sizeof(header) + 32 + 8 + 8 * (FRAMES + 1) + 16;
		add(&records, &header, sizeof(header));
		add_number(&records, SOURCE, 8);
		add_number(&records, PID | (uint64_t)PID << 32, 8);
		add_number(&records, NOW, 8);
		add_number(&records, cpu, 8);
		add_number(&records, FRAMES + 1, 8);
		add_number(&records, (uint64_t)PERF_CONTEXT_USER, 8);
		for (size_t k = 0; k < FRAMES; k++)
			add_number(&records, k == 500 ? 0x10000 + i : 0x2000, 8);
		add_number(&records, 12, 4);
		add_number(&records, 0, 8);
		add_number(&records, 0, 4);
		events++;
		if (records.size + header.size > hostile_chunk_size || i + 1 == count) {
			add_records(&file, cpu, &records, events);
			events = 0;
			records.size = 0;
		}
	}
	free(records.data);
	end(&file, ret);
}

// A process with 4000 mappings of different files, all at one address, each made later than the one
// before and in its place; and `count` stacks, between which the mappings change.
static void make_maps(struct made_file *ret, size_t count)
{
	enum { MAPS = 4000 };
	struct bytes file = {0}, message = {0}, map = {0}, records = {0};
	uint32_t events = 0;

	add_header(&file);
	field_number(&message, 1, SOURCE);
	field_number(&message, 2, FLIGHTREC__SOURCE_KIND__SOURCE_EVENT);
	field_text(&message, 4, "request");
	field_number(&message, 10, SAMPLE_TYPE | PERF_SAMPLE_CALLCHAIN);
	end_part(&file, FREC_PART_SOURCE, &message);
	field_number(&message, 1, PID);
	for (size_t i = 0; i < (count < MAPS ? count : MAPS); i++) {
		char path[32];

		snprintf(path, sizeof(path), "/%zx", i);
		map.size = 0;
		field_number(&map, 1, 0x1000);
		field_number(&map, 2, 0x100000);
		field_text(&map, 4, path);
		field_number(&map, 6, NOW + i);
		field_bytes(&message, 10, map.data, map.size);
	}
	free(map.data);
	end_part(&file, FREC_PART_PROCESS, &message);
	for (size_t i = 0; i < count; i++) {
		struct perf_event_header header = {.type = PERF_RECORD_SAMPLE, .misc = 2};

		header.size = sizeof(header) + 32 + 8 + 16 + 16;
		add(&records, &header, sizeof(header));
		add_number(&records, SOURCE, 8);
		add_number(&records, PID | (uint64_t)PID << 32, 8);
		add_number(&records, NOW + i % MAPS, 8);
		add_number(&records, 0, 8);
		add_number(&records, 2, 8);
		add_number(&records, (uint64_t)PERF_CONTEXT_USER, 8);
		add_number(&records, 0x2000, 8);
		add_number(&records, 12, 4);
		add_number(&records, 0, 8);
		add_number(&records, 0, 4);
		events++;
	}
	add_records(&file, 0, &records, events);
	free(records.data);
	end(&file, ret);
}

void hostile_make_path(struct made_file *ret, const char *path)
{
	struct bytes file = {0}, message = {0}, registers = {0}, stack = {0};
	const uint64_t sp = 0x7ffc00000000, ip = 0x2345;

	add_header(&file);
	add_process_with_map(&file, path);
	field_number(&registers, 1, 1ull << 7 | 1ull << 8);
	field_number(&registers, 2, sp);
	field_number(&registers, 2, ip);
	field_number(&stack, 1, sp);
	field_bytes(&stack, 2, "abcdefgh", 8);
	field_number(&message, 1, PID);
	field_number(&message, 2, PID);
	field_number(&message, 6, 22);
	field_number(&message, 10, NOW);
	field_bytes(&message, 13, registers.data, registers.size);
	field_bytes(&message, 14, stack.data, stack.size);
	end_part(&file, FREC_PART_CRASH, &message);
	free(registers.data);
	free(stack.data);
	end(&file, ret);
}

const struct hostile_kind hostile_kinds[] = {
	{"fields", 100000, make_fields},
	{"names", 1 << 20, make_names},
	{"bomb", 20000, make_bomb},
	{"cpus", 65536, make_cpus},
	{"processes", 100000, make_processes},
	{"threads", 10000000, make_threads},
	{"source-fields", 10000000, make_source_fields},
	{"unknown", 10000000, make_unknown},
	{"packed", 50000000, make_packed},
	{"enumerators", 500000, make_enumerators},
	{"losses", 100000, make_losses},
	{"clocks", 100000, make_clocks},
	{"sources", 50000, make_sources},
	{"stacks", 100000, make_stacks},
	{"maps", 13000, make_maps},
	{0},
};
