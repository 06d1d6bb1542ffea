// SPDX-License-Identifier: MIT
// Unwinds the threads of a dying process.
#include "recorder/core/stacks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "flightrec.pb-c.h"
#include "proto/cleanup.h"
#include "proto/clocks.h"
#include "proto/part.h"
#include "recorder/core/memory.h"
#include "recorder/rings/registers.h"
#include "recorder/snapshot/lost_programs.h"
#include "recorder/snapshot/unwound.h"

struct work {
	const struct frec_core_process *process;
	struct frec_unwind_process *unwind;
	struct frec_core_memory memory;
	struct frec_unwound unwound;
	int fd;
	size_t written;
};

static int unwind(struct work *work, const struct frec_core_thread *thread)
{
	const struct frec_unwind_registers registers = {
		.mask = frec__perf_user_registers,
		.values = thread->value,
		.count = (size_t)__builtin_popcountll(frec__perf_user_registers)};
	const struct frec_stack stack = {.read = frec__core_memory_read, .context = &work->memory};

	return frec__unwound_stack(work->unwind, &registers, &stack, &work->unwound);
}

// Returns 0, -ENOSPC if no more stacks fit, or another negative errno.
static int write_thread(struct work *work, struct frec_core_thread *thread, uint64_t now)
{
	Flightrec__ThreadStack message = FLIGHTREC__THREAD_STACK__INIT;
	Flightrec__Registers registers = FLIGHTREC__REGISTERS__INIT;
	FREC_FREE uint8_t *part = NULL;
	const struct frec_core_tid *known = frec__core_process_thread(work->process, thread->tid);
	const char *name = known ? known->name : "";
	size_t size;
	int r;

	message.pid = (uint32_t)work->process->pid;
	message.tid = known ? known->here : 0;
	message.name =
		(ProtobufCBinaryData){.len = strlen(name), .data = (uint8_t *)(uintptr_t)name};
	message.time = now;
	registers.mask = frec__perf_user_registers;
	registers.n_value = (size_t)__builtin_popcountll(registers.mask);
	registers.value = thread->value;
	message.registers = &registers;
	r = unwind(work, thread);
	if (r)
		return r;
	message.frames = &work->unwound.frames;
	r = frec__part_pack(FREC_PART_THREAD_STACK, &message.base, &part, &size);
	if (r)
		return r;
	if (work->written + size > FREC_CORE_STACKS_SIZE_MAX)
		return -ENOSPC;
	work->written += size;
	return write(work->fd, part, size) == (ssize_t)size ? 0 : -EIO;
}

static int write_program(void *context, const uint8_t *part, size_t size)
{
	const struct work *work = context;

	return write(work->fd, part, size) == (ssize_t)size ? 0 : -EIO;
}

static int write_threads(struct work *work, const struct frec_core_notes *notes, uint64_t deadline,
			 size_t *ret_missing)
{
	size_t done = 0;
	int r = 0;

	for (; done < notes->count && !r; done++) {
		uint64_t now = frec__monotonic();

		r = now < deadline ? write_thread(work, &notes->thread[done], now) : -ETIME;
		if (r)
			break;
	}
	*ret_missing = notes->count - done + notes->beyond;
	return done ? 0 : r;
}

int frec__core_stacks_write(const struct frec_core_process *process,
			    const struct frec_core_notes *notes, uint64_t deadline, int fd,
			    size_t *ret_missing, struct frec_error *reterr)
{
	FREC_FREE struct work *work = calloc(1, sizeof(*work));
	struct frec_unwinder *unwinder = NULL;
	int r = work ? 0 : -ENOMEM;

	if (!r)
		r = frec__unwound_open(&unwinder);
	if (!r)
		r = frec__unwind_process_create(unwinder, process->program, process->programs,
						&work->unwind);
	if (!r) {
		work->process = process;
		work->memory.process = process;
		work->fd = fd;
		r = write_threads(work, notes, deadline, ret_missing);
		if (!r && frec__monotonic() < deadline)
			r = frec__lost_programs_pack(unwinder,
						     FREC_CORE_STACKS_SIZE_MAX - work->written,
						     write_program, work);
		frec__unwind_process_destroy(work->unwind);
	}
	frec__unwinder_destroy(unwinder);
	return r ? frec__error(reterr, r, "unwinding process %d: %s", process->pid, strerror(-r))
		 : 0;
}
