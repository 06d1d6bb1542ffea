// SPDX-License-Identifier: MIT
// Proves for stacks made by hand, on both machines, which frames they have, how each frame was
// found, and why each stack ends.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dwarf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unwind/make_elf.h"
#include "unwind/unwind.h"

// The bias of the program: address 0x1000 in its file is mapped at BIAS + 0x1000.
#define BIAS 0x555500000000
#define STACK 0x7ffc00000000
#define WORDS 128

struct fixture {
	const struct frec_registers *machine;
	struct made_cfi cfi;
	struct made_elf elf;
	char path[64];
	struct frec_unwinder *unwinder;
	struct frec_unwind_process *process;
	uint64_t registers[64]; // indexed by the kernel's register numbers
	uint64_t words[WORDS];
	size_t word_count;
	struct frec_frame frames[FREC_FRAMES_MAX];
	size_t count;
	struct frec_unwind_end end;
};

static void begin(struct fixture *fixture, const struct frec_registers *machine)
{
	memset(fixture, 0, sizeof(*fixture));
	fixture->machine = machine;
	fixture->registers[machine->sp] = STACK;
	fixture->word_count = WORDS;
}

static void open_process(struct fixture *fixture)
{
	static const struct made_symbol symbols[] = {{"first", 0x1000, 0x100, 0x12},
						     {"second", 0x1100, 0x100, 0x12},
						     {"third", 0x1200, 0x100, 0x12}};
	struct frec_unwind_map maps[] = {{.start = BIAS + 0x1000,
					  .end = BIAS + 0x2000,
					  .offset = 0x1000,
					  .path = fixture->path},
					 {.start = 0x1234000, .end = 0x1235000, .path = "//anon"}};

	end_cfi(&fixture->cfi);
	make_elf(&fixture->elf, fixture->machine->elf_machine, fixture->cfi.bytes,
		 fixture->cfi.size, symbols, 3);
	memcpy(fixture->elf.bytes + MADE_CODE + 0x800, fixture->machine->sigreturn.code,
	       fixture->machine->sigreturn.size);
	assert_int_equal(write_elf(&fixture->elf, fixture->path), 0);
	assert_int_equal(frec__unwinder_create(fixture->machine, NULL, &fixture->unwinder), 0);
	assert_int_equal(frec__unwind_process_create(fixture->unwinder, maps, 2, &fixture->process),
			 0);
}

static void unwind(struct fixture *fixture)
{
	uint64_t values[64];
	const struct frec_stack stack = {STACK, (const uint8_t *)fixture->words,
					 fixture->word_count * 8};
	struct frec_unwind_registers registers = {.values = values};

	for (unsigned int i = 0; i < fixture->machine->count; i++) {
		if (!fixture->machine->names[i])
			continue;
		values[registers.count++] = fixture->registers[i];
		registers.mask |= 1ull << i;
	}
	fixture->count = frec__unwind(fixture->process, &registers, &stack, fixture->frames,
				      FREC_FRAMES_MAX, &fixture->end);
}

static void end(struct fixture *fixture)
{
	frec__unwind_process_destroy(fixture->process);
	frec__unwinder_destroy(fixture->unwinder);
	unlink(fixture->path);
}

#define FRAME(number, its_pc, its_kind, its_exact) \
	do { \
		assert_true((number) < fixture.count); \
		assert_int_equal(fixture.frames[number].pc, its_pc); \
		assert_int_equal(fixture.frames[number].kind, its_kind); \
		assert_int_equal(fixture.frames[number].exact, its_exact); \
	} while (0)

#define ENDS(its_count, its_reason, its_address) \
	do { \
		assert_int_equal(fixture.count, its_count); \
		assert_int_equal(fixture.end.reason, its_reason); \
		assert_int_equal(fixture.end.address, its_address); \
	} while (0)

static const uint8_t x86_start[] = {DW_CFA_def_cfa, 7, 8, DW_CFA_offset | 16, 1};

// The functions: `first` has 16 bytes of locals, `second` saves rbx, and `third` has its CFA at rbx
// + 16.
static void open_x86_64(struct fixture *fixture)
{
	static const uint8_t first[] = {DW_CFA_def_cfa_offset, 24};
	static const uint8_t second[] = {DW_CFA_def_cfa_offset, 16, DW_CFA_offset | 3, 2};
	static const uint8_t third[] = {DW_CFA_def_cfa, 3, 16};
	static const uint8_t outermost[] = {DW_CFA_undefined, 16};
	static const uint8_t own_caller[] = {DW_CFA_def_cfa_offset, 0, DW_CFA_same_value, 16};
	static const uint8_t by_rax[] = {DW_CFA_def_cfa, 0, 16};
	size_t cie, signal;

	begin(fixture, &frec__registers_x86_64);
	cie = add_cie(&fixture->cfi, 16, 0, x86_start, sizeof(x86_start));
	signal = add_cie(&fixture->cfi, 16, 1, x86_start, sizeof(x86_start));
	add_fde(&fixture->cfi, cie, 0x1000, 0x100, first, sizeof(first));
	add_fde(&fixture->cfi, cie, 0x1100, 0x100, second, sizeof(second));
	add_fde(&fixture->cfi, cie, 0x1200, 0x100, third, sizeof(third));
	add_fde(&fixture->cfi, cie, 0x1300, 0x100, outermost, sizeof(outermost));
	add_fde(&fixture->cfi, signal, 0x1400, 0x100, NULL, 0);
	add_fde(&fixture->cfi, cie, 0x1500, 0x100, own_caller, sizeof(own_caller));
	add_fde(&fixture->cfi, cie, 0x1600, 0x100, (const uint8_t *)"\x3f", 1);
	add_fde(&fixture->cfi, cie, 0x1700, 0x80, by_rax, sizeof(by_rax));
	open_process(fixture);
}

static void registers_that_rows_do_not_follow(void **state)
{
	static struct fixture fixture;

	(void)state;
	open_x86_64(&fixture);
	// The CFA of `third` is rbx + 16. `second` has saved rbx, but rows do not follow rbx, so
	// the stack has to be unwound again from the top frame, with all registers.
	fixture.registers[8] = BIAS + 0x1010;
	fixture.words[2] = BIAS + 0x1110;
	fixture.words[3] = STACK + 0x50; // rbx, saved by second
	fixture.words[4] = BIAS + 0x1210;
	fixture.words[0x58 / 8] = BIAS + 0x1310;
	unwind(&fixture);
	FRAME(0, BIAS + 0x1010, FREC_FRAME_TOP, true);
	FRAME(1, BIAS + 0x1110, FREC_FRAME_CFI, false);
	FRAME(2, BIAS + 0x1210, FREC_FRAME_CFI, false);
	FRAME(3, BIAS + 0x1310, FREC_FRAME_CFI, false);
	ENDS(4, FREC_UNWIND_COMPLETE, 0);
	// A return address at the start of a function means that the call was the last instruction
	// of the function before it.
	fixture.words[4] = BIAS + 0x1300;
	unwind(&fixture);
	ENDS(4, FREC_UNWIND_COMPLETE, 0);
	end(&fixture);
}

static void registers_that_a_call_has_changed(void **state)
{
	static struct fixture fixture;

	(void)state;
	open_x86_64(&fixture);
	fixture.registers[0] = STACK + 0x50;
	fixture.words[0x58 / 8] = BIAS + 0x1310;
	fixture.registers[8] = BIAS + 0x1710;
	unwind(&fixture);
	ENDS(2, FREC_UNWIND_COMPLETE, 0);
	fixture.registers[8] = BIAS + 0x1010;
	fixture.words[2] = BIAS + 0x1710;
	unwind(&fixture);
	ENDS(2, FREC_UNWIND_BAD_MEMORY, STACK + 24);
	end(&fixture);
}

// The stack has a hole where `second` has saved rbx, which `third` needs.
static void a_register_in_a_hole(void **state)
{
	static struct fixture fixture;
	const struct frec_stack_piece above = {STACK + 32, (const uint8_t *)&fixture.words[4], 96};
	const struct frec_stack stack = {.address = STACK,
					 .data = (const uint8_t *)fixture.words,
					 .size = 24,
					 .piece = &above,
					 .pieces = 1};
	const struct frec_unwind_registers registers = {1 << 7 | 1 << 8,
							(uint64_t[]){STACK, BIAS + 0x1010}, 2};

	(void)state;
	open_x86_64(&fixture);
	fixture.words[2] = BIAS + 0x1110;
	fixture.words[3] = STACK + 0x50;
	fixture.words[4] = BIAS + 0x1210;
	fixture.words[0x58 / 8] = BIAS + 0x1310;
	fixture.count = frec__unwind(fixture.process, &registers, &stack, fixture.frames,
				     FREC_FRAMES_MAX, &fixture.end);
	ENDS(3, FREC_UNWIND_TRUNCATED, STACK + 24);
	end(&fixture);
}

static void ends_of_stacks(void **state)
{
	static struct fixture fixture;
	char words[600];

	(void)state;
	open_x86_64(&fixture);
	fixture.registers[8] = BIAS + 0x1010;
	fixture.words[2] = 0; // the return address of the outermost function in some programs
	unwind(&fixture);
	ENDS(1, FREC_UNWIND_COMPLETE, 0);
	fixture.words[2] = BIAS + 0x1910; // the entry function, which has no CFI
	unwind(&fixture);
	ENDS(2, FREC_UNWIND_COMPLETE, 0);
	fixture.words[2] = BIAS + 0x1980;
	unwind(&fixture);
	ENDS(2, FREC_UNWIND_NO_CFI, BIAS + 0x1980);
	fixture.words[2] = BIAS + 0x1010;
	fixture.words[5] = BIAS + 0x1010;
	fixture.word_count = 8;
	unwind(&fixture);
	ENDS(3, FREC_UNWIND_TRUNCATED, STACK + 64);
	assert_string_equal(frec__unwind_end_words(&fixture.end, words, sizeof(words)),
			    "the recorded stack ends below 0x7ffc00000040");
	fixture.words[5] = 0x4141414141414141;
	unwind(&fixture);
	ENDS(3, FREC_UNWIND_NO_CFI, 0x4141414141414141);
	assert_int_equal(fixture.frames[2].map, FREC_FRAME_NO_MAP);
	fixture.words[5] = BIAS + 0x1610;
	unwind(&fixture);
	ENDS(3, FREC_UNWIND_BAD_CFI, BIAS + 0x1610);
	assert_non_null(strstr(frec__unwind_end_words(&fixture.end, words, sizeof(words)),
			       ".eh_frame at offset 0x"));
	fixture.words[5] = BIAS + 0x1510;
	unwind(&fixture);
	ENDS(3, FREC_UNWIND_LOOP, BIAS + 0x1510);
	fixture.word_count = 0;
	unwind(&fixture);
	ENDS(1, FREC_UNWIND_TRUNCATED, STACK + 16);
	fixture.registers[7] = 8;
	unwind(&fixture);
	ENDS(1, FREC_UNWIND_BAD_MEMORY, 24);
	// This stack pointer is so close to the end of the address space that sums wrap.
	fixture.registers[7] = UINT64_MAX - 17;
	unwind(&fixture);
	ENDS(1, FREC_UNWIND_BAD_MEMORY, UINT64_MAX - 1);
	end(&fixture);
}

static void no_registers(void **state)
{
	static struct fixture fixture;
	const struct frec_stack stack = {STACK, NULL, 0};
	const uint64_t value = BIAS + 0x1000;

	(void)state;
	open_x86_64(&fixture);
	assert_int_equal(frec__unwind(fixture.process,
				      &(struct frec_unwind_registers){1 << 8, &value, 1}, &stack,
				      fixture.frames, 16, &fixture.end),
			 0);
	assert_int_equal(fixture.end.reason, FREC_UNWIND_NO_REGISTERS);
	// The mask has more bits than there are values.
	assert_int_equal(frec__unwind(fixture.process,
				      &(struct frec_unwind_registers){1 << 7 | 1 << 8, &value, 1},
				      &stack, fixture.frames, 16, &fixture.end),
			 0);
	end(&fixture);
}

static void a_limit(void **state)
{
	static struct fixture fixture;

	(void)state;
	open_x86_64(&fixture);
	fixture.registers[8] = BIAS + 0x1010;
	for (size_t i = 0; i < WORDS; i++)
		fixture.words[i] = BIAS + 0x1010;
	unwind(&fixture);
	ENDS(43, FREC_UNWIND_TRUNCATED, STACK + 8 * (WORDS + 0));
	fixture.count =
		frec__unwind(fixture.process,
			     &(struct frec_unwind_registers){1 << 7 | 1 << 8,
							     (uint64_t[]){STACK, BIAS + 0x1010}, 2},
			     &(struct frec_stack){STACK, (const uint8_t *)fixture.words, 8 * WORDS},
			     fixture.frames, 5, &fixture.end);
	ENDS(5, FREC_UNWIND_LIMIT, BIAS + 0x1010);
	end(&fixture);
}

static void signals(void **state)
{
	static struct fixture fixture;

	(void)state;
	open_x86_64(&fixture);
	fixture.registers[8] = BIAS + 0x1010;
	fixture.words[2] = BIAS + 0x1401;
	fixture.words[3] =
		BIAS + 0x1300; // the first instruction of its function; no call is before it
	unwind(&fixture);
	FRAME(1, BIAS + 0x1401, FREC_FRAME_CFI, false);
	assert_true(fixture.frames[1].signal);
	assert_false(fixture.frames[0].signal);
	FRAME(2, BIAS + 0x1300, FREC_FRAME_CFI, true);
	ENDS(3, FREC_UNWIND_COMPLETE, 0);
	end(&fixture);
}

// A signal handler can return to code without CFI.
static void signals_without_cfi(void **state)
{
	static struct fixture fixture;

	(void)state;
	open_x86_64(&fixture);
	fixture.registers[8] = BIAS + 0x1010;
	fixture.words[2] = BIAS + 0x1800;
	fixture.words[3 + 160 / 8] = STACK + 0x280; // sp
	fixture.words[3 + 168 / 8] = BIAS + 0x1200; // pc
	fixture.words[3 + 128 / 8] = STACK + 0x300; // rbx; the CFA of `third` is rbx + 16
	fixture.words[0x308 / 8] = BIAS + 0x1310;
	unwind(&fixture);
	assert_true(fixture.frames[1].signal);
	FRAME(2, BIAS + 0x1200, FREC_FRAME_CFI, true);
	FRAME(3, BIAS + 0x1310, FREC_FRAME_CFI, false);
	ENDS(4, FREC_UNWIND_COMPLETE, 0);
	fixture.word_count = 3 + 168 / 8;
	unwind(&fixture);
	ENDS(2, FREC_UNWIND_TRUNCATED, STACK + 24 + 168);
	end(&fixture);
}

static void what_was_popped_is_in_its_register(void **state)
{
	static struct fixture fixture;
	static const uint8_t popped[] = {DW_CFA_offset | 6, 2}; // saved below the stack pointer
	static const uint8_t by_fp[] = {DW_CFA_def_cfa, 6, 16};
	static const uint8_t outermost[] = {DW_CFA_undefined, 16};
	size_t cie;

	(void)state;
	begin(&fixture, &frec__registers_x86_64);
	cie = add_cie(&fixture.cfi, 16, 0, x86_start, sizeof(x86_start));
	add_fde(&fixture.cfi, cie, 0x1000, 0x100, popped, sizeof(popped));
	add_fde(&fixture.cfi, cie, 0x1100, 0x100, by_fp, sizeof(by_fp));
	add_fde(&fixture.cfi, cie, 0x1200, 0x100, outermost, sizeof(outermost));
	open_process(&fixture);
	fixture.registers[8] = BIAS + 0x1010;
	fixture.registers[6] = STACK + 0x40;
	fixture.words[0] = BIAS + 0x1110;
	fixture.words[9] = BIAS + 0x1210;
	unwind(&fixture);
	ENDS(3, FREC_UNWIND_COMPLETE, 0);
	end(&fixture);
}

static void made_at_run_time(void **state)
{
	static struct fixture fixture;

	(void)state;
	open_x86_64(&fixture);
	fixture.registers[8] = 0x1234010;
	fixture.registers[6] = STACK + 0x20;
	fixture.words[4] = STACK + 0x100;
	fixture.words[5] = 0x1234020;
	fixture.words[32] = 0;
	fixture.words[33] = BIAS + 0x1310;
	unwind(&fixture);
	FRAME(1, 0x1234020, FREC_FRAME_FRAME_POINTER, false);
	FRAME(2, BIAS + 0x1310, FREC_FRAME_FRAME_POINTER, false);
	ENDS(3, FREC_UNWIND_COMPLETE, 0);
	assert_int_equal(fixture.frames[0].map, 1);
	// A frame pointer is not followed if the word after the one that it points to is no return
	// address.
	fixture.words[33] = 0x777;
	unwind(&fixture);
	ENDS(2, FREC_UNWIND_NO_CFI, 0x1234020);
	fixture.registers[6] = STACK + 0x21;
	unwind(&fixture);
	ENDS(1, FREC_UNWIND_NO_CFI, 0x1234010);
	fixture.registers[6] = STACK - 8;
	unwind(&fixture);
	ENDS(1, FREC_UNWIND_NO_CFI, 0x1234010);
	end(&fixture);
}

static void bad_jumps(void **state)
{
	static struct fixture fixture;

	(void)state;
	open_x86_64(&fixture);
	fixture.registers[8] = 0;
	fixture.words[0] = BIAS + 0x1310;
	unwind(&fixture);
	FRAME(0, 0, FREC_FRAME_TOP, true);
	assert_int_equal(fixture.frames[0].map, FREC_FRAME_NO_MAP);
	FRAME(1, BIAS + 0x1310, FREC_FRAME_RETURN, false);
	ENDS(2, FREC_UNWIND_COMPLETE, 0);
	// Without a return address on the stack, pc came to 0 by a jump, not by a call.
	fixture.words[0] = 0x777;
	unwind(&fixture);
	ENDS(1, FREC_UNWIND_NO_CFI, 0);
	end(&fixture);
}

static void frames_of_aarch64(void **state)
{
	static struct fixture fixture;
	static const uint8_t start[] = {DW_CFA_def_cfa, 31, 0};
	static const uint8_t framed[] = {DW_CFA_def_cfa,     29, 32, DW_CFA_offset | 29, 4,
					 DW_CFA_offset | 30, 3};
	static const uint8_t outermost[] = {DW_CFA_undefined, 30};
	size_t cie;

	(void)state;
	begin(&fixture, &frec__registers_aarch64);
	cie = add_cie(&fixture.cfi, 30, 0, start, sizeof(start));
	add_fde(&fixture.cfi, cie, 0x1000, 0x100, NULL, 0);
	add_fde(&fixture.cfi, cie, 0x1100, 0x100, framed, sizeof(framed));
	add_fde(&fixture.cfi, cie, 0x1200, 0x100, outermost, sizeof(outermost));
	open_process(&fixture);
	fixture.registers[32] = BIAS + 0x1010;
	fixture.registers[30] =
		BIAS + 0x1110; // a leaf function keeps its return address in the register
	fixture.registers[29] = STACK + 0x20;
	fixture.words[4] = STACK + 0x80;
	fixture.words[5] = 0xab00000000000000 | (BIAS + 0x1110); // signed
	fixture.words[16] = 0;
	fixture.words[17] = BIAS + 0x1210;
	unwind(&fixture);
	FRAME(1, BIAS + 0x1110, FREC_FRAME_CFI, false);
	FRAME(2, BIAS + 0x1110, FREC_FRAME_CFI, false);
	FRAME(3, BIAS + 0x1210, FREC_FRAME_CFI, false);
	ENDS(4, FREC_UNWIND_COMPLETE, 0);
	// A leaf function calls nothing, so it cannot be a caller.
	fixture.registers[30] = BIAS + 0x1010;
	unwind(&fixture);
	ENDS(1, FREC_UNWIND_LOOP, BIAS + 0x1010);
	fixture.registers[32] = 0x10; // a call through a bad pointer
	fixture.registers[30] = BIAS + 0x1110;
	unwind(&fixture);
	FRAME(1, BIAS + 0x1110, FREC_FRAME_RETURN, false);
	ENDS(4, FREC_UNWIND_COMPLETE, 0);
	fixture.registers[32] = BIAS + 0x1010;
	fixture.registers[30] = BIAS + 0x1800; // where a signal handler returns to
	memset(fixture.words, 0, sizeof(fixture.words));
	fixture.words[39 + 31] = STACK + 0x300; // sp
	fixture.words[39 + 32] = BIAS + 0x1010; // pc, in a leaf
	fixture.words[39 + 30] = BIAS + 0x1210; // lr
	unwind(&fixture);
	FRAME(2, BIAS + 0x1010, FREC_FRAME_CFI, true);
	FRAME(3, BIAS + 0x1210, FREC_FRAME_CFI, false);
	ENDS(4, FREC_UNWIND_COMPLETE, 0);
	end(&fixture);
}

static void mappings_that_overlap(void **state)
{
	static struct fixture fixture;
	struct frec_unwind_process *process;
	struct frec_unwind_map maps[] = {
		{.start = BIAS + 0x1000, .end = BIAS + 0x3000, .offset = 0x1000, .path = "/old"},
		{.start = BIAS + 0x1000, .end = BIAS + 0x2000, .offset = 0x1000, .path = ""},
		{.start = 5, .end = 5, .path = "//anon"},
		{.start = 9, .end = 7, .path = "//anon"},
		{.start = 0, .end = UINT64_MAX, .path = "/before"},
		{.start = BIAS + 0x1000, .end = BIAS + 0x2000, .offset = 0x1000, .path = ""}};
	struct frec_frame frame = {.pc = BIAS + 0x1110};
	struct frec_names names;

	(void)state;
	open_x86_64(&fixture);
	maps[5].path = fixture.path;
	assert_int_equal(frec__unwind_process_create(fixture.unwinder, maps, 6, &process), 0);
	assert_int_equal(frec__symbolize(process, &frame, &names), 0);
	assert_string_equal(names.module, fixture.path);
	assert_int_equal(names.count, 1);
	assert_string_equal(names.names[0].function, "second");
	assert_int_equal(names.offset, 0x10);
	assert_int_equal(names.address, 0x1110);
	assert_false(names.verified);
	frame.pc = BIAS + 0x1300; // the call was the last instruction of the function before
	assert_int_equal(frec__symbolize(process, &frame, &names), 0);
	assert_string_equal(names.names[0].function, "third");
	assert_int_equal(names.offset, 0x100);
	frame.exact = true;
	assert_int_equal(frec__symbolize(process, &frame, &names), 0);
	assert_int_equal(names.count, 0);
	frame.pc = 100;
	assert_int_equal(frec__symbolize(process, &frame, &names), 0);
	assert_string_equal(names.module, "/before");
	assert_int_equal(names.count, 0);
	assert_non_null(strstr(names.missing->message, "/before"));
	frec__unwind_process_destroy(process);
	end(&fixture);
}

static void another_build_id(void **state)
{
	static struct fixture fixture;
	struct frec_unwind_process *process;
	struct frec_unwind_map map = {.start = BIAS + 0x1000,
				      .end = BIAS + 0x2000,
				      .offset = 0x1000,
				      .build_id = (const uint8_t *)"12345678901234567890",
				      .build_id_size = 20};
	struct frec_frame frame = {.pc = BIAS + 0x1110};
	struct frec_names names;

	(void)state;
	open_x86_64(&fixture);
	map.path = fixture.path;
	assert_int_equal(frec__unwind_process_create(fixture.unwinder, &map, 1, &process), 0);
	assert_int_equal(frec__symbolize(process, &frame, &names), 0);
	assert_int_equal(names.count, 0);
	assert_non_null(strstr(names.missing->message, "another build-id"));
	frec__unwind_process_destroy(process);
	end(&fixture);
}

static void one_register(void **state)
{
	static const uint64_t values[] = {70, 80, 630, 0xbad};
	struct frec_unwind_registers registers = {1 << 7 | 1 << 8 | UINT64_C(1) << 63, values, 3};

	(void)state;
	assert_int_equal(frec__unwind_register(&registers, 7), 70);
	assert_int_equal(frec__unwind_register(&registers, 8), 80);
	assert_int_equal(frec__unwind_register(&registers, 63), 630);
	// A register that was not recorded counts as 0, and so does one whose value is missing in a
	// damaged file.
	assert_int_equal(frec__unwind_register(&registers, 9), 0);
	assert_int_equal(frec__unwind_register(&registers, 0), 0);
	registers.count = 1;
	assert_int_equal(frec__unwind_register(&registers, 7), 70);
	assert_int_equal(frec__unwind_register(&registers, 8), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_register),
		cmocka_unit_test(registers_that_rows_do_not_follow),
		cmocka_unit_test(registers_that_a_call_has_changed),
		cmocka_unit_test(ends_of_stacks),
		cmocka_unit_test(a_register_in_a_hole),
		cmocka_unit_test(no_registers),
		cmocka_unit_test(a_limit),
		cmocka_unit_test(signals),
		cmocka_unit_test(signals_without_cfi),
		cmocka_unit_test(what_was_popped_is_in_its_register),
		cmocka_unit_test(made_at_run_time),
		cmocka_unit_test(bad_jumps),
		cmocka_unit_test(frames_of_aarch64),
		cmocka_unit_test(mappings_that_overlap),
		cmocka_unit_test(another_build_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
