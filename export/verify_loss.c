// SPDX-License-Identifier: MIT
// Compares the file's coverage and loss figures with the counts of its records and with each other.
//
// The kernel's counts were read before and after the rings were copied. If a source emitted nothing
// in between, its two counts are equal, and emitted = in_file + filtered + overwritten + lost holds
// exactly. Otherwise the copy was made at some moment between the two readings, and the sum lies
// between the two counts.
#include "export/verify_loss.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

// How many bytes precede each record in a TRANSPORT_SHM ring.
#define SHM_FRAME_SIZE 8

static int compare_losses(const void *a, const void *b)
{
	const Flightrec__Loss *x = ((const struct frec_loss_check *)a)->loss;
	const Flightrec__Loss *y = ((const struct frec_loss_check *)b)->loss;

	if (x->source != y->source)
		return (x->source > y->source) - (x->source < y->source);
	return (x->cpu > y->cpu) - (x->cpu < y->cpu);
}

static int compare_cpus(const void *a, const void *b)
{
	const Flightrec__CpuCoverage *x = ((const struct frec_cpu_check *)a)->coverage;
	const Flightrec__CpuCoverage *y = ((const struct frec_cpu_check *)b)->coverage;

	if (x->cpu != y->cpu)
		return (x->cpu > y->cpu) - (x->cpu < y->cpu);
	return (x->ring > y->ring) - (x->ring < y->ring);
}

int frec__loss_checks_init(struct frec_loss_checks *checks, const struct frec_snapshot *snapshot)
{
	checks->snapshot = snapshot;
	checks->losses = calloc(snapshot->loss_count + 1, sizeof(*checks->losses));
	checks->cpus = calloc(snapshot->cpu_count + 1, sizeof(*checks->cpus));
	if (!checks->losses || !checks->cpus)
		return -ENOMEM;
	for (size_t i = 0; i < snapshot->loss_count; i++)
		checks->losses[i].loss = snapshot->losses[i];
	for (size_t i = 0; i < snapshot->cpu_count; i++)
		checks->cpus[i].coverage = snapshot->cpus[i];
	qsort(checks->losses, snapshot->loss_count, sizeof(*checks->losses), compare_losses);
	qsort(checks->cpus, snapshot->cpu_count, sizeof(*checks->cpus), compare_cpus);
	return 0;
}

void frec__loss_checks_deinit(struct frec_loss_checks *checks)
{
	free(checks->losses);
	free(checks->cpus);
}

struct frec_loss_check *frec__loss_checks_source(const struct frec_loss_checks *checks,
						 uint32_t source, uint32_t cpu)
{
	Flightrec__Loss wanted = {.source = source, .cpu = cpu};
	struct frec_loss_check key = {.loss = &wanted};

	return bsearch(&key, checks->losses, checks->snapshot->loss_count, sizeof(key),
		       compare_losses);
}

struct frec_cpu_check *frec__loss_checks_cpu(const struct frec_loss_checks *checks, uint32_t cpu,
					     uint32_t ring)
{
	Flightrec__CpuCoverage wanted = {.cpu = cpu, .ring = ring};
	struct frec_cpu_check key = {.coverage = &wanted};

	return bsearch(&key, checks->cpus, checks->snapshot->cpu_count, sizeof(key), compare_cpus);
}

static void source_name(struct frec_text *text, const struct frec_snapshot *snapshot, uint32_t id)
{
	size_t index = frec__snapshot_source(snapshot, id);

	if (index == SIZE_MAX)
		frec__text_printf(text, "source %" PRIu32, id);
	else
		frec__text_printf(text, "%s:%s", snapshot->sources[index]->system,
				  snapshot->sources[index]->name);
}

static void check_loss(struct frec_loss_checks *checks, const struct frec_loss_check *check,
		       struct frec_verify_report *report)
{
	const Flightrec__Loss *loss = check->loss;
	struct frec_cpu_check *cpu = frec__loss_checks_cpu(checks, loss->cpu, loss->ring);
	FREC_TEXT_FREE struct frec_text text = {0};
	const char *name;
	uint64_t sum;

	source_name(&text, checks->snapshot, loss->source);
	name = text.data ? text.data : "";
	if (cpu)
		cpu->filtered += loss->filtered;
	if (frec__snapshot_source(checks->snapshot, loss->source) == SIZE_MAX)
		frec__verify_problem(report,
				     "loss of %s on CPU %" PRIu32 ": the file does not describe it",
				     name, loss->cpu);
	if (loss->in_file != check->seen)
		frec__verify_problem(report,
				     "%s on CPU %" PRIu32 ": %" PRIu64
				     " events should be in the file, but %" PRIu64 " are",
				     name, loss->cpu, loss->in_file, check->seen);
	if (__builtin_add_overflow(loss->in_file, loss->filtered, &sum) ||
	    __builtin_add_overflow(sum, loss->overwritten, &sum) ||
	    __builtin_add_overflow(sum, loss->lost, &sum) || sum < loss->emitted_before ||
	    sum > loss->emitted_after)
		frec__verify_problem(report,
				     "%s on CPU %" PRIu32 ": %" PRIu64 " in the file + %" PRIu64
				     " filtered + %" PRIu64 " overwritten + %" PRIu64
				     " lost are not the %" PRIu64 " to %" PRIu64 " emitted",
				     name, loss->cpu, loss->in_file, loss->filtered,
				     loss->overwritten, loss->lost, loss->emitted_before,
				     loss->emitted_after);
	if (loss->overwritten && cpu && !cpu->coverage->wrapped)
		frec__verify_problem(report,
				     "%s on CPU %" PRIu32 ": %" PRIu64
				     " events overwritten in a ring that never wrapped",
				     name, loss->cpu, loss->overwritten);
	if (loss->lost && cpu && cpu->coverage->transport == FLIGHTREC__TRANSPORT__TRANSPORT_SHM &&
	    !cpu->coverage->damaged)
		frec__verify_problem(report,
				     "%s on CPU %" PRIu32 ": %" PRIu64
				     " events lost in a ring that is not damaged",
				     name, loss->cpu, loss->lost);
}

// Returns how many bytes the kept records occupied in their ring.
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

static void check_cpu(const struct frec_snapshot *snapshot, const struct frec_cpu_check *check,
		      bool unwound, struct frec_verify_report *report)
{
	const Flightrec__Header *header = snapshot->header;
	const Flightrec__CpuCoverage *cpu = check->coverage;
	bool filtered = header->filter_case == FLIGHTREC__HEADER__FILTER_ONLY_UID;

	if (cpu->from > cpu->until)
		frec__verify_problem(report,
				     "CPU %" PRIu32 ": coverage ends at %" PRIu64
				     ", before it begins at %" PRIu64,
				     cpu->cpu, cpu->until, cpu->from);
	if (check->records + check->filtered != cpu->records_kept)
		frec__verify_problem(report,
				     "CPU %" PRIu32 ": %" PRIu64 " records were kept, but %" PRIu64
				     " are in the file and %" PRIu64 " filtered",
				     cpu->cpu, cpu->records_kept, check->records, check->filtered);
	// If stacks were unwound, the bytes cannot be compared: frames take a different number of
	// bytes than the copied stacks that they replaced.
	if (!unwound &&
	    (filtered ? check->bytes > cpu->bytes_kept : check->bytes != cpu->bytes_kept))
		frec__verify_problem(report,
				     "CPU %" PRIu32 ": %" PRIu64 " bytes were kept, but %" PRIu64
				     " are in the file",
				     cpu->cpu, cpu->bytes_kept, check->bytes);
	if (cpu->ring_size && cpu->bytes_kept > cpu->ring_size)
		frec__verify_problem(report,
				     "CPU %" PRIu32 ": %" PRIu64
				     " bytes were kept of a ring of %" PRIu64,
				     cpu->cpu, cpu->bytes_kept, cpu->ring_size);
	if (cpu->bytes_kept > cpu->bytes_written)
		frec__verify_problem(report,
				     "CPU %" PRIu32 ": %" PRIu64 " bytes were kept of %" PRIu64
				     " written",
				     cpu->cpu, cpu->bytes_kept, cpu->bytes_written);
	if (!cpu->wrapped && !cpu->damaged && bytes_taken(cpu) != cpu->bytes_written)
		frec__verify_problem(report,
				     "CPU %" PRIu32 ": %" PRIu64 " bytes were kept of %" PRIu64
				     " written to a ring that never wrapped",
				     cpu->cpu, cpu->bytes_kept, cpu->bytes_written);
	if (cpu->from < header->recording_since)
		frec__verify_problem(report,
				     "CPU %" PRIu32 ": its coverage begins before the recording",
				     cpu->cpu);
}

static void check_unique(const struct frec_loss_checks *checks, struct frec_verify_report *report)
{
	const struct frec_snapshot *snapshot = checks->snapshot;

	for (size_t i = 1; i < snapshot->loss_count; i++) {
		if (!compare_losses(&checks->losses[i - 1], &checks->losses[i]))
			frec__verify_problem(
				report,
				"the loss of source %" PRIu32 " on CPU %" PRIu32 " is given twice",
				checks->losses[i].loss->source, checks->losses[i].loss->cpu);
	}
	for (size_t i = 1; i < snapshot->cpu_count; i++) {
		if (!compare_cpus(&checks->cpus[i - 1], &checks->cpus[i]))
			frec__verify_problem(report,
					     "the coverage of CPU %" PRIu32 " is given twice",
					     checks->cpus[i].coverage->cpu);
	}
}

void frec__loss_checks_compare(struct frec_loss_checks *checks, struct frec_verify_report *report)
{
	const struct frec_snapshot *snapshot = checks->snapshot;
	bool unwound = has_unwound(snapshot);

	check_unique(checks, report);
	// The damage has been reported already. In a torn file, the checks below would report
	// everything past the tear as missing, too.
	if (snapshot->damage.code)
		return;
	for (size_t i = 0; i < snapshot->loss_count && !report->error; i++)
		check_loss(checks, &checks->losses[i], report);
	for (size_t i = 0; i < snapshot->cpu_count && !report->error; i++)
		check_cpu(snapshot, &checks->cpus[i], unwound, report);
}
