// SPDX-License-Identifier: MIT
// Proves that mappings older than the recorder get the build-id of the mapped file, that the vDSO
// gets its own, and that no other file's build-id is ever used, whatever the files contain.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "recorder/processes/build_ids.h"
#include "recorder/processes/proc_scan.h"
#include "unwind/elf_file.h"

// The build-id that tests/unwound.cmake tells the linker to write.
static const uint8_t own[20] = {1,  2,	3,  4,	5,  6,	7,  8,	9,  10,
				11, 12, 13, 14, 15, 16, 17, 18, 19, 20};

static char copy[64];

static void copy_myself(void)
{
	char command[128];

	snprintf(copy, sizeof(copy), "/tmp/frec-build-id-%d", getpid());
	snprintf(command, sizeof(command), "cp /proc/%d/exe %s", getpid(), copy);
	assert_int_equal(system(command), 0);
}

static const struct frec_mapping *mapping(const struct frec_process_table *table, const char *path)
{
	const struct frec_process *process = frec__process_table_find(table, (uint32_t)getpid());

	for (size_t i = 0; process && i < process->maps; i++) {
		if (!strncmp(process->map[i].path, path, strlen(path)))
			return &process->map[i];
	}
	return NULL;
}

static void already_mapped(void **state)
{
	const void *image = (const void *)(uintptr_t)getauxval(AT_SYSINFO_EHDR);
	const Elf64_Ehdr *header = image;
	struct frec_process_table table = {0};
	const struct frec_mapping *map;
	char path[PATH_MAX] = "";
	struct frec_elf *elf;

	(void)state;
	assert_true(readlink("/proc/self/exe", path, sizeof(path) - 1) > 0);
	assert_non_null(frec__process_table_scan_one(&table, (uint32_t)getpid()));
	map = mapping(&table, path);
	assert_non_null(map);
	assert_int_equal(map->build_id_size, sizeof(own));
	assert_memory_equal(map->build_id, own, sizeof(own));
	map = mapping(&table, "[vdso]");
	assert_non_null(map);
	assert_int_equal(frec__elf_open_memory(image,
					       header->e_shoff + (size_t)header->e_shnum *
									 header->e_shentsize,
					       "vdso", &elf, NULL),
			 0);
	assert_true(elf->build_id.size > 0);
	assert_int_equal(map->build_id_size, elf->build_id.size);
	assert_memory_equal(map->build_id, elf->build_id.bytes, elf->build_id.size);
	frec__elf_close(elf);
	frec__process_table_deinit(&table);
}

// The mapped file can still be read through map_files, but its path leads to another file.
static void replaced_file(void **state)
{
	struct frec_process_table table = {0};
	const struct frec_mapping *map;
	char command[300];
	void *mapped;
	int fd;

	(void)state;
	copy_myself();
	fd = open(copy, O_RDONLY | O_CLOEXEC);
	mapped = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	assert_ptr_not_equal(mapped, MAP_FAILED);
	close(fd);
	snprintf(command, sizeof(command), "cp /bin/true %s.new && mv %s.new %s", copy, copy, copy);
	assert_int_equal(system(command), 0);
	assert_non_null(frec__process_table_scan_one(&table, (uint32_t)getpid()));
	map = mapping(&table, copy);
	assert_non_null(map);
	if (map->build_id_size)
		assert_memory_equal(map->build_id, own, sizeof(own));
	assert_true(map->build_id_size || geteuid());
	frec__process_table_deinit(&table);
	munmap(mapped, 4096);
	unlink(copy);
}

// Looks up the build-id of a mapping that no process has, so that only its path leads to the file.
static uint8_t find(struct frec_build_ids **ids, ino_t more, struct frec_mapping *ret)
{
	struct stat status;
	int proc = open("/proc/self", O_DIRECTORY | O_RDONLY | O_CLOEXEC);

	*ret = (struct frec_mapping){.start = 4096, .end = 8192, .path = copy};
	assert_int_equal(stat(copy, &status), 0);
	frec__build_ids_find(ids, proc, status.st_dev, status.st_ino + more, ret);
	close(proc);
	return ret->build_id_size;
}

static void by_path(void **state)
{
	struct frec_build_ids *ids = NULL;
	struct frec_mapping map;
	uint8_t *found;
	void *mapped;
	int fd;

	(void)state;
	copy_myself();
	assert_int_equal(find(&ids, 1, &map), 0); // another file
	assert_int_equal(find(&ids, 0, &map), sizeof(own));
	assert_memory_equal(map.build_id, own, sizeof(own));
	assert_int_equal(find(&ids, 0, &map), sizeof(own)); // cached by now
	assert_int_equal(find(&ids, 1, &map), 0);
	// The file is rewritten in place. Wait first, because file times are only as precise as the
	// kernel's tick.
	usleep(20000);
	fd = open(copy, O_RDWR | O_CLOEXEC);
	mapped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	found = memmem(mapped, 4096, own, sizeof(own));
	assert_non_null(found);
	*found = 99;
	munmap(mapped, 4096);
	assert_int_equal(futimens(fd, NULL), 0);
	close(fd);
	assert_int_equal(find(&ids, 0, &map), sizeof(own));
	assert_int_equal(map.build_id[0], 99);
	frec__build_ids_free(ids);
	unlink(copy);
}

// Overwrites random bytes at the start of the file, where the sizes and offsets are; a sanitizer
// detects reads out of bounds.
static void damaged(void **state)
{
	int fd;

	(void)state;
	srandom(4);
	copy_myself();
	fd = open(copy, O_RDWR | O_CLOEXEC);
	for (int i = 0; i < 2000; i++) {
		struct frec_build_ids *ids = NULL;
		struct frec_mapping map;
		uint8_t byte = random() % 2 ? 0xff : (uint8_t)random();
		off_t at = random() % 1024;

		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
		assert_true(find(&ids, 0, &map) <= sizeof(map.build_id));
		if (i % 50 == 0) // so that the damage does not accumulate for long
			copy_myself();
		frec__build_ids_free(ids);
	}
	close(fd);
	unlink(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(already_mapped),
		cmocka_unit_test(replaced_file),
		cmocka_unit_test(by_path),
		cmocka_unit_test(damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
