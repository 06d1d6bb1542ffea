// SPDX-License-Identifier: MIT
// Crashes a program and prints its stack, one line for each frame, then why the stack ends, and
// then for how many stacks libdwfl finds the same frames. With --steps there is a stack for each
// instruction, and each is one line: the functions, and why the stack ends.
//
//	unwind_crash [--bytes N] [--steps N] [--then COMMAND] [--folder DEBUG] [--no-ids]
//	[--debuginfod] -- PROGRAM...
//
// COMMAND runs after the crash and before any file is opened, to replace or strip files.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unwind/crash.h"
#include "tests/unwind/others.h"

static const char *const kinds[] = {"top", "cfi", "frame-pointer", "return"};

static void print_frame(struct frec_unwind_process *process, size_t number,
			const struct frec_frame *frame)
{
	struct frec_names names;

	if (frec__symbolize(process, frame, &names))
		abort();
	for (size_t i = 0; i < names.count; i++) {
		printf("#%zu %s%s %s", number, kinds[frame->kind], frame->signal ? " signal" : "",
		       names.names[i].function ? names.names[i].function : "?");
		if (names.names[i].inlined)
			printf(" [inlined]");
		else if (names.offset != UINT64_MAX)
			printf("+0x%" PRIx64, names.offset);
		if (names.names[i].file)
			printf(" at %s:%u:%u", names.names[i].file, names.names[i].line,
			       names.names[i].column);
		if (!names.names[i].inlined)
			printf(" in %s%s", names.module ? names.module : "?",
			       names.verified ? "" : " (unverified)");
		printf("\n");
	}
	if (!names.count)
		printf("#%zu %s%s 0x%" PRIx64 " in %s%s%s\n", number, kinds[frame->kind],
		       frame->signal ? " signal" : "", names.address,
		       names.module ? names.module : "?", names.missing ? ": " : "",
		       names.missing ? names.missing->message : "");
}

static bool as_libdwfl(const struct recording *recording, const struct recorded_stack *stack,
		       const struct frec_frame *frames, size_t count)
{
	static struct other *other;
	uint64_t theirs[FREC_FRAMES_MAX];
	size_t their_count;
	bool same;

	if (!other)
		other = dwfl_other_create(recording);
	if (!other)
		return false;
	their_count = dwfl_other_unwind(other, stack, theirs, FREC_FRAMES_MAX);
	same = their_count == count;
	for (size_t i = 0; same && i < count; i++)
		same = frames[i].pc == theirs[i];
	if (!same) {
		printf("libdwfl:");
		for (size_t i = 0; i < their_count; i++)
			printf(" %" PRIx64, theirs[i]);
		printf("\nours:   ");
		for (size_t i = 0; i < count; i++)
			printf(" %" PRIx64, frames[i].pc);
		printf("\n");
	}
	return same;
}

static int print_all(const struct recording *recording, const char *folder, bool debuginfod,
		     bool steps)
{
	const struct frec_unwinder_options options = {.size = sizeof(options),
						      .same_boot = true,
						      .folders = &folder,
						      .folder_count = folder != NULL,
						      .debuginfod = debuginfod};
	struct frec_frame frames[FREC_FRAMES_MAX];
	struct frec_unwind_process *process;
	struct frec_unwinder *unwinder;
	size_t same = 0;

	if (frec__unwinder_create(frec__registers_find(
#if defined(__x86_64__)
					  "x86_64"
#else
					  "aarch64"
#endif
					  ),
				  &options, &unwinder) ||
	    frec__unwind_process_create(unwinder, recording->maps, recording->map_count, &process))
		return 1;
	for (size_t i = 0; i < recording->stack_count; i++) {
		const struct recorded_stack *stack = &recording->stacks[i];
		struct frec_unwind_registers registers = {stack->mask, stack->values, stack->count};
		struct frec_unwind_end end;
		size_t count = frec__unwind(process, &registers, &stack->stack, frames,
					    FREC_FRAMES_MAX, &end);
		char words[600];

		if (steps) {
			for (size_t j = 0; j < count; j++) {
				struct frec_names names;

				if (frec__symbolize(process, &frames[j], &names))
					return 1;
				printf("%s%s", j ? " < " : "",
				       names.count && names.names[names.count - 1].function
					       ? names.names[names.count - 1].function
					       : "?");
			}
			printf(": ");
		} else {
			for (size_t j = 0; j < count; j++)
				print_frame(process, j, &frames[j]);
		}
		printf("%s\n", frec__unwind_end_words(&end, words, sizeof(words)));
		same += as_libdwfl(recording, stack, frames, count);
	}
	printf("as libdwfl: %zu of %zu\n", same, recording->stack_count);
	frec__unwind_process_destroy(process);
	frec__unwinder_destroy(unwinder);
	return 0;
}

int main(int argc, char **argv)
{
	const char *then = NULL, *folder = NULL;
	struct recording recording;
	size_t bytes = 65528, steps = 0;
	bool ids = true, debuginfod = false;
	int i = 1, r;

	for (; i < argc && strcmp(argv[i], "--"); i++) {
		if (!strcmp(argv[i], "--no-ids"))
			ids = false;
		else if (!strcmp(argv[i], "--debuginfod"))
			debuginfod = true;
		else if (i + 1 == argc)
			return 2;
		else if (!strcmp(argv[i], "--bytes"))
			bytes = strtoul(argv[++i], NULL, 0);
		else if (!strcmp(argv[i], "--steps"))
			steps = strtoul(argv[++i], NULL, 0);
		else if (!strcmp(argv[i], "--then"))
			then = argv[++i];
		else if (!strcmp(argv[i], "--folder"))
			folder = argv[++i];
		else
			return 2;
	}
	if (i + 1 >= argc)
		return 2;
	r = recording_crash(argv + i + 1, bytes, steps, &recording);
	if (r) {
		fprintf(stderr, "%s: %s\n", argv[i + 1], strerror(-r));
		return 1;
	}
	for (size_t j = 0; !ids && j < recording.map_count; j++)
		recording.maps[j].build_id_size = 0;
	if (then && system(then))
		return 1;
	r = print_all(&recording, folder, debuginfod, steps != 0);
	recording_free(&recording);
	return r;
}
