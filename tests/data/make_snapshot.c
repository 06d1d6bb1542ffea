// SPDX-License-Identifier: MIT
// Makes the files that the tests of export read. All times, numbers and names are fixed, so that
// the output can be compared.
#include "tests/data/make_snapshot.h"

#include <fcntl.h>
#include <linux/perf_event.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zstd.h>

#include "flightrec.pb-c.h"
#include "proto/part.h"
#include "tests/data/byte_buffer.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define SAMPLE_TYPE \
	(PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU | \
	 PERF_SAMPLE_RAW)
#define CRASH_TYPE (SAMPLE_TYPE | PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER)
#define CRASH_REGISTERS 0x1ffull /* ax to ip */

enum { REQUEST = 1, SWITCH = 2, WAKING = 3, IRQ = 4, DELIVER = 5, SOURCES = 5, ORDER = 6 };
enum { MAIN = 123, WORKER = 125, STRANGER = 777 };
#define SINCE 1000000000ull
#define UNTIL 3000000000ull

struct ring {
	struct bytes bytes;
	bool stacks;
	unsigned int stack; /* number of the next record's stack */
	uint32_t cpu, count;
	uint64_t first, last;
	uint64_t by_source[SOURCES + 1];
};

// If a page treated this text as markup, it would end a script, run one, load something, and
// reverse the text that follows.
#define MARKUP "</script><img src=x onerror=boom()><script>boom()</script>\u202eabc\x1b[31m\xff"

struct maker {
	bool markup; /* names are MARKUP */
	unsigned int cpus;
	struct bytes file;
	uint64_t parts, records;
};

static void add_part(struct maker *maker, enum frec_part part, const ProtobufCMessage *message)
{
	uint8_t *data;
	size_t size;

	REQUIRE(!frec__part_pack(part, message, &data, &size));
	add(&maker->file, data, size);
	free(data);
	maker->parts += part != FREC_PART_END;
}

#define KERNEL_START 0xffffffff81000000ull

static const uint64_t call_chain[] = {(uint64_t)PERF_CONTEXT_KERNEL,
				      KERNEL_START + 0x10,
				      KERNEL_START + 0x1020,
				      (uint64_t)PERF_CONTEXT_USER,
				      0x1100,
				      0x1200,
				      0x777000};
static const uint64_t frame_pcs[] = {0x1100, 0x1204, 0x1300};
// How each frame was found: as the program counter itself, by call frame information, and by the
// frame pointer.
static const uint8_t frame_hows[] = {0 | 4, 1, 2};

#define CALL_CHAIN_OWN 4 /* index of the address that differs between stacks */

static void add_call_chain(struct bytes *body, unsigned int number)
{
	add_number(body, COUNT(call_chain), 8);
	for (size_t i = 0; i < COUNT(call_chain); i++)
		add_number(body, call_chain[i] + (i == CALL_CHAIN_OWN ? number : 0), 8);
}

static void add_frames(struct bytes *body)
{
	add_number(body, COUNT(frame_pcs), 4);
	add_number(body, FLIGHTREC__STACK_END__STACK_END_TRUNCATED, 4);
	add_number(body, 0x7ffc1000, 8);
	for (size_t i = 0; i < COUNT(frame_pcs); i++)
		add_number(body, frame_pcs[i], 8);
	add(body, frame_hows, COUNT(frame_hows));
	add_number(body, 0, 8 - COUNT(frame_hows));
}

static void add_record(struct ring *ring, uint32_t source, uint32_t pid, uint32_t tid,
		       uint64_t time, const struct bytes *payload)
{
	struct bytes body = {0};
	size_t padded = (payload->size + 4 + 7) / 8 * 8 - 4;
	struct perf_event_header header = {.type = PERF_RECORD_SAMPLE, .misc = 2};

	add_number(&body, source, 8);
	add_number(&body, pid, 4);
	add_number(&body, tid, 4);
	add_number(&body, time, 8);
	add_number(&body, ring->cpu, 8);
	if (ring->stacks && source == REQUEST)
		add_call_chain(&body, ring->stack);
	add_number(&body, padded, 4);
	add(&body, payload->data, payload->size);
	add_number(&body, 0, padded - payload->size);
	if (source == DELIVER) {
		add_number(&body, PERF_SAMPLE_REGS_ABI_64, 8);
		for (uint64_t i = 0; i < 9; i++)
			add_number(&body, 0x1000 + i, 8);
		add_number(&body, 16, 8);
		add(&body, "a piece of stack", 16);
		add_number(&body, 11, 8);
	}
	if (ring->stacks && source == SWITCH)
		add_frames(&body);
	header.size = (uint16_t)(sizeof(header) + body.size);
	add(&ring->bytes, &header, sizeof(header));
	add(&ring->bytes, body.data, body.size);
	free(body.data);
	ring->first = !ring->count || time < ring->first ? time : ring->first;
	ring->last = time > ring->last ? time : ring->last;
	ring->count++;
	if (source <= SOURCES)
		ring->by_source[source]++;
}

static void add_common(struct bytes *payload, uint16_t type, uint32_t tid)
{
	add_number(payload, type, 4);
	add_number(payload, tid, 4);
}

static void set_relative(struct bytes *payload, size_t word, const void *data, size_t size)
{
	uint32_t value = (uint32_t)(size << 16 | (payload->size - word - 4));

	memcpy(payload->data + word, &value, 4);
	add(payload, data, size);
}

struct request {
	uint64_t order_id;
	const char *path;
	size_t path_size; /* with its NUL */
	int32_t status;
	double ratio;
	float load;
	const char *tag;
	int8_t state;
};

static void add_request(struct ring *ring, uint32_t pid, uint32_t tid, uint64_t time,
			const struct request *request)
{
	struct bytes payload = {0};
	char tag[8] = "";
	int16_t deltas[3] = {-1, 2, INT16_MIN};

	memcpy(tag, request->tag, strnlen(request->tag, sizeof(tag)));
	add_common(&payload, 100 + REQUEST, tid);
	add_number(&payload, request->order_id, 8);
	add_number(&payload, 0, 4); // 16: path
	add_number(&payload, (uint32_t)request->status, 4);
	add_number(&payload, request->status == 200, 1); // 24: ok
	add_number(&payload, (uint8_t)request->state, 1);
	add(&payload, deltas, sizeof(deltas)); // 26
	add(&payload, &request->ratio, 8);     // 32
	add(&payload, &request->load, 4);      // 40
	add_number(&payload, 0, 4);	       // 44: blob
	add_number(&payload, 0x7fff12345678, 8);
	add(&payload, tag, sizeof(tag)); // 56
	set_relative(&payload, 16, request->path, request->path_size);
	set_relative(&payload, 44, "\x00\xff\x10", 3);
	add_record(ring, REQUEST, pid, tid, time, &payload);
	free(payload.data);
}

// Adds the event that tests/bench/bench_lttng.c emits.
static void add_order(struct ring *ring, uint64_t time, uint64_t id)
{
	static const char path[] = "/orders/list/12345";
	struct bytes payload = {0};
	double price = 12.5;

	add_common(&payload, 100 + ORDER, WORKER);
	add_number(&payload, id, 8);
	add_number(&payload, 0, 4); // 16: path
	add_number(&payload, 200, 4);
	add(&payload, &price, 8);
	set_relative(&payload, 16, path, sizeof(path));
	add_record(ring, ORDER, MAIN, WORKER, time, &payload);
	free(payload.data);
}

static void add_comm(struct bytes *payload, const char *comm)
{
	char name[16] = "";

	memcpy(name, comm, strlen(comm));
	add(payload, name, sizeof(name));
}

static void add_switch_of(struct ring *ring, uint64_t time, const char *from, uint32_t from_tid,
			  int64_t state, const char *to, uint32_t to_tid)
{
	struct bytes payload = {0};

	add_common(&payload, 100 + SWITCH, from_tid);
	add_comm(&payload, from);
	add_number(&payload, from_tid, 4);
	add_number(&payload, 120, 4);
	add_number(&payload, (uint64_t)state, 8);
	add_comm(&payload, to);
	add_number(&payload, to_tid, 4);
	add_number(&payload, 120, 4);
	add_record(ring, SWITCH, from_tid == WORKER ? MAIN : from_tid, from_tid, time, &payload);
	free(payload.data);
}

static void add_switch(struct ring *ring, uint64_t time, const char *from, uint32_t from_tid,
		       const char *to, uint32_t to_tid)
{
	add_switch_of(ring, time, from, from_tid, 1, to, to_tid);
}

static void add_waking(struct ring *ring, uint64_t time, uint32_t tid)
{
	struct bytes payload = {0};

	add_common(&payload, 100 + WAKING, MAIN);
	add_comm(&payload, "worker-1");
	add_number(&payload, tid, 4);
	add_number(&payload, 120, 4);
	add_number(&payload, 1, 4);
	add_record(ring, WAKING, MAIN, MAIN, time, &payload);
	free(payload.data);
}

// Adds an event with a string whose offset counts from the start of the record, as in the kernel's
// older format.
static void add_irq(struct ring *ring, uint64_t time, int32_t number, uint32_t locator)
{
	struct bytes payload = {0};

	add_common(&payload, 100 + IRQ, 0);
	add_number(&payload, (uint32_t)number, 4);
	add_number(&payload, locator, 4);
	add(&payload, "virtio0", 8);
	add_record(ring, IRQ, 0, 0, time, &payload);
	free(payload.data);
}

static void add_deliver(struct ring *ring, uint64_t time)
{
	struct bytes payload = {0};

	add_common(&payload, 100 + DELIVER, WORKER);
	add_number(&payload, 11, 4);
	add_number(&payload, 1, 4);
	add_record(ring, DELIVER, MAIN, WORKER, time, &payload);
	free(payload.data);
}

static void add_field(Flightrec__Source *source, const char *name, Flightrec__FieldKind kind,
		      uint32_t offset, uint32_t size)
{
	Flightrec__Field *field = calloc(1, sizeof(*field));

	REQUIRE(field);
	flightrec__field__init(field);
	field->name = (char *)name;
	field->kind = kind;
	field->offset = offset;
	field->size = size;
	if (kind == FLIGHTREC__FIELD_KIND__FIELD_STRING ||
	    kind == FLIGHTREC__FIELD_KIND__FIELD_BYTES)
		field->locator = source->kind == FLIGHTREC__SOURCE_KIND__SOURCE_EVENT
					 ? FLIGHTREC__LOCATOR__LOCATOR_RELATIVE
					 : FLIGHTREC__LOCATOR__LOCATOR_DATA;
	if (kind == FLIGHTREC__FIELD_KIND__FIELD_ARRAY) {
		field->element_size = 2;
		field->element_signed = true;
	}
	source->field = realloc(source->field, (source->n_field + 1) * sizeof(*source->field));
	REQUIRE(source->field);
	source->field[source->n_field++] = field;
}

static void end_source(struct maker *maker, Flightrec__Source *source)
{
	add_part(maker, FREC_PART_SOURCE, &source->base);
	for (size_t i = 0; i < source->n_field; i++)
		free(source->field[i]);
	free(source->field);
}

static void add_request_source(struct maker *maker, bool stacks)
{
	Flightrec__Source source = FLIGHTREC__SOURCE__INIT;
	Flightrec__Enumerator idle = FLIGHTREC__ENUMERATOR__INIT,
			      paid = FLIGHTREC__ENUMERATOR__INIT;
	Flightrec__Enumerator *enumerators[] = {&idle, &paid};

	idle.value = -1;
	idle.name = "IDLE";
	paid.value = 2;
	paid.name = "PAID";
	source.id = REQUEST;
	source.kind = FLIGHTREC__SOURCE_KIND__SOURCE_EVENT;
	source.system = "shop";
	source.name = "request_done";
	source.kernel_name = "user_events:shop__request_done";
	source.tracepoint_id = 100 + REQUEST;
	source.sample_type = SAMPLE_TYPE | (stacks ? PERF_SAMPLE_CALLCHAIN : 0);
	add_field(&source, "order_id", FLIGHTREC__FIELD_KIND__FIELD_UNSIGNED, 8, 8);
	add_field(&source, "path", FLIGHTREC__FIELD_KIND__FIELD_STRING, 16, 4);
	add_field(&source, "status", FLIGHTREC__FIELD_KIND__FIELD_SIGNED, 20, 4);
	add_field(&source, "ok", FLIGHTREC__FIELD_KIND__FIELD_BOOL, 24, 1);
	add_field(&source, "state", FLIGHTREC__FIELD_KIND__FIELD_ENUM, 25, 1);
	source.field[4]->enumerator = enumerators;
	source.field[4]->n_enumerator = 2;
	add_field(&source, "deltas", FLIGHTREC__FIELD_KIND__FIELD_ARRAY, 26, 6);
	add_field(&source, "ratio", FLIGHTREC__FIELD_KIND__FIELD_FLOAT, 32, 8);
	add_field(&source, "load", FLIGHTREC__FIELD_KIND__FIELD_FLOAT, 40, 4);
	add_field(&source, "blob", FLIGHTREC__FIELD_KIND__FIELD_BYTES, 44, 4);
	add_field(&source, "session", FLIGHTREC__FIELD_KIND__FIELD_POINTER, 48, 8);
	add_field(&source, "tag", FLIGHTREC__FIELD_KIND__FIELD_CHARS, 56, 8);
	add_field(&source, "raw", FLIGHTREC__FIELD_KIND__FIELD_UNKNOWN, 24, 2);
	end_source(maker, &source);
}

static void add_order_source(struct maker *maker)
{
	Flightrec__Source source;

	flightrec__source__init(&source);
	source.id = ORDER;
	source.kind = FLIGHTREC__SOURCE_KIND__SOURCE_EVENT;
	source.system = "bench";
	source.name = "order";
	source.kernel_name = "user_events:bench__order";
	source.tracepoint_id = 100 + ORDER;
	source.sample_type = SAMPLE_TYPE;
	add_field(&source, "id", FLIGHTREC__FIELD_KIND__FIELD_UNSIGNED, 8, 8);
	add_field(&source, "path", FLIGHTREC__FIELD_KIND__FIELD_STRING, 16, 4);
	add_field(&source, "status", FLIGHTREC__FIELD_KIND__FIELD_SIGNED, 20, 4);
	add_field(&source, "price", FLIGHTREC__FIELD_KIND__FIELD_FLOAT, 24, 8);
	end_source(maker, &source);
}

static void start_tracepoint(Flightrec__Source *source, uint32_t id, const char *system,
			     const char *name)
{
	flightrec__source__init(source);
	source->id = id;
	source->kind = FLIGHTREC__SOURCE_KIND__SOURCE_TRACEPOINT;
	source->system = (char *)system;
	source->name = (char *)name;
	source->tracepoint_id = 100 + id;
	source->sample_type = SAMPLE_TYPE;
}

static void add_kernel_sources(struct maker *maker, bool stacks)
{
	Flightrec__Source source;

	start_tracepoint(&source, SWITCH, "sched", "sched_switch");
	source.unwound = stacks;
	add_field(&source, "prev_comm", FLIGHTREC__FIELD_KIND__FIELD_CHARS, 8, 16);
	add_field(&source, "prev_pid", FLIGHTREC__FIELD_KIND__FIELD_SIGNED, 24, 4);
	add_field(&source, "prev_prio", FLIGHTREC__FIELD_KIND__FIELD_SIGNED, 28, 4);
	add_field(&source, "prev_state", FLIGHTREC__FIELD_KIND__FIELD_SIGNED, 32, 8);
	add_field(&source, "next_comm", FLIGHTREC__FIELD_KIND__FIELD_CHARS, 40, 16);
	add_field(&source, "next_pid", FLIGHTREC__FIELD_KIND__FIELD_SIGNED, 56, 4);
	add_field(&source, "next_prio", FLIGHTREC__FIELD_KIND__FIELD_SIGNED, 60, 4);
	end_source(maker, &source);
	start_tracepoint(&source, WAKING, "sched", "sched_waking");
	add_field(&source, "comm", FLIGHTREC__FIELD_KIND__FIELD_CHARS, 8, 16);
	add_field(&source, "pid", FLIGHTREC__FIELD_KIND__FIELD_SIGNED, 24, 4);
	add_field(&source, "prio", FLIGHTREC__FIELD_KIND__FIELD_SIGNED, 28, 4);
	add_field(&source, "target_cpu", FLIGHTREC__FIELD_KIND__FIELD_SIGNED, 32, 4);
	end_source(maker, &source);
	start_tracepoint(&source, IRQ, "irq", "irq_handler_entry");
	add_field(&source, "irq", FLIGHTREC__FIELD_KIND__FIELD_SIGNED, 8, 4);
	add_field(&source, "name", FLIGHTREC__FIELD_KIND__FIELD_STRING, 12, 4);
	end_source(maker, &source);
	start_tracepoint(&source, DELIVER, "signal", "signal_deliver");
	source.kind = FLIGHTREC__SOURCE_KIND__SOURCE_CRASH;
	source.sample_type = CRASH_TYPE;
	source.sample_regs_user = CRASH_REGISTERS;
	add_field(&source, "sig", FLIGHTREC__FIELD_KIND__FIELD_SIGNED, 8, 4);
	add_field(&source, "code", FLIGHTREC__FIELD_KIND__FIELD_SIGNED, 12, 4);
	end_source(maker, &source);
}

static ProtobufCBinaryData text(const char *string)
{
	return (ProtobufCBinaryData){strlen(string), (uint8_t *)string};
}

// More pairs than the schema allows. Each key occurs twice, and all keys but the first two contain
// markup.
#define PAIRS 24
static Flightrec__Pair pair[PAIRS], *pairs[PAIRS];

static void make_pairs(void)
{
	static char key[PAIRS / 2][128];

	for (size_t i = 0; i < PAIRS; i++) {
		snprintf(key[i / 2], sizeof(key[0]), "%s%zu", i < 4 ? "key" : MARKUP, i / 2);
		flightrec__pair__init(&pair[i]);
		pair[i].key = key[i / 2];
		pair[i].value = i % 2 ? text("the second one") : text(MARKUP);
		pairs[i] = &pair[i];
	}
}

static void add_header(struct maker *maker, const struct make_options *options)
{
	Flightrec__Header header = FLIGHTREC__HEADER__INIT;
	Flightrec__Host host = FLIGHTREC__HOST__INIT;
	char *selection[] = {"shop:*", "sched:sched_switch"};

	header.magic = (ProtobufCBinaryData){4, (uint8_t *)"FREC"};
	header.version = 1;
	header.writer = "0.1.0";
	header.selection = selection;
	header.n_selection = COUNT(selection);
	header.ring_size = 1 << 20;
	header.recording_since = SINCE + options->other_recorder;
	header.machine = "x86_64";
	header.host = &host;
	host.hostname = maker->markup ? text(MARKUP) : text("web-7");
	host.kernel_release = "6.12.0";
	host.boot_id = "00000000-0000-4000-8000-000000000001";
	if (options->other_host) {
		host.hostname = (ProtobufCBinaryData){5, (uint8_t *)"web-8"};
		host.boot_id = "00000000-0000-4000-8000-000000000002";
	}
	if (maker->markup) {
		make_pairs();
		header.tag = pairs;
		header.n_tag = PAIRS;
	}
	host.cpus_online = host.cpus_possible = maker->cpus;
	host.page_size = 4096;
	add_part(maker, FREC_PART_HEADER, &header.base);
}

static void add_clocks(struct maker *maker, Flightrec__Clocks__When when, uint64_t monotonic,
		       bool other_host)
{
	Flightrec__Clocks clocks = FLIGHTREC__CLOCKS__INIT;

	clocks.when = when;
	clocks.monotonic = monotonic;
	clocks.boottime = monotonic + 5000000000; // five seconds of sleep since boot
	clocks.realtime = monotonic + 1700000000000000000 + (other_host ? 1000000000 : 0);
	clocks.uncertainty = 200;
	add_part(maker, FREC_PART_CLOCKS, &clocks.base);
}

static void add_process(struct maker *maker)
{
	Flightrec__Process process = FLIGHTREC__PROCESS__INIT;
	Flightrec__Thread main_thread = FLIGHTREC__THREAD__INIT, worker = FLIGHTREC__THREAD__INIT;
	Flightrec__Thread *threads[] = {&main_thread, &worker};
	Flightrec__Map map = FLIGHTREC__MAP__INIT;
	Flightrec__Map *maps[] = {&map};
	ProtobufCBinaryData arguments[] = {text("/usr/bin/shopd"), text("--port"), text("80 80")};

	main_thread.tid = MAIN;
	main_thread.name = text("shopd");
	worker.tid = WORKER;
	worker.name = text("worker-1\xff");
	process.pid = MAIN;
	process.ppid = 1;
	process.owner_case = FLIGHTREC__PROCESS__OWNER_UID;
	process.uid = 1000;
	process.name = maker->markup ? text(MARKUP) : text("shopd");
	process.tag = pairs;
	process.n_tag = maker->markup ? PAIRS : 0;
	process.cmdline = arguments;
	process.n_cmdline = COUNT(arguments);
	process.executable = text("/usr/bin/shopd");
	process.start = SINCE;
	process.exit = 2600000000;
	process.thread = threads;
	process.n_thread = COUNT(threads);
	map.start = 0x1000;
	map.end = 0x3000;
	map.path = text("/usr/bin/shopd");
	map.build_id = text("0123456789abcdefghij");
	process.map = maps;
	process.n_map = COUNT(maps);
	add_part(maker, FREC_PART_PROCESS, &process.base);
}

static void add_kernel_symbols(struct maker *maker)
{
	Flightrec__KernelSymbol symbol[2] = {FLIGHTREC__KERNEL_SYMBOL__INIT,
					     FLIGHTREC__KERNEL_SYMBOL__INIT};
	Flightrec__KernelSymbol *symbols[] = {&symbol[0], &symbol[1]};
	Flightrec__KernelSymbols part = FLIGHTREC__KERNEL_SYMBOLS__INIT;

	symbol[0].address = KERNEL_START;
	symbol[0].name = "do_syscall_64";
	symbol[1].address = KERNEL_START + 0x1000;
	symbol[1].name = "a;b<script>";
	symbol[1].module = "nfs";
	part.symbol = symbols;
	part.n_symbol = COUNT(symbols);
	add_part(maker, FREC_PART_KERNEL_SYMBOLS, &part.base);
}

static void add_thread(struct maker *maker)
{
	Flightrec__ThreadStack thread = FLIGHTREC__THREAD_STACK__INIT;
	Flightrec__Frames frames = FLIGHTREC__FRAMES__INIT;

	frames.pc = (uint64_t *)(uintptr_t)frame_pcs;
	frames.n_pc = COUNT(frame_pcs);
	frames.how = (ProtobufCBinaryData){sizeof(frame_hows), (uint8_t *)(uintptr_t)frame_hows};
	thread.pid = thread.tid = MAIN;
	thread.name = text("shopd");
	thread.frames = &frames;
	thread.time = 2500000000;
	add_part(maker, FREC_PART_THREAD_STACK, &thread.base);
}

static void add_trigger_and_crash(struct maker *maker, bool crashed)
{
	Flightrec__Trigger trigger = FLIGHTREC__TRIGGER__INIT;
	Flightrec__Crash crash = FLIGHTREC__CRASH__INIT;
	Flightrec__Registers registers = FLIGHTREC__REGISTERS__INIT;
	Flightrec__Stack stack = FLIGHTREC__STACK__INIT;
	ProtobufCBinaryData arguments[] = {text("/usr/bin/shopd"), text("--port"), text("80 80")};
	uint64_t values[9];

	trigger.kind =
		crashed ? FLIGHTREC__TRIGGER__KIND__CRASH : FLIGHTREC__TRIGGER__KIND__REQUEST;
	trigger.name = crashed ? "" : "slow checkout";
	trigger.time = 2500000000;
	trigger.copied = 2900000000;
	trigger.copy_duration = 12000;
	trigger.requested_by_pid = crashed ? 0 : 4242;
	trigger.requested_by_uid = crashed ? 0 : 1000;
	trigger.field = pairs;
	trigger.n_field = maker->markup ? PAIRS : 0;
	add_part(maker, FREC_PART_TRIGGER, &trigger.base);
	if (!crashed)
		return;
	for (uint64_t i = 0; i < COUNT(values); i++)
		values[i] = 0x1000 + i;
	registers.mask = CRASH_REGISTERS;
	registers.value = values;
	registers.n_value = COUNT(values);
	stack.address = 0x1007;
	stack.data = text("a piece of stack");
	crash.pid = MAIN;
	crash.tid = WORKER;
	crash.thread_name = text("worker-1\xff");
	crash.process_name = maker->markup ? text(MARKUP) : text("shopd");
	crash.cmdline = arguments;
	crash.n_cmdline = COUNT(arguments);
	crash.signal = 11;
	crash.how_case = FLIGHTREC__CRASH__HOW_CODE;
	crash.code = 1;
	crash.fault_case = FLIGHTREC__CRASH__FAULT_ADDRESS;
	crash.address = 0;
	crash.time = 2500000000;
	crash.registers = &registers;
	crash.stack = &stack;
	add_part(maker, FREC_PART_CRASH, &crash.base);
}

static void add_records(struct maker *maker, const struct ring *ring, bool zstd, bool wrong_count,
			bool oversize)
{
	Flightrec__Records records;
	uint8_t *packed = NULL;

	flightrec__records__init(&records);
	records.cpu = ring->cpu;
	records.count = ring->count + wrong_count;
	records.first = ring->first;
	records.last = ring->last;
	records.size = oversize ? FREC_RECORDS_SIZE_MAX + 8 : (uint32_t)ring->bytes.size;
	if (zstd) {
		size_t bound = ZSTD_compressBound(ring->bytes.size), size;

		packed = malloc(bound);
		REQUIRE(packed);
		size = ZSTD_compress(packed, bound, ring->bytes.data, ring->bytes.size, 1);
		REQUIRE(!ZSTD_isError(size));
		records.content_case = FLIGHTREC__RECORDS__CONTENT_ZSTD;
		records.zstd = (ProtobufCBinaryData){size, packed};
	} else {
		records.content_case = FLIGHTREC__RECORDS__CONTENT_PLAIN;
		records.plain = (ProtobufCBinaryData){ring->bytes.size, ring->bytes.data};
	}
	add_part(maker, FREC_PART_RECORDS, &records.base);
	maker->records += ring->count;
	free(packed);
}

static void add_coverage(struct maker *maker, const struct ring *ring,
			 const struct make_options *options)
{
	Flightrec__CpuCoverage cpu = FLIGHTREC__CPU_COVERAGE__INIT;

	cpu.cpu = ring->cpu;
	cpu.from = options->late_from ? ring->last : options->wrapped ? ring->first : SINCE;
	cpu.until = options->late_record ? ring->last - 1 : UNTIL;
	cpu.ring_size = 1 << 20;
	cpu.bytes_kept = ring->bytes.size;
	cpu.bytes_written = options->wrapped ? 5 << 20 : ring->bytes.size;
	cpu.records_kept = ring->count;
	cpu.wrapped = options->wrapped;
	add_part(maker, FREC_PART_CPU, &cpu.base);
	for (uint32_t source = 1; source <= SOURCES; source++) {
		Flightrec__Loss loss = FLIGHTREC__LOSS__INIT;

		loss.source = source;
		loss.cpu = ring->cpu;
		loss.in_file = ring->by_source[source];
		loss.overwritten = options->wrapped ? 1000 : 0;
		loss.lost = source == SWITCH ? 3 : 0;
		loss.emitted_before = loss.in_file + loss.overwritten + loss.lost;
		// One source was still emitting while the rings were copied.
		loss.emitted_after = loss.emitted_before + (source == WAKING ? 7 : 0);
		if (options->wrong_loss && source == REQUEST)
			loss.emitted_before++, loss.emitted_after++;
		add_part(maker, FREC_PART_LOSS, &loss.base);
	}
}

static void add_hostile(struct ring *ring)
{
	const struct request bytes = {
		1, "\xff\xfe\x1b[31m\"\\\xc3\xa4\xed\xa0\x80\n", 15, 0, NAN, INFINITY, "eight888",
		9};
	const struct request cut = {UINT64_MAX, "cut here\0", 10, -1, -INFINITY, -0.0f, "", -128};
	const struct request empty = {0, "", 0, INT32_MIN, 5e-324, 1e-45f, "", -1};
	const struct request markup = {(1ull << 53) + 1,
				       "<script>alert('&amp;')</script>\u202e\u2028,;\r\n=1",
				       44,
				       1,
				       -5e-324,
				       3.4e38f,
				       "\t\x7f\x1b[2J",
				       2};
	struct bytes shorter = {0};
	struct bytes locators = {0};

	add_request(ring, MAIN, MAIN, 2100000000, &bytes);
	add_request(ring, MAIN, STRANGER, 2100000001, &cut);
	add_request(ring, UINT32_MAX, UINT32_MAX, 2100000002, &empty);
	add_irq(ring, 2100000003, -1, 0xffffffff);
	add_common(&shorter, 0, UINT32_MAX);
	add_record(ring, REQUEST, UINT32_MAX, UINT32_MAX, 2100000004, &shorter);
	add_common(&locators, 0, MAIN);
	for (int i = 0; i < 20; i++)
		add_number(&locators, 0xfff0fff0, 4);
	add_record(ring, REQUEST, MAIN, MAIN, 2100000005, &locators);
	add_request(ring, MAIN, MAIN, 2100000006, &markup);
	add_switch_of(ring, 2100000007, "\xff\n\"", MAIN, INT64_MIN, "a,b;c d", WORKER);
	free(shorter.data);
	free(locators.data);
}

// Adds events with markup in their fields, and one of them has a very long field.
static void add_markup(struct ring *ring)
{
	static const char markup[] = MARKUP;
	static char huge[8000];
	const struct request request = {3, markup, sizeof(markup), 0, 1, 1, "<b>", 2};
	const struct request longer = {4, huge, sizeof(huge), 0, 1, 1, "", 2};

	memset(huge, '<', sizeof(huge) - 1);
	add_request(ring, MAIN, MAIN, 2200000000, &request);
	add_request(ring, MAIN, MAIN, 2200000001, &longer);
}

static void fill_rings(struct ring *ring, const struct make_options *options)
{
	const struct request first = {7, "/cart", 6, 200, 0.1, 0.5f, "eu-1", 2};
	const struct request second = {1ull << 60, "/pay?x=\"1\"", 11,	 500,
				       -1.5e300,   3.25f,	   "us", 7};
	struct bytes nothing = {0};

	add_request(&ring[0], MAIN, MAIN, 1500000000, &first);
	add_waking(&ring[0], 1600000000, WORKER);
	add_switch(&ring[1], 1600100000, "swapper/1", 0, "worker-1", WORKER);
	// The record of an interrupt precedes the record whose writing the interrupt delayed, but
	// has a later time.
	add_irq(&ring[0], 1700000010, 11, 8 << 16 | 16);
	add_request(&ring[0], MAIN, MAIN, 1700000000, &second);
	add_request(&ring[1], MAIN, WORKER, 1700000005, &second);
	add_request(&ring[0], STRANGER, STRANGER, 1800000000, &first);
	if (options->hostile)
		add_hostile(&ring[0]);
	if (options->markup)
		add_markup(&ring[0]);
	if (options->unknown_source)
		add_record(&ring[0], 99, MAIN, MAIN, 2200000000, &nothing);
	if (!options->no_crash)
		add_deliver(&ring[1], 2500000000);
	add_switch(&ring[1], 2500200000, "worker-1", WORKER, "swapper/1", 0);
}

// Adds CPUs on which other processes keep switching.
static void add_noise(struct maker *maker, const struct make_options *options)
{
	for (uint32_t cpu = 2; cpu < 6; cpu++) {
		struct ring ring = {.cpu = cpu};

		for (uint64_t i = 0; i < 6500; i++)
			add_switch(&ring, 2300000000 + i, "noise", STRANGER, "more", STRANGER);
		add_records(maker, &ring, true, false, false);
		add_coverage(maker, &ring, options);
		free(ring.bytes.data);
	}
}

void make_small(struct made_file *ret, const struct make_options *options)
{
	struct ring ring[2] = {{.cpu = 0}, {.cpu = 1}};
	Flightrec__End end = FLIGHTREC__END__INIT;
	struct maker maker = {0};

	ring[0].stacks = ring[1].stacks = options->stacks;
	maker.markup = options->markup;
	maker.cpus = COUNT(ring);
	fill_rings(ring, options);
	add_header(&maker, options);
	add_clocks(&maker, FLIGHTREC__CLOCKS__WHEN__START, SINCE, options->other_host);
	add_request_source(&maker, options->stacks);
	add_kernel_sources(&maker, options->stacks);
	add_process(&maker);
	if (options->stacks) {
		add_kernel_symbols(&maker);
		add_thread(&maker);
	}
	add_trigger_and_crash(&maker, !options->no_crash);
	for (size_t i = 0; i < COUNT(ring); i++) {
		add_records(&maker, &ring[i], options->zstd, options->wrong_count,
			    options->oversize);
		add_coverage(&maker, &ring[i], options);
		free(ring[i].bytes.data);
	}
	if (options->noise)
		add_noise(&maker, options);
	add_clocks(&maker, FLIGHTREC__CLOCKS__WHEN__SNAPSHOT, UNTIL, options->other_host);
	end.parts = maker.parts;
	end.records = maker.records;
	add_part(&maker, FREC_PART_END, &end.base);
	ret->data = maker.file.data;
	ret->size = maker.file.size;
}

static void write_all(int fd, const uint8_t *data, size_t size)
{
	while (size) {
		ssize_t n = write(fd, data, size);

		REQUIRE(n > 0);
		data += n;
		size -= (size_t)n;
	}
}

static void flush(struct maker *maker, int fd)
{
	write_all(fd, maker->file.data, maker->file.size);
	maker->file.size = 0;
}

// Adds events as a server would emit them: mostly requests, and sometimes a thread switch. Returns
// the time of the last event.
static uint64_t fill_with_requests(struct ring *ring, uint64_t time, uint32_t size)
{
	static const char *const paths[] = {"/cart", "/checkout/payment", "/orders?page=2", "/"};
	struct request request = {7, "/cart", 6, 200, 0.1, 0.5f, "eu-1", 2};

	while (ring->bytes.size < size) {
		request.order_id = time * 2654435761;
		request.path = paths[time / 1001 % COUNT(paths)];
		request.path_size = strlen(request.path) + 1;
		ring->stack = time / 1001 % 64;
		if (time % 4)
			add_request(ring, MAIN, WORKER, time += 1001, &request);
		else
			add_switch(ring, time += 1001, "a", MAIN, "b", WORKER);
	}
	return time;
}

static uint64_t fill_with_orders(struct ring *ring, uint64_t time, uint32_t size)
{
	for (; ring->bytes.size < size; time += 1001)
		add_order(ring, time, time / 1001);
	return time;
}

void make_large(int fd, const struct make_large_options *options)
{
	Flightrec__End end = FLIGHTREC__END__INIT;
	struct maker maker = {.cpus = options->cpus};
	uint64_t time = SINCE;

	add_header(&maker, &(struct make_options){0});
	add_clocks(&maker, FLIGHTREC__CLOCKS__WHEN__START, SINCE, false);
	add_request_source(&maker, options->stacks);
	add_kernel_sources(&maker, options->stacks);
	add_order_source(&maker);
	add_process(&maker);
	if (options->stacks)
		add_kernel_symbols(&maker);
	flush(&maker, fd);
	for (unsigned int i = 0; i < options->chunks; i++) {
		uint64_t last = time;

		for (unsigned int cpu = 0; cpu < options->cpus; cpu++) {
			struct ring ring = {.cpu = cpu, .stacks = options->stacks};

			last = (options->orders ? fill_with_orders : fill_with_requests)(
				&ring, time, options->chunk_size);
			add_records(&maker, &ring, false, false, false);
			flush(&maker, fd);
			free(ring.bytes.data);
		}
		time = last;
	}
	end.parts = maker.parts;
	end.records = maker.records;
	add_part(&maker, FREC_PART_END, &end.base);
	flush(&maker, fd);
	free(maker.file.data);
}

void make_write(const struct made_file *file, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	REQUIRE(fd >= 0);
	write_all(fd, file->data, file->size);
	close(fd);
}
