// SPDX-License-Identifier: MIT
// The interpreter of CFI instructions.
//
// Each instruction takes at least a byte and none jumps, so a run ends after at most as many steps
// as there are bytes. Rules of registers that unwinding does not follow (mostly vector registers)
// are read and dropped.
#include "unwind/cfi_run.h"

#include <dwarf.h>
#include <errno.h>
#include <inttypes.h>

// How deeply DW_CFA_remember_state can be nested. Compilers nest it one or two levels deep.
#define REMEMBERED_MAX 16

struct run {
	const struct frec_cfi *cfi;
	const struct frec_fde *fde;
	struct frec_bytes cursor;
	uint64_t location;
	struct frec_rules rules;
	struct frec_rules initial; // the rules after the CIE's instructions, for DW_CFA_restore
	struct frec_rules remembered[REMEMBERED_MAX];
	unsigned int remembered_count;
	frec_cfi_row *row; // NULL while the CIE's instructions run
	void *context;
};

static int64_t factored(const struct run *run, uint64_t offset)
{
	return (int64_t)(offset * (uint64_t)run->fde->data_factor);
}

static int64_t factored_uleb(struct run *run)
{
	return factored(run, frec__bytes_uleb(&run->cursor));
}

static int64_t factored_sleb(struct run *run)
{
	return factored(run, (uint64_t)frec__bytes_sleb(&run->cursor));
}

static uint32_t read_regno(struct run *run)
{
	uint64_t number = frec__bytes_uleb(&run->cursor);

	return number < UINT32_MAX ? (uint32_t)number : UINT32_MAX;
}

static struct frec_rule read_expression(struct run *run, enum frec_rule_kind kind)
{
	struct frec_rule rule = {.kind = kind};
	uint64_t size = frec__bytes_uleb(&run->cursor);

	rule.expression = frec__bytes_take(&run->cursor, size);
	if (size > UINT32_MAX)
		frec__bytes_fail(&run->cursor);
	rule.size = (uint32_t)size;
	return rule;
}

static void set_rule(struct run *run, uint32_t regno, struct frec_rule rule)
{
	if (regno < FREC_DWARF_REGISTERS)
		run->rules.registers[regno] = rule;
}

static void set_offset(struct run *run, uint32_t regno, enum frec_rule_kind kind, int64_t offset)
{
	set_rule(run, regno, (struct frec_rule){.kind = kind, .offset = offset});
}

static void restore(struct run *run, uint32_t regno)
{
	if (regno < FREC_DWARF_REGISTERS)
		run->rules.registers[regno] = run->initial.registers[regno];
}

// Moves on to `location`, after passing to `row` the addresses before it, to which the rules so far
// apply.
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

static void define_cfa(struct run *run, uint32_t regno, int64_t offset)
{
	run->rules.cfa =
		(struct frec_rule){.kind = FREC_RULE_REGISTER, .regno = regno, .offset = offset};
}

// Returns the CFA's rule, for an instruction that changes only the register or only the offset in
// that rule.
static struct frec_rule *changed_cfa(struct run *run)
{
	if (run->rules.cfa.kind != FREC_RULE_REGISTER)
		frec__bytes_fail(&run->cursor);
	return &run->rules.cfa;
}

// The instructions that set the rule of the CFA.
static void set_cfa(struct run *run, uint8_t code)
{
	uint32_t regno;

	switch (code) {
	case DW_CFA_def_cfa:
		regno = read_regno(run);
		define_cfa(run, regno, (int64_t)frec__bytes_uleb(&run->cursor));
		break;
	case DW_CFA_def_cfa_sf:
		regno = read_regno(run);
		define_cfa(run, regno, factored_sleb(run));
		break;
	case DW_CFA_def_cfa_register:
		changed_cfa(run)->regno = read_regno(run);
		break;
	case DW_CFA_def_cfa_offset:
		changed_cfa(run)->offset = (int64_t)frec__bytes_uleb(&run->cursor);
		break;
	case DW_CFA_def_cfa_offset_sf:
		changed_cfa(run)->offset = factored_sleb(run);
		break;
	default:
		run->rules.cfa = read_expression(run, FREC_RULE_VALUE_EXPRESSION);
	}
}

// The instructions whose first operand is the register whose rule they set.
static void set_register(struct run *run, uint8_t code)
{
	uint32_t regno = read_regno(run);

	switch (code) {
	case DW_CFA_offset_extended:
		set_offset(run, regno, FREC_RULE_OFFSET, factored_uleb(run));
		break;
	case DW_CFA_offset_extended_sf:
		set_offset(run, regno, FREC_RULE_OFFSET, factored_sleb(run));
		break;
	case DW_CFA_GNU_negative_offset_extended:
		set_offset(run, regno, FREC_RULE_OFFSET,
			   factored(run, -frec__bytes_uleb(&run->cursor)));
		break;
	case DW_CFA_val_offset:
		set_offset(run, regno, FREC_RULE_VALUE_OFFSET, factored_uleb(run));
		break;
	case DW_CFA_val_offset_sf:
		set_offset(run, regno, FREC_RULE_VALUE_OFFSET, factored_sleb(run));
		break;
	case DW_CFA_restore_extended:
		restore(run, regno);
		break;
	case DW_CFA_undefined:
		set_rule(run, regno, (struct frec_rule){.kind = FREC_RULE_UNDEFINED});
		break;
	case DW_CFA_same_value:
		set_rule(run, regno, (struct frec_rule){.kind = FREC_RULE_SAME});
		break;
	case DW_CFA_register:
		set_rule(run, regno,
			 (struct frec_rule){.kind = FREC_RULE_REGISTER, .regno = read_regno(run)});
		break;
	case DW_CFA_expression:
		set_rule(run, regno, read_expression(run, FREC_RULE_EXPRESSION));
		break;
	case DW_CFA_val_expression:
		set_rule(run, regno, read_expression(run, FREC_RULE_VALUE_EXPRESSION));
		break;
	default: // an unknown instruction, so its length is unknown too
		frec__bytes_fail(&run->cursor);
	}
}

static int extended(struct run *run, uint8_t code)
{
	struct frec_bytes *cursor = &run->cursor;

	switch (code) {
	case DW_CFA_nop:
	// changes whether the return address is signed, but signatures are always removed
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
	case DW_CFA_def_cfa_sf:
	case DW_CFA_def_cfa_register:
	case DW_CFA_def_cfa_offset:
	case DW_CFA_def_cfa_offset_sf:
	case DW_CFA_def_cfa_expression:
		set_cfa(run, code);
		return 0;
	case DW_CFA_GNU_args_size:
		frec__bytes_uleb(cursor);
		return 0;
	default:
		set_register(run, code);
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
			set_offset(run, operand, FREC_RULE_OFFSET, factored_uleb(run));
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

int frec__cfi_run(const struct frec_cfi *cfi, const struct frec_fde *fde, frec_cfi_row *row,
		  void *context, struct frec_error *reterr)
{
	// `run` is not zeroed, because `remembered` is large, and is written before it is read.
	struct run run;
	int r;

	run.cfi = cfi;
	run.fde = fde;
	run.remembered_count = 0;
	run.location = fde->start;
	run.rules = (struct frec_rules){0};
	run.initial = run.rules; // a DW_CFA_restore in a CIE goes back to the calling convention
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
