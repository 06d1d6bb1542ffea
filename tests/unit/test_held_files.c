// SPDX-License-Identifier: MIT
// Held files: those of a process that matters are open while it lives, and given up when it has
// ended. Code that was moved to anonymous memory keeps its file.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "recorder/processes/held_files.h"
#include "recorder/processes/moved_text.h"
#include "recorder/processes/proc_scan.h"

static struct frec_process *scan(struct frec_process_table *table)
{
	struct frec_process *process = frec__process_table_scan_one(table, (uint32_t)getpid());

	assert_non_null(process);
	return process;
}

static const struct frec_mapping *own_code(const struct frec_process *process)
{
	const uint64_t here = (uintptr_t)own_code;

	for (size_t i = 0; i < process->maps; i++) {
		if (process->map[i].start <= here && here < process->map[i].end)
			return &process->map[i];
	}
	fail();
	return NULL;
}

static bool is_needed(void *context, const struct frec_process *process)
{
	(void)process;
	return *(const bool *)context;
}

static void test_held_while_needed(void **state)
{
	FREC_PROCESS_TABLE struct frec_process_table table = {0};
	struct frec_process *process = scan(&table);
	const struct frec_mapping *code = own_code(process);
	struct stat own, held;
	char path[FREC_HELD_PATH_SIZE];
	bool needed = true;
	size_t count;
	int *list;

	(void)state;
	assert_null(code->held);
	frec__held_files_begin(&table, process);
	assert_non_null(code->held);
	assert_false(stat("/proc/self/exe", &own));
	assert_false(stat(frec__held_file_path(code->held, path), &held));
	assert_true(own.st_dev == held.st_dev && own.st_ino == held.st_ino);
	list = frec__held_files_list(&table, &count);
	assert_int_equal(count, table.held_files);
	for (size_t i = 1; i < count; i++)
		assert_true(list[i - 1] < list[i]);
	free(list);

	// Two mappings of one file need one descriptor.
	count = table.held_files;
	frec__held_files_begin(&table, process);
	assert_int_equal(table.held_files, count);

	frec__held_files_release(&table, is_needed, &needed);
	assert_int_equal(table.held_files, count);
	frec__process_table_end(&table, (uint32_t)getpid(), 1);
	frec__held_files_release(&table, is_needed, &needed);
	assert_int_equal(table.held_files, count);
	needed = false;
	frec__held_files_release(&table, is_needed, &needed);
	assert_int_equal(table.held_files, 0);
	assert_null(code->held);
}

static void test_handed_on_to_children(void **state)
{
	FREC_PROCESS_TABLE struct frec_process_table table = {0};
	struct frec_process *process = scan(&table), *child;
	bool needed = false;

	(void)state;
	frec__held_files_begin(&table, process);
	frec__process_table_fork(&table, 4000001, process->pid, 4000001, UINT64_MAX / 2);
	child = frec__process_table_find(&table, 4000001);
	assert_non_null(child);
	assert_true(child->holds);
	assert_ptr_equal(own_code(child)->held, own_code(process)->held);
	frec__process_table_end(&table, process->pid, UINT64_MAX / 2 + 1);
	frec__held_files_release(&table, is_needed, &needed);
	assert_non_null(own_code(child)->held);
	assert_true(table.held_files > 0);
}

static void test_an_emitter_is_found(void **state)
{
	FREC_PROCESS_TABLE struct frec_process_table table = {0};
	struct frec_process *process = scan(&table);
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), other = open("/dev/null", O_RDONLY);

	(void)state;
	if (access("/proc/self/map_files/.", X_OK) || geteuid())
		skip();
	frec__held_files_emitters(&table, other);
	assert_false(process->holds);
	frec__held_files_emitters(&table, fd);
	assert_true(process->holds);
	assert_non_null(own_code(process)->held);
	close(fd);
	close(other);
}

static void check_between(bool wanted, uint64_t wanted_offset, struct frec_maps_line before,
			  struct frec_maps_line here, struct frec_maps_line after)
{
	uint64_t offset = 0;

	assert_int_equal(frec__moved_text_between(&before, &here, &after, &offset), wanted);
	if (wanted)
		assert_int_equal(offset, wanted_offset);
}

#define LINE(start, end, offset, executable, path) \
	((struct frec_maps_line){start, end, offset, executable, path})

static void test_moved_text_in_maps(void **state)
{
	(void)state;
	// node --use-largepages=on: what does not fill a large page stays on both sides.
	check_between(true, 0x2000, LINE(0x11000, 0x12000, 0x1000, true, "/node"),
		      LINE(0x12000, 0x20000, 0, true, ""),
		      LINE(0x20000, 0x21000, 0x10000, true, "/node"));
	// All of the text was moved.
	check_between(true, 0x1000, LINE(0x10000, 0x11000, 0, false, "/node"),
		      LINE(0x11000, 0x20000, 0, true, "/anon_hugepage (deleted)"),
		      LINE(0x20000, 0x21000, 0x10000, false, "/node"));
	// Segments that are further apart in memory than in the file.
	check_between(true, 0x1000, LINE(0x10000, 0x12000, 0, false, "/lld"),
		      LINE(0x12000, 0x20000, 0, true, ""),
		      LINE(0x20000, 0x21000, 0xf000, true, "/lld"));
	check_between(false, 0, LINE(0x10000, 0x12000, 0, false, "/lld"),
		      LINE(0x12000, 0x20000, 0, true, ""),
		      LINE(0x20000, 0x21000, 0xf000, false, "/lld"));
	// Code made at run time between two libraries, or beside one.
	check_between(false, 0, LINE(0x10000, 0x12000, 0, true, "/a"),
		      LINE(0x12000, 0x20000, 0, true, ""), LINE(0x20000, 0x21000, 0, true, "/b"));
	check_between(false, 0, LINE(0x10000, 0x11000, 0x1000, true, "/node"),
		      LINE(0x12000, 0x20000, 0, true, ""),
		      LINE(0x20000, 0x21000, 0x10000, true, "/node"));
	check_between(false, 0, LINE(0x11000, 0x12000, 0x1000, true, "/node"),
		      LINE(0x12000, 0x20000, 0, false, ""),
		      LINE(0x20000, 0x21000, 0x10000, true, "/node"));
	check_between(false, 0, LINE(0, 0, 0, false, ""), LINE(0, 0x20000, 0, true, ""),
		      LINE(0x20000, 0x21000, 0, false, ""));
}

static void map(struct frec_process_table *table, uint64_t start, uint64_t end, uint64_t offset,
		const char *path)
{
	const struct frec_mapping mapping = {.start = start,
					     .end = end,
					     .offset = offset,
					     .since = 7,
					     .path = (char *)(uintptr_t)path};

	frec__process_table_map(table, 10, &mapping);
}

static void test_moved_text_as_reported(void **state)
{
	FREC_PROCESS_TABLE struct frec_process_table table = {0};
	const struct frec_process *process;

	(void)state;
	map(&table, 0x11000, 0x30000, 0x1000, "/usr/bin/node");
	map(&table, 0x70000, 0x80000, 0, "/lib/libc.so.6");
	map(&table, 0x20000, 0x28000, 0, "//anon");
	map(&table, 0x72000, 0x73000, 0, "//anon"); // code made where a library was
	map(&table, 0x2f000, 0x31000, 0, "//anon"); // reaches beyond the program
	process = frec__process_table_find(&table, 10);
	assert_int_equal(process->maps, 5);
	assert_string_equal(process->map[2].path, "/usr/bin/node");
	assert_int_equal(process->map[2].offset, 0x10000);
	assert_int_equal(process->map[2].start, 0x20000);
	assert_int_equal(process->map[2].end, 0x28000);
	assert_int_equal(process->map[2].since, 7);
	assert_string_equal(process->map[3].path, "//anon");
	assert_string_equal(process->map[4].path, "//anon");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_held_while_needed),
		cmocka_unit_test(test_handed_on_to_children),
		cmocka_unit_test(test_an_emitter_is_found),
		cmocka_unit_test(test_moved_text_in_maps),
		cmocka_unit_test(test_moved_text_as_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
