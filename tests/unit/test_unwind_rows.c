// SPDX-License-Identifier: MIT
// Proves that CFI becomes the right rows on both machines, that what rows cannot express is left to
// the rules, and that damage is an error.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unwind/make_elf.h"
#include "unwind/elf_file.h"
#include "unwind/rows.h"

struct fixture {
	struct made_cfi made;
	struct made_elf elf_image;
	struct frec_elf *elf;
	struct frec_cfi cfi;
	struct frec_rows *rows;
	struct frec_error error;
};

static int open_rows(struct fixture *fixture, const struct frec_registers *machine,
		     const Elf_Data *header)
{
	GElf_Shdr section;
	Elf_Data *data;

	make_elf(&fixture->elf_image, machine->elf_machine, fixture->made.bytes, fixture->made.size,
		 NULL, 0);
	assert_int_equal(frec__elf_open_memory(fixture->elf_image.bytes, fixture->elf_image.size,
					       "made", &fixture->elf, &fixture->error),
			 0);
	data = frec__elf_section(fixture->elf, ".eh_frame", &section);
	assert_non_null(data);
	fixture->cfi = (struct frec_cfi){
		.data = data, .address = section.sh_addr, .eh_frame = true, .module = "made"};
	memcpy(fixture->cfi.ident, elf_getident(fixture->elf->elf, NULL), EI_NIDENT);
	return frec__rows_create(&fixture->cfi, header, 0, machine, &fixture->rows,
				 &fixture->error);
}

static void close_rows(struct fixture *fixture)
{
	frec__rows_destroy(fixture->rows);
	frec__elf_close(fixture->elf);
	memset(fixture, 0, sizeof(*fixture));
}

static struct frec_row row_at(struct fixture *fixture, uint64_t pc)
{
	struct frec_row row;

	assert_int_equal(frec__rows_find(fixture->rows, pc, &row, &fixture->error), 0);
	return row;
}

#define ROW(pc, its_kind, offset, fp, ra) \
	do { \
		struct frec_row found = row_at(&fixture, pc); \
		assert_int_equal(found.kind, its_kind); \
		assert_int_equal(found.cfa_offset, offset); \
		assert_int_equal(found.fp_slot, fp); \
		assert_int_equal(found.ra_slot, ra); \
	} while (0)

static const uint8_t x86_start[] = {DW_CFA_def_cfa, 7, 8, DW_CFA_offset | 16, 1};

static void a_function_of_x86_64(void **state)
{
	static struct fixture fixture;
	static const uint8_t program[] = {DW_CFA_advance_loc | 1,
					  DW_CFA_def_cfa_offset,
					  16,
					  DW_CFA_offset | 6,
					  2,
					  DW_CFA_advance_loc | 3,
					  DW_CFA_def_cfa_register,
					  6,
					  DW_CFA_advance_loc | 4,
					  DW_CFA_offset | 3,
					  3, // rbx: no row of its own
					  DW_CFA_advance_loc1,
					  100,
					  DW_CFA_remember_state,
					  DW_CFA_def_cfa,
					  7,
					  8,
					  DW_CFA_restore | 6,
					  DW_CFA_advance_loc | 1,
					  DW_CFA_restore_state};
	struct frec_rows_statistics statistics;
	size_t cie;

	(void)state;
	cie = add_cie(&fixture.made, 16, 0, x86_start, sizeof(x86_start));
	add_fde(&fixture.made, cie, 0x1800, 0x100, program, sizeof(program));
	add_fde(&fixture.made, cie, 0x1000, 0x10, NULL, 0); // not sorted
	end_cfi(&fixture.made);
	assert_int_equal(open_rows(&fixture, &frec__registers_x86_64, NULL), 0);
	frec__rows_statistics(fixture.rows, &statistics);
	assert_int_equal(statistics.functions, 2);
	assert_int_equal(statistics.rows, 0); // none is computed yet
	ROW(0xfff, FREC_ROW_NONE, 0, 0, 0);
	ROW(0x1000, FREC_ROW_SP, 8, FREC_ROW_SAME, -1);
	ROW(0x100f, FREC_ROW_SP, 8, FREC_ROW_SAME, -1);
	ROW(0x1010, FREC_ROW_NONE, 0, 0, 0);
	ROW(0x1800, FREC_ROW_SP, 8, FREC_ROW_SAME, -1);
	ROW(0x1801, FREC_ROW_SP, 16, -2, -1);
	ROW(0x1803, FREC_ROW_SP, 16, -2, -1);
	ROW(0x1804, FREC_ROW_FP, 16, -2, -1);
	ROW(0x186b, FREC_ROW_FP, 16, -2, -1);
	ROW(0x186c, FREC_ROW_SP, 8, FREC_ROW_SAME, -1);
	ROW(0x186d, FREC_ROW_FP, 16, -2, -1);
	ROW(0x18ff, FREC_ROW_FP, 16, -2, -1);
	ROW(0x1900, FREC_ROW_NONE, 0, 0, 0);
	frec__rows_statistics(fixture.rows, &statistics);
	assert_int_equal(statistics.rows, 2 + 6);
	close_rows(&fixture);
}

static void a_function_of_aarch64(void **state)
{
	static struct fixture fixture;
	static const uint8_t start[] = {DW_CFA_def_cfa, 31, 0};
	static const uint8_t program[] = {DW_CFA_AARCH64_negate_ra_state,
					  DW_CFA_advance_loc | 4,
					  DW_CFA_def_cfa_offset,
					  32,
					  DW_CFA_offset | 29,
					  4,
					  DW_CFA_offset | 30,
					  3,
					  DW_CFA_advance_loc | 4,
					  DW_CFA_def_cfa_register,
					  29,
					  DW_CFA_advance_loc | 8,
					  DW_CFA_restore | 30,
					  DW_CFA_restore | 29,
					  DW_CFA_def_cfa,
					  31,
					  0};
	size_t cie;

	(void)state;
	cie = add_cie(&fixture.made, 30, 0, start, sizeof(start));
	add_fde(&fixture.made, cie, 0x1000, 0x40, program, sizeof(program));
	end_cfi(&fixture.made);
	assert_int_equal(open_rows(&fixture, &frec__registers_aarch64, NULL), 0);
	ROW(0x1000, FREC_ROW_SP, 0, FREC_ROW_SAME, FREC_ROW_SAME);
	ROW(0x1004, FREC_ROW_SP, 32, -4, -3);
	ROW(0x1008, FREC_ROW_FP, 32, -4, -3);
	ROW(0x1010, FREC_ROW_SP, 0, FREC_ROW_SAME, FREC_ROW_SAME);
	close_rows(&fixture);
}

static void expressions(void **state)
{
	static struct fixture fixture;
	static const uint8_t stub[] = {DW_CFA_def_cfa_expression,
				       11,
				       DW_OP_breg7,
				       8,
				       DW_OP_breg16,
				       0,
				       DW_OP_lit15,
				       DW_OP_and,
				       DW_OP_lit11,
				       DW_OP_ge,
				       DW_OP_lit3,
				       DW_OP_shl,
				       DW_OP_plus};
	static const uint8_t aligned[] = {
		DW_CFA_def_cfa_expression, 3, DW_OP_breg6, 0x70,	DW_OP_deref,
		DW_CFA_expression,	   6, 2,	   DW_OP_breg6, 0};
	static const uint8_t odd[] = {DW_CFA_def_cfa_expression, 2, DW_OP_breg6, 0x70};
	static const uint8_t other_register[] = {DW_CFA_def_cfa_register, 10};
	static const uint8_t outermost[] = {DW_CFA_undefined, 16};
	static const uint8_t restoring[] = {
		DW_CFA_def_cfa,	   7, 8, DW_CFA_offset | 16, 1, DW_CFA_offset | 6, 2,
		DW_CFA_restore | 6};
	struct frec_rules rules;
	struct frec_fde fde;
	size_t cie, signal, restored;

	(void)state;
	cie = add_cie(&fixture.made, 16, 0, x86_start, sizeof(x86_start));
	signal = add_cie(&fixture.made, 16, 1, x86_start, sizeof(x86_start));
	add_fde(&fixture.made, cie, 0x1000, 0x10, stub, sizeof(stub));
	add_fde(&fixture.made, cie, 0x1010, 0x10, aligned, sizeof(aligned));
	add_fde(&fixture.made, cie, 0x1020, 0x10, odd, sizeof(odd));
	add_fde(&fixture.made, cie, 0x1030, 0x10, other_register, sizeof(other_register));
	add_fde(&fixture.made, cie, 0x1040, 0x10, outermost, sizeof(outermost));
	add_fde(&fixture.made, signal, 0x1050, 0x10, NULL, 0);
	restored = add_cie(&fixture.made, 16, 0, restoring, sizeof(restoring));
	add_fde(&fixture.made, restored, 0x1060, 0x10, NULL, 0);
	end_cfi(&fixture.made);
	assert_int_equal(open_rows(&fixture, &frec__registers_x86_64, NULL), 0);
	ROW(0x1065, FREC_ROW_SP, 8, FREC_ROW_SAME, -1);
	ROW(0x1005, FREC_ROW_PLT, 8, FREC_ROW_SAME, 11);
	ROW(0x1015, FREC_ROW_FP_MEMORY, -16, FREC_ROW_AT_FP, -1);
	assert_int_equal(row_at(&fixture, 0x1025).kind, FREC_ROW_RULES);
	assert_int_equal(row_at(&fixture, 0x1035).kind, FREC_ROW_RULES);
	assert_int_equal(row_at(&fixture, 0x1045).kind, FREC_ROW_OUTERMOST);
	assert_int_equal(row_at(&fixture, 0x1055).kind, FREC_ROW_RULES);
	assert_int_equal(frec__rows_rules(fixture.rows, 0x1035, &rules, &fde, NULL), 0);
	assert_int_equal(rules.cfa.regno, 10);
	assert_int_equal(rules.registers[16].offset, -8);
	assert_int_equal(frec__rows_rules(fixture.rows, 0x1055, &rules, &fde, NULL), 0);
	assert_true(fde.signal_frame);
	assert_int_equal(frec__rows_rules(fixture.rows, 0x1070, &rules, &fde, NULL), -ENOENT);
	assert_int_equal(frec__rows_rules(fixture.rows, 0xff0, &rules, &fde, NULL), -ENOENT);
	close_rows(&fixture);
}

static void damage_is_reported_and_limited_to_its_function(void **state)
{
	static struct fixture fixture;
	static const uint8_t unknown[] = {0x3f};
	static const uint8_t no_end[] = {DW_CFA_advance_loc | 1,
					 DW_CFA_def_cfa_offset,
					 0x80,
					 0x80,
					 0x80,
					 0x80,
					 0x80,
					 0x80,
					 0x80,
					 0x80,
					 0x80,
					 0x80,
					 0x80};
	static const uint8_t never_remembered[] = {DW_CFA_restore_state};
	static const uint8_t expression_unknown_version[] = {DW_CFA_def_cfa_expression, 0x7f};
	struct frec_row row;
	size_t cie;

	(void)state;
	cie = add_cie(&fixture.made, 16, 0, x86_start, sizeof(x86_start));
	add_fde(&fixture.made, cie, 0x1000, 0x10, unknown, sizeof(unknown));
	add_fde(&fixture.made, cie, 0x1010, 0x10, no_end, sizeof(no_end));
	add_fde(&fixture.made, cie, 0x1020, 0x10, never_remembered, sizeof(never_remembered));
	add_fde(&fixture.made, cie, 0x1030, 0x10, expression_unknown_version,
		sizeof(expression_unknown_version));
	add_fde(&fixture.made, cie, 0x1040, 0x10, NULL, 0);
	end_cfi(&fixture.made);
	assert_int_equal(open_rows(&fixture, &frec__registers_x86_64, NULL), 0);
	for (uint64_t pc = 0x1000; pc < 0x1040; pc += 0x10) {
		// The entry `no_end` is followed by padding of zeroes, which end its number, so
		// looking up this pc need not fail.
		if (pc == 0x1010)
			continue;
		fixture.error.code = 0;
		assert_int_equal(frec__rows_find(fixture.rows, pc, &row, &fixture.error), -EBADMSG);
		assert_non_null(strstr(fixture.error.message, "made: .eh_frame at offset 0x"));
	}
	ROW(0x1040, FREC_ROW_SP, 8, FREC_ROW_SAME, -1);
	close_rows(&fixture);
}

// The functions of this section are not sorted, and the section is damaged after the last of them.
static void functions_before_damage_are_found(void **state)
{
	static const uint8_t other_offset[] = {DW_CFA_def_cfa_offset, 16};
	static const uint8_t unknown_version[16] = {[0] = 12, [8] = 99};
	static struct fixture fixture;
	size_t cie;

	(void)state;
	cie = add_cie(&fixture.made, 16, 0, x86_start, sizeof(x86_start));
	add_fde(&fixture.made, cie, 0x1020, 0x10, NULL, 0);
	add_fde(&fixture.made, cie, 0x1000, 0x10, other_offset, sizeof(other_offset));
	add_fde(&fixture.made, cie, 0x1010, 0x10, NULL, 0);
	memcpy(fixture.made.bytes + fixture.made.size, unknown_version, sizeof(unknown_version));
	fixture.made.size += sizeof(unknown_version);
	assert_int_equal(open_rows(&fixture, &frec__registers_x86_64, NULL), 0);
	ROW(0x1008, FREC_ROW_SP, 16, FREC_ROW_SAME, -1);
	ROW(0x1018, FREC_ROW_SP, 8, FREC_ROW_SAME, -1);
	ROW(0x1028, FREC_ROW_SP, 8, FREC_ROW_SAME, -1);
	close_rows(&fixture);
}

static void the_linkers_table(void **state)
{
	static struct fixture fixture;
	uint8_t bytes[12 + 3 * 8] = {1, 0x1b, 0x03, 0x3b};
	Elf_Data header = {.d_buf = bytes, .d_size = sizeof(bytes)};
	struct frec_rows_statistics statistics;
	uint32_t offsets[3];
	struct frec_row row;
	size_t cie;

	(void)state;
	for (int damage = 0; damage < 4; damage++) {
		int32_t table[3][2];
		uint32_t count = damage == 1 ? 4 : 3;

		cie = add_cie(&fixture.made, 16, 0, x86_start, sizeof(x86_start));
		for (int i = 0; i < 3; i++) {
			offsets[i] = (uint32_t)fixture.made.size;
			add_fde(&fixture.made, cie, 0x1000u + 0x10u * (unsigned int)i, 0x10, NULL,
				0);
		}
		end_cfi(&fixture.made);
		for (int i = 0; i < 3; i++) {
			table[i][0] = 0x1000 + 0x10 * i;
			table[i][1] = (int32_t)(MADE_CFI + offsets[i]);
		}
		if (damage == 2)
			table[1][0] = 0x1040; // not sorted
		if (damage == 3)
			table[2][1] = table[0][1]; // the entry of another function
		memcpy(bytes + 8, &count, 4);
		memcpy(bytes + 12, table, sizeof(table));
		assert_int_equal(open_rows(&fixture, &frec__registers_x86_64, &header), 0);
		frec__rows_statistics(fixture.rows, &statistics);
		assert_int_equal(statistics.functions, 3);
		ROW(0x1008, FREC_ROW_SP, 8, FREC_ROW_SAME, -1);
		assert_int_equal(frec__rows_find(fixture.rows, 0x1028, &row, NULL),
				 damage == 3 ? -EBADMSG : 0);
		close_rows(&fixture);
	}
}

static void functions_that_share_their_description_make_no_more_rows_than_bytes(void **state)
{
	static struct fixture fixture;
	static uint8_t bytes[12 + 1000 * 8] = {1, 0x1b, 0x03, 0x3b};
	Elf_Data header = {.d_buf = bytes, .d_size = sizeof(bytes)};
	const uint32_t count = 1000;
	struct frec_rows_statistics statistics;
	uint8_t program[99];
	size_t cie, fde;

	(void)state;
	for (size_t i = 0; i + 3 <= sizeof(program); i += 3) {
		program[i] = DW_CFA_advance_loc | 1;
		program[i + 1] = DW_CFA_def_cfa_offset;
		program[i + 2] = (uint8_t)(i % 128);
	}
	cie = add_cie(&fixture.made, 16, 0, x86_start, sizeof(x86_start));
	fde = fixture.made.size;
	add_fde(&fixture.made, cie, 0x1000, 0x100, program, sizeof(program));
	end_cfi(&fixture.made);
	memcpy(bytes + 8, &count, 4);
	for (uint32_t i = 0; i < count; i++) {
		int32_t entry[2] = {0x1000, (int32_t)(MADE_CFI + fde)};

		memcpy(bytes + 12 + 8 * i, entry, sizeof(entry));
	}
	assert_int_equal(open_rows(&fixture, &frec__registers_x86_64, &header), 0);
	assert_int_equal(frec__rows_compile_all(fixture.rows), 0);
	frec__rows_statistics(fixture.rows, &statistics);
	assert_true(statistics.rows <= fixture.cfi.data->d_size);
	assert_true(statistics.functions_compiled > 1);
	close_rows(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_function_of_x86_64),
		cmocka_unit_test(a_function_of_aarch64),
		cmocka_unit_test(expressions),
		cmocka_unit_test(damage_is_reported_and_limited_to_its_function),
		cmocka_unit_test(functions_before_damage_are_found),
		cmocka_unit_test(the_linkers_table),
		cmocka_unit_test(
			functions_that_share_their_description_make_no_more_rows_than_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
