// SPDX-License-Identifier: MIT
// Writes perf.data files according to the documentation of the format, independently of the code
// that reads them.
#include "tests/data/make_perf_data.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define COMMON \
	"format:\n\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n" \
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n" \
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n" \
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
#define ALPHA \
	"name: alpha\nID: 11\n" COMMON \
	"\tfield:unsigned int number;\toffset:8;\tsize:4;\tsigned:0;\n" \
	"\tfield:char text[8];\toffset:12;\tsize:8;\tsigned:0;\n\nprint fmt: \"\"\n"
#define PAID \
	"name: shop__paid\nID: 12\n" COMMON \
	"\tfield:u64 number;\toffset:8;\tsize:8;\tsigned:0;\n\nprint fmt: \"\"\n"
#define BUILD_ID_SIZED (1 << 15)

static void add(struct made_perf *made, const void *data, size_t size)
{
	if (made->size + size > made->room) {
		made->room = 2 * (made->size + size) + 4096;
		made->data = realloc(made->data, made->room);
	}
	if (size)
		memcpy(made->data + made->size, data, size);
	made->size += size;
}

static void number(struct made_perf *made, uint64_t value, size_t size)
{
	add(made, &value, size);
}

static void record(struct made_perf *made, uint32_t type, uint16_t misc,
		   const struct made_perf *body)
{
	struct perf_event_header header = {type, misc, (uint16_t)(sizeof(header) + body->size)};

	add(made, &header, sizeof(header));
	add(made, body->data, body->size);
}

static void attribute(struct perf_event_attr *attr, uint64_t config,
		      const struct perf_options *options)
{
	*attr = (struct perf_event_attr){.type = PERF_TYPE_TRACEPOINT,
					 .size = sizeof(*attr),
					 .config = config,
					 .sample_period = 1,
					 .sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME |
							PERF_SAMPLE_CPU | PERF_SAMPLE_RAW,
					 .sample_id_all = 1,
					 .use_clockid = 1,
					 .clockid = 1,
					 .write_backward = options->backward};
	attr->sample_type |= options->id_behind ? PERF_SAMPLE_ID : PERF_SAMPLE_IDENTIFIER;
	if (options->everything) {
		attr->sample_type |= PERF_SAMPLE_IP | PERF_SAMPLE_ADDR | PERF_SAMPLE_STREAM_ID |
				     PERF_SAMPLE_PERIOD | PERF_SAMPLE_READ | PERF_SAMPLE_CALLCHAIN |
				     PERF_SAMPLE_BRANCH_STACK | PERF_SAMPLE_REGS_USER |
				     PERF_SAMPLE_STACK_USER | PERF_SAMPLE_WEIGHT;
		attr->read_format =
			PERF_FORMAT_GROUP | PERF_FORMAT_ID | PERF_FORMAT_TOTAL_TIME_ENABLED;
		attr->branch_sample_type = PERF_SAMPLE_BRANCH_HW_INDEX;
		if (options->newest) {
			attr->branch_sample_type |= 1 << 19;
			attr->sample_type |= UINT64_C(1) << 30;
		}
		attr->sample_regs_user = 0x181;
		attr->sample_stack_user = 16;
	}
}

static void sample_id(struct made_perf *body, const struct perf_options *options, uint64_t time,
		      uint32_t cpu, uint64_t id)
{
	number(body, 42, 4);
	number(body, 42, 4);
	number(body, time, 8);
	if (options->id_behind)
		number(body, id, 8);
	if (options->everything)
		number(body, id, 8);
	number(body, cpu, 8);
	if (!options->id_behind)
		number(body, id, 8);
}

static void put_sample(struct made_perf *made, const struct perf_options *options, uint32_t cpu,
		       unsigned int n)
{
	struct made_perf body = {0};
	bool alpha = n % 2 == 0;
	uint64_t id = (alpha ? 100 : 200) + cpu;

	if (!options->id_behind)
		number(&body, id, 8);
	if (options->everything)
		number(&body, 0x401000, 8);
	number(&body, 42, 4);
	number(&body, 43, 4);
	number(&body, 1000 + 10 * n + cpu, 8);
	if (options->everything)
		number(&body, 0xadd, 8);
	if (options->id_behind)
		number(&body, id, 8);
	if (options->everything)
		number(&body, id, 8);
	number(&body, cpu, 8);
	if (options->everything) {
		number(&body, 1, 8); // period
		number(&body, 2, 8); // a group of two counts, and a time
		number(&body, 5, 8);
		for (int i = 0; i < 4; i++)
			number(&body, 7, 8);
		number(&body, options->newest ? 4 : 2, 8); // call chain
		number(&body, (uint64_t)PERF_CONTEXT_USER, 8);
		number(&body, 0x401000, 8);
		if (options->newest) {
			number(&body, (uint64_t)-640, 8);
			number(&body, 0xc00c1e, 8);
		}
	}
	number(&body, 20, 4);
	number(&body, alpha ? 11 : 12, 2);
	number(&body, 0, 2);
	number(&body, 43, 4);
	number(&body, n, alpha ? 4 : 8);
	if (alpha)
		add(&body, "text\0\0\0", 8);
	else
		number(&body, 0, 4);
	if (options->everything) {
		number(&body, 1, 8); // branches
		number(&body, 9, 8);
		for (int i = 0; i < 3; i++)
			number(&body, 9, 8);
		if (options->newest)
			number(&body, 77, 8);
		number(&body, 2, 8); // registers
		for (uint64_t i = 0; i < 3; i++)
			number(&body, 0x1000 + i, 8);
		number(&body, 16, 8); // stack
		add(&body, "stack of thread", 16);
		number(&body, 8, 8);
		number(&body, 1, 8); // weight
		if (options->newest)
			number(&body, 5, 8);
	}
	record(made, PERF_RECORD_SAMPLE, PERF_RECORD_MISC_USER, &body);
	free(body.data);
}

static void put_process(struct made_perf *made, const struct perf_options *options)
{
	struct made_perf body = {0};

	number(&body, 42, 4);
	number(&body, 42, 4);
	add(&body, "worker\0", 8);
	sample_id(&body, options, 0, 0, 0);
	record(made, PERF_RECORD_COMM, 0, &body);
	body.size = 0;
	number(&body, 42, 4);
	number(&body, 42, 4);
	number(&body, 0x400000, 8);
	number(&body, 0x10000, 8);
	number(&body, 0, 8);
	number(&body, 0, 8);
	number(&body, 0, 8);
	number(&body, 0, 8);
	number(&body, 5 | 2ull << 32, 8);
	add(&body, "/bin/worker\0\0\0\0", 16);
	sample_id(&body, options, 0, 0, 0);
	record(made, PERF_RECORD_MMAP2, PERF_RECORD_MISC_USER, &body);
	// This record names a thread. The record of the thread's fork comes next, but has an
	// earlier time.
	body.size = 0;
	number(&body, 42, 4);
	number(&body, 43, 4);
	add(&body, "second\0", 8);
	sample_id(&body, options, 900, 1, 101);
	record(made, PERF_RECORD_COMM, 0, &body);
	body.size = 0;
	number(&body, 42, 4);
	number(&body, 42, 4);
	number(&body, 43, 4);
	number(&body, 42, 4);
	number(&body, 800, 8);
	sample_id(&body, options, 800, 0, 100);
	record(made, PERF_RECORD_FORK, 0, &body);
	free(body.data);
}

static void put_loss(struct made_perf *made, const struct perf_options *options)
{
	struct made_perf body = {0};

	if (!options->lost_samples)
		number(&body, 101, 8);
	number(&body, 3, 8);
	sample_id(&body, options, 1500, 1, 101);
	record(made, options->lost_samples ? PERF_RECORD_LOST_SAMPLES : PERF_RECORD_LOST, 0, &body);
	free(body.data);
}

static void put_newest(struct made_perf *made, const struct perf_options *options)
{
	struct made_perf body = {0};

	number(&body, 0xc00c1e, 8);
	number(&body, 2, 8);
	number(&body, (uint64_t)PERF_CONTEXT_USER, 8);
	number(&body, 0x401000, 8);
	sample_id(&body, options, 1500, 1, 101);
	record(made, 22, 0, &body);
	body.size = 0;
	number(&body, 24, 8);
	for (int i = 0; i < 4; i++)
		number(&body, 0, 8);
	record(made, 71, 0, &body);
	add(made, "hardware trace, 24 byte", 24);
	free(body.data);
}

static void put_records(struct made_perf *made, const struct perf_options *options)
{
	put_process(made, options);
	for (uint32_t cpu = 0; cpu < 2; cpu++) {
		for (unsigned int i = 0; i < options->events; i++)
			put_sample(made, options, cpu,
				   options->backward ? options->events - 1 - i : i);
	}
	put_loss(made, options);
	if (options->newest)
		put_newest(made, options);
}

// Compresses the records as one stream, which is cut at arbitrary places.
static void compress(struct made_perf *made, const struct perf_options *options,
		     const struct made_perf *plain)
{
	size_t room = ZSTD_compressBound(plain->size);
	uint8_t *packed = malloc(room);
	size_t size = ZSTD_compress(packed, room, plain->data, plain->size, 1);

	for (size_t at = 0; at < size;) {
		struct made_perf body = {0};
		size_t most = options->events > 1000 ? 60000 : 101,
		       piece = size - at < most ? size - at : most;

		if (options->padded)
			number(&body, piece, 8);
		add(&body, packed + at, piece);
		while (options->padded && body.size % 8)
			add(&body, "x", 1);
		record(made, options->padded ? 83 : 81, 0, &body);
		free(body.data);
		at += piece;
	}
	free(packed);
}

static void put_format(struct made_perf *made, const char *system, const char *text)
{
	add(made, system, strlen(system) + 1);
	number(made, 1, 4);
	number(made, strlen(text), 8);
	add(made, text, strlen(text));
}

static void put_tracing(struct made_perf *made)
{
	add(made, "\x17\x08\x44tracing0.6\0\0\x08", 16);
	number(made, 4096, 4);
	add(made, "header_page\0\0\0\0\0\0\0\0\0", 20);
	add(made, "header_event\0\0\0\0\0\0\0\0\0", 21);
	number(made, 0, 4);
	number(made, 2, 4);
	put_format(made, "test", ALPHA);
	put_format(made, "user_events", PAID);
	number(made, 0, 8);
	number(made, 0, 8);
}

static void put_string(struct made_perf *made, const char *text)
{
	number(made, 64, 4);
	add(made, text, strlen(text));
	for (size_t i = strlen(text); i < 64; i++)
		add(made, "", 1);
}

static const int features[] = {1, 2, 3, 4, 5, 6, 7, 29};

static void put_feature(struct made_perf *made, int feature)
{
	struct made_perf body = {0};

	switch (feature) {
	case 1:
		put_tracing(made);
		break;
	case 2:
		number(&body, UINT32_MAX, 4);
		add(&body, "\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20\21\22\23\24\24\0\0", 24);
		add(&body, "/bin/worker\0\0\0\0", 16);
		record(made, 67, PERF_RECORD_MISC_USER | BUILD_ID_SIZED, &body);
		break;
	case 3:
		put_string(made, "machine");
		break;
	case 4:
		put_string(made, "6.12.0");
		break;
	case 5:
		put_string(made, "6.11");
		break;
	case 6:
		put_string(made, "x86_64");
		break;
	case 7:
		number(made, 4, 4);
		number(made, 2, 4);
		break;
	case 29:
		number(made, 1, 4);
		number(made, 1, 4);
		number(made, UINT64_C(1700000000000000000), 8);
		number(made, 1000, 8);
		break;
	}
	free(body.data);
}

static void make_pipe(struct made_perf *made, const struct perf_options *options)
{
	number(made, 16, 8);
	for (uint64_t which = 0; which < 2; which++) {
		struct perf_event_attr attr;
		struct made_perf body = {0};

		attribute(&attr, 11 + which, options);
		add(&body, &attr, sizeof(attr));
		number(&body, 100 * (which + 1), 8);
		number(&body, 100 * (which + 1) + 1, 8);
		record(made, 64, 0, &body);
		free(body.data);
	}
	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		struct made_perf body = {0}, tracing = {0};

		if (features[i] == 1) {
			put_tracing(&tracing);
			while (tracing.size % 8)
				add(&tracing, "", 1);
			number(&body, tracing.size, 8);
			record(made, 66, 0, &body);
			add(made, tracing.data, tracing.size);
		} else if (features[i] == 2) {
			put_feature(made, 2);
		} else {
			number(&body, (uint64_t)features[i], 8);
			put_feature(&body, features[i]);
			record(made, 80, 0, &body);
		}
		free(body.data);
		free(tracing.data);
	}
}

void make_perf_data(struct made_perf *made, const struct perf_options *options)
{
	struct made_perf plain = {0}, records = {0}, tables = {0};
	size_t start = 104 + 2 * (sizeof(struct perf_event_attr) + 16) + 32, table;

	*made = (struct made_perf){0};
	put_records(&plain, options);
	if (options->compressed || options->padded)
		compress(&records, options, &plain);
	else
		add(&records, plain.data, plain.size);
	add(made, "PERFILE2", 8);
	if (options->pipe) {
		make_pipe(made, options);
		add(made, records.data, records.size);
	} else {
		uint64_t bits = 0;

		for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++)
			bits |= UINT64_C(1) << features[i];
		number(made, 104, 8);
		number(made, sizeof(struct perf_event_attr) + 16, 8);
		number(made, 104, 8);
		number(made, 2 * (sizeof(struct perf_event_attr) + 16), 8);
		number(made, start, 8);
		number(made, records.size, 8);
		number(made, 0, 8);
		number(made, 0, 8);
		number(made, bits, 8);
		for (int i = 0; i < 3; i++)
			number(made, 0, 8);
		for (uint64_t which = 0; which < 2; which++) {
			struct perf_event_attr attr;

			attribute(&attr, 11 + which, options);
			add(made, &attr, sizeof(attr));
			number(made, start - 32 + 16 * which, 8);
			number(made, 16, 8);
		}
		for (uint64_t id = 100; id <= 200; id += 100) {
			number(made, id, 8);
			number(made, id + 1, 8);
		}
		add(made, records.data, records.size);
		table = made->size + 16 * sizeof(features) / sizeof(features[0]);
		for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
			size_t at = tables.size;

			put_feature(&tables, features[i]);
			number(made, table + at, 8);
			number(made, tables.size - at, 8);
		}
		add(made, tables.data, tables.size);
	}
	free(plain.data);
	free(records.data);
	free(tables.data);
}
