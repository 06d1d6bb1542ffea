// SPDX-License-Identifier: MIT
// Proves that the notes of USDT probes are parsed, that broken and hostile files do no harm, and
// that records never exceed their maximum size.
#include <elf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "recorder/declared/file_reader.h"
#include "recorder/declared/usdt_operand.h"
#include "recorder/sources/foreign_targets.h"
#include "tests/data/note_file.h"

static uint8_t notes[4 << 20];
static size_t notes_size;

static void add_note(const char *owner, size_t owner_size, uint32_t type, const char *strings,
		     size_t strings_size)
{
	Elf64_Nhdr note = {.n_namesz = (Elf64_Word)owner_size,
			   .n_descsz = (Elf64_Word)(24 + strings_size),
			   .n_type = type};

	memcpy(notes + notes_size, &note, sizeof(note));
	notes_size += sizeof(note);
	memset(notes + notes_size, 0, 24 + owner_size + strings_size + 8);
	memcpy(notes + notes_size, owner, owner_size);
	notes_size += (owner_size + 3) / 4 * 4 + 24;
	memcpy(notes + notes_size, strings, strings_size);
	notes_size += (strings_size + 3) / 4 * 4;
}

#define ADD(strings) add_note("stapsdt", 8, 3, strings, sizeof(strings))

#if defined(__aarch64__)
static uint16_t machine = EM_AARCH64;
#else
static uint16_t machine = EM_X86_64;
#endif

static int make_file(size_t claimed)
{
	int fd = make_note_file(machine, notes, notes_size, claimed);

	assert_true(fd >= 0);
	return fd;
}

static struct frec_usdt_probes read_all(int fd, const char *provider, const char *name)
{
	struct frec_usdt_probes probes = {0};

	assert_int_equal(frec__stapsdt_read(&probes, fd, "probed", provider, name), 0);
	close(fd);
	return probes;
}

static bool find_symbol(void *context, const char *name, uint64_t site, uint64_t *ret)
{
	assert_string_equal(context, "symbols");
	assert_int_equal(site, 0x1000);
	*ret = 0x4000;
	return !strcmp(name, "table") || !strcmp(name, "_ZN1a.b$1");
}

#define NONE FREC_USDT_NO_REGISTER

// What is expected of an argument: "ADD BASE INDEX SCALE SIZE FLAGS" of its place, in C's terms.
struct expected {
	const char *text;
	uint64_t add;
	uint8_t base, index, scale, size, flags;
};

static void check_place(uint16_t of_machine, const struct expected *expected)
{
	const struct frec_usdt_site_text site = {.machine = of_machine,
						 .site = 0x1000,
						 .find_symbol = find_symbol,
						 .context = (void *)(uintptr_t) "symbols"};
	struct frec_usdt_place place[FREC_USDT_ARGUMENTS_MAX];

	if (frec__usdt_operands_parse(&site, expected->text, place) != 1)
		fail_msg("'%s' is not one argument", expected->text);
	if (!expected->flags && !(place[0].flags & FREC_USDT_READABLE))
		return;
	if (place[0].add != expected->add || place[0].base != expected->base ||
	    place[0].index != expected->index || place[0].scale != expected->scale ||
	    place[0].size != expected->size || place[0].flags != expected->flags)
		fail_msg("'%s': %#llx %u %u %u %u %u", expected->text, place[0].add, place[0].base,
			 place[0].index, place[0].scale, place[0].size, place[0].flags);
}

#define READ FREC_USDT_READABLE
#define SIGN FREC_USDT_SIGNED
#define LOAD (FREC_USDT_READABLE | FREC_USDT_MEMORY)
#define SITE FREC_USDT_FROM_SITE

static void operands_of_x86_64(void **state)
{
	static const struct expected cases[] = {
		{"8@%rax", 0, 10, NONE, 0, 8, READ},
		{"-4@%r15d", 0, 0, NONE, 0, 4, READ | SIGN},
		{"2@%r9w", 0, 8, NONE, 0, 2, READ},
		{"1@%ah", 0, 10, NONE, 0, 1, READ | FREC_USDT_SECOND_BYTE},
		{"1@%sil", 0, 13, NONE, 0, 1, READ},
		{"8@%rsp", 0, 19, NONE, 0, 8, READ},
		{"8@%eax", 0, 10, NONE, 0, 4, READ}, // its upper half is not part of it
		{"-4@$-7", (uint64_t)-7, NONE, NONE, 0, 4, READ | SIGN},
		{"8@$18446744073709551615", UINT64_MAX, NONE, NONE, 0, 8, READ},
		{"8@$0x10", 16, NONE, NONE, 0, 8, READ},
		{"8@(%rsp)", 0, 19, NONE, 0, 8, LOAD},
		{"4@-8(%rbp)", (uint64_t)-8, 4, NONE, 0, 4, LOAD},
		{"4@-0x8(%rbp)", (uint64_t)-8, 4, NONE, 0, 4, LOAD},
		{"1@-96(%rbp,%rax,8)", (uint64_t)-96, 4, 10, 3, 1, LOAD},
		{"1@(%rbp, %rax)", 0, 4, 10, 0, 1, LOAD},
		{"8@16(,%rdi,4)", 16, NONE, 14, 2, 8, LOAD},
		{"8@4096", 4096, NONE, NONE, 0, 8, LOAD},
		{"4@table(%rip)", 0x3000, NONE, NONE, 0, 4, LOAD | SITE},
		{"4@table+8(%rip)", 0x3008, NONE, NONE, 0, 4, LOAD | SITE},
		{"4@-8+table(%rip)", 0x2ff8, NONE, NONE, 0, 4, LOAD | SITE},
		{"4@16+table-4(,%rax,4)", 0x300c, NONE, 10, 2, 4, LOAD | SITE},
		{"8@$table+1", 0x3001, NONE, NONE, 0, 8, READ | SITE},
		{"8@table@GOTPCREL(%rip)", 0x3000, NONE, NONE, 0, 8, READ | SITE},
		{"8@_ZN1a.b$1(%rip)", 0x3000, NONE, NONE, 0, 8, LOAD | SITE},
		{"-8f@8(%rsp)", 8, 19, NONE, 0, 8, LOAD | SIGN | FREC_USDT_FLOAT},
		// Nobody can read these.
		{"8@%xmm0"},
		{"8f@%xmm0"},
		{"16@%rax"},
		{"3@%rax"},
		{"0@%rax"},
		{"2f@(%rax)"},
		{"8@"},
		{"@%rax"},
		{"-@%rax"},
		{"x4@%rax"},
		{"%rax"},
		{"8@%"},
		{"8@%r16"},
		{"8@%r08"},
		{"8@%r8x"},
		{"8@%rl"},
		{"8@%sil0"},
		{"8@%ebl"},
		{"8@$"},
		{"8@$x"},
		{"8@$18446744073709551616"},
		{"8@8(%rip)"},
		{"8@(%eax)"},
		{"8@(%rax,%rbx,3)"},
		{"8@(%rax,%rbx,16)"},
		{"8@(%rax,%rbx,2"},
		{"8@(%rax,%rbx,2)x"},
		{"8@(rax)"},
		{"8@nowhere(%rip)"},
		{"8@table-table(%rip)"},
		{"8@table+table(%rip)"},
		{"8@-table(%rip)"},
		{"8@table@PLT(%rip)"},
		{"8@%fs:8"},
		{"8@*%rax"},
		{"8@+"},
		{"8@$table@GOTPCREL"},
		{"-4@%st(1)"},
		{"99999999999999999999@%rax"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_place(EM_X86_64, &cases[i]);
}

static void operands_of_aarch64(void **state)
{
	static const struct expected cases[] = {
		{"8@x0", 0, 0, NONE, 0, 8, READ},
		{"-4@w30", 0, 30, NONE, 0, 4, READ | SIGN},
		{"8@sp", 0, 31, NONE, 0, 8, READ},
		{"8@xzr", 0, NONE, NONE, 0, 8, READ},
		{"-4@-7", (uint64_t)-7, NONE, NONE, 0, 4, READ | SIGN},
		{"8@[sp]", 0, 31, NONE, 0, 8, LOAD},
		{"8@[sp, 16]", 16, 31, NONE, 0, 8, LOAD},
		{"-4@[x0,#-8]", (uint64_t)-8, 0, NONE, 0, 4, LOAD | SIGN},
		{"8@[x1, x2]", 0, 1, 2, 0, 8, LOAD},
		{"8@[x1, x2, lsl 3]", 0, 1, 2, 3, 8, LOAD},
		{"4@[x1, w2, sxtw #2]", 0, 1, 2, 2, 4, LOAD | FREC_USDT_INDEX_SIGNED},
		{"4@[x1, w2, uxtw]", 0, 1, 2, 0, 4, LOAD | FREC_USDT_INDEX_UNSIGNED},
		{"8@d0"},
		{"8@x31"},
		{"8@[x0"},
		{"8@[x0, 16]!"},
		{"8@[w0]"},
		{"8@[x0, w1]"},
		{"8@[x0, x1, lsl 5]"},
		{"8@[x0, :lo12:table]"},
		{"8@table"},
		{"8@x"},
		{"8@"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_place(EM_AARCH64, &cases[i]);
}

static void arguments(void **state)
{
	static const struct {
		const char *text;
		uint32_t count, readable;
	} cases[] = {
		{"", 0, 0},
		{"8@%rax", 1, 1},
		{"-4@$-7 8@-12(%rbp) -1@%al", 3, 7},
		{"  4@(%rax)\t8@(%rdi, %rsi, 8)  ", 2, 3},
		{"8@%rax 8@%xmm0 %rbx 8@%rcx", 4, 9},
		{"1@%al 1@%al 1@%al 1@%al 1@%al 1@%al 1@%al 1@%al 1@%al 1@%al 1@%al 1@%al 1@%al",
		 13, (1 << 13) - 1},
		{"8@(%rax 8@%rbx", 1, 0},
		{"8@) 8@%rbx", 2, 2},
	};
	const struct frec_usdt_site_text site = {.machine = EM_X86_64};
	struct frec_usdt_place places[FREC_USDT_ARGUMENTS_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t readable = 0,
			 count = frec__usdt_operands_parse(&site, cases[i].text, places);

		for (uint32_t j = 0; j < count; j++)
			readable |= places[j].flags & FREC_USDT_READABLE ? 1u << j : 0;
		if (count != cases[i].count || readable != cases[i].readable)
			fail_msg("'%s': %u, %#x", cases[i].text, count, readable);
	}
}

// A program of another machine has no probes here, and this is told.
static void other_machine(void **state)
{
	uint16_t ours = machine;
	struct frec_usdt_probes probes;

	(void)state;
	notes_size = 0;
	ADD("shop\0paid\0-4@%eax");
	machine = EM_RISCV;
	probes = read_all(make_file(notes_size), "*", "*");
	machine = ours;
	assert_int_equal(probes.count, 0);
	assert_int_equal(probes.other_machine, 64);
	frec__usdt_probes_deinit(&probes);
}

static void probes_of_a_file(void **state)
{
	struct frec_usdt_probes probes;

	(void)state;
	notes_size = 0;
	ADD("shop\0paid\0-4@%eax");
	add_note("GNU", 4, 3, "other\0owner\0", 13);
	ADD("shop\0sent\0");
	ADD("shop\0paid\0"
	    "4@%eax -8@%rbx");
	add_note("stapsdt", 8, 4, "other\0type\0", 12);
	ADD("bank\0paid\0"
	    "8@%rax");
	probes = read_all(make_file(notes_size), "*", "*");
	assert_int_equal(probes.count, 3);
	assert_string_equal(probes.probe[0].provider, "shop");
	assert_string_equal(probes.probe[0].name, "paid");
	assert_int_equal(probes.probe[0].sites, 2);
	assert_int_equal(probes.probe[0].arguments, 2);
	assert_int_equal(probes.probe[0].is_signed, 3);
	assert_string_equal(probes.probe[1].name, "sent");
	assert_int_equal(probes.probe[1].arguments, 0);
	assert_string_equal(probes.probe[2].provider, "bank");
	frec__usdt_probes_deinit(&probes);
	probes = read_all(make_file(notes_size), "s*", "[a-p]*");
	assert_int_equal(probes.count, 1);
	frec__usdt_probes_deinit(&probes);
}

static void hostile_files(void **state)
{
	struct frec_usdt_probes probes;
	Elf64_Nhdr huge = {.n_namesz = 8, .n_descsz = UINT32_MAX - 3, .n_type = 3};
	uint8_t junk[4096];
	int fd = memfd_create("junk", MFD_CLOEXEC);

	(void)state;
	memset(junk, 0xa5, sizeof(junk));
	assert_int_equal(write(fd, junk, sizeof(junk)), sizeof(junk));
	probes = read_all(fd, "*", "*");
	assert_int_equal(probes.count, 0);
	// Notes with unterminated texts, without names, or too short for three addresses are
	// skipped, and the next ones are read.
	notes_size = 0;
	add_note("stapsdt", 8, 3, "shop", 4);
	add_note("stapsdt", 8, 3,
		 "shop\0paid\0"
		 "8@%rax",
		 16);
	ADD("\0paid\0");
	ADD("shop\0\0");
	ADD("shop\0last\0");
	probes = read_all(make_file(notes_size), "*", "*");
	assert_int_equal(probes.count, 1);
	assert_string_equal(probes.probe[0].name, "last");
	frec__usdt_probes_deinit(&probes);
	// Add a note that is larger than its section, and read sections that are larger than their
	// file.
	memcpy(notes + notes_size, &huge, sizeof(huge));
	memcpy(notes + notes_size + sizeof(huge), "stapsdt", 8);
	notes_size += sizeof(huge) + 8;
	probes = read_all(make_file(notes_size), "*", "*");
	assert_int_equal(probes.count, 1);
	frec__usdt_probes_deinit(&probes);
	probes = read_all(make_file(1 << 20), "*", "*");
	frec__usdt_probes_deinit(&probes);
	probes = read_all(make_file(SIZE_MAX / 2), "*", "*");
	frec__usdt_probes_deinit(&probes);
	// Cut the section at every place, and invert every byte of it.
	for (size_t size = 0; size < notes_size; size++) {
		probes = read_all(make_file(size), "*", "*");
		frec__usdt_probes_deinit(&probes);
		notes[size] ^= 0xff;
		probes = read_all(make_file(notes_size), "*", "*");
		frec__usdt_probes_deinit(&probes);
		notes[size] ^= 0xff;
	}
}

static void too_many(void **state)
{
	struct frec_usdt_probes probes = {0};
	int fd;

	(void)state;
	notes_size = 0;
	for (unsigned int i = 0; i < FREC_USDT_SITES_MAX; i++)
		ADD("shop\0paid\0");
	fd = make_file(notes_size);
	assert_int_equal(frec__stapsdt_read(&probes, fd, "probed", "*", "*"), 0);
	assert_int_equal(probes.probe[0].sites, FREC_USDT_SITES_MAX);
	close(fd);
	ADD("shop\0paid\0");
	fd = make_file(notes_size);
	assert_int_equal(frec__stapsdt_read(&probes, fd, "probed", "*", "*"), -E2BIG);
	close(fd);
	frec__usdt_probes_deinit(&probes);
}

// Without a free descriptor the file cannot be read, which is no lack of memory.
static void no_descriptor(void **state)
{
	struct frec_usdt_probes probes = {0};
	struct rlimit before, none;
	int fd, free_fd, r;

	(void)state;
	notes_size = 0;
	ADD("shop\0paid\0");
	fd = make_file(notes_size);
	free_fd = dup(fd);
	close(free_fd);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){(rlim_t)free_fd, before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	r = frec__stapsdt_read(&probes, fd, "probed", "*", "*");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(r, -EMFILE);
	assert_int_equal(probes.count, 0);
	close(fd);
}

// Selects all probes of a file that has `count` of them, which are too many, and returns what is
// reported about it.
static const char *reported(size_t count, uid_t owner)
{
	static char text[1024];
	struct frec_foreign_targets targets = {0};
	struct frec_selection selection;
	struct frec_error error;
	int fd, log = memfd_create("log", MFD_CLOEXEC), before = dup(STDERR_FILENO);
	char what[64];
	ssize_t n;

	notes_size = 0;
	for (size_t i = 0; i < count; i++)
		ADD("shop\0paid\0");
	fd = make_file(notes_size);
	assert_int_equal(fchown(fd, owner, (gid_t)-1), 0);
	snprintf(what, sizeof(what), "usdt:/proc/self/fd/%d:*:*", fd);
	assert_int_equal(frec__selection_parse(&selection, what, &error), 0);
	dup2(log, STDERR_FILENO);
	assert_int_equal(frec__foreign_targets_add(&targets, &selection, &error), -ENOENT);
	dup2(before, STDERR_FILENO);
	n = pread(log, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = 0;
	frec__foreign_targets_deinit(&targets);
	frec__selection_deinit(&selection);
	close(before);
	close(log);
	close(fd);
	return text;
}

// A file that is passed over is reported once, with its owner, and for the limit that it exceeds.
static void passed_over(void **state)
{
	uid_t owner = geteuid() ? geteuid() : 4711;
	char whose[64];
	const char *text;

	(void)state;
	text = reported(FREC_USDT_SITES_MAX + 1, owner);
	assert_non_null(strstr(text, "has more than 8192 probes: it is skipped\n"));
	assert_string_equal(strchr(text, '\n'), "\n");
	text = reported(FREC_FILES_TRUSTED_COUNT + 1, owner);
	snprintf(whose, sizeof(whose), " of user %u: it declares too much", owner);
	assert_non_null(strstr(text, whose));
	assert_string_equal(strchr(text, '\n'), "\n");
}

static void layouts(void **state)
{
	char provider[] = "shop", name[] = "paid";
	char path[3000];
	struct frec_foreign_target target = {
		.file = {.path = path},
		.probe = {.provider = provider, .name = name, .arguments = 3, .is_signed = 2},
		.strings = 4,
	};
	struct frec_usdt_slot slot;
	struct frec_listed listed;
	struct frec_format format;

	(void)state;
	strcpy(path, "/usr/bin/shopd");
	memset(target.length, FREC_USDT_TO_NUL, sizeof(target.length));
	target.probe.float_size[0] = 4;
	assert_int_equal(frec__foreign_target_describe(&target, &listed, &format), 0);
	assert_int_equal(listed.kind, FLIGHTREC__SOURCE_KIND__SOURCE_USDT);
	assert_string_equal(listed.group, "usdt");
	assert_string_equal(listed.system, "shop");
	assert_string_equal(listed.kernel_name, "/usr/bin/shopd:shop:paid");
	assert_int_equal(format.count, 3);
	assert_string_equal(format.field[0].name, "arg0");
	assert_int_equal(format.field[0].kind, FLIGHTREC__FIELD_KIND__FIELD_FLOAT);
	assert_int_equal(format.field[0].size, 4);
	assert_int_equal(format.field[0].absent_bit, 8 * (8 + 3 * 8));
	assert_int_equal(format.field[2].absent_bit, 8 * (8 + 3 * 8) + 2);
	assert_false(format.field[2].counted);
	assert_int_equal(format.field[0].offset, 8);
	assert_int_equal(format.field[1].kind, FLIGHTREC__FIELD_KIND__FIELD_SIGNED);
	assert_int_equal(format.field[1].size, 8);
	assert_int_equal(format.field[2].kind, FLIGHTREC__FIELD_KIND__FIELD_STRING);
	assert_int_equal(format.field[2].locator, FLIGHTREC__LOCATOR__LOCATOR_RELATIVE);
	assert_int_equal(format.field[2].offset, 24);
	assert_int_equal(format.field[2].size, 4);
	frec__format_deinit(&format);
	// The record has room for any number of arguments and texts.
	for (uint32_t n = 0; n <= FREC_USDT_ARGUMENTS_MAX; n++) {
		for (uint32_t texts = 0; texts <= n; texts++) {
			target.probe.arguments = n;
			target.strings = (1u << texts) - 1;
			slot = frec__foreign_target_slot(&target);
			assert_int_equal(slot.arguments, n);
			assert_true(slot.text_size <= FREC_FOREIGN_TEXT_MAX &&
				    slot.text_size >= 256);
			assert_true(16 + 8 * n + texts * slot.text_size <= FREC_BPF_RECORD_MAX);
		}
	}
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = 0;
	assert_int_equal(frec__foreign_target_describe(&target, &listed, &format), 0);
	assert_int_equal(strlen(listed.kernel_name), sizeof(listed.kernel_name) - 1);
	assert_string_equal(listed.kernel_name + strlen(listed.kernel_name) - 11, "x:shop:paid");
	frec__format_deinit(&format);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operands_of_x86_64), cmocka_unit_test(operands_of_aarch64),
		cmocka_unit_test(other_machine),      cmocka_unit_test(arguments),
		cmocka_unit_test(probes_of_a_file),   cmocka_unit_test(hostile_files),
		cmocka_unit_test(too_many),	      cmocka_unit_test(no_descriptor),
		cmocka_unit_test(passed_over),	      cmocka_unit_test(layouts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
