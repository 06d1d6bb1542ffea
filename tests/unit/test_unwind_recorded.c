// SPDX-License-Identifier: MIT
// Unwinds a recording of another machine: aarch64, with a leaf function, signed return addresses
// and alloca.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unwind/recording.h"

static void frames_and_names(void **state)
{
	static const struct {
		const char *function;
		unsigned int line;
		bool inlined;
	} wanted[] = {
		{"leaf", 12, false},
		{"price", 16, true},
		{"without_frame_pointer", 27, false},
		{"with_alloca", 37, false},
		{"with_signed_return", 44, false},
		{"begin", 56, false},
		{"_start", 0, false},
	};
	const struct frec_unwinder_options options = {.size = sizeof(options),
						      .root = FREC_TEST_RECORDED};
	struct frec_unwind_process *process;
	struct frec_unwinder *unwinder;
	struct frec_frame frames[FREC_FRAMES_MAX];
	struct recording recording;
	struct frec_unwind_end end;
	size_t count, found = 0;

	(void)state;
	assert_int_equal(recording_load(FREC_TEST_RECORDED "/recording", &recording), 0);
	assert_int_equal(recording.stack_count, 1);
	assert_int_equal(
		frec__unwinder_create(frec__registers_find("aarch64"), &options, &unwinder), 0);
	assert_int_equal(frec__unwind_process_create(unwinder, recording.maps, recording.map_count,
						     &process),
			 0);
	count = frec__unwind(process,
			     &(struct frec_unwind_registers){recording.stacks[0].mask,
							     recording.stacks[0].values,
							     recording.stacks[0].count},
			     &recording.stacks[0].stack, frames, FREC_FRAMES_MAX, &end);
	assert_int_equal(end.reason, FREC_UNWIND_COMPLETE);
	assert_int_equal(count, 6);
	for (size_t i = 0; i < count; i++) {
		struct frec_names names;

		assert_int_equal(frec__symbolize(process, &frames[i], &names), 0);
		for (size_t j = 0; j < names.count; j++, found++) {
			assert_true(found < sizeof(wanted) / sizeof(wanted[0]));
			assert_string_equal(names.names[j].function, wanted[found].function);
			if (wanted[found].line)
				assert_int_equal(names.names[j].line, wanted[found].line);
			assert_int_equal(names.names[j].inlined, wanted[found].inlined);
		}
	}
	assert_int_equal(found, sizeof(wanted) / sizeof(wanted[0]));
	frec__unwind_process_destroy(process);
	frec__unwinder_destroy(unwinder);
	recording_free(&recording);
}

// Tests a stub of each kind, with and without a landing pad, and code that is no stub.
static void stubs(void **state)
{
	static const uint32_t plain[] = {0xb0000090, 0xf947fe11, 0x913fe210, 0xd61f0220};
	static const uint32_t marked[] = {0xd503245f, 0x90000090, 0xf9400211,
					  0x91000210, 0xd61f0220, 0xd503201f};
	static const uint32_t back[] = {0xf0ffffd0, 0xf9400611, 0x91002210, 0xd61f0220};
	static const uint8_t jump[] = {0xff, 0x25, 0xda, 0x2f, 0, 0, 0x66, 0x90};
	static const uint8_t landing[] = {0xf3, 0x0f, 0x1e, 0xfa, 0xf2, 0xff,
					  0x25, 0xf5, 0xff, 0xff, 0xff};
	size_t (*stub)(const uint8_t *, size_t, uint64_t, uint64_t *) =
		frec__registers_aarch64.stub;
	uint64_t slot;

	(void)state;
	assert_int_equal(stub((const uint8_t *)plain, 16, 0x400560, &slot), 16);
	assert_int_equal(slot, 0x411ff8);
	assert_int_equal(stub((const uint8_t *)marked, 24, 0x400560, &slot), 24);
	assert_int_equal(slot, 0x410000);
	assert_int_equal(stub((const uint8_t *)back, 16, 0x410560, &slot), 16);
	assert_int_equal(slot, 0x40b008);
	assert_int_equal(stub((const uint8_t *)plain, 8, 0x400560, &slot), 0);
	assert_int_equal(stub((const uint8_t *)(plain + 1), 12, 0x400560, &slot), 0);
	stub = frec__registers_x86_64.stub;
	assert_int_equal(stub(jump, 8, 0x1030, &slot), 16);
	assert_int_equal(slot, 0x4010);
	assert_int_equal(stub(landing, 11, 0x1030, &slot), 16);
	assert_int_equal(slot, 0x1030);
	assert_int_equal(stub(landing, 10, 0x1030, &slot), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_and_names),
		cmocka_unit_test(stubs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
