// SPDX-License-Identifier: MIT
// Proves that a stack is unwound with the mappings that its process had at that time, and how the
// frames are encoded.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dwarf.h>
#include <string.h>
#include <unistd.h>

#include "recorder/snapshot/unwound.h"
#include "tests/unwind/make_elf.h"

#define BIAS 0x555500000000
#define STACK 0x7ffc00000000
#define PID 7u
#define REPLACED 100u // the time at which another program replaces the first

static struct frec_process_table table;
static struct frec_unwound unwound;
static char with_rules[64], without_rules[64];

// One program has a function with 16 bytes of locals, the other has no unwind tables.
static void make_programs(void)
{
	static const uint8_t start[] = {DW_CFA_def_cfa, 7, 8, DW_CFA_offset | 16, 1};
	static const uint8_t locals[] = {DW_CFA_def_cfa_offset, 24};
	static const uint8_t outermost[] = {DW_CFA_undefined, 16};
	const unsigned int machine = frec__registers_x86_64.elf_machine;
	static struct made_elf elf;
	struct made_cfi cfi = {.size = 0};
	size_t cie = add_cie(&cfi, 16, 0, start, sizeof(start));

	add_fde(&cfi, cie, 0x1000, 0x100, locals, sizeof(locals));
	add_fde(&cfi, cie, 0x1300, 0x100, outermost, sizeof(outermost));
	end_cfi(&cfi);
	make_elf(&elf, machine, cfi.bytes, cfi.size, NULL, 0);
	assert_int_equal(write_elf(&elf, with_rules), 0);
	cfi.size = 0;
	end_cfi(&cfi);
	make_elf(&elf, machine, cfi.bytes, cfi.size, NULL, 0);
	assert_int_equal(write_elf(&elf, without_rules), 0);
}

static void map(char *path, uint64_t since)
{
	frec__process_table_map(&table, PID,
				&(struct frec_mapping){.start = BIAS + 0x1000,
						       .end = BIAS + 0x2000,
						       .offset = 0x1000,
						       .since = since,
						       .path = path});
}

static int setup(void **state)
{
	(void)state;
	make_programs();
	frec__process_table_fork(&table, PID, 1, PID, 10);
	map(with_rules, 0);
	map(without_rules, REPLACED);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	frec__process_table_deinit(&table);
	unlink(with_rules);
	unlink(without_rules);
	return 0;
}

static void unwind_at(uint64_t time)
{
	const uint64_t words[] = {1, 2, BIAS + 0x1310, 3};
	const uint64_t values[] = {STACK, BIAS + 0x1010}; // sp and pc: registers 7 and 8
	const struct frec_unwind_registers registers = {
		.mask = 3 << 7, .values = values, .count = 2};
	const struct frec_stack stack = {STACK, (const uint8_t *)words, sizeof(words)};
	struct frec_unwind_process *process;
	struct frec_unwinder *unwinder;

	assert_int_equal(frec__unwound_open(&unwinder), 0);
	assert_int_equal(frec__unwound_process(unwinder, frec__process_table_find(&table, PID),
					       time, &process),
			 0);
	frec__unwound_stack(process, &registers, &stack, &unwound);
	frec__unwind_process_destroy(process);
	frec__unwinder_destroy(unwinder);
}

static void each_time_has_its_mappings(void **state)
{
	(void)state;
	unwind_at(REPLACED - 1);
	assert_int_equal(unwound.frames.n_pc, 2);
	assert_int_equal(unwound.frames.pc[0], BIAS + 0x1010);
	assert_int_equal(unwound.frames.pc[1], BIAS + 0x1310);
	assert_int_equal(unwound.frames.how.len, 2);
	assert_int_equal(unwound.frames.how.data[0], 4); // the exact pc
	assert_int_equal(unwound.frames.how.data[1], 1); // found by call frame information
	assert_int_equal(unwound.frames.end, FLIGHTREC__STACK_END__STACK_END_COMPLETE);
	unwind_at(REPLACED);
	assert_int_equal(unwound.frames.n_pc, 1);
	assert_int_equal(unwound.frames.end, FLIGHTREC__STACK_END__STACK_END_NO_CFI);
	assert_int_equal(unwound.frames.address, BIAS + 0x1010);
}

static void every_property_of_a_frame_is_encoded(void **state)
{
	static const uint8_t how[] = {4, 1 | 8, 2 | 4, 3};
	const struct frec_unwind_end end = {.reason = FREC_UNWIND_LIMIT, .address = 5};
	Flightrec__Frames *read;
	uint8_t packed[256];
	size_t size;

	(void)state;
	unwound.frame[0] =
		(struct frec_frame){.pc = UINT64_MAX, .kind = FREC_FRAME_TOP, .exact = true};
	unwound.frame[1] = (struct frec_frame){.pc = 1, .kind = FREC_FRAME_CFI, .signal = true};
	unwound.frame[2] =
		(struct frec_frame){.pc = 2, .kind = FREC_FRAME_FRAME_POINTER, .exact = true};
	unwound.frame[3] = (struct frec_frame){.pc = 3, .kind = FREC_FRAME_RETURN};
	frec__unwound_encode(&unwound, 4, &end);
	size = flightrec__frames__pack(&unwound.frames, packed);
	read = flightrec__frames__unpack(NULL, size, packed);
	assert_non_null(read);
	assert_int_equal(read->n_pc, 4);
	assert_int_equal(read->pc[0], UINT64_MAX);
	assert_int_equal(read->how.len, 4);
	assert_memory_equal(read->how.data, how, 4);
	assert_int_equal(read->end, FLIGHTREC__STACK_END__STACK_END_LIMIT);
	assert_int_equal(read->address, 5);
	flightrec__frames__free_unpacked(read, NULL);
}

static void no_registers_no_frames(void **state)
{
	const struct frec_unwind_registers none = {.mask = 0};
	const struct frec_stack nothing = {.size = 0};
	struct frec_unwind_process *process;
	struct frec_unwinder *unwinder;

	(void)state;
	assert_int_equal(frec__unwound_open(&unwinder), 0);
	assert_int_equal(
		frec__unwound_process(unwinder, frec__process_table_find(&table, PID), 0, &process),
		0);
	frec__unwound_stack(process, &none, &nothing, &unwound);
	assert_int_equal(unwound.frames.n_pc, 0);
	assert_int_equal(unwound.frames.end, FLIGHTREC__STACK_END__STACK_END_NO_REGISTERS);
	frec__unwind_process_destroy(process);
	frec__unwinder_destroy(unwinder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_time_has_its_mappings),
		cmocka_unit_test(every_property_of_a_frame_is_encoded),
		cmocka_unit_test(no_registers_no_frames),
	};

#ifndef __x86_64__
	return 77; // The programs above are of x86_64.
#endif
	return cmocka_run_group_tests(tests, setup, teardown);
}
