// SPDX-License-Identifier: MIT
// Proves that the process table tracks processes: fork, exec, rename and exit in every order,
// reused pids, and limits that hold.
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "recorder/processes/proc_scan.h"
#include "recorder/processes/processes.h"
#include "recorder/processes/threads.h"

#define S UINT64_C(1000000000)

#define LATER UINT64_MAX

static struct frec_process_table table;

static int forget(void **state)
{
	(void)state;
	frec__process_table_deinit(&table);
	return 0;
}

static struct frec_process *find(uint32_t pid)
{
	return frec__process_table_find(&table, pid);
}

static bool descends(uint32_t pid, uint32_t ancestor)
{
	return frec__process_descends(find(pid), find(ancestor)->life);
}

static struct frec_thread *thread_of(uint32_t pid, uint32_t tid)
{
	struct frec_process *process = find(pid);

	for (size_t i = process ? process->threads : 0; i-- > 0;) {
		if (process->thread[i].tid == tid)
			return &process->thread[i];
	}
	return NULL;
}

static void add_map(uint32_t pid, uint64_t start, const char *path)
{
	struct frec_mapping map = {.start = start, .end = start + 4096, .path = (char *)path};

	frec__process_table_map(&table, pid, &map);
}

static void a_life(void **state)
{
	static char *const arguments[] = {(char *)"service", (char *)"--fast", NULL};
	struct frec_process *child;

	(void)state;
	frec__process_table_fork(&table, 10, 1, 10, 1 * S);
	frec__process_table_comm(&table, 10, 10, "shell", false, 1 * S);
	add_map(10, 0x1000, "/bin/sh");
	find(10)->owner = (struct frec_owner){.uid = 7, .known = true};
	frec__process_table_fork(&table, 20, 10, 20, 2 * S);
	child = find(20);
	assert_int_equal(child->ppid, 10);
	assert_int_equal(child->start, 2 * S);
	assert_string_equal(child->name, "shell");
	assert_int_equal(child->maps, 1);
	assert_true(child->owner.known && child->owner.uid == 7);
	// An exec changes the name, removes all mappings, and ends all threads but the calling one.
	frec__process_table_fork(&table, 20, 10, 21, 3 * S);
	assert_int_equal(frec__process_table_expect(&table, 20, arguments), 0);
	frec__process_table_comm(&table, 20, 20, "service", true, 4 * S);
	assert_int_equal(child->maps, 0);
	assert_string_equal(child->name, "service");
	assert_string_equal(find(10)->name, "shell");
	// The expected arguments are used for this exec and not for the next.
	assert_int_equal(child->cmdline_size, sizeof("service\0--fast"));
	assert_memory_equal(child->cmdline, "service\0--fast", child->cmdline_size);
	assert_int_equal(thread_of(20, 21)->exit, 4 * S);
	assert_int_equal(thread_of(20, 20)->exit, 0);
	// a shorter name leaves nothing of the longer one
	frec__process_table_comm(&table, 20, 20, "x", false, 5 * S);
	assert_string_equal(child->name, "x");
	frec__process_table_comm(&table, 20, 20, "x", true, 5 * S);
	assert_int_equal(child->cmdline_size, 0);
	frec__process_table_exit(&table, 20, 20, 6 * S);
	assert_ptr_equal(find(20), child);
	assert_int_equal(child->exit, 6 * S);
	assert_int_equal(table.living, 1);
	assert_int_equal(table.exited, 1);
	// A process outside the recorder's pid namespace has the pid 0, for which no arguments are
	// expected.
	frec__process_table_comm(&table, 0, 0, "outside", true, 4 * S);
	assert_int_equal(find(0)->cmdline_size, 0);
	frec__process_table_exit(&table, 20, 20, 7 * S);
	assert_int_equal(child->exit, 6 * S);
	frec__process_table_exit(&table, 999, 999, 7 * S); // unknown
	assert_null(find(999));
}

static void the_main_thread_leaves_first(void **state)
{
	(void)state;
	frec__process_table_fork(&table, 30, 1, 30, 1 * S);
	frec__process_table_fork(&table, 30, 1, 31, 2 * S);
	frec__process_table_exit(&table, 30, 30, 3 * S);
	assert_int_equal(find(30)->exit, 0);
	// The other thread calls exec and becomes the main thread.
	frec__process_table_comm(&table, 30, 30, "anew", true, 4 * S);
	frec__process_table_fork(&table, 30, 1, 32, 5 * S);
	frec__process_table_exit(&table, 30, 32, 6 * S);
	assert_int_equal(find(30)->exit, 0);
	frec__process_table_exit(&table, 30, 30, 7 * S);
	assert_int_equal(find(30)->exit, 7 * S);
}

static void reused_pids(void **state)
{
	struct frec_process *first, *second;

	(void)state;
	frec__process_table_fork(&table, 40, 1, 40, 1 * S);
	first = find(40);
	frec__process_table_exit(&table, 40, 40, 2 * S);
	frec__process_table_fork(&table, 40, 1, 40, 3 * S);
	second = find(40);
	assert_ptr_not_equal(first, second);
	assert_int_equal(first->exit, 2 * S);
	assert_int_equal(second->exit, 0);
	// If an EXIT was lost, the next fork with the same pid ends the process.
	frec__process_table_fork(&table, 40, 1, 40, 5 * S);
	assert_int_equal(second->exit, 5 * S);
	assert_int_equal(find(40)->start, 5 * S);
	assert_int_equal(table.living, 1);
	assert_int_equal(table.exited, 2);
	// Late records are about an earlier process with this pid.
	frec__process_table_exit(&table, 40, 40, 2 * S);
	assert_int_equal(find(40)->exit, 0);
	frec__process_table_fork(&table, 40, 1, 40, 3 * S);
	assert_int_equal(find(40)->start, 5 * S);
	// A tid is reused within one process.
	frec__process_table_fork(&table, 40, 1, 41, 6 * S);
	frec__process_table_exit(&table, 40, 41, 7 * S);
	frec__process_table_fork(&table, 40, 1, 41, 8 * S);
	assert_int_equal(thread_of(40, 41)->exit, 0);
	assert_int_equal(thread_of(40, 41)->start, 8 * S);
	assert_int_equal(find(40)->threads, 3);
}

// The scan reads a process whose fork the sideband has not reported yet. /proc gives the start of
// the process only in hundredths of a second.
static void the_scan_comes_first(void **state)
{
	(void)state;
	frec__process_table_comm(&table, 50, 50, "early", false, 0);
	find(50)->start = 10 * S;
	frec__process_table_fork(&table, 50, 3, 50, 10 * S + 9999999);
	assert_int_equal(table.living, 1);
	assert_int_equal(table.exited, 0);
	assert_int_equal(find(50)->start, 10 * S + 9999999);
	assert_string_equal(find(50)->name, "early");
	frec__process_table_comm(&table, 51, 51, "unknown", false, 0);
	frec__process_table_fork(&table, 51, 3, 51, 11 * S);
	assert_int_equal(find(51)->start, 11 * S);
	assert_int_equal(find(51)->ppid, 3);
	assert_int_equal(table.living, 2);
}

static void threads_are_bounded(void **state)
{
	uint32_t last = 60 + FREC_PROCESS_THREADS_MAX;

	(void)state;
	frec__process_table_fork(&table, 60, 1, 60, 1 * S);
	for (uint32_t tid = 61; tid < last; tid++)
		frec__process_table_fork(&table, 60, 1, tid, 2 * S);
	assert_int_equal(find(60)->threads, FREC_PROCESS_THREADS_MAX);
	assert_int_equal(find(60)->threads_missing, 0);
	frec__process_table_fork(&table, 60, 1, last, 3 * S);
	assert_int_equal(find(60)->threads_missing, 1);
	assert_null(thread_of(60, last));
	// A dead thread makes room for a new one.
	frec__process_table_exit(&table, 60, 70, 4 * S);
	frec__process_table_fork(&table, 60, 1, last + 1, 5 * S);
	assert_int_equal(find(60)->threads, FREC_PROCESS_THREADS_MAX);
	assert_int_equal(find(60)->threads_missing, 2);
	assert_null(thread_of(60, 70));
	assert_non_null(thread_of(60, last + 1));
	assert_non_null(thread_of(60, 71));
}

// Larger rings raise the limit of threads, so a process can have more, one after the other, than at
// first.
static void threads_follow_the_rings(void **state)
{
	const uint32_t count = 20000;
	char name[16];

	(void)state;
	frec__process_table_limit(&table, 2 << 20);
	frec__process_table_fork(&table, 1, 0, 1, 1 * S);
	for (uint32_t tid = 2; tid < count; tid++) {
		snprintf(name, sizeof(name), "t%u", tid);
		frec__process_table_fork(&table, 1, 0, tid, 2 * S + tid);
		frec__process_table_comm(&table, 1, tid, name, false, 2 * S + tid);
		frec__process_table_exit(&table, 1, tid, 2 * S + tid);
	}
	assert_string_equal(thread_of(1, 2)->name, "t2");
	assert_ptr_equal(frec__process_thread(find(1), 2), thread_of(1, 2));
	assert_string_equal(frec__process_thread(find(1), 9999)->name, "t9999");
	assert_int_equal(find(1)->threads_missing, 0);
	assert_int_equal(find(1)->threads_alive, 1);
	// A tid that is used again is another thread.
	frec__process_table_fork(&table, 1, 0, 2, 9 * S);
	assert_int_equal(frec__process_thread(find(1), 2)->start, 9 * S);
	assert_int_equal(find(1)->threads_alive, 2);
	// The rings can have records of 32768 threads, and no more are kept.
	for (uint32_t tid = count; tid < 40000; tid++) {
		frec__process_table_fork(&table, 1, 0, tid, 10 * S + tid);
		frec__process_table_exit(&table, 1, tid, 10 * S + tid);
	}
	assert_in_range(find(1)->threads, 28000, 32768);
	assert_int_equal(find(1)->threads + find(1)->threads_missing, 40000);
	assert_int_equal(table.threads, find(1)->threads);
	assert_null(frec__process_thread(find(1), 3));
	assert_int_equal(frec__process_thread(find(1), 2)->start, 9 * S);
	assert_non_null(frec__process_thread(find(1), 1));
	for (uint32_t tid = 39000; tid < 40000; tid++)
		assert_int_equal(frec__process_thread(find(1), tid)->tid, tid);
	frec__process_table_end(&table, 1, 99 * S);
	assert_int_equal(find(1)->threads_alive, 0);
	// Even the largest rings do not make the limits too large.
	frec__process_table_limit(&table, UINT64_MAX);
	assert_in_range(table.threads_max, 1, FREC_THREADS_MAX / 4);
	assert_in_range(table.exited_max, 1, 1 << 16);
}

static void churn(uint32_t first, uint32_t count, uint64_t time)
{
	for (uint32_t pid = first; pid < first + count; pid++) {
		frec__process_table_fork(&table, pid, 1, pid, time);
		frec__process_table_exit(&table, pid, pid, time + 1);
	}
}

static uint32_t emitter;

static void mark_emitter(void *context)
{
	(void)context;
	if (emitter)
		find(emitter)->emitted = true;
}

static void what_matters_is_not_forgotten(void **state)
{
	(void)state;
	emitter = 0;
	frec__process_table_fork(&table, 1, 0, 1, 1 * S);
	frec__process_table_fork(&table, 30, 1, 30, 1 * S); // the service, which has ended
	find(30)->kept = true;
	frec__process_table_exit(&table, 30, 30, 2 * S);
	frec__process_table_fork(&table, 31, 1, 31, 1 * S); // has events in the rings
	frec__process_table_exit(&table, 31, 31, 2 * S);
	frec__process_table_fork(&table, 32, 1, 32, 1 * S); // neither
	frec__process_table_exit(&table, 32, 32, 2 * S);
	table.mark_emitters = mark_emitter;
	emitter = 31;
	churn(100, 20000, 3 * S);
	assert_non_null(find(30));
	assert_non_null(find(31));
	assert_null(find(32));
	assert_in_range(table.exited, FREC_PROCESSES_EXITED_MAX, FREC_PROCESSES_EXITED_MAX * 9 / 8);
	emitter = 0;
	// If every process matters, the limit still holds, and the first to exit is forgotten
	// first.
	for (uint32_t pid = 30000; pid < 50000; pid++) {
		frec__process_table_fork(&table, pid, 1, pid, 5 * S);
		find(pid)->kept = true;
		frec__process_table_exit(&table, pid, pid, 5 * S + pid);
	}
	assert_in_range(table.exited, FREC_PROCESSES_EXITED_MAX, FREC_PROCESSES_EXITED_MAX * 9 / 8);
	assert_non_null(find(49999));
}

// Of a daemon's chain of parents, all but the first and the last have ended and are forgotten.
static void descent_outlives_parents(void **state)
{
	(void)state;
	frec__process_table_fork(&table, 1, 0, 1, 1 * S);
	frec__process_table_fork(&table, 40, 1, 40, 1 * S);
	frec__process_table_fork(&table, 41, 40, 41, 1 * S);
	frec__process_table_fork(&table, 42, 41, 42, 1 * S);
	frec__process_table_fork(&table, 43, 42, 43, 1 * S);
	frec__process_table_exit(&table, 42, 42, 2 * S);
	churn(100, 10000, 3 * S);
	assert_null(find(42));
	assert_true(descends(43, 40));
	frec__process_table_exit(&table, 41, 41, 4 * S);
	churn(20000, 10000, 5 * S);
	assert_null(find(41));
	assert_true(descends(43, 40));
	assert_int_equal(find(43)->ppid, 42);
	// A later process has the pid of the parent that is gone.
	frec__process_table_fork(&table, 42, 1, 42, 6 * S);
	assert_true(descends(43, 40));
	assert_false(descends(42, 40));
}

static void maps_are_bounded(void **state)
{
	(void)state;
	frec__process_table_fork(&table, 61, 1, 61, 1 * S);
	for (uint64_t i = 0; i < FREC_PROCESS_MAPS_MAX + 3; i++)
		add_map(61, i * 4096, "/lib/x");
	assert_int_equal(find(61)->maps, FREC_PROCESS_MAPS_MAX);
	assert_int_equal(find(61)->maps_missing, 3);
}

static void the_dead_are_bounded(void **state)
{
	uint32_t count = FREC_PROCESSES_EXITED_MAX + 100;

	(void)state;
	for (uint32_t pid = 1000; pid < 1000 + count; pid++) {
		frec__process_table_fork(&table, pid, 1, pid, 1 * S);
		frec__process_table_exit(&table, pid, pid, 2 * S + pid);
	}
	assert_int_equal(table.exited, FREC_PROCESSES_EXITED_MAX);
	assert_int_equal(table.living, 0);
	assert_null(find(1000));
	assert_null(find(1099));
	assert_non_null(find(1100));
	assert_non_null(find(1000 + count - 1));
}

static void descent(void **state)
{
	(void)state;
	frec__process_table_fork(&table, 1, 0, 1, 1 * S);
	frec__process_table_fork(&table, 70, 1, 70, 1 * S);
	frec__process_table_fork(&table, 71, 70, 71, 1 * S);
	frec__process_table_fork(&table, 72, 71, 72, 1 * S);
	assert_true(descends(72, 70));
	assert_true(descends(72, 72));
	assert_false(descends(70, 72));
	assert_false(descends(999, 70)); // unknown
	// The first process of a container has pid 1 and can be the service itself.
	assert_true(descends(1, 1));
	assert_true(descends(72, 1));
	frec__process_table_exit(&table, 71, 71, 2 * S); // an exited parent is remembered
	assert_true(descends(72, 70));
	// The number of an exited parent is given to another process, which is nobody's parent.
	frec__process_table_exit(&table, 70, 70, 3 * S);
	frec__process_table_fork(&table, 70, 1, 70, 4 * S);
	assert_false(descends(72, 70));
	assert_true(descends(72, 1));
}

// A child whose parent has ended and left the table, or was never in it, gets no other parent,
// whoever has the parent's number by then.
static void parents_are_known_by_life(void **state)
{
	(void)state;
	frec__process_table_fork(&table, 1, 0, 1, 1 * S);
	frec__process_table_fork(&table, 91, 90, 91, 2 * S); // nothing is known about 90
	frec__process_table_fork(&table, 90, 1, 90, 3 * S);
	assert_false(descends(91, 90));
	frec__process_table_link(&table);
	assert_false(descends(91, 90));
	frec__process_table_fork(&table, 92, 90, 92, 4 * S);
	assert_true(descends(92, 90));
	frec__process_table_exit(&table, 90, 90, 5 * S);
	frec__process_table_fork(&table, 90, 92, 90, 6 * S); // a circle, by numbers
	assert_true(descends(90, 92));
	assert_false(descends(92, 90));
}

static void belonging(void **state)
{
	(void)state;
	assert_false(frec__process_table_shows(&table, 80, LATER, 1000));
	frec__process_table_fork(&table, 80, 1, 80, 1 * S);
	assert_false(frec__process_table_shows(&table, 80, LATER, 0)); // the owner is unknown
	find(80)->owner = (struct frec_owner){.uid = 1000, .known = true};
	assert_false(
		frec__process_table_shows(&table, 80, LATER, 1000)); // it has other rights, too
	find(80)->owner.alone = true;
	assert_true(frec__process_table_shows(&table, 80, LATER, 1000));
	assert_false(frec__process_table_shows(&table, 80, LATER, 1001));
	// Another user's process had this pid before, so records with this pid could be from that
	// process.
	frec__process_table_exit(&table, 80, 80, 2 * S);
	frec__process_table_fork(&table, 80, 1, 80, 3 * S);
	find(80)->owner = (struct frec_owner){.uid = 1001, .known = true, .alone = true};
	assert_false(frec__process_table_shows(&table, 80, LATER, 1001));
}

// Checks what the scan of /proc finds about this process.
static void the_scan(void **state)
{
	uint32_t self = (uint32_t)getpid();
	struct frec_process *process;

	(void)state;
	assert_int_equal(frec__process_table_scan(&table), 0);
	process = find(self);
	assert_non_null(process);
	assert_int_equal(process->ppid, getppid());
	assert_true(process->owner.known && process->owner.uid == geteuid());
	assert_true(process->start > 0);
	assert_string_equal(process->name, "test_processes");
	assert_non_null(strstr(process->executable, "test_processes"));
	assert_true(process->cmdline_size > 0);
	assert_true(process->maps > 1);
	assert_false(process->kernel);
	assert_int_equal(process->threads, 1);
	frec__process_table_refresh(&table, 4194304); // no such process
}

static void records_of_the_past_belong_to_nobody_else(void **state)
{
	struct frec_process_table own = {0};
	struct frec_process *process;

	(void)state;
	frec__process_table_fork(&own, 100, 1, 100, 50);
	process = frec__process_table_find(&own, 100);
	process->owner = (struct frec_owner){.uid = 1000, .known = true, .alone = true};
	process->owner.since = 70; // it had another owner before
	assert_false(frec__process_table_shows(&own, 100, 60, 1000));
	assert_true(frec__process_table_shows(&own, 100, 70, 1000));
	// A process that was removed from the table may have had the same pid.
	own.forgotten_until = 80;
	assert_false(frec__process_table_shows(&own, 100, 80, 1000));
	assert_true(frec__process_table_shows(&own, 100, 81, 1000));
	frec__process_table_deinit(&own);
}

static void mappings_are_bounded_together(void **state)
{
	struct frec_process_table own = {0};
	char path[4000];
	struct frec_mapping map = {.path = path};
	size_t many = FREC_PROCESS_MAPS_BYTES_MAX / sizeof(path) / 400;

	(void)state;
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = 0;
	frec__process_table_fork(&own, 7, 1, 7, 1);
	for (int i = 0; i < 400; i++)
		frec__process_table_map(&own, 7, &map);
	// Children inherit mappings; exited processes free theirs.
	for (uint32_t pid = 1000; pid < 1000 + 4 * many; pid++) {
		frec__process_table_fork(&own, pid, 7, pid, pid);
		assert_int_equal(frec__process_table_find(&own, pid)->maps, 400);
		frec__process_table_exit(&own, pid, pid, pid + 1);
		assert_true(own.map_bytes <= FREC_PROCESS_MAPS_BYTES_MAX);
	}
	assert_true(own.forgotten_until > 0);
	// Mappings of living processes that find no room are counted as missing.
	for (uint32_t pid = 100000; pid < 100000 + 2 * many; pid++)
		frec__process_table_fork(&own, pid, 7, pid, pid);
	assert_true(own.map_bytes <= FREC_PROCESS_MAPS_BYTES_MAX);
	assert_true(
		frec__process_table_find(&own, (uint32_t)(100000 + 2 * many - 1))->maps_missing >
		0);
	frec__process_table_deinit(&own);
	assert_int_equal(own.map_bytes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_life, forget),
		cmocka_unit_test_teardown(the_main_thread_leaves_first, forget),
		cmocka_unit_test_teardown(reused_pids, forget),
		cmocka_unit_test_teardown(the_scan_comes_first, forget),
		cmocka_unit_test_teardown(threads_are_bounded, forget),
		cmocka_unit_test_teardown(threads_follow_the_rings, forget),
		cmocka_unit_test_teardown(what_matters_is_not_forgotten, forget),
		cmocka_unit_test_teardown(descent_outlives_parents, forget),
		cmocka_unit_test_teardown(maps_are_bounded, forget),
		cmocka_unit_test_teardown(the_dead_are_bounded, forget),
		cmocka_unit_test_teardown(descent, forget),
		cmocka_unit_test_teardown(parents_are_known_by_life, forget),
		cmocka_unit_test_teardown(belonging, forget),
		cmocka_unit_test_teardown(the_scan, forget),
		cmocka_unit_test(records_of_the_past_belong_to_nobody_else),
		cmocka_unit_test(mappings_are_bounded_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
