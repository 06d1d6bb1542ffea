// SPDX-License-Identifier: MIT
// The instructions of a function's CFI, and the rules they leave at each address.
//
// Every instruction is at least a byte and none jumps, so a run ends after as many steps as there
// are bytes. A register that unwinding does not follow (vectors, mostly) has its rule read and
// dropped.
#include <dwarf.h>
#include <errno.h>
#include <inttypes.h>

#include "unwind/cfi.h"
#include "proto/bytes.h"

// Compilers nest one or two.
#define REMEMBERED_MAX 16

struct run {
	const struct frec_cfi *cfi;
	const struct frec_fde *fde;
	struct frec_bytes cursor;
	uint64_t location;
	struct frec_rules rules;
	struct frec_rules initial; // after the CIE's instructions: what DW_CFA_restore goes back to
	struct frec_rules remembered[REMEMBERED_MAX];
	unsigned int remembered_count;
	int (*row)(void *context, uint64_t from, uint64_t to, const struct frec_rules *rules);
	void *context;
};

static void set_rule(struct run *run, uint64_t number, enum frec_rule_kind kind, int64_t offset)
{
	if (number < FREC_DWARF_REGISTERS)
		run->rules.registers[number] = (struct frec_rule){.kind = kind, .offset = offset};
}

static struct frec_rule read_expression(struct run *run, enum frec_rule_kind kind)
{
	struct frec_rule rule = {.kind = kind};
	uint64_t size = frec__bytes_uleb(&run->cursor);

	rule.expression = frec__bytes_take(&run->cursor, size);
	if (size > UINT32_MAX || !rule.expression)
		frec__bytes_fail(&run->cursor);
	rule.size = (uint32_t)size;
	return rule;
}

static void set_expression(struct run *run, enum frec_rule_kind kind)
{
	uint64_t number = frec__bytes_uleb(&run->cursor);
	struct frec_rule rule = read_expression(run, kind);

	if (number < FREC_DWARF_REGISTERS)
		run->rules.registers[number] = rule;
}

static void restore(struct run *run, uint64_t number)
{
	if (number < FREC_DWARF_REGISTERS)
		run->rules.registers[number] = run->initial.registers[number];
}

static void define_cfa(struct run *run, uint64_t number, int64_t offset)
{
	run->rules.cfa = (struct frec_rule){.kind = FREC_RULE_VALUE_OFFSET, .offset = offset};
	run->rules.cfa_register = number;
}

// Only what was a register and an offset can have one of the two changed.
static void change_cfa_offset(struct run *run, int64_t offset)
{
	run->cursor.failed |= run->rules.cfa.kind != FREC_RULE_VALUE_OFFSET;
	run->rules.cfa.offset = offset;
}

static int64_t factored(const struct run *run, uint64_t offset)
{
	return (int64_t)(offset * (uint64_t)run->fde->data_factor);
}

// The location moves on: what the rules were until there is a row.
static int go_to(struct run *run, uint64_t location)
{
	uint64_t to = location < run->fde->end ? location : run->fde->end;
	int r = 0;

	if (location < run->location || !run->row) {
		frec__bytes_fail(&run->cursor); // backwards, or within the CIE's instructions
		return 0;
	}
	if (to > run->location)
		r = run->row(run->context, run->location, to, &run->rules);
	run->location = location;
	return r;
}

static int advance(struct run *run, uint64_t delta)
{
	uint64_t bytes, location;

	if (__builtin_mul_overflow(delta, run->fde->code_factor, &bytes) ||
	    __builtin_add_overflow(run->location, bytes, &location))
		location = UINT64_MAX;
	return go_to(run, location);
}

// Where arguments are the operands of the instruction, they are read in the order of their
// evaluation here: one a line.
static int extended(struct run *run, uint8_t code)
{
	struct frec_bytes *cursor = &run->cursor;
	uint64_t number;

	switch (code) {
	case DW_CFA_nop:
	// the signature is taken off every return address anyway
	case DW_CFA_AARCH64_negate_ra_state:
		return 0;
	case DW_CFA_set_loc:
		return go_to(run, frec__cfi_address(run->cfi, cursor, run->fde->encoding));
	case DW_CFA_advance_loc1:
		return advance(run, frec__bytes_number(cursor, 1));
	case DW_CFA_advance_loc2:
		return advance(run, frec__bytes_number(cursor, 2));
	case DW_CFA_advance_loc4:
		return advance(run, frec__bytes_number(cursor, 4));
	case DW_CFA_MIPS_advance_loc8:
		return advance(run, frec__bytes_number(cursor, 8));
	case DW_CFA_offset_extended:
		number = frec__bytes_uleb(cursor);
		set_rule(run, number, FREC_RULE_OFFSET, factored(run, frec__bytes_uleb(cursor)));
		return 0;
	case DW_CFA_offset_extended_sf:
		number = frec__bytes_uleb(cursor);
		set_rule(run, number, FREC_RULE_OFFSET,
			 factored(run, (uint64_t)frec__bytes_sleb(cursor)));
		return 0;
	case DW_CFA_GNU_negative_offset_extended:
		number = frec__bytes_uleb(cursor);
		set_rule(run, number, FREC_RULE_OFFSET, factored(run, -frec__bytes_uleb(cursor)));
		return 0;
	case DW_CFA_val_offset:
		number = frec__bytes_uleb(cursor);
		set_rule(run, number, FREC_RULE_VALUE_OFFSET,
			 factored(run, frec__bytes_uleb(cursor)));
		return 0;
	case DW_CFA_val_offset_sf:
		number = frec__bytes_uleb(cursor);
		set_rule(run, number, FREC_RULE_VALUE_OFFSET,
			 factored(run, (uint64_t)frec__bytes_sleb(cursor)));
		return 0;
	case DW_CFA_restore_extended:
		restore(run, frec__bytes_uleb(cursor));
		return 0;
	case DW_CFA_undefined:
		set_rule(run, frec__bytes_uleb(cursor), FREC_RULE_UNDEFINED, 0);
		return 0;
	case DW_CFA_same_value:
		set_rule(run, frec__bytes_uleb(cursor), FREC_RULE_SAME, 0);
		return 0;
	case DW_CFA_register:
		number = frec__bytes_uleb(cursor);
		set_rule(run, number, FREC_RULE_REGISTER, (int64_t)frec__bytes_uleb(cursor));
		return 0;
	case DW_CFA_remember_state:
		if (run->remembered_count == REMEMBERED_MAX)
			frec__bytes_fail(cursor);
		else
			run->remembered[run->remembered_count++] = run->rules;
		return 0;
	case DW_CFA_restore_state:
		if (!run->remembered_count)
			frec__bytes_fail(cursor);
		else
			run->rules = run->remembered[--run->remembered_count];
		return 0;
	case DW_CFA_def_cfa:
		number = frec__bytes_uleb(cursor);
		define_cfa(run, number, (int64_t)frec__bytes_uleb(cursor));
		return 0;
	case DW_CFA_def_cfa_sf:
		number = frec__bytes_uleb(cursor);
		define_cfa(run, number, factored(run, (uint64_t)frec__bytes_sleb(cursor)));
		return 0;
	case DW_CFA_def_cfa_register:
		number = frec__bytes_uleb(cursor);
		cursor->failed |= run->rules.cfa.kind != FREC_RULE_VALUE_OFFSET;
		run->rules.cfa_register = number;
		return 0;
	case DW_CFA_def_cfa_offset:
		change_cfa_offset(run, (int64_t)frec__bytes_uleb(cursor));
		return 0;
	case DW_CFA_def_cfa_offset_sf:
		change_cfa_offset(run, factored(run, (uint64_t)frec__bytes_sleb(cursor)));
		return 0;
	case DW_CFA_def_cfa_expression:
		run->rules.cfa = read_expression(run, FREC_RULE_VALUE_EXPRESSION);
		return 0;
	case DW_CFA_expression:
		set_expression(run, FREC_RULE_EXPRESSION);
		return 0;
	case DW_CFA_val_expression:
		set_expression(run, FREC_RULE_VALUE_EXPRESSION);
		return 0;
	case DW_CFA_GNU_args_size:
		frec__bytes_uleb(cursor);
		return 0;
	default:
		frec__bytes_fail(cursor);
		return 0;
	}
}

static int run_instructions(struct run *run, const uint8_t *start, const uint8_t *end)
{
	int r = 0;

	run->cursor = frec__bytes(start, (size_t)(end - start));
	while (!r && run->cursor.at < run->cursor.end) {
		uint8_t code = *run->cursor.at++;
		uint8_t operand = code & 0x3f;

		switch (code & 0xc0) {
		case DW_CFA_advance_loc:
			r = advance(run, operand);
			break;
		case DW_CFA_offset:
			set_rule(run, operand, FREC_RULE_OFFSET,
				 factored(run, frec__bytes_uleb(&run->cursor)));
			break;
		case DW_CFA_restore:
			restore(run, operand);
			break;
		default:
			r = extended(run, code);
		}
		if (run->cursor.failed)
			return -EBADMSG;
		if (run->location >= run->fde->end)
			break;
	}
	return r;
}

int frec__cfi_run(const struct frec_cfi *cfi, const struct frec_fde *fde,
		  int (*row)(void *context, uint64_t from, uint64_t to,
			     const struct frec_rules *rules),
		  void *context, struct frec_error *reterr)
{
	struct run run;
	int r;

	// The remembered states are most of it, and are written before they are read.
	run.cfi = cfi;
	run.fde = fde;
	run.remembered_count = 0;
	run.location = fde->start;
	run.rules = (struct frec_rules){0};
	run.initial =
		run.rules; // a CIE that restores a register means what the machine has it at first
	run.row = NULL;
	r = run_instructions(&run, fde->initial, fde->initial_end);
	if (!r) {
		run.row = row;
		run.context = context;
		run.initial = run.rules;
		run.location = fde->start;
		r = run_instructions(&run, fde->program, fde->program_end);
	}
	if (!r && run.location < fde->end)
		r = row(context, run.location, fde->end, &run.rules);
	if (r == -EBADMSG)
		frec__error(reterr, r,
			    "%s: %s at offset 0x%" PRIx64 ": an instruction that makes no sense",
			    cfi->module, cfi->eh_frame ? ".eh_frame" : ".debug_frame", fde->offset);
	return r;
}
