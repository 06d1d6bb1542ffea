// SPDX-License-Identifier: MIT
// Makes frames from what was recorded of a stack: unwinds it, or uses the recorded frames.
// locations.c finds their places in code.
#include "export/timeline/stacks.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export/timeline/kept_programs.h"
#include "export/timeline/locations.h"
#include "export/timeline/stack_lives.h"
#include "proto/grow.h"
#include "proto/table.h"

// In a call chain, this value and all larger ones are PERF_CONTEXT_*, which says whether the
// addresses that follow are of the kernel or of the process.
#define CONTEXT_FIRST ((uint64_t)-4095)

struct frec_stacks {
	const struct frec_snapshot *snapshot;
	const struct frec_registers *machine;
	struct frec_unwinder *unwinder; // NULL: the machine is not supported
	struct frec_kept_programs programs;
	struct frec_locations locations;
	struct frec_stack_lives lives;
	struct frec_call_stack **stacks; // in the order in which stacks were met
	size_t stack_count;
	struct frec_table indices; // index in `stacks` plus 1, by hash
	struct frec_frame frames[FREC_FRAMES_MAX];
	const struct frec_location *found[2 * FREC_FRAMES_MAX];
	uint64_t pcs[2 * FREC_FRAMES_MAX]; // the address of each of `found`
	size_t found_count;
	bool incomplete; // a frame is missing, because of a limit or because memory ran out
	uint64_t registers[64];
	struct frec_unwind_end end; // of the stack that was asked for last
	struct frec_stack_numbers *numbers, own_numbers;
};

static bool is_this_boot(const struct frec_snapshot *snapshot)
{
	const Flightrec__Host *host = snapshot->header->host;
	char boot_id[64] = "";
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (!file)
		return false;
	if (!fgets(boot_id, sizeof(boot_id), file))
		*boot_id = 0;
	fclose(file);
	boot_id[strcspn(boot_id, "\n")] = 0;
	return *boot_id && host && !strcmp(boot_id, host->boot_id);
}

int frec__stacks_create(struct frec_stacks **ret, const struct frec_snapshot *snapshot,
			const struct frec_processes *processes,
			const struct frec_unwinder_options *options)
{
	struct frec_unwinder_options chosen = {.size = sizeof(chosen), .debuginfod = true};
	struct frec_stacks *stacks = calloc(1, sizeof(*stacks));
	int r = stacks ? 0 : -ENOMEM;

	if (options)
		chosen = *options;
	chosen.same_boot = is_this_boot(snapshot);
	if (!r)
		r = frec__kept_programs_init(&stacks->programs, snapshot);
	if (!r) {
		chosen.programs = stacks->programs.program;
		chosen.program_count = stacks->programs.count;
	}
	if (!r) {
		stacks->snapshot = snapshot;
		stacks->machine = frec__registers_find(snapshot->header->machine);
		frec__locations_init(&stacks->locations, snapshot);
		frec__stacks_share(stacks, &stacks->own_numbers);
		if (stacks->machine)
			r = frec__unwinder_create(stacks->machine, &chosen, &stacks->unwinder);
		frec__stack_lives_init(&stacks->lives, processes, stacks->unwinder,
				       snapshot->left_out);
	}
	if (r)
		frec__stacks_destroy(stacks);
	else
		*ret = stacks;
	return r;
}

void frec__stacks_share(struct frec_stacks *stacks, struct frec_stack_numbers *numbers)
{
	stacks->numbers = numbers;
	stacks->locations.numbers = numbers;
}

void frec__stacks_destroy(struct frec_stacks *stacks)
{
	if (!stacks)
		return;
	frec__stack_lives_deinit(&stacks->lives);
	for (size_t i = 0; i < stacks->stack_count; i++)
		free(stacks->stacks[i]);
	free(stacks->stacks);
	frec__table_free(&stacks->indices);
	frec__locations_deinit(&stacks->locations);
	frec__unwinder_destroy(stacks->unwinder);
	frec__kept_programs_deinit(&stacks->programs);
	free(stacks);
}

static void add_location(struct frec_stacks *stacks, const struct frec_location *location,
			 uint64_t pc)
{
	stacks->incomplete |= !location;
	if (!location || stacks->found_count == 2 * FREC_FRAMES_MAX)
		return;
	stacks->pcs[stacks->found_count] = pc;
	stacks->found[stacks->found_count++] = location;
}

static void add_frames(struct frec_stacks *stacks, struct frec_located_process *process,
		       size_t count)
{
	for (size_t i = 0; i < count; i++)
		add_location(stacks,
			     frec__locations_find(&stacks->locations, process, &stacks->frames[i]),
			     stacks->frames[i].pc);
}

// Adds one part of the call chain that the kernel recorded: if `kernel`, the kernel's own
// addresses, otherwise those of the process.
static void add_callchain(struct frec_stacks *stacks, struct frec_located_process *process,
			  const struct frec_record *record, bool kernel)
{
	bool here = !kernel, first = true;

	for (size_t i = 0; i < record->callchain_count; i++) {
		struct frec_frame frame = {.map = FREC_FRAME_NO_MAP};
		uint64_t address;

		memcpy(&address, record->callchain + 8 * i, sizeof(address));
		if (address >= CONTEXT_FIRST) {
			here = address == (kernel ? (uint64_t)PERF_CONTEXT_KERNEL
						  : (uint64_t)PERF_CONTEXT_USER);
			first = true;
			continue;
		}
		if (!here)
			continue;
		frame.pc = address;
		frame.exact = first;
		frame.kind = first ? FREC_FRAME_TOP : FREC_FRAME_FRAME_POINTER;
		first = false;
		if (kernel)
			add_location(stacks, frec__locations_kernel(&stacks->locations, &frame),
				     address);
		else if (process)
			add_location(stacks,
				     frec__locations_find(&stacks->locations, process, &frame),
				     address);
	}
}

static void decode_frame(struct frec_frame *frame, uint64_t pc, uint8_t how)
{
	*frame = (struct frec_frame){.pc = pc,
				     .map = FREC_FRAME_NO_MAP,
				     .kind = how & 3,
				     .exact = how & 4,
				     .signal = how & 8};
}

static uint64_t hash(const struct frec_stacks *stacks)
{
	uint64_t value = stacks->end.reason;

	for (size_t i = 0; i < stacks->found_count; i++)
		value = frec__table_mix(value, stacks->found[i]->id);
	return value;
}

static bool same(const struct frec_call_stack *stack, const struct frec_stacks *stacks)
{
	return stack->count == stacks->found_count && stack->end == stacks->end.reason &&
	       !memcmp(stack->locations, stacks->found,
		       stack->count * sizeof(struct frec_location *));
}

static struct frec_call_stack *make(struct frec_stacks *stacks)
{
	size_t bytes = stacks->found_count * sizeof(struct frec_location *);
	struct frec_call_stack *stack;
	const struct frec_location **locations;

	if (!frec__grow(&stacks->stacks, stacks->stack_count, sizeof(stack)))
		return NULL;
	stack = malloc(sizeof(*stack) + bytes);
	if (!stack)
		return NULL;
	locations = (const struct frec_location **)(stack + 1);
	memcpy(locations, stacks->found, bytes);
	*stack = (struct frec_call_stack){.id = stacks->numbers->stacks++,
					  .count = stacks->found_count,
					  .locations = locations,
					  .end = stacks->end.reason};
	stacks->stacks[stacks->stack_count++] = stack;
	return stack;
}

// Finds or makes the call stack of the locations in `found`. Returns NULL if there are none, if a
// limit is reached, or if memory runs out.
static const struct frec_call_stack *intern(struct frec_stacks *stacks)
{
	// Without the missing frame, this stack could be equal to another one.
	if (stacks->incomplete) {
		stacks->snapshot->left_out->stacks++;
		return NULL;
	}
	if (!stacks->found_count)
		return NULL;
	for (uint64_t key = hash(stacks);; key++) {
		uint32_t *index = frec__table_get(&stacks->indices, key);
		const struct frec_call_stack *stack;

		if (index && *index && same(stacks->stacks[*index - 1], stacks))
			return stacks->stacks[*index - 1];
		if (index && *index)
			continue;
		if (!frec__locations_take(&stacks->locations, stacks->found_count)) {
			stacks->snapshot->left_out->stacks++;
			return NULL;
		}
		index = frec__table_put(&stacks->indices, key, NULL);
		if (!index)
			return NULL;
		stack = make(stacks);
		*index = stack ? (uint32_t)stacks->stack_count : 0;
		return stack;
	}
}

// In a damaged file `reason` can be any number.
static void set_end(struct frec_stacks *stacks, uint32_t reason, uint64_t address)
{
	stacks->end.reason = reason <= FREC_UNWIND_LIMIT ? reason : FREC_UNWIND_BAD_MEMORY;
	stacks->end.address = address;
	if (reason == FREC_UNWIND_BAD_CFI)
		frec__error(&stacks->end.error, -EBADMSG, "the recorder found it so");
}

// Forgets the previous stack.
static void start(struct frec_stacks *stacks)
{
	stacks->found_count = 0;
	stacks->incomplete = false;
	stacks->end.reason = FREC_UNWIND_COMPLETE;
	stacks->end.address = 0;
	// The message is not cleared, because that takes time: this is called for each record, and
	// most have no stack.
	stacks->end.error.code = 0;
}

static size_t decode_frames(struct frec_stacks *stacks, const uint8_t *pcs, const uint8_t *hows,
			    size_t count)
{
	if (count > FREC_FRAMES_MAX)
		count = FREC_FRAMES_MAX;
	for (size_t i = 0; i < count; i++) {
		uint64_t pc;

		memcpy(&pc, pcs + 8 * i, sizeof(pc));
		decode_frame(&stacks->frames[i], pc, hows[i]);
	}
	return count;
}

static const struct frec_call_stack *of_record(struct frec_stacks *stacks,
					       const struct frec_record *record)
{
	bool unwound = record->source->unwound && record->frames_count;
	struct frec_located_process *process = NULL;

	add_callchain(stacks, NULL, record, true);
	process = frec__stack_lives_find(&stacks->lives, record->pid, record->tid, record->time);
	if (!process) {
		stacks->incomplete |= stacks->lives.exhausted;
		return intern(stacks);
	}
	if (unwound) {
		size_t count = decode_frames(stacks, record->frames, record->frames_how,
					     record->frames_count);

		set_end(stacks, record->frames_end, record->frames_address);
		add_frames(stacks, process, count);
	} else if (record->register_abi && record->source->sample_type & PERF_SAMPLE_STACK_USER) {
		struct frec_unwind_registers registers = {.mask = record->register_mask};
		struct frec_stack stack = {.data = record->stack, .size = record->stack_size};

		registers.count = (size_t)__builtin_popcountll(registers.mask);
		registers.values = stacks->registers;
		memcpy(stacks->registers, record->registers, 8 * registers.count);
		stack.address = frec__unwind_register(&registers, stacks->machine->sp);
		add_frames(stacks, process,
			   frec__unwind(process->unwind, &registers, &stack, stacks->frames,
					FREC_FRAMES_MAX, &stacks->end));
	} else {
		add_callchain(stacks, process, record, false);
	}
	return intern(stacks);
}

// Decodes the frames of a thread. Returns how many there are.
static size_t decode_thread(struct frec_stacks *stacks, const Flightrec__ThreadStack *thread)
{
	const Flightrec__Frames *frames = thread->frames;
	size_t count = frames->n_pc < frames->how.len ? frames->n_pc : frames->how.len;

	set_end(stacks, (uint32_t)frames->end, frames->address);
	return decode_frames(stacks, (const uint8_t *)frames->pc, frames->how.data, count);
}

static const struct frec_call_stack *of_thread(struct frec_stacks *stacks,
					       const Flightrec__ThreadStack *thread)
{
	struct frec_located_process *process =
		frec__stack_lives_find(&stacks->lives, thread->pid, thread->tid, thread->time);

	start(stacks);
	if (!thread->frames || !process)
		return NULL;
	add_frames(stacks, process, decode_thread(stacks, thread));
	return intern(stacks);
}

// How good the frames of a stack are. The members that come first decide.
struct quality {
	bool complete;
	size_t guessed; // frames that no call frame information led to
	size_t count;
};

static struct quality quality_of(const struct frec_stacks *stacks, const struct frec_frame *frames,
				 size_t count)
{
	struct quality quality = {stacks->end.reason == FREC_UNWIND_COMPLETE, 0, count};

	for (size_t i = 0; i < count; i++)
		quality.guessed += frames[i].kind == FREC_FRAME_FRAME_POINTER;
	return quality;
}

static bool is_better(const struct quality *a, const struct quality *than)
{
	if (a->complete != than->complete)
		return a->complete;
	// Of two stacks that are cut off, the longer one knows more.
	if (!a->complete && a->count != than->count)
		return a->count > than->count;
	return a->guessed < than->guessed;
}

// Unwinds the recorded bytes of the crashed thread. Returns the number of frames.
static size_t unwind_crash(struct frec_stacks *stacks, const struct frec_located_process *process,
			   const Flightrec__Crash *crash)
{
	const struct frec_unwind_registers registers = {.mask = crash->registers->mask,
							.values = crash->registers->value,
							.count = crash->registers->n_value};
	struct frec_stack_piece piece[FREC_STACK_PIECES_MAX];
	struct frec_stack stack = {.piece = piece};

	if (crash->stack) {
		stack.address = crash->stack->address;
		stack.data = crash->stack->data.data;
		stack.size = crash->stack->data.len;
	}
	for (size_t i = 0; i < crash->n_other_stack && i < FREC_STACK_PIECES_MAX; i++) {
		const Flightrec__Stack *other = crash->other_stack[i];

		piece[stack.pieces++] = (struct frec_stack_piece){other->address, other->data.data,
								  other->data.len};
	}
	return frec__unwind(process->unwind, &registers, &stack, stacks->frames, FREC_FRAMES_MAX,
			    &stacks->end);
}

// The recorder may have had no files to unwind with, or wrong ones. If the bytes of the stack are
// there, and the files are here, the stack can be better now.
static const struct frec_call_stack *of_crashed_thread(struct frec_stacks *stacks,
						       const Flightrec__Crash *crash,
						       const Flightrec__ThreadStack *thread)
{
	size_t count = decode_thread(stacks, thread);
	struct quality recorded = quality_of(stacks, stacks->frames, count), now;
	struct frec_located_process *process;

	if (crash->registers && crash->stack && (!recorded.complete || recorded.guessed)) {
		process =
			frec__stack_lives_find(&stacks->lives, crash->pid, crash->tid, crash->time);
		count = process ? unwind_crash(stacks, process, crash) : 0;
		now = quality_of(stacks, stacks->frames, count);
		if (process && is_better(&now, &recorded)) {
			add_frames(stacks, process, count);
			return intern(stacks);
		}
	}
	return of_thread(stacks, thread);
}

static const struct frec_call_stack *of_crash(struct frec_stacks *stacks)
{
	const Flightrec__Crash *crash = stacks->snapshot->crash;
	struct frec_located_process *process;

	start(stacks);
	if (!crash)
		return NULL;
	for (size_t i = 0; i < stacks->snapshot->thread_stack_count; i++) {
		const Flightrec__ThreadStack *thread = stacks->snapshot->thread_stacks[i];

		if (thread->tid == crash->tid && thread->pid == crash->pid && thread->frames &&
		    thread->frames->n_pc)
			return of_crashed_thread(stacks, crash, thread);
	}
	process = crash->registers ? frec__stack_lives_find(&stacks->lives, crash->pid, crash->tid,
							    crash->time)
				   : NULL;
	if (!process)
		return NULL;
	add_frames(stacks, process, unwind_crash(stacks, process, crash));
	return intern(stacks);
}

// Unwinding, and the libraries that look up names, do without what they have no memory for, and
// without files that could not be opened for want of descriptors: the result is a shorter stack, or
// one without names. Nothing but malloc(3) and frec__elf_open() leaves these errors. `before` is
// errno before it was set to 0.
static void note_failure(struct frec_stacks *stacks, int before)
{
	if (frec__is_shortage(errno))
		stacks->snapshot->left_out->failed = -errno;
	errno = before;
}

const struct frec_call_stack *frec__stacks_of_record(struct frec_stacks *stacks,
						     const struct frec_record *record)
{
	const bool unwound = record->source->unwound && record->frames_count;
	const struct frec_call_stack *stack;
	int before = errno;

	start(stacks);
	if (!record->callchain_count && !record->register_abi && !unwound)
		return NULL;
	errno = 0;
	stack = of_record(stacks, record);
	note_failure(stacks, before);
	return stack;
}

const struct frec_call_stack *frec__stacks_of_thread(struct frec_stacks *stacks,
						     const Flightrec__ThreadStack *thread)
{
	const Flightrec__Crash *crash = stacks->snapshot->crash;
	const struct frec_call_stack *stack;
	int before = errno;

	errno = 0;
	if (crash && thread->pid == crash->pid && thread->tid == crash->tid)
		stack = of_crash(stacks);
	else
		stack = of_thread(stacks, thread);
	note_failure(stacks, before);
	return stack;
}

const struct frec_call_stack *frec__stacks_of_crash(struct frec_stacks *stacks)
{
	const struct frec_call_stack *stack;
	int before = errno;

	errno = 0;
	stack = of_crash(stacks);
	note_failure(stacks, before);
	return stack;
}

const uint64_t *frec__stacks_pcs(const struct frec_stacks *stacks)
{
	return stacks->pcs;
}

const struct frec_unwind_end *frec__stacks_end(const struct frec_stacks *stacks)
{
	return &stacks->end;
}
