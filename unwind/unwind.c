// SPDX-License-Identifier: MIT
// Unwinds a stack, frame by frame.
//
// There are two ways from a frame to its caller. The fast one applies a row and follows only three
// registers: pc, stack pointer and frame pointer (on aarch64 also the link register). The slow one
// runs the CFI instructions and follows all registers. Most stacks need only the fast one. If a
// frame's row demands the slow one, this frame takes it, and the registers that the fast one did
// not follow are unknown. If the value of one of them is needed, the stack is unwound again from
// the top with all registers. This happens in hand-written assembly, and costs little more than
// taking the slow way from the start.
//
// The pc of a caller is a return address. If the call is the last instruction of a function,
// because the function that it calls never returns, the return address is already the first address
// of the next function. So the row of a caller is the row of the byte before its pc. The exception
// is a frame that a signal interrupted: its pc is the address of the next instruction, which need
// not follow a call. If nothing describes the byte before pc, pc can be the first instruction of a
// function whose address was put in the place of a return address, without a call. Coroutines begin
// so, and their stacks end there.
#include "unwind/unwind.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "unwind/process.h"
#include "unwind/step.h"

// An address up to this many bytes above the recorded bytes may still belong to the same stack.
#define STACK_REACH (1ull << 30)

// How far ahead of the current frame the stack's bytes are prefetched. Each stack is read only
// once, so its bytes are not in the cache, and a read from memory takes longer than unwinding a
// frame.
#define READ_AHEAD 1024
#define CACHE_LINE 64

struct walk {
	struct frec_unwind_process *process;
	const struct frec_registers *machine;
	const struct frec_stack *stack;
	struct frec_cpu cpu;
	bool all;      // follow all registers
	bool exact;    // the current frame's `exact`: see struct frec_frame
	bool uncalled; // the current frame has no caller
	struct frec_frame *frames;
	size_t count, capacity;
	struct frec_unwind_end *end;
};

static bool end_walk(struct walk *walk, enum frec_unwind_reason reason, uint64_t address)
{
	walk->end->reason = reason;
	walk->end->address = address;
	walk->end->error.code = 0;
	return false;
}

static bool end_at_memory(struct walk *walk, uint64_t address)
{
	// If the process is still there, it has no memory at the address.
	return end_walk(walk,
			!walk->stack->read &&
					frec__stack_is_beyond(walk->stack, address, STACK_REACH)
				? FREC_UNWIND_TRUNCATED
				: FREC_UNWIND_BAD_MEMORY,
			address);
}

// Ends the walk at a frame that needs a register whose value is unknown: at the address where it
// was saved or, if no callee saved it, at the stack pointer.
static bool end_at_register(struct walk *walk, const struct frec_cpu *cpu)
{
	if (cpu->missing)
		return end_at_memory(walk, cpu->missing);
	return end_walk(walk, FREC_UNWIND_BAD_MEMORY, cpu->value[walk->machine->dwarf_sp]);
}

static inline bool load(struct walk *walk, uint64_t address, uint64_t *ret)
{
	return frec__stack_read(walk->stack, address, ret) || end_at_memory(walk, address);
}

static inline void prefetch(const struct frec_stack *stack, uint64_t address)
{
	// The address may be anywhere, because a prefetch never faults.
	__builtin_prefetch((const void *)((uintptr_t)stack->data + (address - stack->address)));
}

// Makes the caller the current frame, of which only pc, sp and fp are known. Returns false if the
// frame is its own caller.
static inline bool enter_caller(struct walk *walk, uint64_t pc, uint64_t sp, uint64_t fp,
				bool fp_known)
{
	const struct frec_registers *machine = walk->machine;
	struct frec_cpu *cpu = &walk->cpu;

	if (sp == cpu->value[machine->dwarf_sp] && pc == cpu->pc)
		return end_walk(walk, FREC_UNWIND_LOOP, pc);
	// Always two cache lines: a loop over the frame's size would take longer than it saves.
	prefetch(walk->stack, sp + READ_AHEAD);
	prefetch(walk->stack, sp + READ_AHEAD + CACHE_LINE);
	cpu->pc = pc;
	cpu->value[machine->dwarf_sp] = sp;
	cpu->value[machine->dwarf_fp] = fp;
	cpu->value[machine->dwarf_ra] = pc;
	cpu->known = 1ull << machine->dwarf_sp | 1ull << machine->dwarf_ra |
		     (uint64_t)fp_known << machine->dwarf_fp;
	walk->exact = false;
	return true;
}

static bool by_frame_pointer(struct walk *walk)
{
	const struct frec_registers *machine = walk->machine;
	uint64_t fp, sp = walk->cpu.value[machine->dwarf_sp], pc, caller_fp;

	// The frame pointer has to point upwards, to an aligned pair of words, the second of which
	// is an address in code.
	if (!frec__cpu_get(machine, &walk->cpu, machine->dwarf_fp, &fp) || fp < sp || fp % 8 ||
	    !frec__stack_read(walk->stack, fp, &caller_fp) ||
	    !frec__stack_read(walk->stack, fp + 8, &pc))
		return end_walk(walk, FREC_UNWIND_NO_CFI, walk->cpu.pc);
	pc &= machine->address_mask;
	if (!frec__process_mapping(walk->process, pc - 1))
		return end_walk(walk, FREC_UNWIND_NO_CFI, walk->cpu.pc);
	walk->frames[walk->count].kind = FREC_FRAME_FRAME_POINTER;
	return enter_caller(walk, pc, fp + 16, caller_fp, true);
}

// The pc at the top is not in code, after a jump or call through a bad pointer. If it was a call,
// the return address is still where the call put it, and all other registers are the caller's.
static bool by_return_address(struct walk *walk)
{
	const struct frec_registers *machine = walk->machine;
	uint64_t sp = walk->cpu.value[machine->dwarf_sp], pc = 0;

	if (machine->top_ra) {
		if (!load(walk, sp, &pc))
			return false;
	} else {
		frec__cpu_get(machine, &walk->cpu, machine->dwarf_ra, &pc);
	}
	pc &= machine->address_mask;
	if (!frec__process_mapping(walk->process, pc - 1))
		return end_walk(walk, FREC_UNWIND_NO_CFI, walk->cpu.pc);
	walk->frames[walk->count].kind = FREC_FRAME_RETURN;
	walk->cpu.pc = pc;
	walk->cpu.value[machine->dwarf_sp] = sp + machine->top_ra;
	walk->exact = false;
	return true;
}

static bool without_cfi(struct walk *walk, uint32_t map)
{
	if (walk->count == 1 && map == FREC_FRAME_NO_MAP)
		return by_return_address(walk);
	return by_frame_pointer(walk);
}

// Moves to the frame that a signal interrupted.
static bool by_sigreturn(struct walk *walk)
{
	uint64_t address;

	if (frec__step_sigreturn(walk->machine, walk->stack, &walk->cpu, &address))
		return end_at_memory(walk, address);
	walk->frames[walk->count - 1].signal = true;
	walk->exact = true;
	return true;
}

// Returns 0, -1 at the end of the stack, or 1 if the stack has to be unwound again with all
// registers.
static int by_rules(struct walk *walk, uint64_t pc, uint32_t map)
{
	struct frec_unwind_mapping *mapping = frec__process_mapping(walk->process, pc);
	struct frec_cpu before = walk->cpu;
	uint64_t address = 0;
	struct frec_rules rules;
	struct frec_fde fde;
	int r = -ENOENT;

	if (mapping && mapping->has_bias)
		r = frec__module_rules(mapping->module, pc - mapping->bias, &rules, &fde,
				       &walk->end->error);
	if (r == -ENOENT)
		return without_cfi(walk, map) ? 0 : -1;
	if (!r) {
		const struct frec_expression_context frame = {walk->machine, &walk->cpu,
							      walk->stack, mapping->bias};

		r = frec__step(&frame, &fde, &rules, &walk->cpu, &address);
		if (r == -EBADMSG)
			frec__error(&walk->end->error, r,
				    "%s: call frame information at offset 0x%" PRIx64
				    ": rules that make no sense",
				    mapping->map.path, fde.offset);
	}
	switch (r) {
	case 0:
		walk->exact = fde.signal_frame;
		walk->frames[walk->count - 1].signal = fde.signal_frame;
		if (walk->cpu.pc == before.pc && walk->cpu.value[walk->machine->dwarf_sp] ==
							 before.value[walk->machine->dwarf_sp])
			return end_walk(walk, FREC_UNWIND_LOOP, before.pc), -1;
		return 0;
	case 1:
		return end_walk(walk, FREC_UNWIND_COMPLETE, 0), -1;
	case -EFAULT:
		return end_at_memory(walk, address), -1;
	case -ENXIO:
		if (!walk->all)
			return 1;
		return end_at_register(walk, &before), -1;
	default:
		walk->end->reason = FREC_UNWIND_BAD_CFI;
		walk->end->address = before.pc;
		return -1;
	}
}

static inline bool by_row(struct walk *walk, const struct frec_row *row)
{
	const struct frec_registers *machine = walk->machine;
	uint64_t sp = walk->cpu.value[machine->dwarf_sp], fp = walk->cpu.value[machine->dwarf_fp];
	uint64_t cfa = sp + (uint64_t)(int64_t)row->cfa_offset, pc;
	bool fp_known = walk->cpu.known >> machine->dwarf_fp & 1;
	int64_t ra_slot = row->ra_slot;

	if (row->kind != FREC_ROW_SP) {
		if (row->kind == FREC_ROW_PLT) {
			cfa += (walk->cpu.pc & 15) >= (uint64_t)ra_slot ? 8 : 0;
			ra_slot = -1;
		} else {
			cfa = fp + (uint64_t)(int64_t)row->cfa_offset;
			if (!fp_known)
				return end_at_register(walk, &walk->cpu);
			if (row->kind == FREC_ROW_FP_MEMORY && !load(walk, cfa, &cfa))
				return false;
		}
	}
	if (ra_slot == FREC_ROW_SAME)
		pc = walk->cpu.value[machine->dwarf_ra];
	else if (!load(walk, cfa + (uint64_t)(ra_slot * 8), &pc))
		return false;
	if (row->fp_slot != FREC_ROW_SAME) {
		uint64_t slot = row->fp_slot == FREC_ROW_AT_FP
					? fp
					: cfa + (uint64_t)((int64_t)row->fp_slot * 8);

		if (!frec__stack_read(walk->stack, slot, &fp)) {
			fp_known &= frec__step_is_popped(machine, &walk->cpu, slot);
			if (!fp_known)
				walk->cpu.missing = slot;
		}
	}
	return enter_caller(walk, pc & machine->address_mask, cfa, fp, fp_known);
}

static inline bool add_frame(struct walk *walk, uint32_t map)
{
	struct frec_frame *frame = &walk->frames[walk->count];

	// `kind` is already set: to CFI when the frame before was added, unless the step from that
	// frame to this one set another kind.
	frame->pc = walk->cpu.pc;
	frame->map = map;
	frame->exact = walk->exact;
	frame->signal = false;
	walk->count++;
	if (walk->count < walk->capacity) {
		walk->frames[walk->count].kind = FREC_FRAME_CFI;
		return true;
	}
	return false;
}

// The row of the current frame.
static const struct frec_cached_row *current_row(struct walk *walk)
{
	const uint64_t pc = walk->cpu.pc;
	const struct frec_cached_row *row = frec__process_row(walk->process, pc - !walk->exact);

	if (__builtin_expect(row->row.kind != FREC_ROW_NONE || walk->exact, 1))
		return row;
	row = frec__process_row(walk->process, pc);
	if (row->row.kind == FREC_ROW_NONE)
		return frec__process_row(walk->process, pc - 1);
	walk->exact = true;
	// The row at a signal handler's return address, which no call pushed either, has one of
	// these two kinds. The frame there has a caller: the code that was interrupted.
	walk->uncalled = row->row.kind != FREC_ROW_RULES && row->row.kind != FREC_ROW_SIGRETURN;
	return row;
}

// Returns the same values as by_rules().
static int unwind(struct walk *walk)
{
	int r = 0;

	walk->frames[0].kind = FREC_FRAME_TOP;
	for (uint64_t i = 0; i < READ_AHEAD; i += CACHE_LINE)
		prefetch(walk->stack, walk->stack->address + i);
	while (!r) {
		const struct frec_cached_row *row = current_row(walk);
		const uint64_t pc = walk->cpu.pc - !walk->exact;

		if (!walk->cpu.pc && walk->count)
			return end_walk(walk, FREC_UNWIND_COMPLETE, 0);
		if (!add_frame(walk, row->map))
			return end_walk(walk, FREC_UNWIND_LIMIT, walk->cpu.pc);
		switch (walk->uncalled ? FREC_ROW_OUTERMOST : row->row.kind) {
		case FREC_ROW_NONE:
			r = without_cfi(walk, row->map) ? 0 : -1;
			break;
		case FREC_ROW_SIGRETURN:
			r = by_sigreturn(walk) ? 0 : -1;
			break;
		case FREC_ROW_OUTERMOST:
			return end_walk(walk, FREC_UNWIND_COMPLETE, 0);
		case FREC_ROW_RULES:
			r = by_rules(walk, pc, row->map);
			break;
		default:
			r = walk->all		      ? by_rules(walk, pc, row->map)
			    : by_row(walk, &row->row) ? 0
						      : -1;
		}
	}
	return r;
}

static bool set_registers(const struct frec_registers *machine,
			  const struct frec_unwind_registers *registers, struct frec_cpu *cpu)
{
	uint64_t by_number[64];
	size_t count = 0;
	uint64_t known = 0;

	for (unsigned int i = 0; i < 64 && count < registers->count; i++) {
		if (!(registers->mask >> i & 1))
			continue;
		by_number[i] = registers->values[count++];
		known |= 1ull << i;
	}
	if (!(known >> machine->pc & 1) || !(known >> machine->sp & 1))
		return false;
	cpu->pc = by_number[machine->pc];
	cpu->known = 0;
	cpu->missing = 0;
	for (unsigned int i = 0; i < machine->dwarf_count; i++) {
		if (!(known >> machine->dwarf[i] & 1))
			continue;
		cpu->known |= 1ull << i;
		cpu->value[i] = by_number[machine->dwarf[i]];
	}
	return true;
}

size_t frec__unwind(struct frec_unwind_process *process,
		    const struct frec_unwind_registers *registers, const struct frec_stack *stack,
		    struct frec_frame *frames, size_t capacity, struct frec_unwind_end *ret)
{
	struct walk walk = {.process = process,
			    .machine = process->unwinder->machine,
			    .stack = stack,
			    .exact = true,
			    .frames = frames,
			    .end = ret,
			    .capacity = capacity < FREC_FRAMES_MAX ? capacity : FREC_FRAMES_MAX};

	if (!set_registers(walk.machine, registers, &walk.cpu) || !capacity) {
		end_walk(&walk, FREC_UNWIND_NO_REGISTERS, 0);
		return 0;
	}
	if (unwind(&walk) > 0) {
		walk.all = true;
		walk.exact = true;
		walk.count = 0;
		set_registers(walk.machine, registers, &walk.cpu);
		unwind(&walk);
	}
	return walk.count;
}

const char *frec__unwind_end_words(const struct frec_unwind_end *end, char *buffer, size_t size)
{
	static const char *const words[] = {
		[FREC_UNWIND_COMPLETE] = "complete",
		[FREC_UNWIND_TRUNCATED] = "the recorded stack ends below 0x%" PRIx64,
		[FREC_UNWIND_NO_CFI] = "no call frame information at 0x%" PRIx64,
		[FREC_UNWIND_BAD_MEMORY] = "0x%" PRIx64 " is not in the recorded stack",
		[FREC_UNWIND_NO_REGISTERS] = "no registers were recorded",
		[FREC_UNWIND_LOOP] = "the frame at 0x%" PRIx64 " is its own caller",
		[FREC_UNWIND_LIMIT] = "more frames than are followed",
	};

	// A recorder that keeps no bytes of stacks keeps no address that it found on one.
	if (end->reason == FREC_UNWIND_BAD_MEMORY && !end->address)
		snprintf(buffer, size, "the stack leads to memory that is not in it");
	else if (end->reason == FREC_UNWIND_BAD_CFI)
		snprintf(buffer, size, "damaged call frame information for 0x%" PRIx64 ": %s",
			 end->address, end->error.message);
	else
		snprintf(buffer, size, words[end->reason], end->address);
	return buffer;
}
