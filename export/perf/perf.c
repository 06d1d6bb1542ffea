// SPDX-License-Identifier: MIT
// perf.data, which perf script, perf report, hotspot and others read:
//
//	header | attributes of the events | their ids | records | table of features | features
//
// The header locates all other parts, so it is written again at the end. The records are those of
// perf_event_open(2): a sample for each event, with registers and the call stack if they were
// recorded; in between, the names of threads and their processes' mappings, each with the time at
// which it began. Every so often, a marker says that nothing older follows, so that a reader, which
// sorts the records, need not hold them all.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "export/perf/features.h"
#include "export/perf/payload.h"
#include "export/writer.h"

#define HEADER_SIZE 104
#define ATTR_SIZE PERF_ATTR_SIZE_VER5
#define RECORDS_PER_ROUND 8192
#define FINISHED_ROUND 68

#define SAMPLE_TYPE \
	(PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU | \
	 PERF_SAMPLE_PERIOD | PERF_SAMPLE_RAW)
#define STACK_TYPE (PERF_SAMPLE_CALLCHAIN | PERF_SAMPLE_STACK_USER)

// A process or thread whose name is written when its start time is reached.
struct birth {
	uint64_t start;
	const struct frec_process_entry *entry;
};

struct perf {
	const struct frec_export *context;
	const struct frec_registers *registers; /* NULL if the machine is unknown */
	struct frec_perf_source *sources;
	struct birth *births; /* sorted by time */
	size_t next_birth;
	/* some source has stacks; then all samples have call chains, perhaps empty */
	bool stacks;
	uint64_t begin;	     /* time of the first event, nanoseconds */
	uint64_t any_id;     /* the id in records that are not samples */
	uint64_t data_start; /* offset of the first record */
	uint64_t records;
	struct frec_text record;
};

static void start_record(struct frec_text *record, uint32_t type, uint16_t misc)
{
	frec__text_clear(record);
	frec__perf_add(record, type, 4);
	frec__perf_add(record, misc, 2);
	frec__perf_add(record, 0, 2);
}

static int write_record(struct perf *perf, struct frec_error *reterr)
{
	uint16_t size = (uint16_t)perf->record.size;

	if (!perf->record.failed)
		memcpy(perf->record.data + 6, &size, sizeof(size));
	return frec__output_text(perf->context->output, &perf->record, reterr);
}

// Adds the ids, the time and the CPU at the end of a record that is not a sample. As in perf, what
// existed before the first event gets time 0; otherwise readers would assume that the recording
// began with the oldest process.
static void add_sample_id(struct perf *perf, uint32_t pid, uint32_t tid, uint64_t time)
{
	frec__perf_add(&perf->record, pid, 4);
	frec__perf_add(&perf->record, tid, 4);
	frec__perf_add(&perf->record, time < perf->begin ? 0 : time, 8);
	frec__perf_add(&perf->record, 0, 8); // CPU
	frec__perf_add(&perf->record, perf->any_id, 8);
}

// Adds at most `most` bytes of text, followed by at least one NUL and padded to 8 bytes.
static void add_padded(struct frec_text *record, const void *data, size_t size, size_t most)
{
	frec__text_add(record, data, size < most ? size : most);
	do
		frec__text_add(record, "", 1);
	while (!record->failed && record->size % 8);
}

static int write_map(struct perf *perf, const Flightrec__Process *process,
		     const Flightrec__Map *map, struct frec_error *reterr)
{
	struct frec_text *record = &perf->record;

	start_record(record, PERF_RECORD_MMAP2, PERF_RECORD_MISC_USER);
	frec__perf_add(record, process->pid, 4);
	frec__perf_add(record, process->pid, 4);
	frec__perf_add(record, map->start, 8);
	frec__perf_add(record, map->end - map->start, 8);
	frec__perf_add(record, map->offset, 8);
	for (int i = 0; i < 3; i++)
		frec__perf_add(record, 0, 8);	   // device, inode, its generation: unknown
	frec__perf_add(record, 5 | 2ull << 32, 8); // readable and executable, private
	add_padded(record, map->path.data, map->path.len, 4096);
	add_sample_id(perf, process->pid, process->pid, map->since ? map->since : process->start);
	return write_record(perf, reterr);
}

static int write_birth(struct perf *perf, const struct birth *birth, struct frec_error *reterr)
{
	const struct frec_process_entry *entry = birth->entry;
	const Flightrec__Process *process = entry->process;
	ProtobufCBinaryData name = frec__process_entry_thread_name(entry);
	FREC_TEXT_FREE struct frec_text plain = {0};
	int r;

	start_record(&perf->record, PERF_RECORD_COMM, 0);
	frec__perf_add(&perf->record, process->pid, 4);
	frec__perf_add(&perf->record, entry->tid, 4);
	frec__text_plain(&plain, name.data, name.len);
	add_padded(&perf->record, plain.data, plain.size, 256);
	add_sample_id(perf, process->pid, entry->tid, birth->start);
	perf->record.failed |= plain.failed;
	r = write_record(perf, reterr);
	for (size_t i = 0; i < process->n_map && entry->tid == process->pid && !r; i++)
		r = write_map(perf, process, process->map[i], reterr);
	return r;
}

static int write_births(struct perf *perf, uint64_t until, struct frec_error *reterr)
{
	int r = 0;

	while (!r && perf->next_birth < perf->context->processes->count &&
	       perf->births[perf->next_birth].start <= until)
		r = write_birth(perf, &perf->births[perf->next_birth++], reterr);
	return r;
}

// Adds the stack as flightrec unwound it. perf shows these frames as they are, and need not find
// the programs to unwind the stack again.
static void add_chain(struct perf *perf, const struct frec_call_stack *stack, const uint64_t *pcs)
{
	size_t count = stack ? stack->count : 0, at = perf->record.size, marks = 0;
	uint64_t total;

	frec__perf_add(&perf->record, 0, 8);
	for (size_t i = 0; i < count; i++) {
		const struct frec_code *code = stack->locations[i]->code;
		bool kernel = code && code->kernel;
		const struct frec_code *before = i ? stack->locations[i - 1]->code : NULL;

		if (!i || kernel != (before && before->kernel)) {
			frec__perf_add(&perf->record,
				       kernel ? (uint64_t)PERF_CONTEXT_KERNEL
					      : (uint64_t)PERF_CONTEXT_USER,
				       8);
			marks++;
		}
		frec__perf_add(&perf->record, pcs[i], 8);
	}
	total = count + marks;
	if (!perf->record.failed)
		memcpy(perf->record.data + at, &total, sizeof(total));
}

static void add_raw(struct perf *perf, const struct frec_perf_source *source,
		    const struct frec_event *event)
{
	struct frec_text *record = &perf->record;
	size_t at = record->size;
	uint32_t size;

	frec__perf_add(record, 0, 4);
	frec__perf_payload(record, source, event);
	while (!record->failed && record->size % 8)
		frec__text_add(record, "", 1);
	size = (uint32_t)(record->size - at - 4);
	if (!record->failed)
		memcpy(record->data + at, &size, sizeof(size));
}

static void add_registers(struct perf *perf, const struct frec_record *from)
{
	frec__perf_add(&perf->record, from->registers ? from->register_abi : 0, 8);
	if (from->registers)
		frec__text_add(&perf->record, from->registers,
			       8 * (size_t)__builtin_popcountll(from->register_mask));
}

static int event(void *state, const struct frec_event *event, struct frec_error *reterr)
{
	struct perf *perf = state;
	const struct frec_record *from = event->record;
	const struct frec_perf_source *source = &perf->sources[event->source_index];
	const struct frec_call_stack *stack = perf->stacks ? frec__event_stack(event) : NULL;
	const uint64_t *pcs = frec__stacks_pcs(event->events->stacks);
	struct frec_text *record = &perf->record;
	uint16_t misc;
	int r;

	if (!perf->begin)
		perf->begin = from->time;
	r = write_births(perf, from->time, reterr);
	if (r)
		return r;
	memcpy(&misc, from->data + 4, sizeof(misc));
	start_record(record, PERF_RECORD_SAMPLE, misc & PERF_RECORD_MISC_CPUMODE_MASK);
	frec__perf_add(record, source->id, 8);
	if (perf->stacks)
		frec__perf_add(record, stack ? *pcs : 0, 8);
	frec__perf_add(record, from->pid, 4);
	frec__perf_add(record, from->tid, 4);
	frec__perf_add(record, from->time, 8);
	frec__perf_add(record, from->cpu, 8);
	frec__perf_add(record, from->period, 8);
	if (perf->stacks)
		add_chain(perf, stack, pcs);
	add_raw(perf, source, event);
	if (source->attr.sample_type & PERF_SAMPLE_REGS_USER)
		add_registers(perf, from);
	r = write_record(perf, reterr);
	if (!r && ++perf->records % RECORDS_PER_ROUND == 0) {
		start_record(record, FINISHED_ROUND, 0);
		r = write_record(perf, reterr);
	}
	return r;
}

static int by_start(const void *a, const void *b)
{
	const struct birth *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

static bool sort_births(struct perf *perf)
{
	const struct frec_processes *table = perf->context->processes;

	perf->births = calloc(table->count + 1, sizeof(*perf->births));
	if (!perf->births)
		return false;
	for (size_t i = 0; i < table->count; i++)
		perf->births[i] = (struct birth){table->entries[i].start, &table->entries[i]};
	qsort(perf->births, table->count, sizeof(*perf->births), by_start);
	return true;
}

static void describe(const struct perf *perf, struct frec_perf_source *source,
		     const Flightrec__Source *from)
{
	struct perf_event_attr *attr = &source->attr;

	attr->type = PERF_TYPE_TRACEPOINT;
	attr->size = ATTR_SIZE;
	attr->config = source->id;
	attr->sample_period = 1;
	attr->sample_type = SAMPLE_TYPE;
	attr->comm = attr->mmap = attr->mmap2 = attr->sample_id_all = attr->use_clockid = 1;
	attr->clockid = 1; // CLOCK_MONOTONIC
	if (perf->stacks)
		attr->sample_type |= PERF_SAMPLE_IP | PERF_SAMPLE_CALLCHAIN;
	attr->sample_type |= from->sample_type & PERF_SAMPLE_REGS_USER;
	attr->sample_regs_user = from->sample_regs_user;
}

static int make_sources(struct perf *perf, struct frec_error *reterr)
{
	const struct frec_export *context = perf->context;
	const struct frec_snapshot *snapshot = context->snapshot;
	uint32_t id = 0;

	for (size_t i = 0; i < snapshot->source_count; i++)
		perf->stacks |= context->filter->sources[i] &&
				(snapshot->sources[i]->sample_type & STACK_TYPE ||
				 snapshot->sources[i]->unwound);
	perf->sources = calloc(snapshot->source_count + 1, sizeof(*perf->sources));
	if (!perf->sources || !sort_births(perf))
		return frec__error(reterr, -ENOMEM, "out of memory");
	for (size_t i = 0; i < snapshot->source_count; i++) {
		if (!context->filter->sources[i])
			continue;
		if (++id > UINT16_MAX)
			return frec__error(reterr, -E2BIG,
					   "perf.data cannot hold more than 65535 kinds of events: "
					   "choose some with -e");
		if (frec__perf_lay_out(&perf->sources[i], snapshot->sources[i], (uint16_t)id))
			return frec__error(reterr, -ENOMEM, "out of memory");
		describe(perf, &perf->sources[i], snapshot->sources[i]);
		perf->any_id = id;
	}
	return 0;
}

static void add_section(struct frec_text *bytes, uint64_t offset, uint64_t size)
{
	frec__perf_add(bytes, offset, 8);
	frec__perf_add(bytes, size, 8);
}

// Writes the header if `data_end` is 0, which means that the end of the records is not known yet;
// else overwrites the header that was written then.
static int write_header(struct perf *perf, uint64_t data_end, uint64_t features,
			struct frec_error *reterr)
{
	uint64_t attrs_size = perf->any_id * (ATTR_SIZE + 16);
	FREC_TEXT_FREE struct frec_text header = {0};

	frec__text_add(&header, "PERFILE2", 8);
	frec__perf_add(&header, HEADER_SIZE, 8);
	frec__perf_add(&header, ATTR_SIZE + 16, 8);
	add_section(&header, HEADER_SIZE, attrs_size);
	add_section(&header, perf->data_start, data_end ? data_end - perf->data_start : 0);
	add_section(&header, 0, 0);
	frec__perf_add(&header, features, 8);
	for (int i = 0; i < 3; i++)
		frec__perf_add(&header, 0, 8);
	if (!data_end)
		return frec__output_text(perf->context->output, &header, reterr);
	if (header.failed)
		return frec__error(reterr, -ENOMEM, "out of memory");
	return frec__output_patch(perf->context->output, 0, header.data, header.size, reterr);
}

static int write_attributes(struct perf *perf, struct frec_error *reterr)
{
	const struct frec_snapshot *snapshot = perf->context->snapshot;
	uint64_t ids = HEADER_SIZE + perf->any_id * (ATTR_SIZE + 16);
	FREC_TEXT_FREE struct frec_text bytes = {0};
	int r;

	for (size_t i = 0; i < snapshot->source_count; i++) {
		if (!perf->sources[i].id)
			continue;
		frec__text_add(&bytes, &perf->sources[i].attr, ATTR_SIZE);
		add_section(&bytes, ids + 8 * (perf->sources[i].id - 1u), 8);
	}
	for (uint64_t id = 1; id <= perf->any_id; id++)
		frec__perf_add(&bytes, id, 8);
	r = frec__output_text(perf->context->output, &bytes, reterr);
	perf->data_start = frec__output_offset(perf->context->output);
	return r;
}

static void destroy(void *state)
{
	struct perf *perf = state;

	for (size_t i = 0; perf->sources && i < perf->context->snapshot->source_count; i++)
		free(perf->sources[i].fields);
	free(perf->sources);
	free(perf->births);
	frec__text_free(&perf->record);
	free(perf);
}

static int begin(const struct frec_export *context, void **ret_state, struct frec_error *reterr)
{
	struct perf *perf = calloc(1, sizeof(*perf));
	int r;

	if (!perf)
		return frec__error(reterr, -ENOMEM, "out of memory");
	perf->context = context;
	perf->registers = frec__registers_find(context->snapshot->header->machine);
	r = make_sources(perf, reterr);
	if (!r)
		r = write_header(perf, 0, 0, reterr);
	if (!r)
		r = write_attributes(perf, reterr);
	if (r)
		destroy(perf);
	else
		*ret_state = perf;
	return r;
}

static int end(void *state, struct frec_error *reterr)
{
	struct perf *perf = state;
	uint64_t data_end, features;
	FREC_TEXT_FREE struct frec_text bytes = {0};
	int r = write_births(perf, UINT64_MAX, reterr);

	if (r)
		return r;
	data_end = frec__output_offset(perf->context->output);
	frec__perf_features(&bytes, perf->context, perf->sources, data_end, &features);
	r = frec__output_text(perf->context->output, &bytes, reterr);
	return r ? r : write_header(perf, data_end, features, reterr);
}

const struct frec_writer frec__writer_perf = {
	.name = "perf",
	.what = "perf.data, for perf script, perf report and hotspot",
	.suffix = ".perf.data",
	.other_suffix = "perf.data",
	.kind = FREC_OUTPUT_FILE,
	.begin = begin,
	.event = event,
	.end = end,
	.destroy = destroy,
};
