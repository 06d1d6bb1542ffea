// SPDX-License-Identifier: MIT
// Whatever the files of a process in /proc say, reading them stays within the text, and what is
// kept of them is bounded. A process chooses its name, arguments and mappings, and with a file
// system of its own (lxcfs, fuse) the rest. The input is the files: which one in a byte, its size
// in two bytes, and its text. They cover /proc/PID of a child, in mount namespaces of the fuzzer's.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "recorder/control_groups.h"
#include "recorder/core/memory.h"
#include "recorder/cpu_list.h"
#include "recorder/declared/declared_files.h"
#include "recorder/processes/proc_scan.h"
#include "recorder/rings/pid_space.h"
#include "tests/fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

enum { STAT, MAPS, CMDLINE, STATUS, CGROUP, TASK_STAT, TASK_STATUS, OTHER_STAT, OTHER_STATUS };
static const char *const names[] = {"stat",	     "maps",	    "cmdline",
				    "status",	     "cgroup",	    "task/A/stat",
				    "task/A/status", "task/7/stat", "task/7/status"};
#define FILES (sizeof(names) / sizeof(names[0]))

static pid_t pid;
static char folder[64];
static int files[FILES];

static void skip(const char *what)
{
	printf("skipped: %s needs root\n", what);
	exit(0);
}

// Covers /proc/PID with files of our own.
static void cover(void)
{
	char path[128], name[32];

	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", folder, "tmpfs", 0, NULL))
		skip("covering files of /proc");
	snprintf(path, sizeof(path), "%s/task", folder);
	require(!mkdir(path, 0700));
	snprintf(path, sizeof(path), "%s/task/7", folder);
	require(!mkdir(path, 0700));
	snprintf(path, sizeof(path), "%s/task/%d", folder, pid);
	require(!mkdir(path, 0700));
	for (size_t i = 0; i < FILES; i++) {
		const char *own = strchr(names[i], 'A');

		if (own)
			snprintf(name, sizeof(name), "task/%d%s", pid, own + 1);
		else
			snprintf(name, sizeof(name), "%s", names[i]);
		snprintf(path, sizeof(path), "%s/%s", folder, name);
		files[i] = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		require(files[i] >= 0);
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	require(pid > 0);
	snprintf(folder, sizeof(folder), "/proc/%d", pid);
	cover();
	return 0;
}

static void scan(void)
{
	static struct frec_process_table table;
	struct frec_process *process;

	table = (struct frec_process_table){0};
	process = frec__process_table_scan_one(&table, (uint32_t)pid);
	if (process) {
		frec__process_table_remap(&table, (uint32_t)pid);
		process = frec__process_table_find(&table, (uint32_t)pid);
		require(process && !process->name[15]);
		require(process->cmdline_size <= FREC_PROCESS_CMDLINE_MAX);
		require(process->maps <= FREC_PROCESS_MAPS_MAX);
		require(process->threads <= FREC_PROCESS_THREADS_MAX);
		for (size_t i = 0; i < process->maps; i++)
			require(process->map[i].path);
	}
	frec__process_table_deinit(&table);
}

static void learn_space(void)
{
	struct frec_pid_spaces spaces;
	uint32_t a = 7, b = 8;

	frec__pid_spaces_init(&spaces);
	frec__pid_spaces_learn(&spaces, (uint32_t)pid);
	frec__pid_spaces_translate(&spaces, 1, &a, &b);
	frec__pid_spaces_deinit(&spaces);
}

static void handle_core(void)
{
	struct frec_core_process process;
	FREC_FREE struct frec_core_memory *memory = calloc(1, sizeof(*memory));
	const struct frec_core_tid *thread;
	uint8_t bytes[64];

	if (frec__core_process_open(&process, pid))
		return;
	require(process.mappings && process.mappings <= FREC_CORE_MAPS_MAX);
	require(process.programs <= process.mappings);
	thread = frec__core_process_thread(&process, 1);
	require(!thread || strnlen(thread->name, sizeof(thread->name)) < sizeof(thread->name));
	require(memory);
	memory->process = &process;
	frec__core_memory_read(memory, process.mapping[0].end - 1, bytes, sizeof(bytes));
	frec__core_process_close(&process);
}

static int count_cpu(void *context, int cpu)
{
	(void)cpu;
	return ++*(int *)context > 10000;
}

static void read_groups(const uint8_t *text, size_t size)
{
	char path[128], *list = strndup((const char *)text, size);
	int count = 0;

	snprintf(path, sizeof(path), "%s/cgroup", folder);
	frec__control_groups_memory(folder, path);
	frec__each_cpu(list, count_cpu, &count);
	free(list);
}

static void find_declarations(void)
{
	struct frec_declarations declarations = {0};

	frec__declarations_add_process(&declarations, pid);
	frec__declarations_deinit(&declarations);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < FILES; i++)
		require(!ftruncate(files[i], 0));
	while (size >= 3) {
		size_t which = data[0] % FILES, length = data[1] | (size_t)data[2] << 8;

		data += 3;
		size -= 3;
		length = length < size ? length : size;
		require(!ftruncate(files[which], 0) &&
			pwrite(files[which], data, length, 0) == (ssize_t)length);
		if (which == CGROUP)
			read_groups(data, length);
		data += length;
		size -= length;
	}
	scan();
	learn_space();
	handle_core();
	find_declarations();
	return 0;
}
