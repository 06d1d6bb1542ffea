// SPDX-License-Identifier: MIT
// Unwinds stacks while a file is written, and replaces stack bytes with frames.
//
// If stack bytes are dropped, frames whose address is not in code are dropped too: on an
// overwritten stack, any data can be in the place of a return address.
#include "recorder/snapshot/stacks.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "proto/cleanup.h"
#include "recorder/snapshot/lost_programs.h"
#include "recorder/snapshot/records.h"
#include "recorder/snapshot/sample_parts.h"

bool frec__snapshot_unwinds(const struct frec_snapshot_job *snapshot,
			    const struct frec_source *source)
{
	return snapshot->drop_stack_bytes && source->sample_type & PERF_SAMPLE_STACK_USER;
}

void frec__snapshot_stacks_init(struct frec_snapshot_stacks *stacks,
				const struct frec_snapshot_job *snapshot)
{
	*stacks = (struct frec_snapshot_stacks){.snapshot = snapshot,
						.worker = {.processes = snapshot->processes,
							   .only_code = snapshot->drop_stack_bytes,
							   .child = FREC_WORKER_NONE,
							   .deadline = snapshot->deadline,
							   .cancelled = snapshot->cancelled,
							   .on_progress = snapshot->on_progress,
							   .context = snapshot->context},
						.hide_kernel = snapshot->only_uid > 0 &&
							       !frec__kernel_names_public(),
						.unwound = malloc(sizeof(*stacks->unwound))};
	if (snapshot->reason->pid || snapshot->drop_stack_bytes)
		frec__unwind_worker_start(&stacks->worker);
}

void frec__snapshot_stacks_deinit(struct frec_snapshot_stacks *stacks)
{
	frec__unwind_worker_stop(&stacks->worker);
	free(stacks->unwound);
	frec__kernel_names_deinit(&stacks->kernel);
}

static bool is_code(const struct frec_process *process, uint64_t address)
{
	for (size_t i = 0; process && i < process->maps; i++) {
		if (process->map[i].start <= address && address < process->map[i].end)
			return true;
	}
	return false;
}

// Writes a stack from the core dump. If stack bytes are dropped, the written stack ends before the
// first frame that is not in code.
static void write_core_stack(struct frec_parts *parts, const struct frec_snapshot_stacks *stacks,
			     const struct frec_process *process, const Flightrec__ThreadStack *from)
{
	Flightrec__ThreadStack message = *from;
	Flightrec__Frames frames = FLIGHTREC__FRAMES__INIT;

	if (from->frames && stacks->snapshot->drop_stack_bytes) {
		frames = *from->frames;
		for (size_t i = 1; i < frames.n_pc; i++) {
			if (!is_code(process, frames.pc[i] - 1) &&
			    !is_code(process, frames.pc[i])) {
				frames.n_pc = frames.how.len = i;
				frames.end = FLIGHTREC__STACK_END__STACK_END_BAD_MEMORY;
			}
		}
		if (frames.end == FLIGHTREC__STACK_END__STACK_END_BAD_MEMORY)
			frames.address = 0;
		message.frames = &frames;
	}
	frec__parts_write(parts, FREC_PART_THREAD_STACK, &message.base);
}

static void write_crash_stack(struct frec_parts *parts, struct frec_snapshot_stacks *stacks,
			      const struct frec_process *process,
			      const struct frec_crash_state *state)
{
	const struct frec_reason *reason = stacks->snapshot->reason;
	const struct frec_stack_sample sample = {.pid = reason->pid,
						 .time = state->time,
						 .registers = state->registers,
						 .stack = state->stack};
	Flightrec__ThreadStack message = FLIGHTREC__THREAD_STACK__INIT;
	Flightrec__Registers registers = FLIGHTREC__REGISTERS__INIT;

	// If unwinding fails, the file gets no unwound stack of the crashed thread. Readers can
	// still unwind the stack bytes of that thread, unless these are dropped.
	if (parts->error.code || !stacks->unwound ||
	    !frec__unwind_worker_ask(&stacks->worker, &sample, stacks->unwound))
		return;
	message.pid = reason->pid;
	message.tid = reason->tid;
	message.time = state->time;
	for (size_t i = 0; i < process->threads; i++) {
		if (process->thread[i].tid == reason->tid)
			message.name =
				(ProtobufCBinaryData){.len = strlen(process->thread[i].name),
						      .data = (uint8_t *)process->thread[i].name};
	}
	registers.mask = state->registers.mask;
	registers.n_value = state->registers.count;
	registers.value = (uint64_t *)state->registers.values;
	message.registers = &registers;
	message.frames = &stacks->unwound->frames;
	frec__parts_write(parts, FREC_PART_THREAD_STACK, &message.base);
}

void frec__snapshot_stacks_write_threads(struct frec_snapshot_stacks *stacks,
					 struct frec_parts *parts,
					 const struct frec_crash_state *state)
{
	const struct frec_reason *reason = stacks->snapshot->reason;
	const struct frec_thread_stacks *core = stacks->snapshot->stacks;
	const struct frec_process *process = frec__snapshot_victim(stacks->snapshot);

	for (size_t i = 0; core && i < core->count; i++)
		write_core_stack(parts, stacks, process, core->stack[i]);
	if (process && reason->tid && state->registers.count &&
	    !(core && frec__thread_stacks_find(core, reason->tid)))
		write_crash_stack(parts, stacks, process, state);
}

// Stores the frames of a record in stacks->unwound. There are none if there was no stack or the
// time is up.
static void unwind(struct frec_snapshot_stacks *stacks, const struct frec_source *source,
		   const struct perf_event_header *record, const struct frec_perf_sample *parts)
{
	struct frec_stack_sample sample = {.pid = frec__record_pid(record),
					   .time = frec__record_time(record)};
	uint64_t values[64];

	frec__sample_state(source, parts, values, &sample.registers, &sample.stack);
	(void)frec__unwind_worker_ask(&stacks->worker, &sample, stacks->unwound);
}

// Notes that a record has a stack that readers will have to unwind.
static void note_stack(struct frec_snapshot_stacks *stacks, const struct perf_event_header *record)
{
	uint32_t pid = frec__record_pid(record);
	size_t i = stacks->unwound_later_count;

	if (!stacks->snapshot->processes->held_files)
		return;
	while (i > 0 && stacks->unwound_later[i - 1] != pid)
		i--;
	if (!i && stacks->unwound_later_count < FREC_STACKS_PROCESSES_MAX)
		stacks->unwound_later[stacks->unwound_later_count++] = pid;
}

static uint8_t *append(uint8_t *to, const void *from, size_t size)
{
	if (size)
		memcpy(to, from, size);
	return to + size;
}

// Appends as many frames as fit into `room`.
static uint8_t *append_frames(uint8_t *to, size_t room, const struct frec_unwound *unwound)
{
	const Flightrec__Frames *frames = unwound ? &unwound->frames : NULL;
	size_t fit = (room - 16) / 9 / 8 * 8, count = frames ? frames->n_pc : 0;
	uint32_t head[2];
	uint64_t address = frames ? frames->address : 0;

	head[0] = (uint32_t)(count < fit ? count : fit);
	head[1] = !frames	? FREC_UNWIND_NO_REGISTERS
		  : count > fit ? FREC_UNWIND_LIMIT
				: (uint32_t)frames->end;
	to = append(to, head, sizeof(head));
	to = append(to, &address, sizeof(address));
	if (!head[0])
		return to;
	to = append(to, frames->pc, head[0] * sizeof(*frames->pc));
	to = append(to, frames->how.data, head[0]);
	for (; head[0] % 8; head[0]++)
		*to++ = 0;
	return to;
}

// Appends the payload, padded so that its size field and the payload together are a multiple of 8
// bytes. If `cut` is set, the payload ends before the memory that a SOURCE_CRASH has.
static uint8_t *append_payload(uint8_t *to, bool cut, const struct frec_perf_sample *parts)
{
	const size_t head = offsetof(struct frec_crash_record, memory), unit = sizeof(uint64_t);
	size_t kept = cut && parts->raw_size > head ? head : parts->raw_size;
	uint32_t size = (uint32_t)((kept + sizeof(size) + unit - 1) / unit * unit - sizeof(size));
	uint8_t *payload;

	payload = append(to, &size, sizeof(size));
	memset(payload, 0, size);
	append(payload, parts->raw, kept);
	if (cut && kept == head)
		memset(payload + offsetof(struct frec_crash_record, pages), 0,
		       sizeof(((struct frec_crash_record *)0)->pages));
	return payload + size;
}

// Appends the call chain. If `hide_kernel` is set, the kernel's part is left out.
static uint8_t *append_callchain(uint8_t *to, bool hide_kernel,
				 const struct frec_perf_sample *parts)
{
	uint8_t *at = to + sizeof(uint64_t);
	uint64_t count = 0, address;
	bool kernel = false;

	for (size_t i = 0; i < parts->chain_count; i++) {
		memcpy(&address, parts->chain + i * sizeof(address), sizeof(address));
		if (address == (uint64_t)PERF_CONTEXT_KERNEL ||
		    address == (uint64_t)PERF_CONTEXT_USER)
			kernel = address == (uint64_t)PERF_CONTEXT_KERNEL;
		if (kernel && hide_kernel)
			continue;
		at = append(at, &address, sizeof(address));
		count++;
	}
	append(to, &count, sizeof(count));
	return at;
}

// Rebuilds the record from its parts, without those that the file must not have. Returns the new
// size.
static size_t rewrite(struct frec_snapshot_stacks *stacks, const struct frec_source *source,
		      const struct perf_event_header *record, const struct frec_perf_sample *parts,
		      uint8_t *to)
{
	const bool drop = stacks->snapshot->drop_stack_bytes;
	struct perf_event_header header = *record;
	uint8_t *end = append(to, record, frec__sample_head(source));

	if (source->sample_type & PERF_SAMPLE_CALLCHAIN)
		end = append_callchain(end, stacks->hide_kernel, parts);
	end = append_payload(
		end, drop && source->listed.kind == FLIGHTREC__SOURCE_KIND__SOURCE_CRASH, parts);
	if (frec__snapshot_unwinds(stacks->snapshot, source)) {
		if (stacks->unwound)
			unwind(stacks, source, record, parts);
		end = append_frames(end, FREC_RECORD_SIZE_MAX - 8 - (size_t)(end - to),
				    stacks->unwound);
	} else if (parts->raw && !drop) {
		const uint8_t *rest = parts->raw + parts->raw_size;

		end = append(end, rest, (size_t)((const uint8_t *)record + header.size - rest));
	}
	header.size = (uint16_t)(end - to);
	memcpy(to, &header, sizeof(header));
	return header.size;
}

size_t frec__snapshot_stacks_copy(struct frec_snapshot_stacks *stacks,
				  const struct frec_source *source,
				  const struct perf_event_header *record, uint8_t *to)
{
	bool sample = source && record->type == PERF_RECORD_SAMPLE;
	bool callchain = sample && source->sample_type & PERF_SAMPLE_CALLCHAIN;
	bool stack = sample && (source->sample_type & PERF_SAMPLE_STACK_USER ||
				source->listed.kind == FLIGHTREC__SOURCE_KIND__SOURCE_CRASH);
	bool rewritten =
		(stack && stacks->snapshot->drop_stack_bytes) || (callchain && stacks->hide_kernel);
	struct frec_perf_sample parts;

	// If something must be left out of a broken record, only its head is kept, because the rest
	// can be anything.
	if ((callchain || rewritten) && frec__sample_read(source, record, &parts))
		parts = (struct frec_perf_sample){0};
	if (callchain && !stacks->hide_kernel)
		frec__kernel_names_add(&stacks->kernel, parts.chain, parts.chain_count);
	if (rewritten)
		return rewrite(stacks, source, record, &parts, to);
	if (stack)
		note_stack(stacks, record);
	memcpy(to, record, record->size);
	return record->size;
}

static bool has_program(const struct frec_thread_stacks *core, const Flightrec__Program *program)
{
	for (size_t i = 0; core && i < core->program_count; i++) {
		if (frec__lost_program_equal(core->program[i], program))
			return true;
	}
	return false;
}

struct writing {
	struct frec_parts *parts;
	const struct frec_thread_stacks *core;
};

static void write_program(void *context, const Flightrec__Program *program)
{
	const struct writing *writing = context;

	if (!has_program(writing->core, program))
		frec__parts_write(writing->parts, FREC_PART_PROGRAM, &program->base);
}

void frec__snapshot_stacks_write_programs(struct frec_snapshot_stacks *stacks,
					  struct frec_parts *parts)
{
	const struct frec_snapshot_job *snapshot = stacks->snapshot;
	const struct frec_thread_stacks *core = snapshot->stacks;
	struct frec_unwind_worker *worker = &stacks->worker;
	struct writing writing = {parts, core};

	for (size_t i = 0; core && i < core->program_count; i++)
		frec__parts_write(parts, FREC_PART_PROGRAM, &core->program[i]->base);
	if (!snapshot->processes->held_files || parts->error.code)
		return;
	if (worker->child.fd < 0 && stacks->unwound_later_count && !snapshot->reason->pid)
		frec__unwind_worker_start(worker);
	if (snapshot->reason->pid)
		frec__unwind_worker_open(worker, snapshot->reason->pid, snapshot->reason->time);
	for (size_t i = 0; i < stacks->unwound_later_count; i++)
		frec__unwind_worker_open(worker, stacks->unwound_later[i],
					 snapshot->capture->complete_until);
	frec__unwind_worker_programs(worker, write_program, &writing);
}

void frec__snapshot_stacks_write_names(struct frec_snapshot_stacks *stacks,
				       struct frec_parts *parts)
{
	const struct frec_snapshot_job *snapshot = stacks->snapshot;
	Flightrec__KernelSymbols message = FLIGHTREC__KERNEL_SYMBOLS__INIT;
	FREC_FCLOSE FILE *kallsyms = NULL;

	if (!stacks->kernel.address.count || parts->error.code)
		return;
	kallsyms = fopen("/proc/kallsyms", "re");
	if (!kallsyms)
		return;
	if (!frec__kernel_names_find(&stacks->kernel, kallsyms, snapshot->on_progress,
				     snapshot->context, &message)) {
		frec__parts_write(parts, FREC_PART_KERNEL_SYMBOLS, &message.base);
		frec__kernel_names_free(&message);
	}
}
