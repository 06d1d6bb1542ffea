// SPDX-License-Identifier: MIT
// Proves that every form of perf.data becomes the same snapshot, and that damaged input becomes
// none, or a valid one.
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "export/read/clocks.h"
#include "export/read/input.h"
#include "export/timeline/events.h"
#include "export/verify.h"
#include "recorder/import/import.h"
#include "tests/data/make_perf_data.h"

#define EVENTS 40

static char output[64];

static int import(const struct made_perf *made, bool by_pipe, struct frec_import_result *ret,
		  struct frec_error *error)
{
	int fds[2];

	if (!by_pipe) {
		fds[0] = memfd_create("perf.data", MFD_CLOEXEC);
		assert_int_equal(write(fds[0], made->data, made->size), made->size);
		lseek(fds[0], 0, SEEK_SET);
	} else {
		assert_false(pipe2(fds, O_CLOEXEC));
		assert_true(fcntl(fds[1], F_SETPIPE_SZ, 1 << 20) >= (int)made->size);
		assert_int_equal(write(fds[1], made->data, made->size), made->size);
		close(fds[1]);
	}
	return frec__import(fds[0], "input", output, NULL, ret, error);
}

static uint64_t problems_of(struct frec_snapshot *snapshot)
{
	struct frec_output problems;
	struct frec_error error;
	uint64_t count = 0;
	int fd = memfd_create("problems", MFD_CLOEXEC);

	assert_false(frec__output_open_stream(&problems, fd, &error));
	assert_false(frec__verify(snapshot, false, &problems, &count, &error));
	frec__output_discard(&problems);
	close(fd);
	return count;
}

static void check(const struct perf_options *options)
{
	struct made_perf made;
	struct frec_import_result result;
	struct frec_snapshot snapshot;
	struct frec_events events;
	struct frec_error error;
	const struct frec_event *event;
	uint64_t lost = 0;
	uint32_t n = 0;

	make_perf_data(&made, options);
	if (import(&made, options->pipe, &result, &error))
		fail_msg("%s", error.message);
	free(made.data);
	assert_int_equal(result.events, 2 * options->events);
	assert_int_equal(result.sources, 2);
	assert_int_equal(result.cpus, 2);
	assert_int_equal(result.lost, 3);
	assert_int_equal(result.left_out, 0);
	assert_true(result.clock_known && !result.clock_is_perfs);
	assert_false(frec__input_open(&snapshot, output, &error));
	assert_int_equal(problems_of(&snapshot), 0);
	assert_string_equal(snapshot.header->machine, "x86_64");
	assert_string_equal(snapshot.header->host->kernel_release, "6.12.0");
	assert_int_equal(snapshot.header->host->cpus_online, 2);
	assert_non_null(strstr(snapshot.header->writer, "perf 6.11"));
	assert_int_equal(frec__snapshot_realtime(&snapshot, 1500), UINT64_C(1700000000000000500));
	for (size_t i = 0; i < snapshot.loss_count; i++) {
		lost += snapshot.losses[i]->lost;
		assert_int_equal(
			snapshot.losses[i]->lost,
			snapshot.losses[i]->source == 1 && snapshot.losses[i]->cpu == 1 ? 3 : 0);
	}
	assert_int_equal(lost, 3);
	assert_int_equal(snapshot.cpus[0]->wrapped, options->backward);
	assert_int_equal(snapshot.process_count, 1);
	assert_int_equal(snapshot.processes[0]->n_map, 1);
	assert_int_equal(snapshot.processes[0]->map[0]->build_id.len, 20);
	assert_int_equal(snapshot.processes[0]->map[0]->build_id.data[19], 20);
	assert_false(frec__events_init(&events, &snapshot, NULL, NULL, &error));
	for (; (event = frec__events_next(&events)); n++) {
		bool alpha = n / 2 % 2 == 0;

		assert_int_equal(event->record->time, 1000 + 10 * (n / 2) + n % 2);
		assert_int_equal(event->record->cpu, n % 2);
		assert_int_equal(event->record->tid, 43);
		assert_int_equal(frec__process_entry_thread_name(event->who).len, 6);
		assert_memory_equal(frec__process_entry_thread_name(event->who).data, "second", 6);
		assert_string_equal(event->source->system, alpha ? "test" : "shop");
		assert_string_equal(event->source->name, alpha ? "alpha" : "paid");
		assert_int_equal(event->source->kind,
				 alpha ? FLIGHTREC__SOURCE_KIND__SOURCE_TRACEPOINT
				       : FLIGHTREC__SOURCE_KIND__SOURCE_EVENT);
		assert_int_equal(event->values[0].u, n / 2);
		if (alpha)
			assert_memory_equal(event->values[1].data, "text", 4);
		assert_int_equal(event->record->callchain_count, options->everything ? 2 : 0);
		assert_int_equal(event->record->stack_size, options->everything ? 8 : 0);
		if (options->everything) {
			assert_int_equal(event->record->register_mask, 0x181);
			assert_memory_equal(event->record->registers + 16, "\2\x10\0\0\0\0\0\0", 8);
			assert_memory_equal(event->record->stack, "stack of", 8);
		}
	}
	assert_int_equal(n, 2 * options->events);
	frec__events_deinit(&events);
	frec__input_close(&snapshot);
	unlink(output);
}

static void test_forms(void **state)
{
	(void)state;
	// Try every combination of the options.
	for (unsigned int bits = 0; bits < 64; bits++) {
		const struct perf_options options = {.pipe = bits & 1,
						     .compressed = bits & 2,
						     .padded = bits & 4,
						     .backward = bits & 8,
						     .id_behind = bits & 16,
						     .everything = bits & 32,
						     .lost_samples = bits & 1,
						     .events = EVENTS};

		check(&options);
	}
}

// What a newer kernel adds does not shift what is read, and what is left out is told.
static void test_newest(void **state)
{
	struct frec_import_result result;
	struct frec_error error = {0};
	struct made_perf made;

	(void)state;
	for (unsigned int bits = 0; bits < 4; bits++) {
		const struct perf_options options = {.pipe = bits & 1,
						     .id_behind = bits & 2,
						     .everything = true,
						     .newest = true,
						     .events = EVENTS};

		check(&options);
		make_perf_data(&made, &options);
		assert_int_equal(import(&made, options.pipe, &result, &error), 0);
		assert_int_equal(result.parts, FREC_IMPORT_NO_COUNTS | FREC_IMPORT_NO_BRANCHES |
						       FREC_IMPORT_NO_DEFERRED);
		assert_int_equal(result.aux_bytes, 24);
		assert_int_equal(result.unknown_samples, 1 << 30);
		unlink(output);
		free(made.data);
	}
}

// The buffer cannot hold all that a few compressed bytes contain.
static void test_much_in_one_record(void **state)
{
	(void)state;
	check(&(struct perf_options){.compressed = true, .events = 6000});
}

static bool exists(void)
{
	return !access(output, F_OK);
}

// Checks that import gives an error of one line and no file, or a valid file.
static void survive(const struct made_perf *made)
{
	struct frec_import_result result;
	struct frec_error error = {0};
	struct frec_snapshot snapshot;

	if (import(made, false, &result, &error)) {
		assert_true(*error.message && !strchr(error.message, '\n'));
		assert_false(exists());
		return;
	}
	assert_false(frec__input_open(&snapshot, output, &error));
	assert_int_equal(snapshot.damage.code, 0);
	frec__input_close(&snapshot);
	unlink(output);
}

// Damages every byte. With a sanitizer, this would take minutes, so such a build damages only every
// eleventh.
#ifdef __SANITIZE_ADDRESS__
#define STEP 11
#else
#define STEP 1
#endif

static void damage(const struct perf_options *options, bool cut_is_seen)
{
	struct made_perf made;

	make_perf_data(&made, options);
	for (size_t i = 0; i < made.size; i += STEP) {
		struct made_perf cut = {made.data, i, i};
		struct frec_import_result result = {0};
		struct frec_error error;

		if (cut_is_seen)
			assert_true(import(&cut, false, &result, &error) || result.end.code);
		survive(&cut);
		made.data[i] ^= 0xff;
		survive(&made);
		made.data[i] ^= 0xff ^ 1 << i % 8;
		survive(&made);
		made.data[i] ^= 1 << i % 8;
	}
	free(made.data);
}

static void test_damage(void **state)
{
	(void)state;
	damage(&(struct perf_options){.events = 1, .everything = true}, true);
	// Data from a pipe can end after any record, so a cut need not be seen.
	damage(&(struct perf_options){.events = 1, .pipe = true}, false);
	damage(&(struct perf_options){.events = 2, .pipe = true, .compressed = true}, false);
}

static void test_nothing(void **state)
{
	struct made_perf none = {.data = (uint8_t *)"", .size = 0};
	struct frec_import_result result;
	struct frec_error error;
	struct made_perf made;

	(void)state;
	assert_int_not_equal(import(&none, false, &result, &error), 0);
	assert_non_null(strstr(error.message, "not a perf.data file"));
	make_perf_data(&made, &(struct perf_options){.events = 0});
	assert_int_not_equal(import(&made, false, &result, &error), 0);
	assert_non_null(strstr(error.message, "holds no events"));
	assert_false(exists());
	free(made.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_newest),
		cmocka_unit_test(test_much_in_one_record),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_nothing),
	};

	// Write the files to memory if possible, because there are hundreds and each would be
	// synced to disk.
	snprintf(output, sizeof(output), "%s/test-import-%d.frec",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm", getpid());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
