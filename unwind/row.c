// SPDX-License-Identifier: MIT
// The rules that are common enough to fit into a row: the CFA relative to sp or fp; frame pointer
// and return address saved near the CFA, or not at all. Three expressions are so common that they
// are recognized by their bytes.
#include "unwind/row.h"

#include <dwarf.h>
#include <string.h>

#include "proto/bytes.h"

// Recognizes the expression that x86_64 linkers write for the stubs of a procedure linkage table.
// It says that after the push in the stub, the CFA is 8 bytes further from sp. A constant in the
// expression is the offset in the stub, which has 16 bytes, of the first instruction after the
// push.
static bool is_plt(const struct frec_rule *cfa, const struct frec_registers *machine,
		   struct frec_row *row)
{
	static const uint8_t head[] = {DW_OP_breg7, 8, DW_OP_breg16, 0, DW_OP_lit15, DW_OP_and};
	static const uint8_t tail[] = {DW_OP_ge, DW_OP_lit3, DW_OP_shl, DW_OP_plus};
	const uint8_t *bytes = cfa->expression;
	uint8_t limit;

	if (machine != &frec__registers_x86_64 || cfa->size != sizeof(head) + 1 + sizeof(tail) ||
	    memcmp(bytes, head, sizeof(head)) ||
	    memcmp(bytes + sizeof(head) + 1, tail, sizeof(tail)))
		return false;
	limit = bytes[sizeof(head)] - DW_OP_lit0;
	if (limit > 16)
		return false;
	row->kind = FREC_ROW_PLT;
	row->cfa_offset = 8;
	row->fp_slot = FREC_ROW_SAME;
	row->ra_slot = limit;
	return true;
}

// Recognizes the expression that compilers write for functions that align their stack, such as
// main() and those with wide vectors. It says that the CFA is saved below fp.
static bool is_saved_below_fp(const struct frec_rule *cfa, const struct frec_registers *machine,
			      struct frec_row *row)
{
	struct frec_bytes cursor = frec__bytes(cfa->expression, cfa->size);
	uint64_t code = frec__bytes_number(&cursor, 1);
	int64_t offset = frec__bytes_sleb(&cursor);

	if (code != DW_OP_breg0 + machine->dwarf_fp || offset != (int32_t)offset ||
	    frec__bytes_number(&cursor, 1) != DW_OP_deref || cursor.failed ||
	    cursor.at != cursor.end)
		return false;
	row->kind = FREC_ROW_FP_MEMORY;
	row->cfa_offset = (int32_t)offset;
	return true;
}

static bool cfa_fits(const struct frec_rules *rules, const struct frec_registers *machine,
		     struct frec_row *row)
{
	const struct frec_rule *cfa = &rules->cfa;

	if (cfa->kind == FREC_RULE_VALUE_EXPRESSION)
		return is_saved_below_fp(cfa, machine, row);
	if (cfa->kind != FREC_RULE_REGISTER || cfa->offset != (int32_t)cfa->offset)
		return false;
	row->cfa_offset = (int32_t)cfa->offset;
	row->kind = cfa->regno == machine->dwarf_sp ? FREC_ROW_SP : FREC_ROW_FP;
	return cfa->regno == machine->dwarf_sp || cfa->regno == machine->dwarf_fp;
}

static bool slot_fits(const struct frec_rule *rule, int16_t *ret)
{
	int64_t slot = rule->offset / 8;

	if (rule->kind == FREC_RULE_UNSPECIFIED || rule->kind == FREC_RULE_SAME) {
		*ret = FREC_ROW_SAME;
		return true;
	}
	if (rule->kind != FREC_RULE_OFFSET || rule->offset % 8 || slot > INT16_MAX ||
	    slot <= FREC_ROW_AT_FP)
		return false;
	*ret = (int16_t)slot;
	return true;
}

// Recognizes the expression for "the caller's fp is saved at fp", which occurs together with a CFA
// saved below fp.
static bool is_at_fp(const struct frec_rule *rule, const struct frec_registers *machine)
{
	return rule->kind == FREC_RULE_EXPRESSION && rule->size == 2 &&
	       rule->expression[0] == DW_OP_breg0 + machine->dwarf_fp && !rule->expression[1];
}

struct frec_row frec__row_from_rules(const struct frec_rules *rules, const struct frec_fde *fde,
				     const struct frec_registers *machine)
{
	static const struct frec_row uncommon = {.kind = FREC_ROW_RULES};
	const struct frec_rule *fp = &rules->registers[machine->dwarf_fp];
	const struct frec_rule *sp = &rules->registers[machine->dwarf_sp];
	const struct frec_rule *ra = &rules->registers[machine->dwarf_ra];
	struct frec_row row = {0};

	if (fde->return_register != machine->dwarf_ra || fde->signal_frame)
		return uncommon;
	if (ra->kind == FREC_RULE_UNDEFINED)
		return (struct frec_row){.kind = FREC_ROW_OUTERMOST};
	if (sp->kind != FREC_RULE_UNSPECIFIED)
		return uncommon;
	if (rules->cfa.kind == FREC_RULE_VALUE_EXPRESSION && fp->kind <= FREC_RULE_SAME &&
	    fp->kind != FREC_RULE_UNDEFINED && ra->kind == FREC_RULE_OFFSET && ra->offset == -8 &&
	    is_plt(&rules->cfa, machine, &row))
		return row;
	if (!cfa_fits(rules, machine, &row) || !slot_fits(ra, &row.ra_slot))
		return uncommon;
	if (is_at_fp(fp, machine))
		row.fp_slot = FREC_ROW_AT_FP;
	else if (!slot_fits(fp, &row.fp_slot))
		return uncommon;
	// A return address can stay in its register only on a machine that has such a register.
	if (row.ra_slot == FREC_ROW_SAME && machine->top_ra)
		return uncommon;
	return row;
}
