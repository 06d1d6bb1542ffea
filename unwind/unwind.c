// SPDX-License-Identifier: MIT
// Unwinding a stack.
//
// There are two ways to go from a frame to its caller. The fast one applies a row and follows three
// registers: pc, stack pointer and frame pointer (on aarch64 the link register too). The slow one
// runs the CFI's instructions and follows all. Most stacks need the fast one only. Where a frame's
// row says that it needs the slow one, that is used for this frame, with the other registers
// unknown; if one of them turns out to be needed, the stack is unwound again from the top with all
// registers. That happens in hand-written assembly, and costs no more than having gone the slow way
// at once.
//
// A caller's pc is the address its call returns to, which can be the next function's first where
// the call was the last instruction of one that does not return. So a caller's row is that of the
// byte before; except where a signal came between, because then the pc is of an instruction that
// did not call. Where nothing describes the byte before, the pc can be the first of a function that
// was never called but only put where a return address is: that is how coroutines begin, and their
// stacks end.
#include "unwind/unwind.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "unwind/process.h"
#include "unwind/step.h"

// How far above the recorded bytes an address still looks like the same stack.
#define STACK_REACH (1ull << 30)

// How far ahead of the frame that is current the stack's bytes are asked for. Each stack is read
// once, and going up a frame takes less time than a byte from memory.
#define READ_AHEAD 1024
#define CACHE_LINE 64

struct walk {
	struct frec_unwind_process *process;
	const struct frec_registers *machine;
	const struct frec_stack *stack;
	struct frec_cpu cpu;
	bool all;      // follow all registers
	bool exact;    // of the frame that is current
	bool uncalled; // it has no caller
	struct frec_frame *frames;
	size_t count, capacity;
	struct frec_unwind_end *end;
};

static bool ends(struct walk *walk, enum frec_unwind_reason reason, uint64_t address)
{
	walk->end->reason = reason;
	walk->end->address = address;
	walk->end->error.code = 0;
	return false;
}

static bool ends_at_memory(struct walk *walk, uint64_t address)
{
	uint64_t end = walk->stack->address + walk->stack->size;

	// A value of 8 bytes can begin inside.
	return ends(walk,
		    address + 8 > end && address - end + 8 < STACK_REACH ? FREC_UNWIND_TRUNCATED
									 : FREC_UNWIND_BAD_MEMORY,
		    address);
}

static inline bool load(struct walk *walk, uint64_t address, uint64_t *ret)
{
	return frec__stack_read(walk->stack, address, ret) || ends_at_memory(walk, address);
}

static inline void ask_for(const struct frec_stack *stack, uint64_t address)
{
	// That may lie anywhere: nothing is read.
	__builtin_prefetch((const void *)((uintptr_t)stack->data + (address - stack->address)));
}

// The caller is known by three registers: makes it the current frame.
static inline bool become(struct walk *walk, uint64_t pc, uint64_t sp, uint64_t fp, bool fp_known)
{
	const struct frec_registers *machine = walk->machine;
	struct frec_cpu *cpu = &walk->cpu;

	if (sp == cpu->value[machine->dwarf_sp] && pc == cpu->pc)
		return ends(walk, FREC_UNWIND_LOOP, pc);
	// Two lines, whatever the frame's size: a loop would take longer than it saves.
	ask_for(walk->stack, sp + READ_AHEAD);
	ask_for(walk->stack, sp + READ_AHEAD + CACHE_LINE);
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

	// It has to lead upwards, to an aligned pair of which the second is an address of code.
	if (!frec__cpu_get(machine, &walk->cpu, machine->dwarf_fp, &fp) || fp < sp || fp % 8 ||
	    !frec__stack_read(walk->stack, fp, &caller_fp) ||
	    !frec__stack_read(walk->stack, fp + 8, &pc))
		return ends(walk, FREC_UNWIND_NO_CFI, walk->cpu.pc);
	pc &= machine->address_mask;
	if (!frec__process_mapping(walk->process, pc - 1))
		return ends(walk, FREC_UNWIND_NO_CFI, walk->cpu.pc);
	walk->frames[walk->count].kind = FREC_FRAME_FRAME_POINTER;
	return become(walk, pc, fp + 16, caller_fp, true);
}

// The pc at the top is no code: a jump or call through a bad pointer. If it was a call, its return
// address is where it was put, and all other registers are the caller's.
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
		return ends(walk, FREC_UNWIND_NO_CFI, walk->cpu.pc);
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

// The frame that a signal has interrupted is current next.
static bool by_sigreturn(struct walk *walk)
{
	uint64_t address;

	if (frec__step_sigreturn(walk->machine, walk->stack, &walk->cpu, &address))
		return ends_at_memory(walk, address);
	walk->frames[walk->count - 1].signal = true;
	walk->exact = true;
	return true;
}

// Returns 1 where the stack has to be unwound again with all registers.
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
			return ends(walk, FREC_UNWIND_LOOP, before.pc), -1;
		return 0;
	case 1:
		return ends(walk, FREC_UNWIND_COMPLETE, 0), -1;
	case -EFAULT:
		return ends_at_memory(walk, address), -1;
	case -ENXIO:
		if (!walk->all)
			return 1;
		// Known to nobody: it was saved where no bytes are, or was not to be kept.
		return ends(walk, FREC_UNWIND_BAD_MEMORY, before.value[walk->machine->dwarf_sp]),
		       -1;
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
				return ends(walk, FREC_UNWIND_BAD_MEMORY, sp);
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

		fp_known = frec__stack_read(walk->stack, slot, &fp) ||
			   (fp_known && frec__step_is_popped(machine, &walk->cpu, slot));
	}
	return become(walk, pc & machine->address_mask, cfa, fp, fp_known);
}

static inline bool add_frame(struct walk *walk, uint32_t map)
{
	struct frec_frame *frame = &walk->frames[walk->count];

	// What has gone before has put its kind here already if it was anything but CFI.
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

// The row of the frame that is current.
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
	// The kernel puts a signal handler's return there too; that goes by rules.
	walk->uncalled = row->row.kind != FREC_ROW_RULES && row->row.kind != FREC_ROW_SIGRETURN;
	return row;
}

// Returns 1 where it has to be done again with all registers.
static int unwind(struct walk *walk)
{
	int r = 0;

	walk->frames[0].kind = FREC_FRAME_TOP;
	for (uint64_t i = 0; i < READ_AHEAD; i += CACHE_LINE)
		ask_for(walk->stack, walk->stack->address + i);
	while (!r) {
		const struct frec_cached_row *row = current_row(walk);
		const uint64_t pc = walk->cpu.pc - !walk->exact;

		if (!walk->cpu.pc && walk->count)
			return ends(walk, FREC_UNWIND_COMPLETE, 0);
		if (!add_frame(walk, row->map))
			return ends(walk, FREC_UNWIND_LIMIT, walk->cpu.pc);
		switch (walk->uncalled ? FREC_ROW_OUTERMOST : row->row.kind) {
		case FREC_ROW_NONE:
			r = without_cfi(walk, row->map) ? 0 : -1;
			break;
		case FREC_ROW_SIGRETURN:
			r = by_sigreturn(walk) ? 0 : -1;
			break;
		case FREC_ROW_OUTERMOST:
			return ends(walk, FREC_UNWIND_COMPLETE, 0);
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

static bool take_registers(const struct frec_registers *machine,
			   const struct frec_unwind_registers *registers, struct frec_cpu *cpu)
{
	uint64_t by_number[64];
	size_t taken = 0;
	uint64_t known = 0;

	for (unsigned int i = 0; i < 64 && taken < registers->count; i++) {
		if (!(registers->mask >> i & 1))
			continue;
		by_number[i] = registers->values[taken++];
		known |= 1ull << i;
	}
	if (!(known >> machine->pc & 1) || !(known >> machine->sp & 1))
		return false;
	cpu->pc = by_number[machine->pc];
	cpu->known = 0;
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

	if (!take_registers(walk.machine, registers, &walk.cpu) || !capacity) {
		ends(&walk, FREC_UNWIND_NO_REGISTERS, 0);
		return 0;
	}
	if (unwind(&walk) > 0) {
		walk.all = true;
		walk.exact = true;
		walk.count = 0;
		take_registers(walk.machine, registers, &walk.cpu);
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

	if (end->reason == FREC_UNWIND_BAD_CFI)
		snprintf(buffer, size, "damaged call frame information for 0x%" PRIx64 ": %s",
			 end->address, end->error.message);
	else
		snprintf(buffer, size, words[end->reason], end->address);
	return buffer;
}
