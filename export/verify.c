// SPDX-License-Identifier: MIT
// The checks of `flightrec verify`. Opening the snapshot has already checked the framing and all
// checksums. Here the records are read again, one chunk in memory at a time, and compared with what
// the file claims about them. verify_loss.c then compares the counts made on the way with the
// file's coverage and loss figures.
#include "export/verify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "export/read/decode_plan.h"
#include "export/read/eventheader.h"
#include "export/read/records.h"
#include "export/verify_loss.h"

// At the old end of a wrapped ring, records may be out of order, because the record of an interrupt
// can lie before the older record that it interrupted. Coverage starts at the latest time among the
// four records at that end. With four levels of interrupts, at most six records are older than that
// time: the other three of these four, and three that the one with the latest time interrupted.
#define OLDER_MAX 6

// The CPU number of a ring that belongs to no CPU.
#define ANY_CPU UINT32_MAX

struct verify {
	struct frec_snapshot *snapshot;
	const struct frec_verify_options *options;
	struct frec_verify_report report;
	struct frec_loss_checks checks;
	uint64_t records;
	struct frec_text scratch;
};

// What was found in a chunk, and how many of its records are wrong in each way.
struct chunk_check {
	uint64_t count, first, last;
	uint64_t malformed, unknown_source, other_cpu, other_type, outside, uncounted, too_old;
};

static bool payload_decodes(struct verify *verify, const struct frec_record *record)
{
	struct frec_value values[FREC_EVENTHEADER_FIELDS_MAX];
	struct frec_left_out *left_out = verify->snapshot->left_out;
	int described =
		frec__eventheader_decode(verify->snapshot, record, &verify->scratch, values);
	uint32_t work;

	if (described)
		return described > 0;
	work = frec__decode_work(record->source);
	if (work > left_out->fields_left) {
		left_out->events++;
		return true;
	}
	left_out->fields_left -= work;
	for (size_t i = 0; i < record->source->n_field; i++) {
		struct frec_value value;

		frec__field_decode(record->source, i, record->payload, record->payload_size,
				   &value);
		if (value.kind == FREC_VALUE_INVALID && !value.absent)
			return false;
	}
	return true;
}

// Returns whether a record is older than it may be. Some records may be older than the coverage:
// those made before recording had begun on all CPUs, a few at the old end of a wrapped ring, and
// those in a ring that threads on several CPUs share. See CpuCoverage in proto/flightrec.proto.
static bool is_too_old(const struct verify *verify, struct frec_cpu_check *cpu, uint64_t time)
{
	if (time >= cpu->coverage->from || cpu->coverage->cpu == ANY_CPU ||
	    cpu->coverage->from <= verify->snapshot->header->recording_since)
		return false;
	return !cpu->coverage->wrapped || ++cpu->older > OLDER_MAX;
}

static void check_sample(struct verify *verify, const struct frec_record *record,
			 struct frec_cpu_check *cpu, uint32_t chunk_cpu, struct chunk_check *check)
{
	struct frec_loss_check *loss =
		frec__loss_checks_source(&verify->checks, (uint32_t)record->source_id, chunk_cpu);
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
		loss->seen += record->source->counts_records ? 1 : record->period;
	else
		check->uncounted++;
}

static void report_chunk(struct verify *verify, const struct frec_chunk_view *chunk,
			 const struct chunk_check *check)
{
	const struct {
		uint64_t count;
		const char *what;
	} counts[] = {
		{check->malformed, "have another form than their source says"},
		{check->unknown_source, "are of a source that the file does not describe"},
		{check->other_cpu, "were made on another CPU than the part's"},
		{check->other_type, "carry another tracepoint's number than their source"},
		{check->outside, "have fields that point outside their payload"},
		{check->uncounted, "are of a source without a loss figure for this CPU"},
		{check->too_old, "are older than the CPU's coverage"},
	};

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		if (counts[i].count)
			frec__verify_problem(
				&verify->report,
				"byte %" PRIu64 ": %" PRIu64 " records of CPU %" PRIu32 " %s",
				chunk->offset, counts[i].count, chunk->cpu, counts[i].what);
	}
	if (chunk->count != check->count)
		frec__verify_problem(&verify->report,
				     "byte %" PRIu64 ": the part says it holds %" PRIu32
				     " records, but holds %" PRIu64,
				     chunk->offset, chunk->count, check->count);
	if (chunk->first != check->first || chunk->last != check->last)
		frec__verify_problem(&verify->report,
				     "byte %" PRIu64 ": the part says its times go from %" PRIu64
				     " to %" PRIu64 ", but they go from %" PRIu64 " to %" PRIu64,
				     chunk->offset, chunk->first, chunk->last, check->first,
				     check->last);
}

static void check_chunk(struct verify *verify, const struct frec_chunk_view *chunk,
			struct frec_chunk_data *data)
{
	struct frec_cpu_check *cpu =
		frec__loss_checks_cpu(&verify->checks, chunk->cpu, chunk->ring);
	struct chunk_check check = {0};
	struct frec_error error;
	size_t at = 0;

	if (frec__snapshot_read_chunk(verify->snapshot, chunk, data, &error)) {
		if (verify->snapshot->left_out->failed)
			return;
		frec__verify_problem(&verify->report, "%s", error.message);
		return;
	}
	for (;;) {
		struct frec_record record;
		int r = frec__record_next(verify->snapshot, data->size ? data->data + at : NULL,
					  data->size - at, &record);

		if (r == -ENODATA)
			break;
		if (r == -EBADMSG) {
			frec__verify_problem(&verify->report,
					     "byte %" PRIu64 ": in the records of CPU %" PRIu32
					     ", byte %zu is not a record",
					     chunk->offset, chunk->cpu, at);
			break;
		}
		frec__eventheader_translate(verify->snapshot, &record);
		at += record.size;
		check.count++;
		if (r)
			check.malformed++;
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
		frec__verify_problem(&verify->report,
				     "byte %" PRIu64 ": CPU %" PRIu32
				     " has records, but no coverage",
				     chunk->offset, chunk->cpu);
	}
	report_chunk(verify, chunk, &check);
}

static void check_counts(struct verify *verify)
{
	const struct frec_snapshot *snapshot = verify->snapshot;
	const Flightrec__End *end = snapshot->end;

	frec__text_clear(&verify->scratch);
	if (snapshot->damage.code)
		frec__verify_problem(&verify->report, "%s", snapshot->damage.message);
	if (snapshot->unknown_parts)
		frec__verify_problem(&verify->report,
				     "%" PRIu64
				     " parts are of a kind that this flightrec does not know: the "
				     "file comes from a newer one",
				     snapshot->unknown_parts);
	if (frec__left_out_words(&verify->scratch, snapshot->left_out) && verify->scratch.data)
		frec__verify_problem(&verify->report, "%s", verify->scratch.data);
	if (end && end->parts != snapshot->part_count)
		frec__verify_problem(&verify->report,
				     "the file should have %" PRIu64 " parts, but has %" PRIu64,
				     end->parts, snapshot->part_count);
	if (end && end->records != verify->records)
		frec__verify_problem(&verify->report,
				     "the file should hold %" PRIu64 " records, but holds %" PRIu64,
				     end->records, verify->records);
	for (size_t i = 0; i < snapshot->clocks_count; i++) {
		const Flightrec__Clocks *clocks = snapshot->clocks[i];

		if (!clocks->monotonic ||
		    clocks->boottime + clocks->uncertainty < clocks->monotonic || !clocks->realtime)
			frec__verify_problem(&verify->report,
					     "the clocks %" PRIu64 ", %" PRIu64 " and %" PRIu64
					     " were never read from a machine",
					     clocks->monotonic, clocks->boottime, clocks->realtime);
	}
	for (size_t i = 1; i < snapshot->source_order_count; i++) {
		uint32_t id = snapshot->sources[snapshot->source_order[i]]->id;

		if (id == snapshot->sources[snapshot->source_order[i - 1]]->id)
			frec__verify_problem(&verify->report,
					     "source %" PRIu32 " is described twice", id);
	}
}

static void check_all(struct verify *verify)
{
	struct frec_snapshot *snapshot = verify->snapshot;
	struct frec_chunk_data data = {0};
	uint64_t done = 0, total = 0;

	for (size_t i = 0; i < snapshot->chunk_count; i++)
		total += snapshot->chunks[i].size;
	for (size_t i = 0; i < snapshot->chunk_count && !verify->report.error; i++) {
		check_chunk(verify, &snapshot->chunks[i], &data);
		done += snapshot->chunks[i].size;
		if (verify->options && verify->options->progress)
			verify->options->progress(verify->options->progress_data, done, total);
	}
	free(data.data);
	if (!verify->report.error)
		verify->report.error = frec__left_out_failed(snapshot->left_out, snapshot->name,
							     verify->report.reterr);
	check_counts(verify);
	frec__loss_checks_compare(&verify->checks, &verify->report);
}

int frec__verify(struct frec_snapshot *snapshot, const struct frec_verify_options *options,
		 struct frec_output *output, uint64_t *ret_problems, struct frec_error *reterr)
{
	struct verify verify = {
		.snapshot = snapshot,
		.options = options,
		.report = {snapshot, output, reterr, .json = options && options->json},
	};

	if (frec__loss_checks_init(&verify.checks, snapshot)) {
		verify.report.error =
			frec__error(reterr, -ENOMEM, "%s: out of memory", snapshot->name);
	} else {
		frec__verify_report_begin(&verify.report);
		check_all(&verify);
		frec__verify_report_end(&verify.report, verify.records);
	}
	*ret_problems = verify.report.problems;
	frec__loss_checks_deinit(&verify.checks);
	frec__text_free(&verify.scratch);
	return verify.report.error;
}
