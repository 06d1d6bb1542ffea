// SPDX-License-Identifier: MIT
// The checks of `flightrec verify`. Opening the snapshot has checked the framing and all checksums;
// here the records are counted again, one chunk in memory at a time, and compared with every figure
// that the file gives.
//
// The loss arithmetic: the kernel's counts were read before and after the rings were copied. A
// source that was quiet meanwhile has two equal counts, and then emitted = in_file + filtered +
// overwritten + lost to the event. Otherwise the copy was made at some moment between the two
// readings, and the sum lies between them.
#include "export/verify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export/eventheader.h"
#include "export/fields.h"
#include "export/records.h"
#include "export/text.h"

// Where a wrapped ring begins, the order of time is not certain: a record that was made in an interrupt lies before the one
// it interrupted. With four levels of interrupts `from`, the youngest of the four oldest, leaves three older ones among
// these and at most three that were interrupted by the youngest.
#define OLDER_MAX 6

// What stands before a record in a TRANSPORT_SHM ring, and the CPU of one that belongs to none.
#define SHM_FRAME_SIZE 8
#define ANY_CPU UINT32_MAX

struct loss_check {
	const Flightrec__Loss *loss;
	uint64_t seen; /* what the records of this source on this CPU count */
};

/* One ring. */
struct cpu_check {
	const Flightrec__CpuCoverage *coverage;
	uint64_t records, bytes, filtered;
	uint64_t older; /* than the coverage */
};

struct verify {
	struct frec_snapshot *snapshot;
	struct frec_verify_options options;
	struct frec_output *output;
	struct loss_check *losses; /* sorted by source, then CPU */
	struct cpu_check *cpus;	   /* sorted by CPU, then ring */
	uint64_t problems, records;
	struct frec_text line, scratch;
	struct frec_error *reterr;
	int result;
};

__attribute__((format(printf, 2, 3))) static void problem(struct verify *verify, const char *format,
							  ...)
{
	struct frec_text *line = &verify->line;
	char sentence[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	frec__text_clear(line);
	if (verify->options.json) {
		frec__text_puts(line, verify->problems ? ",\n" : "\n");
		frec__text_json_puts(line, sentence);
	} else {
		frec__text_plain(line, sentence, strlen(sentence));
		frec__text_puts(line, "\n");
	}
	verify->problems++;
	if (line->failed)
		verify->result = frec__error(verify->reterr, -ENOMEM, "out of memory");
	if (!verify->result)
		verify->result =
			frec__output_write(verify->output, line->data, line->size, verify->reterr);
}

static int compare_losses(const void *a, const void *b)
{
	const Flightrec__Loss *x = ((const struct loss_check *)a)->loss;
	const Flightrec__Loss *y = ((const struct loss_check *)b)->loss;

	if (x->source != y->source)
		return (x->source > y->source) - (x->source < y->source);
	return (x->cpu > y->cpu) - (x->cpu < y->cpu);
}

static int compare_cpus(const void *a, const void *b)
{
	const Flightrec__CpuCoverage *x = ((const struct cpu_check *)a)->coverage;
	const Flightrec__CpuCoverage *y = ((const struct cpu_check *)b)->coverage;

	if (x->cpu != y->cpu)
		return (x->cpu > y->cpu) - (x->cpu < y->cpu);
	return (x->ring > y->ring) - (x->ring < y->ring);
}

static struct loss_check *find_loss(struct verify *verify, uint32_t source, uint32_t cpu)
{
	Flightrec__Loss wanted = {.source = source, .cpu = cpu};
	struct loss_check key = {.loss = &wanted};

	return bsearch(&key, verify->losses, verify->snapshot->loss_count, sizeof(key),
		       compare_losses);
}

static struct cpu_check *find_cpu(struct verify *verify, uint32_t cpu, uint32_t ring)
{
	Flightrec__CpuCoverage wanted = {.cpu = cpu, .ring = ring};
	struct cpu_check key = {.coverage = &wanted};

	return bsearch(&key, verify->cpus, verify->snapshot->cpu_count, sizeof(key), compare_cpus);
}

/* What a chunk's records turn out to be, and how many of them are wrong in which way. */
struct chunk_check {
	uint64_t count, first, last;
	uint64_t misformed, unknown_source, other_cpu, other_type, outside, uncounted, too_old;
};

static bool payload_decodes(struct verify *verify, const struct frec_record *record)
{
	struct frec_value values[FREC_EVENTHEADER_FIELDS_MAX];
	int described = frec__eventheader_decode(verify->snapshot, record, &verify->scratch, values);

	if (described)
		return described > 0;
	for (size_t i = 0; i < record->source->n_field; i++) {
		struct frec_value value;

		frec__field_decode(record->source, i, record->payload, record->payload_size,
				   &value);
		if (value.kind == FREC_VALUE_INVALID)
			return false;
	}
	return true;
}

// Older than the coverage may be what came before the recording had begun everywhere, and a few records at the old end of
// a wrapped ring; and what the threads of several CPUs put into one. See CpuCoverage.
static bool is_too_old(const struct verify *verify, struct cpu_check *cpu, uint64_t time)
{
	if (time >= cpu->coverage->from || cpu->coverage->cpu == ANY_CPU ||
	    cpu->coverage->from <= verify->snapshot->header->recording_since)
		return false;
	return !cpu->coverage->wrapped || ++cpu->older > OLDER_MAX;
}

static void check_sample(struct verify *verify, const struct frec_record *record,
			 struct cpu_check *cpu, uint32_t chunk_cpu, struct chunk_check *check)
{
	struct loss_check *loss = find_loss(verify, (uint32_t)record->source_id, chunk_cpu);
	uint16_t type = 0;

	if (!check->last && !check->first)
		check->first = record->time;
	check->first = record->time < check->first ? record->time : check->first;
	check->last = record->time > check->last ? record->time : check->last;
	check->other_cpu += chunk_cpu != ANY_CPU && record->cpu != chunk_cpu;
	check->outside += !payload_decodes(verify, record);
	if (record->payload_size >= sizeof(type))
		memcpy(&type, record->payload, sizeof(type));
	check->other_type += record->source->tracepoint_id && type != record->source->tracepoint_id;
	check->too_old += cpu && is_too_old(verify, cpu, record->time);
	if (loss)
		loss->seen += record->weight;
	else
		check->uncounted++;
}

static void report_chunk(struct verify *verify, const struct frec_chunk *chunk,
			 const struct chunk_check *check)
{
	const struct {
		uint64_t count;
		const char *what;
	} counts[] = {
		{check->misformed, "have another form than their source says"},
		{check->unknown_source, "are of a source that the file does not describe"},
		{check->other_cpu, "were made on another CPU than the part's"},
		{check->other_type, "carry another tracepoint's number than their source"},
		{check->outside, "have fields that point outside their payload"},
		{check->uncounted, "are of a source without a loss figure for this CPU"},
		{check->too_old, "are older than the CPU's coverage"},
	};

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		if (counts[i].count)
			problem(verify,
				"byte %" PRIu64 ": %" PRIu64 " records of CPU %" PRIu32 " %s",
				chunk->offset, counts[i].count, chunk->cpu, counts[i].what);
	}
	if (chunk->count != check->count)
		problem(verify,
			"byte %" PRIu64 ": the part says it holds %" PRIu32
			" records, but holds %" PRIu64,
			chunk->offset, chunk->count, check->count);
	if (chunk->first != check->first || chunk->last != check->last)
		problem(verify,
			"byte %" PRIu64 ": the part says its times go from %" PRIu64 " to %" PRIu64
			", but they go from %" PRIu64 " to %" PRIu64,
			chunk->offset, chunk->first, chunk->last, check->first, check->last);
}

static void check_chunk(struct verify *verify, const struct frec_chunk *chunk,
			struct frec_chunk_data *data)
{
	struct cpu_check *cpu = find_cpu(verify, chunk->cpu, chunk->ring);
	struct chunk_check check = {0};
	struct frec_error error;
	size_t at = 0;

	if (frec__snapshot_read_chunk(verify->snapshot, chunk, data, &error)) {
		problem(verify, "%s", error.message);
		return;
	}
	for (;;) {
		struct frec_record record;
		int result =
			frec__record_next(verify->snapshot, data->size ? data->data + at : NULL,
					  data->size - at, &record);

		if (result == -ENODATA)
			break;
		if (result == -EBADMSG) {
			problem(verify,
				"byte %" PRIu64 ": in the records of CPU %" PRIu32
				", byte %zu is not a record",
				chunk->offset, chunk->cpu, at);
			break;
		}
		at += record.size;
		check.count++;
		if (result)
			check.misformed++;
		else if (record.sample && !record.source)
			check.unknown_source++;
		else if (record.sample)
			check_sample(verify, &record, cpu, chunk->cpu, &check);
	}
	verify->records += check.count;
	if (cpu) {
		cpu->records += check.count;
		cpu->bytes += at;
	} else {
		problem(verify, "byte %" PRIu64 ": CPU %" PRIu32 " has records, but no coverage",
			chunk->offset, chunk->cpu);
	}
	report_chunk(verify, chunk, &check);
}

static const char *source_name(struct verify *verify, uint32_t id)
{
	size_t index = frec__snapshot_source(verify->snapshot, id);

	frec__text_clear(&verify->scratch);
	if (index == SIZE_MAX)
		frec__text_printf(&verify->scratch, "source %" PRIu32, id);
	else
		frec__text_printf(&verify->scratch, "%s:%s",
				  verify->snapshot->sources[index]->system,
				  verify->snapshot->sources[index]->name);
	return verify->scratch.data ? verify->scratch.data : "";
}

static void check_loss(struct verify *verify, const struct loss_check *check)
{
	const Flightrec__Loss *loss = check->loss;
	struct cpu_check *cpu = find_cpu(verify, loss->cpu, loss->ring);
	const char *name = source_name(verify, loss->source);
	uint64_t sum;

	if (cpu)
		cpu->filtered += loss->filtered;
	if (frec__snapshot_source(verify->snapshot, loss->source) == SIZE_MAX)
		problem(verify, "loss of %s on CPU %" PRIu32 ": the file does not describe it",
			name, loss->cpu);
	if (loss->in_file != check->seen)
		problem(verify,
			"%s on CPU %" PRIu32 ": %" PRIu64
			" events should be in the file, but %" PRIu64 " are",
			name, loss->cpu, loss->in_file, check->seen);
	if (__builtin_add_overflow(loss->in_file, loss->filtered, &sum) ||
	    __builtin_add_overflow(sum, loss->overwritten, &sum) ||
	    __builtin_add_overflow(sum, loss->lost, &sum) || sum < loss->emitted_before ||
	    sum > loss->emitted_after)
		problem(verify,
			"%s on CPU %" PRIu32 ": %" PRIu64 " in the file + %" PRIu64
			" filtered + %" PRIu64 " overwritten + %" PRIu64
			" lost are not the %" PRIu64 " to %" PRIu64 " emitted",
			name, loss->cpu, loss->in_file, loss->filtered, loss->overwritten,
			loss->lost, loss->emitted_before, loss->emitted_after);
	if (loss->overwritten && cpu && !cpu->coverage->wrapped)
		problem(verify,
			"%s on CPU %" PRIu32 ": %" PRIu64
			" events overwritten in a ring that never wrapped",
			name, loss->cpu, loss->overwritten);
	if (loss->lost && cpu && cpu->coverage->transport == FLIGHTREC__TRANSPORT__TRANSPORT_SHM &&
	    !cpu->coverage->damaged)
		problem(verify,
			"%s on CPU %" PRIu32 ": %" PRIu64 " events lost in a ring that is not damaged",
			name, loss->cpu, loss->lost);
}

// Bytes that the kept records took in their ring.
static uint64_t bytes_taken(const Flightrec__CpuCoverage *cpu)
{
	bool shm = cpu->transport == FLIGHTREC__TRANSPORT__TRANSPORT_SHM;

	return cpu->bytes_kept + (shm ? SHM_FRAME_SIZE * cpu->records_kept : 0);
}

static bool has_unwound(const struct frec_snapshot *snapshot)
{
	bool found = false;

	for (size_t i = 0; i < snapshot->source_count; i++)
		found |= snapshot->sources[i]->unwound;
	return found;
}

static void check_cpu(struct verify *verify, const struct cpu_check *check)
{
	const Flightrec__Header *header = verify->snapshot->header;
	const Flightrec__CpuCoverage *cpu = check->coverage;
	bool filtered = header->filter_case == FLIGHTREC__HEADER__FILTER_ONLY_UID;

	if (cpu->from > cpu->until)
		problem(verify,
			"CPU %" PRIu32 ": coverage ends at %" PRIu64
			", before it begins at %" PRIu64,
			cpu->cpu, cpu->until, cpu->from);
	if (check->records + check->filtered != cpu->records_kept)
		problem(verify,
			"CPU %" PRIu32 ": %" PRIu64 " records were kept, but %" PRIu64
			" are in the file and %" PRIu64 " filtered",
			cpu->cpu, cpu->records_kept, check->records, check->filtered);
	// Frames take other room than the bytes of stacks that they stand for.
	if (!has_unwound(verify->snapshot) &&
	    (filtered ? check->bytes > cpu->bytes_kept : check->bytes != cpu->bytes_kept))
		problem(verify,
			"CPU %" PRIu32 ": %" PRIu64 " bytes were kept, but %" PRIu64
			" are in the file",
			cpu->cpu, cpu->bytes_kept, check->bytes);
	if (cpu->ring_size && cpu->bytes_kept > cpu->ring_size)
		problem(verify,
			"CPU %" PRIu32 ": %" PRIu64 " bytes were kept of a ring of %" PRIu64,
			cpu->cpu, cpu->bytes_kept, cpu->ring_size);
	if (cpu->bytes_kept > cpu->bytes_written)
		problem(verify,
			"CPU %" PRIu32 ": %" PRIu64 " bytes were kept of %" PRIu64 " written",
			cpu->cpu, cpu->bytes_kept, cpu->bytes_written);
	if (!cpu->wrapped && !cpu->damaged && bytes_taken(cpu) != cpu->bytes_written)
		problem(verify,
			"CPU %" PRIu32 ": %" PRIu64 " bytes were kept of %" PRIu64
			" written to a ring that never wrapped",
			cpu->cpu, cpu->bytes_kept, cpu->bytes_written);
	if (cpu->from < header->recording_since)
		problem(verify, "CPU %" PRIu32 ": its coverage begins before the recording",
			cpu->cpu);
}

static void check_counts(struct verify *verify)
{
	const struct frec_snapshot *snapshot = verify->snapshot;
	const Flightrec__End *end = snapshot->end;

	if (snapshot->damage.code)
		problem(verify, "%s", snapshot->damage.message);
	if (snapshot->unknown_parts)
		problem(verify,
			"%" PRIu64 " parts are of a kind that this flightrec does not know: the "
				   "file comes from a newer one",
			snapshot->unknown_parts);
	if (end && end->parts != snapshot->part_count)
		problem(verify, "the file should have %" PRIu64 " parts, but has %" PRIu64,
			end->parts, snapshot->part_count);
	if (end && end->records != verify->records)
		problem(verify, "the file should hold %" PRIu64 " records, but holds %" PRIu64,
			end->records, verify->records);
	for (size_t i = 0; i < snapshot->clocks_count; i++) {
		const Flightrec__Clocks *clocks = snapshot->clocks[i];

		if (!clocks->monotonic || clocks->boottime + clocks->uncertainty < clocks->monotonic ||
		    !clocks->realtime)
			problem(verify,
				"the clocks %" PRIu64 ", %" PRIu64 " and %" PRIu64
				" were never read from a machine",
				clocks->monotonic, clocks->boottime, clocks->realtime);
	}
	for (size_t i = 1; i < snapshot->source_order_count; i++) {
		uint32_t id = snapshot->sources[snapshot->source_order[i]]->id;

		if (id == snapshot->sources[snapshot->source_order[i - 1]]->id)
			problem(verify, "source %" PRIu32 " is described twice", id);
	}
	for (size_t i = 1; i < snapshot->loss_count; i++) {
		if (!compare_losses(&verify->losses[i - 1], &verify->losses[i]))
			problem(verify,
				"the loss of source %" PRIu32 " on CPU %" PRIu32 " is given twice",
				verify->losses[i].loss->source, verify->losses[i].loss->cpu);
	}
	for (size_t i = 1; i < snapshot->cpu_count; i++) {
		if (!compare_cpus(&verify->cpus[i - 1], &verify->cpus[i]))
			problem(verify, "the coverage of CPU %" PRIu32 " is given twice",
				verify->cpus[i].coverage->cpu);
	}
}

static void check_all(struct verify *verify)
{
	struct frec_snapshot *snapshot = verify->snapshot;
	struct frec_chunk_data data = {0};
	uint64_t done = 0, total = 0;

	for (size_t i = 0; i < snapshot->chunk_count; i++)
		total += snapshot->chunks[i].size;
	for (size_t i = 0; i < snapshot->chunk_count && !verify->result; i++) {
		check_chunk(verify, &snapshot->chunks[i], &data);
		done += snapshot->chunks[i].size;
		if (verify->options.progress)
			verify->options.progress(verify->options.progress_data, done, total);
	}
	free(data.data);
	check_counts(verify);
	// What a torn file lost would only be counted as missing again.
	for (size_t i = 0; i < snapshot->loss_count && !snapshot->damage.code && !verify->result;
	     i++)
		check_loss(verify, &verify->losses[i]);
	for (size_t i = 0; i < snapshot->cpu_count && !snapshot->damage.code && !verify->result;
	     i++)
		check_cpu(verify, &verify->cpus[i]);
}

static void begin_json(struct verify *verify)
{
	frec__text_puts(&verify->line, "{\"file\":");
	frec__text_json_puts(&verify->line, verify->snapshot->name);
	frec__text_puts(&verify->line, ",\"problems\":[");
	verify->result = frec__output_write(verify->output, verify->line.data, verify->line.size,
					    verify->reterr);
}

static void summarize(struct verify *verify)
{
	struct frec_text *line = &verify->line;

	frec__text_clear(line);
	if (verify->options.json) {
		frec__text_printf(line,
				  "],\"ok\":%s,\"parts\":%" PRIu64 ",\"records\":%" PRIu64 "}\n",
				  verify->problems ? "false" : "true", verify->snapshot->part_count,
				  verify->records);
	} else {
		frec__text_plain(line, verify->snapshot->name, strlen(verify->snapshot->name));
		frec__text_printf(
			line, ": %" PRIu64 " records of %zu sources on %zu CPUs: ", verify->records,
			verify->snapshot->source_order_count, verify->snapshot->cpu_count);
		if (verify->problems)
			frec__text_printf(line, "%" PRIu64 " problems\n", verify->problems);
		else
			frec__text_puts(line, "checksums, counts, coverage and loss agree\n");
	}
	if (!verify->result && line->failed)
		verify->result = frec__error(verify->reterr, -ENOMEM, "out of memory");
	if (!verify->result)
		verify->result =
			frec__output_write(verify->output, line->data, line->size, verify->reterr);
}

int frec__verify(struct frec_snapshot *snapshot, const struct frec_verify_options *options,
		 struct frec_output *output, uint64_t *ret_problems, struct frec_error *reterr)
{
	struct verify verify = {.snapshot = snapshot, .output = output, .reterr = reterr};

	if (options)
		verify.options = *options;
	verify.losses = calloc(snapshot->loss_count + 1, sizeof(*verify.losses));
	verify.cpus = calloc(snapshot->cpu_count + 1, sizeof(*verify.cpus));
	if (!verify.losses || !verify.cpus) {
		verify.result = frec__error(reterr, -ENOMEM, "%s: out of memory", snapshot->name);
	} else {
		for (size_t i = 0; i < snapshot->loss_count; i++)
			verify.losses[i].loss = snapshot->losses[i];
		for (size_t i = 0; i < snapshot->cpu_count; i++)
			verify.cpus[i].coverage = snapshot->cpus[i];
		qsort(verify.losses, snapshot->loss_count, sizeof(*verify.losses), compare_losses);
		qsort(verify.cpus, snapshot->cpu_count, sizeof(*verify.cpus), compare_cpus);
		if (verify.options.json)
			begin_json(&verify);
		check_all(&verify);
		summarize(&verify);
	}
	*ret_problems = verify.problems;
	free(verify.losses);
	free(verify.cpus);
	frec__text_free(&verify.line);
	frec__text_free(&verify.scratch);
	return verify.result;
}
