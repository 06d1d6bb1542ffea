// SPDX-License-Identifier: MIT
// Parses stacks that another process has unwound.
#include "recorder/snapshot/thread_stacks.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "proto/grow.h"
#include "proto/part.h"
#include "unwind/unwind.h"

static bool is_sound(const Flightrec__ThreadStack *stack, uint32_t pid)
{
	const Flightrec__Registers *registers = stack->registers;
	const Flightrec__Frames *frames = stack->frames;

	return stack->pid == pid && registers && frames && frames->n_pc <= FREC_FRAMES_MAX &&
	       frames->how.len == frames->n_pc &&
	       registers->n_value == (size_t)__builtin_popcountll(registers->mask);
}

static int add(struct frec_thread_stacks *stacks, Flightrec__ThreadStack *stack)
{
	if (!frec__grow(&stacks->stack, stacks->count, sizeof(*stacks->stack)))
		return -ENOMEM;
	stacks->stack[stacks->count++] = stack;
	return 0;
}

static bool is_sound_program(const Flightrec__Program *program)
{
	const ProtobufCBinaryData *content =
		program->content_case == FLIGHTREC__PROGRAM__CONTENT_ZSTD ? &program->zstd
									  : &program->plain;
	uint64_t size = 0;

	for (size_t i = 0; i < program->n_piece; i++)
		size += program->piece[i]->size;
	return program->path.len && size <= FREC_PROGRAM_KEPT_MAX && content->len <= size;
}

static int add_program(struct frec_thread_stacks *stacks, const struct frec_part_view *view)
{
	Flightrec__Program *program = flightrec__program__unpack(NULL, view->body_size, view->body);

	if (!program)
		return -EINVAL;
	if (is_sound_program(program) &&
	    frec__grow(&stacks->program, stacks->program_count, sizeof(*stacks->program))) {
		stacks->program[stacks->program_count++] = program;
		return 0;
	}
	flightrec__program__free_unpacked(program, NULL);
	return -EINVAL;
}

int frec__thread_stacks_parse(struct frec_thread_stacks *stacks, const uint8_t *data, size_t size,
			      uint32_t pid, struct frec_error *reterr)
{
	struct frec_part_view view;
	size_t offset = 0;
	int r = 0;

	*stacks = (struct frec_thread_stacks){.count = 0};
	for (; !r && offset < size; offset += view.size) {
		Flightrec__ThreadStack *stack = NULL;

		r = frec__part_next(data + offset, size - offset, &view);
		if (!r && view.field == FREC_PART_PROGRAM) {
			r = add_program(stacks, &view);
			if (!r)
				continue;
		}
		if (!r && view.field == FREC_PART_THREAD_STACK)
			stack = flightrec__thread_stack__unpack(NULL, view.body_size, view.body);
		r = stack && is_sound(stack, pid) ? add(stacks, stack) : -EINVAL;
		if (r && stack)
			flightrec__thread_stack__free_unpacked(stack, NULL);
		if (r)
			frec__error(reterr, r, "stacks of process %u: invalid data at byte %zu",
				    pid, offset);
	}
	if (r)
		frec__thread_stacks_deinit(stacks);
	return r;
}

void frec__thread_stacks_deinit(struct frec_thread_stacks *stacks)
{
	for (size_t i = 0; i < stacks->count; i++)
		flightrec__thread_stack__free_unpacked(stacks->stack[i], NULL);
	free(stacks->stack);
	for (size_t i = 0; i < stacks->program_count; i++)
		flightrec__program__free_unpacked(stacks->program[i], NULL);
	free(stacks->program);
	*stacks = (struct frec_thread_stacks){.count = 0};
}

const Flightrec__ThreadStack *frec__thread_stacks_find(const struct frec_thread_stacks *stacks,
						       uint32_t tid)
{
	for (size_t i = 0; i < stacks->count; i++) {
		if (stacks->stack[i]->tid == tid)
			return stacks->stack[i];
	}
	return NULL;
}
