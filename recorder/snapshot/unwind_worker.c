// SPDX-License-Identifier: MIT
// Both ends of the socket between the recorder and the child that unwinds.
#include "recorder/snapshot/unwind_worker.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/clocks.h"
#include "proto/report.h"
#include "recorder/processes/held_files.h"
#include "recorder/snapshot/lost_programs.h"
#include "recorder/snapshot/unwound_lives.h"

// How many seconds unwinding may take for one file. Once the programs' tables are loaded, that is
// enough for hundreds of thousands of stacks.
#define SECONDS_MAX 5
// Milliseconds between two calls of `on_progress`.
#define TURN 5
// The size of a record has 16 bits, so no piece is larger; and the bytes of a stack come from at
// most two records.
#define PIECE_SIZE_MAX 65536
#define STACK_SIZE_MAX (2 * PIECE_SIZE_MAX)
// The size of messages with pieces of programs.
#define SLICE 65536

// What the child is asked for.
enum kind { UNWIND, OPEN, PROGRAMS };

// A stack to unwind, or a process whose programs are to be opened, or for all lost programs. Lost
// programs come as parts of a file, each after its size, and a size of 0 ends them. The bytes of
// the stack's pieces follow each other in `stack`.
struct question {
	enum kind kind;
	uint64_t time, mask;
	uint32_t pid, count;
	uint64_t value[64];
	size_t pieces;						     // without the first one
	struct frec_stack_piece first, piece[FREC_STACK_PIECES_MAX]; // `data` is not used
	uint8_t stack[];
};

struct answer {
	uint64_t address;
	uint32_t end, count;
	uint8_t how[FREC_FRAMES_MAX];
	uint64_t pc[FREC_FRAMES_MAX]; // only the first `count` are sent
};

static size_t answer_size(size_t count)
{
	return offsetof(struct answer, pc) + count * sizeof(((struct answer *)0)->pc[0]);
}

static void keep_only_code(struct frec_unwound *unwound)
{
	Flightrec__Frames *frames = &unwound->frames;

	for (size_t i = 1; i < frames->n_pc; i++) {
		if (unwound->frame[i].map == FREC_FRAME_NO_MAP) {
			frames->n_pc = frames->how.len = i;
			frames->end = FLIGHTREC__STACK_END__STACK_END_BAD_MEMORY;
		}
	}
	if (frames->end == FLIGHTREC__STACK_END__STACK_END_BAD_MEMORY)
		frames->address = 0;
}

// Returns 0, or a negative errno if memory ran out or the opener is gone.
static int unwind(struct frec_unwound_lives *lives, bool only_code,
		  const struct frec_stack_sample *sample, struct frec_unwound *ret)
{
	struct frec_unwind_process *process;
	int r;

	errno = 0;
	process = frec__unwound_lives_find(lives, sample->pid, sample->time);
	frec__unwound_init(ret, 0, FREC_UNWIND_NO_REGISTERS, 0);
	if (!process)
		return errno == ENOMEM ? -ENOMEM : 0;
	r = frec__unwound_stack(process, &sample->registers, &sample->stack, ret);
	if (!r && only_code)
		keep_only_code(ret);
	return r;
}

static void unwind_here(const struct frec_unwind_worker *worker,
			const struct frec_stack_sample *sample, struct frec_unwound *ret)
{
	struct frec_unwound_lives *lives;

	// The views are created for this stack alone, because the process table may change before
	// the next stack is unwound.
	frec__unwound_init(ret, 0, FREC_UNWIND_NO_REGISTERS, 0);
	if (!sample->registers.count || frec__unwound_lives_create(worker->processes, &lives))
		return;
	(void)unwind(lives, worker->only_code, sample, ret);
	frec__unwound_lives_destroy(lives);
}

static int open_all(struct frec_unwound_lives *lives, int fd, const struct question *question)
{
	struct frec_unwind_process *process =
		frec__unwound_lives_find(lives, question->pid, question->time);
	char byte = 0;
	struct iovec done = {&byte, 1};

	if (process)
		frec__unwind_process_open(process);
	return frec__worker_send(fd, &done, 1, -1);
}

// Sends the size of a part, and then the part in slices.
static int send_part(void *context, const uint8_t *part, size_t size)
{
	uint32_t announced = (uint32_t)size;
	struct iovec slice = {&announced, sizeof(announced)};
	int fd = *(const int *)context, r = frec__worker_send(fd, &slice, 1, -1);

	for (size_t at = 0; at < size && !r; at += SLICE) {
		slice = (struct iovec){(void *)(uintptr_t)(part + at), SLICE};
		if (size - at < SLICE)
			slice.iov_len = size - at;
		r = frec__worker_send(fd, &slice, 1, -1);
	}
	return r;
}

static int send_programs(struct frec_unwound_lives *lives, int fd)
{
	uint32_t no_more = 0;
	struct iovec end = {&no_more, sizeof(no_more)};
	int r = frec__lost_programs_pack(frec__unwound_lives_unwinder(lives),
					 FREC_LOST_PROGRAMS_BYTES_MAX, send_part, &fd);

	return r ? r : frec__worker_send(fd, &end, 1, -1);
}

// Points the pieces to their bytes.
static struct frec_stack stack_of(struct question *question)
{
	const uint8_t *at = question->stack + question->first.size;
	struct frec_stack stack = {.address = question->first.address,
				   .data = question->stack,
				   .size = question->first.size,
				   .piece = question->piece,
				   .pieces = question->pieces};

	for (size_t i = 0; i < question->pieces; i++) {
		question->piece[i].data = at;
		at += question->piece[i].size;
	}
	return stack;
}

static void serve(void *context, int fd)
{
	const struct frec_unwind_worker *worker = context;
	FREC_FREE struct frec_unwound *unwound = malloc(sizeof(*unwound));
	FREC_FREE struct answer *answer = malloc(sizeof(*answer));
	const size_t size = sizeof(struct question) + STACK_SIZE_MAX;
	FREC_FREE struct question *question = malloc(size);
	struct frec_unwound_lives *lives;

	if (!question || !unwound || !answer ||
	    frec__unwound_lives_create(worker->processes, &lives))
		return;
	while (frec__worker_receive(fd, question, size, NULL, 0) > 0) {
		if (question->kind != UNWIND) {
			if (question->kind == OPEN ? open_all(lives, fd, question)
						   : send_programs(lives, fd))
				return;
			continue;
		}
		struct iovec part = {answer, 0};
		const struct frec_stack_sample sample = {.pid = question->pid,
							 .time = question->time,
							 .registers = {.mask = question->mask,
								       .values = question->value,
								       .count = question->count},
							 .stack = stack_of(question)};
		const Flightrec__Frames *frames = &unwound->frames;

		if (unwind(lives, worker->only_code, &sample, unwound))
			return;
		answer->address = frames->address;
		answer->end = (uint32_t)frames->end;
		answer->count = (uint32_t)frames->n_pc;
		memcpy(answer->how, unwound->how, frames->n_pc);
		memcpy(answer->pc, unwound->pc, frames->n_pc * sizeof(*answer->pc));
		part.iov_len = answer_size(answer->count);
		if (frec__worker_send(fd, &part, 1, -1))
			return;
	}
}

void frec__unwind_worker_start(struct frec_unwind_worker *worker)
{
	struct frec_sandbox sandbox = frec__sandbox_to_unwind(SECONDS_MAX + 1);
	FREC_FREE int *held = frec__held_files_list(worker->processes, &sandbox.held_count);

	sandbox.held = held;
	worker->handed_back = frec__monotonic();
	worker->until = worker->handed_back + SECONDS_MAX * UINT64_C(1000000000);
	worker->here = frec__worker_start(&worker->child, &sandbox, serve, worker) && geteuid();
}

void frec__unwind_worker_stop(struct frec_unwind_worker *worker)
{
	frec__worker_stop(&worker->child);
}

static void hand_back(struct frec_unwind_worker *worker)
{
	uint64_t now = frec__monotonic();

	if (now - worker->handed_back < TURN * UINT64_C(1000000))
		return;
	worker->handed_back = now;
	if (worker->on_progress)
		worker->on_progress(worker->context);
}

static bool is_cancelled(const struct frec_unwind_worker *worker)
{
	return worker->cancelled && *worker->cancelled;
}

static bool is_late(const struct frec_unwind_worker *worker)
{
	uint64_t now = frec__monotonic();

	return now >= worker->until ||
	       (worker->deadline && *worker->deadline && now >= *worker->deadline) ||
	       is_cancelled(worker);
}

// Waits for the answer. Returns false if it did not come in time.
static bool wait_for_answer(struct frec_unwind_worker *worker)
{
	struct pollfd poller = {.fd = worker->child.fd, .events = POLLIN};

	do {
		int r = poll(&poller, 1, TURN);

		hand_back(worker);
		if (r > 0)
			return true;
	} while (!is_late(worker));
	return false;
}

static void give_up(struct frec_unwind_worker *worker, bool late)
{
	char how[64];

	if (late) {
		frec__worker_stop(&worker->child);
		if (is_cancelled(worker))
			return;
		frec__report(LOG_WARNING,
			     "unwinding stacks took too long (at most %d s, and less if the "
			     "recorder is to end): the rest of this file has no frames",
			     SECONDS_MAX);
		return;
	}
	frec__worker_reap(&worker->child, how, sizeof(how));
	frec__report(LOG_WARNING,
		     "unwinding stacks ended by %s: the rest of this file has no frames", how);
}

// The child has read untrusted files, so its answers are checked as strictly as a file.
static bool is_answer(const struct answer *answer, ssize_t size)
{
	return size >= (ssize_t)answer_size(0) && answer->count <= FREC_FRAMES_MAX &&
	       (size_t)size == answer_size(answer->count) && answer->end <= FREC_UNWIND_LIMIT;
}

// Adds a piece to a message of `parts` parts, unless it does not fit. Returns whether it does.
static bool add_piece(struct iovec *part, size_t parts, size_t *size,
		      const struct frec_stack_piece *piece)
{
	if (piece->size > STACK_SIZE_MAX - *size)
		return false;
	part[parts] = (struct iovec){(void *)(uintptr_t)piece->data, piece->size};
	*size += piece->size;
	return true;
}

static bool ask_child(struct frec_unwind_worker *worker, const struct frec_stack_sample *sample,
		      struct frec_unwound *ret)
{
	const struct frec_unwind_registers *registers = &sample->registers;
	const struct frec_stack *stack = &sample->stack;
	struct question question = {.time = sample->time,
				    .mask = registers->mask,
				    .pid = sample->pid,
				    .count = (uint32_t)registers->count,
				    .first = {stack->address, stack->data, stack->size}};
	struct iovec part[2 + FREC_STACK_PIECES_MAX] = {{&question, sizeof(question)}};
	struct answer answer;
	bool late = false;
	size_t size = 0;

	if (question.first.size > PIECE_SIZE_MAX)
		question.first.size = PIECE_SIZE_MAX;
	add_piece(part, 1, &size, &question.first);
	for (size_t i = 0; i < stack->pieces && question.pieces < FREC_STACK_PIECES_MAX; i++) {
		if (add_piece(part, 2 + question.pieces, &size, &stack->piece[i]))
			question.piece[question.pieces++] = stack->piece[i];
	}
	memcpy(question.value, registers->values, registers->count * sizeof(*question.value));
	if (frec__worker_send(worker->child.fd, part, 2 + question.pieces, -1) ||
	    (late = !wait_for_answer(worker)) ||
	    !is_answer(&answer, frec__worker_receive(worker->child.fd, &answer, sizeof(answer),
						     NULL, MSG_DONTWAIT))) {
		give_up(worker, late);
		return false;
	}
	memcpy(ret->how, answer.how, answer.count);
	memcpy(ret->pc, answer.pc, answer.count * sizeof(*ret->pc));
	frec__unwound_init(ret, answer.count, (enum frec_unwind_reason)answer.end, answer.address);
	return true;
}

bool frec__unwind_worker_ask(struct frec_unwind_worker *worker,
			     const struct frec_stack_sample *sample, struct frec_unwound *ret)
{
	if (!sample->registers.count || (worker->here && !is_late(worker))) {
		unwind_here(worker, sample, ret);
		hand_back(worker);
		return true;
	}
	if (worker->child.fd >= 0 && ask_child(worker, sample, ret))
		return true;
	frec__unwound_init(ret, 0, FREC_UNWIND_LIMIT, 0);
	return false;
}

static bool send_question(struct frec_unwind_worker *worker, const struct question *question)
{
	struct iovec part = {(void *)(uintptr_t)question, sizeof(*question)};

	return worker->child.fd >= 0 && !frec__worker_send(worker->child.fd, &part, 1, -1);
}

// Receives a message of at most `size` bytes. Returns its size, or 0 after the child was given up.
static size_t next_message(struct frec_unwind_worker *worker, void *data, size_t size)
{
	bool late = !wait_for_answer(worker);
	ssize_t n =
		late ? 0 : frec__worker_receive(worker->child.fd, data, size, NULL, MSG_DONTWAIT);

	if (n > 0)
		return (size_t)n;
	give_up(worker, late);
	return 0;
}

void frec__unwind_worker_open(struct frec_unwind_worker *worker, uint32_t pid, uint64_t time)
{
	const struct question question = {.kind = OPEN, .pid = pid, .time = time};
	char done;

	if (send_question(worker, &question))
		(void)next_message(worker, &done, sizeof(done));
}

// Receives the next part. Returns its size, or 0 if there are no more.
static size_t next_part(struct frec_unwind_worker *worker, uint8_t *data)
{
	uint32_t size;
	size_t n;

	if (next_message(worker, &size, sizeof(size)) != sizeof(size) || !size)
		return 0;
	if (size > FREC_LOST_PROGRAM_BYTES_MAX) {
		give_up(worker, false);
		return 0;
	}
	for (size_t at = 0; at < size; at += n) {
		n = next_message(worker, data + at, size - at < SLICE ? size - at : SLICE);
		if (!n)
			return 0;
	}
	return size;
}

void frec__unwind_worker_programs(struct frec_unwind_worker *worker,
				  void (*take)(void *context, const Flightrec__Program *program),
				  void *context)
{
	const struct question question = {.kind = PROGRAMS};
	FREC_FREE uint8_t *data = malloc(FREC_LOST_PROGRAM_BYTES_MAX);
	size_t size, all = 0;

	if (!data || !send_question(worker, &question))
		return;
	while ((size = next_part(worker, data)) && all <= FREC_LOST_PROGRAMS_BYTES_MAX) {
		struct frec_thread_stacks part;

		// The child may have been taken over by what it has read, so this is parsed like a
		// file.
		if (frec__thread_stacks_parse(&part, data, size, 0, NULL))
			break;
		for (size_t i = 0; i < part.program_count; i++)
			take(context, part.program[i]);
		frec__thread_stacks_deinit(&part);
		all += size;
	}
	frec__worker_stop(&worker->child);
}
