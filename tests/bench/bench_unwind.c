// SPDX-License-Identifier: MIT
// Measures how fast stacks of real programs are unwound, and compares the frames with those that
// other libraries find.
//
//	bench_unwind record FILE [-n STACKS] [-b BYTES] -- COMMAND...	samples a command
//	bench_unwind record FILE [-n STACKS] [-b BYTES] -p PID		samples a process
//	bench_unwind compare FILE...		measures libdwfl and libunwind too, over the same
//						bytes
//	bench_unwind differences FILE...	the same, and prints where libdwfl differs
//	bench_unwind alone FILE...		measures flightrec only
//	bench_unwind perf FILE PERF_DATA	writes the stacks for perf script
//	bench_unwind script FILE		prints what perf script prints, with flightrec: from
//						a cold start to the last name
//	bench_unwind script-libdwfl FILE	prints the same with libdwfl
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unwind/others.h"
#include "tests/unwind/perf_data.h"
#include "unwind/process.h"

#define FRAMES 512
#define ROUNDS 9
#define BLOCK 16
#define NAMED_BY_OTHERS 200

// Returns processor time in nanoseconds, to which other processes do not add.
static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static int record(int argc, char **argv)
{
	struct recording recording;
	unsigned long count = 10000;
	uint32_t bytes = 32768;
	const char *file;
	pid_t pid = 0, child = 0;
	int r, i = 1;

	if (argc < 3)
		return 2;
	file = argv[0];
	for (; i + 1 < argc && strcmp(argv[i], "--"); i += 2) {
		if (!strcmp(argv[i], "-n"))
			count = strtoul(argv[i + 1], NULL, 0);
		else if (!strcmp(argv[i], "-b"))
			bytes = (uint32_t)strtoul(argv[i + 1], NULL, 0);
		else if (!strcmp(argv[i], "-p"))
			pid = (pid_t)strtol(argv[i + 1], NULL, 0);
		else
			return 2;
	}
	if (!pid) {
		if (i + 1 >= argc)
			return 2;
		child = pid = fork();
		if (!child) {
			execvp(argv[i + 1], argv + i + 1);
			perror(argv[i + 1]);
			_exit(127);
		}
	}
	r = recording_take(pid, count, bytes, 4000, &recording);
	if (child) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	if (!r)
		r = recording_save(&recording, file);
	if (r) {
		fprintf(stderr, "%s: %s\n", file, strerror(-r));
		return 1;
	}
	printf("%s: %zu stacks\n", file, recording.stack_count);
	recording_free(&recording);
	return 0;
}

static int compare_numbers(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

struct outcome {
	size_t count;
	uint64_t pc[FRAMES];
};

static void tables(const struct frec_unwinder *unwinder)
{
	struct frec_rows_statistics sum = {0}, one;

	for (size_t i = 0; i < unwinder->module_count; i++) {
		const struct frec_module *module = unwinder->modules[i];
		if (!module->eh_frame.rows)
			continue;
		frec__rows_statistics(module->eh_frame.rows, &one);
		sum.functions += one.functions;
		sum.functions_compiled += one.functions_compiled;
		sum.rows += one.rows;
		sum.bytes += one.bytes;
	}
	printf("  tables: %zu of %zu functions, %zu rows, %zu KiB\n", sum.functions_compiled,
	       sum.functions, sum.rows, sum.bytes >> 10);
}

static void whole_tables(const struct frec_unwinder *unwinder)
{
	for (size_t i = 0; i < unwinder->module_count; i++) {
		const struct frec_module *module = unwinder->modules[i];
		struct frec_rows_statistics all;
		struct frec_rows *rows;
		double start = now();

		if (!module->eh_frame.rows ||
		    frec__rows_create(&module->eh_frame.cfi, NULL, module->elf->base,
				      unwinder->machine, &rows, NULL))
			continue;
		frec__rows_compile_all(rows);
		start = now() - start;
		frec__rows_statistics(rows, &all);
		if (all.rows > 100000)
			printf("  whole table of %s: %zu functions, %zu rows in %.1f ms (%.1f "
			       "million rows/s), %.1f bytes a row\n",
			       module->path, all.functions, all.rows, start / 1e6,
			       (double)all.rows / start * 1e3,
			       (double)all.bytes / (double)all.rows);
		frec__rows_destroy(rows);
	}
}

enum { OURS_FURTHER, THEIRS_FURTHER, OTHERWISE, DIFFERENCES };

static int difference(const struct outcome *ours, const uint64_t *theirs, size_t count)
{
	size_t i = 0;

	while (i < ours->count && i < count && ours->pc[i] == theirs[i])
		i++;
	// Some libraries end a stack with a caller at address 0.
	if (i == count || (i + 1 == count && !theirs[i]))
		return OURS_FURTHER;
	return i == ours->count ? THEIRS_FURTHER : OTHERWISE;
}

static void explain(const struct recorded_stack *stack, const struct outcome *ours,
		    const uint64_t *theirs, size_t count, const struct frec_unwind_end *end)
{
	char words[600];
	size_t i = 0;

	while (i < ours->count && i < count && ours->pc[i] == theirs[i])
		i++;
	printf("    ours %zu, theirs %zu; differ at frame %zu: %" PRIx64 " and %" PRIx64
	       "; frame above %" PRIx64 "; sp %" PRIx64 " +%zx; we end: %s\n",
	       ours->count, count, i, i < ours->count ? ours->pc[i] : 0, i < count ? theirs[i] : 0,
	       i ? ours->pc[i - 1] : 0, stack->stack.address, stack->stack.size,
	       frec__unwind_end_words(end, words, sizeof(words)));
}

static void unwind_range(struct frec_unwind_process *process, const struct recording *recording,
			 size_t from, size_t to)
{
	static struct frec_frame frames[FRAMES];

	for (size_t i = from; i < to && i < recording->stack_count; i++) {
		const struct recorded_stack *stack = &recording->stacks[i];
		struct frec_unwind_registers registers = {stack->mask, stack->values, stack->count};
		struct frec_unwind_end end;

		frec__unwind(process, &registers, &stack->stack, frames, FRAMES, &end);
	}
}

static int compare_addresses(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

// Collects all addresses of all stacks, each once. Returns how many there are.
static size_t distinct(const struct recording *recording, const struct outcome *outcomes,
		       size_t frames, uint64_t **ret)
{
	uint64_t *all = calloc(frames + 1, sizeof(*all));
	size_t count = 0, kept = 0;

	for (size_t i = 0; i < recording->stack_count; i++) {
		memcpy(all + count, outcomes[i].pc, outcomes[i].count * sizeof(*all));
		count += outcomes[i].count;
	}
	qsort(all, count, sizeof(*all), compare_addresses);
	for (size_t i = 0; i < count; i++) {
		if (!kept || all[i] != all[kept - 1])
			all[kept++] = all[i];
	}
	*ret = all;
	return kept;
}

static int compare(const char *path, bool verbose, bool alone)
{
	static struct frec_frame frames[FRAMES];
	const struct frec_registers *machine =
#if defined(__x86_64__)
		&frec__registers_x86_64;
#else
		&frec__registers_aarch64;
#endif
	size_t frame_count = 0, reasons[16] = {0}, kinds[4] = {0}, same[2] = {0},
	       other_frames[2] = {0}, differences[2][DIFFERENCES] = {0};
	struct frec_unwind_process *process;
	struct frec_unwinder *unwinder;
	struct frec_unwind_end *ends;
	uint64_t *addresses;
	size_t address_count, named = 0;
	double names_cold;
	struct recording recording;
	struct outcome *outcomes;
	double took[ROUNDS], took_cached[ROUNDS], start, cold, first = 0;
	struct frec_unwinder_options options = {.size = sizeof(options), .same_boot = true};

	if (recording_load(path, &recording)) {
		fprintf(stderr, "%s: cannot be read\n", path);
		return 1;
	}
	outcomes = calloc(recording.stack_count, sizeof(*outcomes));
	ends = calloc(recording.stack_count, sizeof(*ends));
	start = now();
	if (!outcomes || !ends || frec__unwinder_create(machine, &options, &unwinder) ||
	    frec__unwind_process_create(unwinder, recording.maps, recording.map_count, &process))
		return 1;
	for (size_t i = 0; i < recording.stack_count; i++) {
		const struct recorded_stack *stack = &recording.stacks[i];
		struct frec_unwind_registers registers = {stack->mask, stack->values, stack->count};
		size_t count =
			frec__unwind(process, &registers, &stack->stack, frames, FRAMES, &ends[i]);

		if (!i)
			first = now() - start;
		outcomes[i].count = count;
		for (size_t j = 0; j < count; j++) {
			outcomes[i].pc[j] = frames[j].pc;
			kinds[frames[j].kind]++;
		}
		frame_count += count;
		reasons[ends[i].reason]++;
	}
	cold = now() - start;
	for (int round = 0; round < ROUNDS; round++) {
		start = now();
		unwind_range(process, &recording, 0, recording.stack_count);
		took[round] = now() - start;
		// Measures the same with stack bytes in the cache, as after decompressing them.
		took_cached[round] = 0;
		for (size_t i = 0; i < recording.stack_count; i += BLOCK) {
			unwind_range(process, &recording, i, i + BLOCK);
			start = now();
			unwind_range(process, &recording, i, i + BLOCK);
			took_cached[round] += now() - start;
		}
	}
	qsort(took, ROUNDS, sizeof(*took), compare_numbers);
	qsort(took_cached, ROUNDS, sizeof(*took_cached), compare_numbers);
	printf("%s: %zu stacks, %zu frames (%.1f a stack)\n", path, recording.stack_count,
	       frame_count, (double)frame_count / (double)recording.stack_count);
	printf("  flightrec: %.1f ns a frame warm (best of %d: %.1f), %.1f (%.1f) with stacks in "
	       "the processor's cache, %.1f cold; first stack after %.2f ms\n",
	       took[ROUNDS / 2] / (double)frame_count, ROUNDS, took[0] / (double)frame_count,
	       took_cached[ROUNDS / 2] / (double)frame_count, took_cached[0] / (double)frame_count,
	       cold / (double)frame_count, first / 1e6);
	printf("  frames by CFI %zu, frame pointer %zu, return address %zu; stacks complete %zu, "
	       "truncated %zu, no CFI %zu, bad memory %zu, bad CFI %zu, loop %zu, limit %zu\n",
	       kinds[FREC_FRAME_CFI], kinds[FREC_FRAME_FRAME_POINTER], kinds[FREC_FRAME_RETURN],
	       reasons[FREC_UNWIND_COMPLETE], reasons[FREC_UNWIND_TRUNCATED],
	       reasons[FREC_UNWIND_NO_CFI], reasons[FREC_UNWIND_BAD_MEMORY],
	       reasons[FREC_UNWIND_BAD_CFI], reasons[FREC_UNWIND_LOOP], reasons[FREC_UNWIND_LIMIT]);
	tables(unwinder);
	address_count = distinct(&recording, outcomes, frame_count, &addresses);
	start = now();
	for (size_t i = 0; i < address_count; i++) {
		const struct frec_frame frame = {.pc = addresses[i]};
		struct frec_names names;

		frec__symbolize(process, &frame, &names);
		named += names.count > 0;
	}
	names_cold = now() - start;
	start = now();
	for (size_t i = 0; i < address_count; i++) {
		const struct frec_frame frame = {.pc = addresses[i]};
		struct frec_names names;

		frec__symbolize(process, &frame, &names);
	}
	printf("  names: %zu of %zu addresses, %.2f us each the first time, %.0f ns again; "
	       "unwinding and naming all %.0f ms\n",
	       named, address_count, names_cold / 1e3 / (double)address_count,
	       (now() - start) / (double)address_count, (cold + names_cold) / 1e6);
	for (int which = 0; which < 2 && !alone; which++) {
		struct other *other =
			(which ? libunwind_other_create : dwfl_other_create)(&recording);
		double warm = 0, cold_other = now();

		if (!other)
			continue;
		for (int round = 0; round < 2; round++) {
			other_frames[which] = same[which] = 0;
			start = now();
			for (size_t i = 0; i < recording.stack_count; i++) {
				uint64_t theirs[FRAMES];
				size_t count = (which ? libunwind_other_unwind : dwfl_other_unwind)(
					other, &recording.stacks[i], theirs, FRAMES);

				other_frames[which] += count;
				if (count == outcomes[i].count &&
				    !memcmp(theirs, outcomes[i].pc, 8 * count))
					same[which]++;
				else if (!round)
					differences[which]
						   [difference(&outcomes[i], theirs, count)]++;
				else if (verbose && !which)
					explain(&recording.stacks[i], &outcomes[i], theirs, count,
						&ends[i]);
			}
			warm = now() - start;
			if (!round)
				cold_other = now() - cold_other;
		}
		printf("  different stacks: %zu where ours goes further, %zu where theirs does, "
		       "%zu otherwise\n",
		       differences[which][OURS_FURTHER], differences[which][THEIRS_FURTHER],
		       differences[which][OTHERWISE]);
		printf("  %s: %.1f ns a frame warm (%.1f times ours), %.1f cold (%.1f times); the "
		       "same frames in %zu of %zu stacks (%.3f %%)\n",
		       which ? "libunwind" : "libdwfl", warm / (double)other_frames[which],
		       warm / took[ROUNDS / 2] * (double)frame_count / (double)other_frames[which],
		       cold_other / (double)other_frames[which],
		       cold_other / cold * (double)frame_count / (double)other_frames[which],
		       same[which], recording.stack_count,
		       100. * (double)same[which] / (double)recording.stack_count);
		if (!which) {
			start = now();
			// Each lookup takes milliseconds, so only a sample of the addresses is
			// looked up.
			for (size_t i = 0; i < NAMED_BY_OTHERS; i++)
				dwfl_other_name(other,
						addresses[i * address_count / NAMED_BY_OTHERS] - 1);
			start = (now() - start) * (double)address_count / NAMED_BY_OTHERS;
			printf("    names: %.2f us an address (%.1f times ours); unwinding and "
			       "naming all %.0f ms (%.1f times)\n",
			       start / 1e3 / (double)address_count, start / names_cold,
			       (cold_other + start) / 1e6,
			       (cold_other + start) / (cold + names_cold));
		}
		(which ? libunwind_other_destroy : dwfl_other_destroy)(other);
	}
	whole_tables(unwinder);
	frec__unwind_process_destroy(process);
	frec__unwinder_destroy(unwinder);
	recording_free(&recording);
	free(addresses);
	free(outcomes);
	free(ends);
	return 0;
}

static int to_perf(const char *from, const char *to)
{
	struct recording recording;
	int r = recording_load(from, &recording);

	if (!r) {
		r = perf_data_save(&recording, to);
		recording_free(&recording);
	}
	if (r)
		fprintf(stderr, "%s: %s\n", from, strerror(-r));
	return r != 0;
}

static int script(const char *path)
{
	static struct frec_frame frames[FRAMES];
	struct frec_unwinder_options options = {.size = sizeof(options), .same_boot = true};
	struct frec_unwind_process *process;
	struct frec_unwinder *unwinder;
	struct recording recording;

	if (recording_load(path, &recording) ||
	    frec__unwinder_create(frec__registers_find("x86_64"), &options, &unwinder) ||
	    frec__unwind_process_create(unwinder, recording.maps, recording.map_count, &process))
		return 1;
	for (size_t i = 0; i < recording.stack_count; i++) {
		const struct recorded_stack *stack = &recording.stacks[i];
		struct frec_unwind_registers registers = {stack->mask, stack->values, stack->count};
		struct frec_unwind_end end;
		size_t count =
			frec__unwind(process, &registers, &stack->stack, frames, FRAMES, &end);

		for (size_t j = 0; j < count; j++) {
			struct frec_names names;

			if (frec__symbolize(process, &frames[j], &names))
				return 1;
			// perf script prints neither file nor line, so they are left out here too.
			for (size_t k = 0; k < names.count; k++)
				printf("\t%16" PRIx64 " %s (%s)\n", names.address,
				       names.names[k].function ? names.names[k].function
							       : "[unknown]",
				       names.module ? names.module : "?");
			if (!names.count)
				printf("\t%16" PRIx64 " [unknown] (%s)\n", names.address,
				       names.module ? names.module : "?");
		}
		printf("\n");
	}
	frec__unwind_process_destroy(process);
	frec__unwinder_destroy(unwinder);
	recording_free(&recording);
	return 0;
}

// Looks up the function of every frame anew, because libdwfl does not cache names. Lines and
// inlined calls are left out, because they would take hours.
static int script_libdwfl(const char *path)
{
	struct recording recording;
	struct other *other;

	if (recording_load(path, &recording))
		return 1;
	other = dwfl_other_create(&recording);
	for (size_t i = 0; other && i < recording.stack_count; i++) {
		uint64_t frames[FRAMES];
		size_t count = dwfl_other_unwind(other, &recording.stacks[i], frames, FRAMES);

		for (size_t j = 0; j < count; j++) {
			const char *module,
				*name = dwfl_other_function(other, frames[j] - (j > 0), &module);

			printf("\t%16" PRIx64 " %s (%s)\n", frames[j], name ? name : "[unknown]",
			       module ? module : "?");
		}
		printf("\n");
	}
	dwfl_other_destroy(other);
	recording_free(&recording);
	return 0;
}

int main(int argc, char **argv)
{
	int r = 2;

	if (argc > 3 && !strcmp(argv[1], "record"))
		r = record(argc - 2, argv + 2);
	else if (argc > 2 && (!strcmp(argv[1], "compare") || !strcmp(argv[1], "differences") ||
			      !strcmp(argv[1], "alone")))
		for (int i = 2; i < argc && (i == 2 || !r); i++)
			r = compare(argv[i], *argv[1] == 'd', *argv[1] == 'a');
	else if (argc == 4 && !strcmp(argv[1], "perf"))
		r = to_perf(argv[2], argv[3]);
	else if (argc == 3 && !strcmp(argv[1], "script"))
		r = script(argv[2]);
	else if (argc == 3 && !strcmp(argv[1], "script-libdwfl"))
		r = script_libdwfl(argv[2]);
	if (r == 2)
		fprintf(stderr,
			"usage: %s record FILE [-n STACKS] [-b BYTES] -p PID | -- COMMAND... ; %s "
			"compare|differences|alone FILE... ; %s perf FILE PERF_DATA ; %s "
			"script|script-libdwfl FILE\n",
			argv[0], argv[0], argv[0], argv[0]);
	return r;
}
