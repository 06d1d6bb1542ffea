// SPDX-License-Identifier: MIT
// The checking half of the stress test; see stress.h.
#include "stress.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "export/read/decode_plan.h"
#include "export/read/fields.h"
#include "export/timeline/merge.h"
#include "export/verify.h"
#include "proto/crc32c.h"

struct seen {
	uint64_t sequence, time;
	uint32_t hash; /* of the whole record except its id */
};

struct file {
	uint64_t from, until; /* the file is complete on all CPUs in this span */
	size_t count[THREADS], room[THREADS];
	struct seen *seen[THREADS];
};

struct stress_check {
	struct file file[2]; /* the current file and the one before take turns */
	unsigned int turn;
	uint32_t emitter;
	uint64_t files, events, shared, wrapped;
	int silence; /* /dev/null, for verify's summary of each file */
};

struct stress_check *stress_check_create(uint32_t emitter)
{
	struct stress_check *check = calloc(1, sizeof(*check));

	check->emitter = emitter;
	check->silence = open("/dev/null", O_WRONLY);
	return check;
}

void stress_check_destroy(struct stress_check *check)
{
	for (int i = 0; i < 2; i++) {
		for (int t = 0; t < THREADS; t++)
			free(check->file[i].seen[t]);
	}
	free(check);
}

void stress_check_summary(const struct stress_check *check, uint64_t *ret_events,
			  uint64_t *ret_shared, uint64_t *ret_wrapped)
{
	*ret_events = check->events;
	*ret_shared = check->shared;
	*ret_wrapped = check->wrapped;
}

static int by_sequence(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	return x->sequence < y->sequence ? -1 : x->sequence > y->sequence;
}

static bool load(const struct stress_check *check, struct frec_snapshot *snapshot,
		 struct file *file)
{
	const struct frec_record *record;
	struct frec_merge merge;
	bool good = true;

	if (frec__merge_init(&merge, snapshot))
		return false;
	memset(file->count, 0, sizeof(file->count));
	while ((record = frec__merge_next(&merge))) {
		struct frec_value thread, sequence;
		struct seen *seen;
		size_t n;

		// The file also has events of other processes.
		if (strcmp(record->source->name, "tick") || record->source->n_field < 2 ||
		    record->pid != check->emitter)
			continue;
		frec__field_decode(record->source, 0, record->payload, record->payload_size,
				   &thread);
		frec__field_decode(record->source, 1, record->payload, record->payload_size,
				   &sequence);
		if (thread.kind != FREC_VALUE_UNSIGNED || sequence.kind != FREC_VALUE_UNSIGNED ||
		    thread.u >= THREADS) {
			printf("a record is broken: thread %" PRIu64 "\n", thread.u);
			good = false;
			continue;
		}
		n = file->count[thread.u];
		if (n == file->room[thread.u]) {
			file->room[thread.u] = n ? 2 * n : 4096;
			file->seen[thread.u] =
				realloc(file->seen[thread.u], file->room[thread.u] * sizeof(*seen));
		}
		seen = &file->seen[thread.u][file->count[thread.u]++];
		seen->sequence = sequence.u;
		seen->time = record->time;
		seen->hash = frec__crc32c(0, record->data + 16, record->size - 16);
	}
	if (merge.problem.code) {
		printf("%s\n", merge.problem.message);
		good = false;
	}
	frec__merge_deinit(&merge);
	return good;
}

// From the first record within the coverage on, each number must be there once.
static bool check_gaps(const struct file *file, int thread)
{
	const struct seen *seen = file->seen[thread];
	bool good = true;

	for (size_t i = 1; i < file->count[thread] && good; i++) {
		if (seen[i - 1].time < file->from || seen[i].time > file->until)
			continue;
		good = seen[i].sequence == seen[i - 1].sequence + 1;
		if (!good)
			printf("thread %d: %" PRIu64 " follows %" PRIu64 " at %" PRIu64
			       " in %" PRIu64 " - %" PRIu64 "\n",
			       thread, seen[i].sequence, seen[i - 1].sequence, seen[i].time,
			       file->from, file->until);
	}
	return good;
}

// Each record in the span that both files cover must be in both with the same bytes, except for its
// id.
static bool check_overlap(struct stress_check *check, const struct file *before,
			  const struct file *now, int thread)
{
	uint64_t from = before->from > now->from ? before->from : now->from;
	size_t i = 0, j = 0;

	for (;;) {
		const struct seen *a = before->seen[thread], *b = now->seen[thread];

		while (i < before->count[thread] && a[i].time < from)
			i++;
		while (j < now->count[thread] && b[j].time < from)
			j++;
		if (i == before->count[thread] || a[i].time > before->until)
			return true;
		if (j == now->count[thread] || a[i].sequence != b[j].sequence ||
		    a[i].time != b[j].time || a[i].hash != b[j].hash) {
			printf("thread %d: two files differ at number %" PRIu64 "\n", thread,
			       a[i].sequence);
			return false;
		}
		check->shared++;
		i++;
		j++;
	}
}

bool stress_check_file(struct stress_check *check, const char *path)
{
	struct file *now = &check->file[check->turn], *before = &check->file[!check->turn];
	struct frec_snapshot snapshot;
	struct frec_error error = {0};
	struct frec_output output;
	uint64_t problems = 0;
	bool good;

	if (frec__snapshot_open(&snapshot, path, &error) || snapshot.damage.code) {
		printf("%s %s\n", error.message, snapshot.damage.message);
		return false;
	}
	now->from = 0;
	now->until = UINT64_MAX;
	for (size_t i = 0; i < snapshot.cpu_count; i++) {
		if (snapshot.cpus[i]->from > now->from)
			now->from = snapshot.cpus[i]->from;
		if (snapshot.cpus[i]->until < now->until)
			now->until = snapshot.cpus[i]->until;
		check->wrapped += snapshot.cpus[i]->wrapped;
	}
	good = load(check, &snapshot, now);
	for (int thread = 0; thread < THREADS; thread++) {
		qsort(now->seen[thread], now->count[thread], sizeof(struct seen), by_sequence);
		check->events += now->count[thread];
		good &= check_gaps(now, thread);
		if (check->files)
			good &= check_overlap(check, before, now, thread);
	}
	if (frec__output_open_stream(&output, check->silence, &error) ||
	    frec__verify(&snapshot, NULL, &output, &problems, &error) ||
	    frec__output_commit(&output, &error)) {
		printf("verify: %s\n", error.message);
		good = false;
	}
	if (problems) {
		printf("%s: verify finds %" PRIu64 " problems\n", path, problems);
		if (!frec__output_open_stream(&output, STDOUT_FILENO, &error) &&
		    !frec__verify(&snapshot, NULL, &output, &problems, &error))
			frec__output_commit(&output, &error);
		good = false;
	}
	frec__snapshot_close(&snapshot);
	check->files++;
	check->turn = !check->turn;
	return good;
}
