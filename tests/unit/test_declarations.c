// SPDX-License-Identifier: MIT
// Proves that the events that a program declares are read from its file as the program itself would
// register them, and that a section that was cut or changed does no harm. The program is this test.
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "recorder/declared/declared_files.h"
#include "recorder/declared/declared_kinds.h"
#include "recorder/service/include/flightrec/event.h"

enum phase { COLD = -5, WARM = 0, HOT = 70000 };

FREC_EVENT(declared, all, FREC_U8(a), FREC_U16(b), FREC_U32(c), FREC_U64(d), FREC_I8(e),
	   FREC_I16(f), FREC_I32(g), FREC_I64(h), FREC_BOOL(i), FREC_PTR(j), FREC_F32(k),
	   FREC_F64(l), FREC_STR(m), FREC_CHARS(n, 16), FREC_BYTES(o),
	   FREC_ENUM(phase, COLD, WARM, HOT));
FREC_EVENT(declared, none);
FREC_EVENT(declared, texts, FREC_TEXT(key), FREC_STR(word), FREC_TEXT(other));
FREC_EVENT(declared, arrays, FREC_STR(words), FREC_CHARS(tag, 4), FREC_ENUM(heat, COLD, WARM, HOT));

static struct frec_declared *find(const struct frec_declarations *declarations, const char *name)
{
	for (size_t i = 0; i < declarations->count; i++) {
		if (!strcmp(declarations->event[i].provider, "declared") &&
		    !strcmp(declarations->event[i].name, name))
			return &declarations->event[i];
	}
	return NULL;
}

static void registered_as_the_program_would(void **state)
{
	const struct frec__event *events[] = {&frec__event_declared_all, &frec__event_declared_none,
					      &frec__event_declared_texts};
	const char *names[] = {"all", "none", "texts"};
	struct frec_declarations declarations = {0};
	size_t count;

	(void)state;
	assert_int_equal(frec__declarations_add_file(&declarations, "/proc/self/exe", true), 0);
	count = declarations.count;
	assert_int_equal(frec__declarations_add_file(&declarations, "/proc/self/exe", false), 0);
	assert_int_equal(declarations.count, count); // not twice
	for (int i = 0; i < 3; i++) {
		struct frec_declared *event = find(&declarations, names[i]);
		char *text;

		assert_non_null(event);
		text = frec__declared_registration(event);
		assert_string_equal(text, events[i]->declaration);
		free(text);
	}
	frec__declarations_deinit(&declarations);
	assert_true(frec__declarations_add_file(&declarations, "/nonexistent", false) < 0);
	assert_true(frec__declarations_add_file(&declarations, "/dev/null", false) < 0);
}

static void enumerators_refine_a_format(void **state)
{
	struct frec_enumerator *values;
	struct frec_declarations declarations = {0};
	struct frec_declared *all;
	struct frec_format format = {0};

	(void)state;
	assert_int_equal(frec__declarations_add_process(&declarations, getpid()), 0);
	all = find(&declarations, "all");
	assert_non_null(all);
	assert_int_equal(all->count, 16);
	values = all->field[15].enumerator;
	assert_int_equal(all->field[15].enumerators, 3);
	assert_string_equal(values[0].name, "COLD");
	assert_int_equal(values[0].value, -5);
	assert_string_equal(values[2].name, "HOT");
	assert_int_equal(values[2].value, 70000);
	assert_int_equal(all->field[13].length, 16);
	assert_false(frec__declarations_refine(&declarations, "declared", "all", &format));
	assert_true(frec__declarations_refine(&declarations, "declared", "none", &format));
	frec__declarations_deinit(&declarations);
}

// C++ programs write an enumerator of an enum class with the names of its scopes. Spaces around it
// are ignored.
static void enumerators_of_a_class(void **state)
{
	static const struct {
		uint32_t magic, size;
		uint16_t version, enumerators;
		uint32_t text_size;
		int64_t value[3];
		char text[56];
	} section = {FREC__DECLARATION_MAGIC,
		     sizeof(section),
		     1,
		     3,
		     sizeof(section.text),
		     {-1, 4, 5},
		     "p\0n\0enum state:app::State::idle, ::State::busy , done\0"};
	static const char *const names[] = {"idle", "busy", "done"};
	struct frec_declarations declarations = {0};
	struct frec_declared_field *field;
	size_t index;

	(void)state;
	assert_int_equal(frec__declaration_read(&declarations, (const uint8_t *)&section,
						sizeof(section), &index),
			 sizeof(section));
	assert_int_equal(index, 0);
	field = declarations.event[0].field;
	assert_int_equal(field->enumerators, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_string_equal(field->enumerator[i].name, names[i]);
		assert_int_equal(field->enumerator[i].value, section.value[i]);
	}
	frec__declarations_deinit(&declarations);
}

// Between the brackets of a user event's arrays the kernel prints uninitialised memory.
static void garbage_in_brackets_is_no_difference(void **state)
{
	static const char *const numbers[] = {"", "-2131", "0", "77"};

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct frec_declarations declarations = {0};
		struct frec_format format;
		char text[512];

		snprintf(text, sizeof(text),
			 "ID: 7\nformat:\n"
			 "\tfield:__rel_loc char words[%s];\toffset:8;\tsize:4;\tsigned:1;\n"
			 "\tfield:char tag[%s];\toffset:12;\tsize:4;\tsigned:1;\n"
			 "\tfield:s32 heat;\toffset:16;\tsize:4;\tsigned:1;\n",
			 numbers[i], numbers[i]);
		assert_int_equal(frec__format_parse(&format, text, true, NULL), 0);
		assert_int_equal(frec__declarations_add_process(&declarations, getpid()), 0);
		assert_true(
			frec__declarations_refine(&declarations, "declared", "arrays", &format));
		assert_int_equal(format.field[2].enumerators, 3);
		// A different type is a different layout, even if it has the same size.
		format.field[2].type[0] = 'u';
		assert_false(
			frec__declarations_refine(&declarations, "declared", "arrays", &format));
		frec__format_deinit(&format);
		frec__declarations_deinit(&declarations);
	}
}

// In a copy of the file, flips every bit of the section, and then cuts the file within the section,
// after the ELF header, and to nothing.
static void hostile_sections(void **state)
{
	char path[] = "/tmp/frec-declarations-XXXXXX";
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), to = mkstemp(path);
	const uint8_t *wanted = (const uint8_t *)&frec__declaration_declared_all;
	size_t size = sizeof(frec__declaration_declared_all), at = 0;
	struct stat status;
	uint8_t *file;

	(void)state;
	assert_int_equal(fstat(from, &status), 0);
	file = malloc((size_t)status.st_size);
	assert_int_equal(read(from, file, (size_t)status.st_size), status.st_size);
	assert_int_equal(write(to, file, (size_t)status.st_size), status.st_size);
	while (memcmp(file + at, wanted, size))
		at += 8;
	for (size_t bit = 0; bit < 8 * size; bit++) {
		struct frec_declarations declarations = {0};
		uint8_t changed = file[at + bit / 8] ^ (uint8_t)(1 << bit % 8);

		assert_int_equal(pwrite(to, &changed, 1, (off_t)(at + bit / 8)), 1);
		frec__declarations_add_file(&declarations, path, false);
		for (size_t i = 0; i < declarations.count; i++)
			free(frec__declared_registration(&declarations.event[i]));
		frec__declarations_deinit(&declarations);
		assert_int_equal(pwrite(to, &file[at + bit / 8], 1, (off_t)(at + bit / 8)), 1);
	}
	for (size_t cut = 0; cut < 3; cut++) {
		struct frec_declarations declarations = {0};

		assert_int_equal(ftruncate(to, cut == 0	  ? (off_t)(at + size / 2)
					       : cut == 1 ? 64
							  : 0),
				 0);
		frec__declarations_add_file(&declarations, path, true);
		assert_null(find(&declarations, "all"));
		frec__declarations_deinit(&declarations);
	}
	free(file);
	close(from);
	close(to);
	unlink(path);
}

static void memory_that_ran_out_once(void **state)
{
	struct frec_declarations declarations = {.out_of_memory = true};

	(void)state;
	assert_int_equal(frec__declarations_add_file(&declarations, "/proc/self/exe", true), 0);
	assert_non_null(find(&declarations, "all"));
	frec__declarations_deinit(&declarations);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registered_as_the_program_would),
		cmocka_unit_test(enumerators_refine_a_format),
		cmocka_unit_test(enumerators_of_a_class),
		cmocka_unit_test(garbage_in_brackets_is_no_difference),
		cmocka_unit_test(hostile_sections),
		cmocka_unit_test(memory_that_ran_out_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
