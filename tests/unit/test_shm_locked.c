// SPDX-License-Identifier: MIT
// Proves that an emit to shared memory, also one with a stack that is found by frame pointers,
// makes no system call and needs no forbidden instruction, in whatever thread or child, and
// whatever the recorder has done: the threads that emit are killed for any system call but write(2)
// and exit(2). Their records still have the right ids and times.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "proto/clocks.h"
#include "recorder/service/emit.h"
#include "recorder/service/registration.h"
#include "recorder/service/shm_clock.h"
#include "tests/data/locked.h"
#include "tests/data/shm_kit.h"

#define RING_SIZE (1u << 20)

static const char *const selection[] = {"kit:t*", NULL};
static struct frec_shm_rings *rings;

// The ends of the socket pair of the test and of the service, which tell each other ids, and that
// the other may go on.
static int ours, theirs;

static void tell(int to, uint32_t what)
{
	if (write(to, &what, sizeof(what)) != sizeof(what))
		abort();
}

static uint32_t hear(int from)
{
	uint32_t what;

	return read(from, &what, sizeof(what)) == sizeof(what) ? what : 0;
}

// Emits an event with this number. Turns the event on first, because an earlier emit that found the
// recorder gone may have turned it off, and each thread has to find the recorder gone by itself.
static void tick(uint32_t number)
{
	__atomic_fetch_or(&frec__event_kit_tick.enabled, FREC__SHM_MASK, __ATOMIC_SEQ_CST);
	frec_kit_tick(number, 0, "locked");
}

static void emit_locked(uint32_t number)
{
	uint32_t tid = (uint32_t)gettid();

	if (locked_in(false))
		abort();
	tick(number);
	errno = 4711;
	tick(number);
	// Each of these stacks can be had.
	if (errno == 4711 && !__atomic_load_n(&frec__counts.stacks_left_out, __ATOMIC_RELAXED))
		tell(theirs, tid);
}

static void *in_thread(void *number)
{
	emit_locked((uint32_t)(uintptr_t)number);
	locked_end(0);
}

struct thread {
	pthread_t id;
	pthread_barrier_t go;
	bool has_emitted;
};

static void *in_old_thread(void *argument)
{
	struct thread *thread = argument;

	pthread_barrier_wait(&thread->go);
	if (thread->has_emitted)
		frec_kit_tick(100, 0, "not locked yet");
	pthread_barrier_wait(&thread->go);
	return in_thread((void *)(uintptr_t)(thread->has_emitted ? 1 : 0));
}

static int status_of(pid_t child)
{
	int status = -1;

	waitpid(child, &status, 0);
	return status;
}

enum { OLD, OLD_THAT_EMITTED, NEW, FORKED, FORKED_TWICE, RAW, MAIN, ACTORS };

// Runs the service. It has threads that are older than its attachment to the recorder's memory, one
// that is newer, children, and the main thread. All but one of them emit for the first time after
// they are locked in. The service attaches to `rounds` recorders, one after the other.
static _Noreturn void serve(int rounds)
{
	struct thread old[2] = {{.has_emitted = false}, {.has_emitted = true}};
	pthread_t young;
	pid_t child;

	for (int i = 0; i < 2; i++) {
		pthread_barrier_init(&old[i].go, NULL, 2);
		if (pthread_create(&old[i].id, NULL, in_old_thread, &old[i]))
			abort();
	}
	for (int i = 0; i < rounds; i++) {
		int fd = (int)hear(theirs);

		if (frec__shm_attach(fd))
			abort();
		close(fd);
		for (int k = 0; k < 2 && !i; k++)
			pthread_barrier_wait(&old[k].go);
		tell(theirs, 1);
	}
	hear(theirs); // waits until the test lets the service go on
	for (int i = 0; i < 2; i++) {
		pthread_barrier_wait(&old[i].go);
		pthread_join(old[i].id, NULL);
	}
	if (pthread_create(&young, NULL, in_thread, (void *)(uintptr_t)NEW))
		abort();
	pthread_join(young, NULL);
	child = fork();
	if (!child)
		in_thread((void *)(uintptr_t)FORKED);
	if (status_of(child))
		abort();
	child = fork();
	if (!child) {
		child = fork();
		if (!child)
			in_thread((void *)(uintptr_t)FORKED_TWICE);
		_exit(status_of(child) != 0);
	}
	if (status_of(child))
		abort();
	child = (pid_t)syscall(SYS_fork);
	if (!child)
		in_thread((void *)(uintptr_t)RAW);
	if (status_of(child))
		abort();
	emit_locked(MAIN);
	syscall(SYS_exit_group, 0);
	abort();
}

static pid_t start(int rounds)
{
	int pair[2];
	pid_t child;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	ours = pair[0];
	theirs = pair[1];
	child = fork();
	if (!child) {
		const struct rlimit no_core = {0, 0};

		setrlimit(RLIMIT_CORE, &no_core);
		close(ours);
		serve(rounds);
	}
	close(theirs);
	return child;
}

// Waits for the service, which must exit with 0. Stores the ids of the threads that emitted, in the
// order in which they did.
static void finish(pid_t service, uint32_t *ret_tids)
{
	int status;

	for (int i = 0; i < ACTORS; i++)
		ret_tids[i] = hear(ours);
	status = status_of(service);
	if (status)
		print_message("the service was killed by signal %d\n", WTERMSIG(status));
	assert_int_equal(status, 0);
	close(ours);
}

// Lets the service attach to a memfd, of which it has inherited the descriptor.
static void attach(int fd)
{
	tell(ours, (uint32_t)fd);
	assert_int_equal(hear(ours), 1);
}

static void check_ids(pid_t service, const uint32_t *tids)
{
	struct kit_reading reading = kit_read(rings);
	int found[ACTORS] = {0};

	for (size_t i = 0; i < reading.count; i++) {
		const struct kit_record *record = &reading.record[i];

		if (record->thread >= ACTORS)
			continue;
		found[record->thread]++;
		if (record->thread == RAW) {
			assert_int_equal(record->pid, FREC__SHM_UNKNOWN);
			assert_int_equal(record->tid, FREC__SHM_UNKNOWN);
			continue;
		}
		assert_int_equal(record->tid, tids[record->thread]);
		assert_int_equal(record->pid,
				 record->thread == FORKED || record->thread == FORKED_TWICE
					 ? record->tid
					 : (uint32_t)service);
	}
	for (int i = 0; i < ACTORS; i++)
		assert_int_equal(found[i], 2);
	free(reading.record);
}

static void record_alive(const char *const *stacks)
{
	uint32_t tids[ACTORS];
	pid_t service;

	rings = kit_create(RING_SIZE, 0);
	assert_int_equal(frec__shm_ask_stacks(rings, stacks, NULL), 0);
	service = start(1);
	attach(frec__shm_fd(rings));
	tell(ours, 1);
	finish(service, tids);
	check_ids(service, tids);
	frec__shm_destroy(rings);
}

static void alive(void **state)
{
	const char *const stacks[] = {NULL};

	(void)state;
	record_alive(stacks);
}

static void alive_with_stacks(void **state)
{
	const char *const stacks[] = {"fkit:*", NULL};

	(void)state;
	record_alive(stacks);
}

static int64_t blocks(int fd)
{
	struct stat status;

	return fstat(fd, &status) ? -1 : (int64_t)status.st_blocks * 512;
}

// The recorder gives the memory back when it ends, although the service still maps it.
static void stopped(void **state)
{
	uint32_t tids[ACTORS];
	pid_t service;
	int fd;

	(void)state;
	rings = kit_create(RING_SIZE, 0);
	fd = dup(frec__shm_fd(rings));
	service = start(1);
	attach(frec__shm_fd(rings));
	assert_true(blocks(fd) >= RING_SIZE);
	frec__shm_destroy(rings);
	assert_in_range(blocks(fd), 0, 64 << 10);
	tell(ours, 1);
	finish(service, tids);
	close(fd);
}

static void restarted(void **state)
{
	uint32_t tids[ACTORS];
	pid_t service;
	struct frec_shm_rings *first;

	(void)state;
	first = kit_create(RING_SIZE, 0);
	rings = kit_create(RING_SIZE, 0);
	service = start(2);
	attach(frec__shm_fd(first));
	frec__shm_destroy(first);
	attach(frec__shm_fd(rings));
	tell(ours, 1);
	finish(service, tids);
	check_ids(service, tids);
	frec__shm_destroy(rings);
}

static void killed(void **state)
{
	uint32_t tids[ACTORS], number;
	int pipes[2], fd;
	char path[64];
	pid_t recorder, service;

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	recorder = fork();
	if (!recorder) {
		if (frec__shm_create(&rings, RING_SIZE, selection, 0, NULL))
			_exit(1);
		tell(pipes[1], (uint32_t)frec__shm_fd(rings));
		for (;;)
			pause();
	}
	number = hear(pipes[0]);
	snprintf(path, sizeof(path), "/proc/%d/fd/%u", (int)recorder, number);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	service = start(1);
	attach(fd);
	kill(recorder, SIGKILL);
	status_of(recorder);
	tell(ours, 1);
	finish(service, tids);
	close(fd);
	close(pipes[0]);
	close(pipes[1]);
}

#ifdef __x86_64__
enum reason { STRICT, TSC_BEFORE, TSC_BEFORE_REGISTER, TSC_RECORDER, TSC_RECORDER_LATER, REASONS };

// Emits in a process that would be killed if it read the processor's counter.
static _Noreturn void emit_without_counter(enum reason reason)
{
	if (reason == TSC_BEFORE)
		prctl(PR_SET_TSC, PR_TSC_SIGSEGV);
	if (frec__shm_attach(frec__shm_fd(rings)))
		_exit(2);
	if (reason == STRICT)
		frec_clock_coarse();
	if (reason == TSC_RECORDER_LATER)
		frec__shm_set_clock(rings, FREC_CLOCK_COARSE); // as a recorder would do it
	if (reason != STRICT && reason != TSC_BEFORE)
		prctl(PR_SET_TSC, PR_TSC_SIGSEGV);
	if (reason == TSC_BEFORE_REGISTER)
		(void)frec_register();
	if (reason == STRICT)
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
	tick(0);
	tick(0);
	locked_end(0);
}

static void without_the_counter(void **state)
{
	(void)state;
	for (enum reason reason = STRICT; reason < REASONS; reason++) {
		uint64_t after;
		struct kit_reading reading;
		pid_t child;

		rings = kit_create(RING_SIZE, reason == TSC_RECORDER ? FREC_SHM_COARSE : 0);
		child = fork();
		if (!child) {
			const struct rlimit no_core = {0, 0};

			setrlimit(RLIMIT_CORE, &no_core);
			emit_without_counter(reason);
		}
		assert_int_equal(status_of(child), 0);
		after = frec__monotonic();
		reading = kit_read(rings);
		assert_int_equal(reading.count, 2);
		for (size_t i = 0; i < reading.count; i++)
			assert_in_range(reading.record[i].time, 1, after);
		free(reading.record);
		frec__shm_destroy(rings);
	}
}
#endif

// Records with exact and with coarse times in the ring of one CPU are in the order of time.
static void order_of_times(void **state)
{
	struct kit_reading reading;
	size_t coarse = 0;

	(void)state;
	rings = kit_create(RING_SIZE, 0);
	assert_int_equal(frec__shm_attach(frec__shm_fd(rings)), 0);
	for (uint64_t i = 0; i < 2000; i++) {
		const struct frec__shm_line *line = frec__shm_line;

		if (i % 2)
			frec_clock_coarse();
		frec_kit_tick((uint32_t)i, i, "");
		if (i % 2)
			frec__shm_line = line;
	}
	reading = kit_read(rings);
	assert_int_equal(reading.count, 2000);
	for (size_t i = 1; i < reading.count; i++) {
		const struct kit_record *record = &reading.record[i];

		if (record->ring != record[-1].ring ||
		    record->ring + 1 == frec__shm_ring_count(rings))
			continue;
		assert_true(record->time <= record[-1].time);
		coarse += record->time == record[-1].time;
	}
	assert_true(coarse > 500);
	free(reading.record);
	frec__shm_destroy(rings);
}

// A child that was not made by fork(3) learns its ids from frec_register().
static void a_child_without_handlers(void **state)
{
	struct kit_reading reading;
	pid_t child;

	(void)state;
	rings = kit_create(RING_SIZE, 0);
	assert_int_equal(frec__shm_attach(frec__shm_fd(rings)), 0);
	tick(0);
	child = (pid_t)syscall(SYS_fork);
	if (!child) {
		tick(1);
		(void)frec_register();
		tick(2);
		_exit(0);
	}
	assert_int_equal(status_of(child), 0);
	reading = kit_read(rings);
	assert_int_equal(reading.count, 3);
	for (size_t i = 0; i < reading.count; i++) {
		const uint32_t expected[] = {(uint32_t)getpid(), FREC__SHM_UNKNOWN,
					     (uint32_t)child};
		const struct kit_record *record = &reading.record[i];

		assert_int_equal(record->pid, expected[record->thread]);
		assert_int_equal(record->tid, expected[record->thread]);
	}
	free(reading.record);
	frec__shm_destroy(rings);
}

// A child that was not made by fork(3) may have another clock than its parent. The first record
// already has the right time. (A parent that takes its clock for an hour ahead is as wrong as one
// whose child is in another time namespace.)
static void the_clock_of_a_child_without_handlers(void **state)
{
	struct kit_reading reading;
	uint64_t before, after;
	pid_t child;

	(void)state;
	rings = kit_create(RING_SIZE, 0);
	assert_int_equal(frec__shm_attach(frec__shm_fd(rings)), 0);
	before = frec__monotonic();
	frec__shm->ahead += INT64_C(3600000000000);
	child = (pid_t)syscall(SYS_fork);
	if (!child) {
		tick(0);
		tick(1);
		_exit(0);
	}
	frec__shm->ahead -= INT64_C(3600000000000);
	assert_int_equal(status_of(child), 0);
	after = frec__monotonic();
	reading = kit_read(rings);
	assert_int_equal(reading.count, 2);
	for (size_t i = 0; i < reading.count; i++)
		assert_in_range(reading.record[i].time, before, after);
	free(reading.record);
	frec__shm_destroy(rings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alive),
		cmocka_unit_test(alive_with_stacks),
		cmocka_unit_test(stopped),
		cmocka_unit_test(restarted),
		cmocka_unit_test(killed),
#ifdef __x86_64__
		cmocka_unit_test(without_the_counter),
#endif
		cmocka_unit_test(order_of_times),
		cmocka_unit_test(a_child_without_handlers),
		cmocka_unit_test(the_clock_of_a_child_without_handlers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
