// SPDX-License-Identifier: MIT
// What is kept of a program whose file nobody will find is enough to unwind and to name, and
// nonsense that claims to be such a program does no harm.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "unwind/module.h"

#define LOST "/nonexistent/program (deleted)"

static struct frec_unwinder *new_unwinder(const struct frec_program *programs, size_t count)
{
	const struct frec_unwinder_options options = {
		.size = sizeof(options), .programs = programs, .program_count = count};
	struct frec_unwinder *unwinder;
	struct utsname name;

	uname(&name);
	assert_int_equal(
		frec__unwinder_create(frec__registers_find(name.machine), &options, &unwinder), 0);
	return unwinder;
}

// The mapping of this program's code that has `function`.
static struct frec_unwind_map map_of(uintptr_t function, const char *path, const char *file)
{
	struct frec_unwind_map map = {.path = path, .file = file};
	char line[512];
	FILE *maps = fopen("/proc/self/maps", "r");

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps)) {
		unsigned long long start, end, offset;

		if (sscanf(line, "%llx-%llx %*s %llx", &start, &end, &offset) == 3 &&
		    start <= function && function < end) {
			map.start = start;
			map.end = end;
			map.offset = offset;
		}
	}
	fclose(maps);
	assert_true(map.start);
	return map;
}

static const char *name_in(struct frec_unwinder *unwinder, const struct frec_unwind_map *map,
			   uintptr_t pc, struct frec_unwind_process **process,
			   struct frec_names *names)
{
	const struct frec_frame frame = {.pc = pc, .map = 0, .exact = true};

	assert_int_equal(frec__unwind_process_create(unwinder, map, 1, process), 0);
	assert_int_equal(frec__symbolize(*process, &frame, names), 0);
	return names->count ? names->names[names->count - 1].function : NULL;
}

static void test_kept_is_enough(void **state)
{
	const uintptr_t pc = (uintptr_t)new_unwinder;
	struct frec_unwind_map map = map_of(pc, "/nonexistent/program", "/proc/self/exe");
	struct frec_unwinder *unwinder = new_unwinder(NULL, 0), *later;
	struct frec_unwind_process *process;
	struct frec_program program, again;
	struct frec_names names;
	struct frec_row row;
	size_t at = 0;

	(void)state;
	assert_string_equal(name_in(unwinder, &map, pc, &process, &names), "new_unwinder");
	assert_int_equal(frec__unwinder_lost_program(unwinder, &at, &program), 1);
	assert_int_equal(frec__unwinder_lost_program(unwinder, &at, &again), 0);
	assert_string_equal(program.path, "/nonexistent/program");
	frec__unwind_process_destroy(process);

	// Another path is another program, but the kernel's remark does not matter.
	map.file = NULL;
	map.path = "/nonexistent/other";
	later = new_unwinder(&program, 1);
	assert_null(name_in(later, &map, pc, &process, &names));
	assert_int_equal(names.address, pc - map.start + map.offset);
	frec__unwind_process_destroy(process);
	map.path = LOST;
	assert_string_equal(name_in(later, &map, pc, &process, &names), "new_unwinder");
	assert_int_equal(later->module_count, 2);
	assert_int_equal(frec__module_row(later->modules[1], names.address, &row, NULL), 0);
	assert_int_not_equal(row.kind, FREC_ROW_NONE);
	frec__unwind_process_destroy(process);
	frec__unwinder_destroy(later);
	frec__program_deinit(&program);
	frec__unwinder_destroy(unwinder);
}

// A file that is at its path is not lost.
static void test_not_lost(void **state)
{
	const uintptr_t pc = (uintptr_t)new_unwinder;
	char *path = realpath("/proc/self/exe", NULL);
	struct frec_unwind_map map = map_of(pc, path, "/proc/self/exe");
	struct frec_unwinder *unwinder = new_unwinder(NULL, 0);
	struct frec_unwind_process *process;
	struct frec_program program;
	struct frec_names names;
	size_t at = 0;

	(void)state;
	assert_string_equal(name_in(unwinder, &map, pc, &process, &names), "new_unwinder");
	assert_int_equal(frec__unwinder_lost_program(unwinder, &at, &program), 0);
	frec__unwind_process_destroy(process);
	frec__unwinder_destroy(unwinder);
	// Without a build-id, the file that was mapped decides, and not the one at the path.
	unwinder = new_unwinder(NULL, 0);
	at = 0;
	map.path = "/bin/sh";
	assert_string_equal(name_in(unwinder, &map, pc, &process, &names), "new_unwinder");
	assert_int_equal(frec__unwinder_lost_program(unwinder, &at, &program), 1);
	frec__program_deinit(&program);
	frec__unwind_process_destroy(process);
	frec__unwinder_destroy(unwinder);
	free(path);
}

// An ELF header whose tables and sections are mostly in bytes that were not kept.
struct elf {
	Elf64_Ehdr header;
	Elf64_Phdr segment[2];
	Elf64_Shdr section[4];
	char names[64];
};

static void fill(struct elf *elf)
{
	static const char names[] = "\0.symtab\0.strtab\0.shstrtab";

	*elf = (struct elf){.header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
						   ELFDATA2LSB, EV_CURRENT},
				       .e_type = ET_DYN,
				       .e_machine = EM_X86_64,
				       .e_version = EV_CURRENT,
				       .e_ehsize = sizeof(Elf64_Ehdr),
				       .e_phoff = offsetof(struct elf, segment),
				       .e_phnum = 2,
				       .e_phentsize = sizeof(Elf64_Phdr),
				       .e_shoff = offsetof(struct elf, section),
				       .e_shnum = 4,
				       .e_shstrndx = 3,
				       .e_shentsize = sizeof(Elf64_Shdr)}};
	elf->segment[0] = (Elf64_Phdr){.p_type = PT_LOAD,
				       .p_flags = PF_R | PF_X,
				       .p_filesz = 1ull << 32,
				       .p_memsz = 1ull << 32};
	elf->segment[1] = (Elf64_Phdr){.p_type = PT_NOTE, .p_offset = 4096, .p_filesz = 1ull << 32};
	elf->section[1] = (Elf64_Shdr){.sh_name = 1,
				       .sh_type = SHT_SYMTAB,
				       .sh_offset = 4096,
				       .sh_size = 1ull << 32,
				       .sh_entsize = sizeof(Elf64_Sym),
				       .sh_link = 2};
	elf->section[2] = (Elf64_Shdr){
		.sh_name = 9, .sh_type = SHT_STRTAB, .sh_offset = 4096, .sh_size = 1ull << 32};
	elf->section[3] = (Elf64_Shdr){.sh_name = 17,
				       .sh_type = SHT_STRTAB,
				       .sh_offset = offsetof(struct elf, names),
				       .sh_size = sizeof(names)};
	memcpy(elf->names, names, sizeof(names));
}

static int try_pieces(const struct frec_piece *pieces, size_t count, uint64_t size)
{
	const struct frec_program program = {
		.path = "/p", .size = size, .pieces = pieces, .count = count};
	struct frec_elf *elf = NULL;
	GElf_Shdr header;
	int r = frec__elf_open_program(&program, &elf, NULL);

	if (r)
		return r;
	assert_null(frec__elf_section(elf, ".symtab", &header));
	assert_null(frec__elf_section(elf, ".strtab", &header));
	assert_int_equal(elf->build_id.size, 0);
	frec__elf_close(elf);
	return 0;
}

static void test_nonsense(void **state)
{
	struct elf elf;
	struct frec_piece piece = {0, sizeof(elf), (const uint8_t *)&elf};
	const uint64_t huge = 8ull << 30;

	(void)state;
	fill(&elf);
	assert_int_equal(try_pieces(&piece, 1, huge), 0);
	assert_int_equal(try_pieces(&piece, 1, sizeof(elf)), 0);
	assert_int_equal(try_pieces(&piece, 1, huge + 1), -ENOEXEC);
	assert_int_equal(try_pieces(&piece, 1, 0), -ENOEXEC);
	assert_int_equal(try_pieces(&piece, 1, sizeof(elf) - 1), -ENOEXEC); // does not fit: zeros
	assert_int_equal(try_pieces(NULL, 0, 4096), -ENOEXEC);
	piece.offset = UINT64_MAX;
	assert_int_equal(try_pieces(&piece, 1, huge), -ENOEXEC);
	piece.offset = 0;
	elf.header.e_shoff = elf.header.e_phoff = UINT64_MAX - 7;
	assert_int_equal(try_pieces(&piece, 1, huge), 0);
	elf.header.e_shoff = elf.header.e_phoff = 8ull << 20;
	assert_int_equal(try_pieces(&piece, 1, huge), 0);
	elf.header.e_shnum = 0; // the number would be in the first section header
	assert_int_equal(try_pieces(&piece, 1, huge), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kept_is_enough),
		cmocka_unit_test(test_not_lost),
		cmocka_unit_test(test_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
