// SPDX-License-Identifier: MIT
// Proves that the records in shared rings are whole and complete, whatever happens to the threads
// that write them: they are killed, forked, preempted, or interrupted by signals whose handlers
// emit as well. Also proves that the death of a recorder turns events off.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/clocks.h"
#include "recorder/service/clock_ahead.h"
#include "recorder/service/registration.h"
#include "recorder/service/shm_attach.h"
#include "recorder/service/shm_sequence.h"
#include "tests/data/shm_kit.h"

#define RING_SIZE (1u << 20)
#define THREADS 4

FREC_EVENT(kit, unwanted);

static struct frec_shm_rings *rings;

static int setup(void **state)
{
	(void)state;
	rings = kit_create(RING_SIZE, 0);
	return !rings || frec__shm_attach(frec__shm_fd(rings)) ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	frec__shm_destroy(rings);
	return 0;
}

static void tick(uint32_t thread, uint64_t number)
{
	frec_kit_tick(thread, number, "text");
}

static int by_thread(const void *a, const void *b)
{
	const struct kit_record *x = a, *y = b;

	if (x->thread != y->thread)
		return x->thread < y->thread ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

// Checks that each thread's numbers begin at 0 and have no gaps, that no record is there twice, and
// that in the ring of a CPU no record is younger than the one before it.
static void check_complete(struct kit_reading *reading)
{
	assert_false(reading->wrapped);
	for (size_t i = 1; i < reading->count; i++) {
		const struct kit_record *record = &reading->record[i];

		if (record->ring == record[-1].ring &&
		    record->ring + 1 < frec__shm_ring_count(rings))
			assert_true(record->time <= record[-1].time);
	}
	qsort(reading->record, reading->count, sizeof(*reading->record), by_thread);
	for (size_t i = 0; i < reading->count; i++) {
		bool first = !i || reading->record[i - 1].thread != reading->record[i].thread;

		assert_int_equal(reading->record[i].number,
				 first ? 0 : reading->record[i - 1].number + 1);
	}
}

static void only_what_is_wanted(void **state)
{
	struct kit_reading reading;

	(void)state;
	assert_true(frec_kit_tick_enabled());
	assert_false(frec_kit_unwanted_enabled());
	frec_kit_unwanted();
	tick(3, 0);
	reading = kit_read(rings);
	assert_int_equal(rings->events, 3);
	assert_int_equal(reading.count, 1);
	assert_int_equal(reading.emitted, 1);
	assert_int_equal(reading.record[0].pid, getpid());
	assert_int_equal(reading.record[0].tid, gettid());
	free(reading.record);
}

// How far CLOCK_MONOTONIC is ahead is measured with CLOCK_REALTIME, to the nanosecond. This test
// takes the clock of this process for the kernel's.
static void how_far_a_clock_is_ahead(void **state)
{
	const int64_t ahead = 7000000001, behind = -3599999999999, step = FREC__CLOCK_TOLERANCE / 2;
	struct frec__clock_ahead own;

	(void)state;
	assert_int_equal(frec__clock_measure(frec__clocks_epoch(), 0), 0);
	assert_int_equal(frec__clock_measure(frec__clocks_epoch() + ahead, 0), ahead);
	assert_int_equal(frec__clock_measure(frec__clocks_epoch() + behind, 0), behind);
	assert_int_equal(frec__clock_measure(frec__clocks_epoch() + ahead + step, ahead), ahead);
	assert_int_equal(frec__clock_ahead(&own), 0);
}

// The bytes are laid out as perf would lay them out. payload.c describes the payload.
static void what_a_record_is(void **state)
{
	static const uint8_t payload[] = {9, 0, 0, 0, 5, 0,   0,   0, 0, 0, 0,
					  0, 0, 0, 3, 0, 'h', 'i', 0, 0, 0, 0};
	_Alignas(8) static uint8_t data[RING_SIZE];
	struct frec_ring_copy copy = {.data = data};
	struct frec_shm_damage damage;
	struct stat status;

	(void)state;
	frec_kit_tick(9, 5, "hi");
	assert_int_equal(frec__shm_refresh(rings), 3);
	for (size_t i = 0; i < frec__shm_ring_count(rings); i++) {
		const struct frec_sample *sample = (const void *)data;

		frec__shm_copy(rings, i, &copy);
		frec__shm_copy_finish(rings, &copy, &damage);
		assert_int_equal(damage.regions, 0);
		if (!copy.valid)
			continue;
		assert_int_equal(sample->header.type, PERF_RECORD_SAMPLE);
		assert_int_equal(sample->header.size, copy.valid);
		assert_int_equal(sample->raw_size, sample->header.size - sizeof(*sample));
		assert_int_equal(sample->id, frec__shm_event(rings, kit_tick(rings))->id);
		assert_int_equal(stat("/proc/self/ns/pid", &status), 0);
		assert_int_equal(sample->reserved, status.st_ino);
		assert_memory_equal(sample->raw + 8, payload, 19);
		assert_memory_equal(sample->raw, "\0\0\0\0\0\0\0\0", 8);
		return;
	}
	fail();
}

// Strings that are too long for one record are cut as they are for user_events. Byte arrays that
// are too long are refused.
FREC_EVENT(kit, tall, FREC_STR(text), FREC_BYTES(raw));
FREC_EVENT(kit, texts, FREC_TEXT(text));

static void long_events(void **state)
{
	static char text[20000], raw[9000];
	struct kit_reading reading;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	assert_int_equal(frec_kit_tall(text, raw, 100), 0);
	assert_int_equal(frec_kit_tall(NULL, NULL, 0), 0);
	assert_int_equal(frec_kit_tall("", raw, 8000), 0);
	assert_int_equal(frec_kit_tall("", raw, sizeof(raw)), -E2BIG);
	assert_int_equal(frec_kit_texts(text, sizeof(text)), 0);
	assert_int_equal(frec_kit_texts("ends in NUL\0", 12), 0);
	assert_int_equal(frec_kit_texts(NULL, 0), 0);
	assert_int_equal(frec_kit_texts(NULL, 7), 0);
	reading = kit_read(rings);
	assert_int_equal(reading.count, 7);
	assert_int_equal(reading.emitted, 7);
	assert_int_equal(reading.damage.regions, 0);
	free(reading.record);
}

struct job {
	pthread_t thread;
	uint32_t number;
	uint64_t times;
};

static void *emit_job(void *argument)
{
	const struct job *job = argument;

	for (uint64_t i = 0; i < job->times; i++)
		tick(job->number, i);
	return NULL;
}

static void run_threads(uint64_t times)
{
	struct job job[THREADS];

	for (uint32_t i = 0; i < THREADS; i++) {
		job[i] = (struct job){.number = i, .times = times};
		if (pthread_create(&job[i].thread, NULL, emit_job, &job[i]))
			abort();
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(job[i].thread, NULL);
}

static void check_threads(bool sequences)
{
	struct kit_reading reading;

	frec__shm->sequences &= sequences;
	run_threads(2000);
	reading = kit_read(rings);
	assert_int_equal(reading.damage.regions, 0);
	assert_int_equal(reading.count, THREADS * 2000);
	assert_int_equal(reading.emitted, THREADS * 2000);
	check_complete(&reading);
	free(reading.record);
}

static void threads(void **state)
{
	(void)state;
	check_threads(true);
}

static void threads_without_sequences(void **state)
{
	(void)state;
	check_threads(false);
}

// Rings are copied while many threads overwrite them again and again. No record in the copies is
// torn, and none is younger than the one before it.
static void live_copies(void **state)
{
	uint64_t damaged = 0, strangers = 0, backwards = 0;
	struct job job[THREADS];

	(void)state;
	for (uint32_t i = 0; i < THREADS; i++) {
		job[i] = (struct job){.number = i, .times = 400000};
		assert_int_equal(pthread_create(&job[i].thread, NULL, emit_job, &job[i]), 0);
	}
	for (int round = 0; round < 60; round++) {
		struct kit_reading reading = kit_read(rings);

		damaged += reading.damage.regions;
		for (size_t i = 0; i < reading.count; i++) {
			const struct kit_record *record = &reading.record[i];

			strangers += record->thread >= THREADS;
			backwards += i && record->ring == record[-1].ring &&
				     record->time > record[-1].time;
		}
		free(reading.record);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(job[i].thread, NULL);
	assert_int_equal(strangers, 0);
	if (!frec__shm->sequences)
		return;
	assert_int_equal(damaged, 0);
	assert_int_equal(backwards, 0);
}

static uint64_t emitted_now(void)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < frec__shm_ring_count(rings); i++)
		sum += frec__shm_emitted(rings, kit_tick(rings), i);
	return sum;
}

// Kills writers with SIGKILL at a random moment. In the shared ring the last record of a thread may
// be torn.
static void kill_writers(bool sequences)
{
	srandom(1);
	for (int round = 0; round < 60; round++) {
		uint64_t enough = 1 + (uint64_t)random() % 4000;
		struct kit_reading reading;
		int status;
		pid_t child;

		assert_int_equal(setup(NULL), 0);
		frec__shm->sequences &= sequences;
		assert_int_equal(frec__shm_refresh(rings), 3);
		child = fork();
		if (!child) {
			run_threads(2500);
			_exit(0);
		}
		while (emitted_now() < enough && !waitpid(child, &status, WNOHANG))
			;
		kill(child, SIGKILL);
		waitpid(child, &status, 0);
		reading = kit_read(rings);
		assert_true(reading.damage.regions <= (frec__shm->sequences ? 0 : THREADS));
		assert_true(reading.count >= enough);
		// One instruction commits a record and another one counts it, so SIGKILL can come
		// in between.
		assert_in_range(reading.count, reading.emitted, reading.emitted + THREADS);
		check_complete(&reading);
		free(reading.record);
		teardown(NULL);
	}
}

static void killed(void **state)
{
	(void)state;
	kill_writers(true);
}

static void killed_without_sequences(void **state)
{
	(void)state;
	kill_writers(false);
}

#ifndef __has_feature
#define __has_feature(name) 0
#endif
// The thread sanitizer delays signal handlers, and these tests need the handler to run at the
// breakpoint.
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__) && !__has_feature(thread_sanitizer)
#define BREAKPOINTS
extern uint8_t frec__shm_entered[], frec__shm_committed[];

static void pass(int number)
{
	(void)number;
}

// Replaces an instruction with a breakpoint. A thread that reaches the breakpoint gets a signal, as
// could happen at any time.
static void stop_at(uint8_t *instruction, uint8_t with, uint8_t *ret_before)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *begin = (void *)((uintptr_t)instruction / page * page);

	assert_int_equal(mprotect(begin, 2 * page, PROT_READ | PROT_WRITE | PROT_EXEC), 0);
	*ret_before = *instruction;
	*instruction = with;
	__builtin___clear_cache((char *)instruction, (char *)instruction + 1);
	assert_int_equal(mprotect(begin, 2 * page, PROT_READ | PROT_EXEC), 0);
}

// If a signal arrives after a record is committed and before it is counted, the record is still
// counted, and not written again. If signals interrupt every attempt, the record goes to the shared
// ring.
static void interrupted(void **state)
{
	uint8_t *const where[] = {frec__shm_committed, frec__shm_entered};

	(void)state;
	if (!frec__shm->sequences) {
		print_message("not interrupted: no restartable sequences here\n");
		return;
	}
	signal(SIGTRAP, pass);
	for (uint64_t i = 0; i < 2; i++) {
		struct kit_reading reading;
		uint8_t before, ignored;

		stop_at(where[i], 0xcc, &before);
		tick(0, i);
		stop_at(where[i], before, &ignored);
		reading = kit_read(rings);
		assert_int_equal(reading.damage.regions, 0);
		assert_int_equal(reading.count, i + 1);
		assert_int_equal(reading.emitted, i + 1);
		if (i)
			assert_int_equal(reading.record[1].ring, frec__shm_ring_count(rings) - 1);
		free(reading.record);
	}
	signal(SIGTRAP, SIG_DFL);
}
#endif

// The records of a child never have the ids of its parent, whichever call forked it and however
// deeply forks are nested. A child that was forked by a call that runs no handlers does not know
// its own ids.
static void forks(void **state)
{
	struct kit_reading reading;
	int status;
	pid_t child;

	(void)state;
	tick(0, 0);
	child = fork();
	if (!child) {
		pid_t grandchild;

		tick(1, 0);
		grandchild = (pid_t)syscall(SYS_fork); // no handlers of pthread_atfork()
		if (!grandchild) {
			tick(2, 0);
			_exit(0);
		}
		waitpid(grandchild, NULL, 0);
		tick(1, 1);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	tick(0, 1);
	reading = kit_read(rings);
	assert_int_equal(reading.count, 5);
	check_complete(&reading);
	for (size_t i = 0; i < reading.count; i++) {
		const struct kit_record *record = &reading.record[i];

		assert_int_equal(record->pid, record->tid);
		if (record->thread == 0)
			assert_int_equal(record->pid, getpid());
		if (record->thread == 1)
			assert_int_equal(record->pid, child);
		if (record->thread == 2)
			assert_int_equal(record->pid, FREC__SHM_UNKNOWN);
	}
	free(reading.record);
}

static uint64_t nested;

static void on_signal(int number)
{
	(void)number;
	tick(1, nested++);
}

// A timer interrupts a thread at any instruction of an emit. The signal handler emits as well, on a
// small stack of its own.
static void signals(void **state)
{
	static char stack[8192];
	struct itimerval often = {{0, 40}, {0, 40}}, never = {{0, 0}, {0, 0}};
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK | SA_RESTART};
	stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)}, before;
	struct kit_reading reading;
	uint64_t i;

	(void)state;
	nested = 0;
	assert_int_equal(sigaltstack(&alternate, &before), 0);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (i = 0; i < 6000 && nested < 3000; i++)
		tick(0, i);
	setitimer(ITIMER_REAL, &never, NULL);
	signal(SIGALRM, SIG_DFL);
	sigaltstack(&before, NULL);
	assert_true(nested > 0);
	reading = kit_read(rings);
	assert_int_equal(reading.damage.regions, 0);
	assert_int_equal(reading.count, i + nested);
	assert_int_equal(reading.emitted, i + nested);
	check_complete(&reading);
	free(reading.record);
}

// The recorder is another process and is killed; then another one starts.
static void a_recorder_dies(void **state)
{
	static const char *const selection[] = {"kit:*", NULL};
	char path[64];
	int pipes[2], fd, number, status;
	struct stat before, after;
	struct kit_reading reading;
	pid_t recorder;

	(void)state;
	frec__shm_destroy(rings);
	assert_int_equal(pipe(pipes), 0);
	recorder = fork();
	if (!recorder) {
		struct frec_shm_rings *own;

		number = frec__shm_create(&own, RING_SIZE, selection, 0, NULL) ? -1
									       : frec__shm_fd(own);
		if (write(pipes[1], &number, sizeof(number)) != sizeof(number))
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(pipes[0], &number, sizeof(number)), sizeof(number));
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", recorder, number);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(frec__shm_attach(fd), 0);
	assert_int_equal(frec__shm_attach(fd), -EALREADY);
	assert_true(frec_kit_tick_enabled() && frec_kit_unwanted_enabled());
	tick(0, 0);
	kill(recorder, SIGKILL);
	waitpid(recorder, &status, 0);
	fstat(fd, &before);
	errno = 4711;
	tick(0, 1);
	assert_int_equal(errno, 4711);
	assert_false(frec_kit_tick_enabled());
	assert_int_equal(frec__event_kit_unwanted.enabled, FREC__SHM_MASK);
	assert_false(frec_kit_unwanted_enabled()); // asking is enough to turn the event off
	assert_int_equal(errno, 4711);
	assert_int_equal(frec__event_kit_unwanted.enabled, 0);
	fstat(fd, &after);
	assert_true(before.st_blocks * 512 >= RING_SIZE);
	// An emit makes no system call, so the memory is given back later.
	assert_int_equal(after.st_blocks, before.st_blocks);
	(void)frec_register();
	fstat(fd, &after);
	assert_true(after.st_blocks * 512 < RING_SIZE / 2);
	close(fd);
	rings = kit_create(RING_SIZE, 0);
	assert_int_equal(frec__shm_attach(frec__shm_fd(rings)), 0);
	assert_true(frec_kit_tick_enabled());
	assert_false(frec_kit_unwanted_enabled());
	tick(0, 0);
	reading = kit_read(rings);
	assert_int_equal(reading.count, 1);
	free(reading.record);
	close(pipes[0]);
	close(pipes[1]);
}

// A thread that is stopped in the middle of an emit while the recorder is replaced continues with
// the addresses of the old recorder's rings.
static void a_writer_of_the_old_recorder(void **state)
{
	struct frec__shm *old = frec__shm;
	struct kit_reading reading;

	(void)state;
	tick(0, 0);
	frec__shm_destroy(rings);
	assert_int_equal(setup(NULL), 0);
	memset(old->rings, 0x41, 2 * old->ring_size);
	frec__shm_control_of(old, 0)->emitted[0]++;
	assert_int_equal(old->header->owner, 0);
	reading = kit_read(rings);
	assert_int_equal(reading.count, 0);
	assert_int_equal(reading.emitted, 0);
	assert_int_equal(reading.damage.regions, 0);
	free(reading.record);
}

static void *emit_when_told(void *argument)
{
	pthread_barrier_t *barrier = argument;

	pthread_barrier_wait(barrier);
	pthread_barrier_wait(barrier);
	tick(2, 0);
	return NULL;
}

// With the guard a wild write faults. Emitting still works, also in signal handlers and in a thread
// that is older than the guard.
static void the_guard(void **state)
{
	struct kit_reading reading;
	pthread_barrier_t barrier;
	pthread_t thread;
	int status;
	pid_t child;

	(void)state;
	pthread_barrier_init(&barrier, NULL, 2);
	pthread_create(&thread, NULL, emit_when_told, &barrier);
	pthread_barrier_wait(&barrier);
	frec__shm_destroy(rings);
	rings = kit_create(RING_SIZE, FREC_SHM_GUARD);
	assert_int_equal(frec__shm_attach(frec__shm_fd(rings)), 0);
	pthread_barrier_wait(&barrier);
	pthread_join(thread, NULL);
	if (frec__shm->guard < 0) {
		print_message("not guarded: no protection keys here\n");
		return;
	}
	nested = 0;
	signal(SIGUSR1, on_signal);
	raise(SIGUSR1);
	tick(0, 0);
	child = fork();
	if (!child) {
		tick(3, 0);
		signal(SIGSEGV, SIG_DFL);
		frec__shm->rings[100] = 1;
		_exit(0);
	}
	waitpid(child, &status, 0);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	tick(0, 1);
	reading = kit_read(rings);
	assert_int_equal(reading.count, 5);
	assert_int_equal(reading.damage.regions, 0);
	check_complete(&reading);
	free(reading.record);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(only_what_is_wanted),
		EACH(what_a_record_is),
		EACH(how_far_a_clock_is_ahead),
		EACH(long_events),
		EACH(threads),
		EACH(threads_without_sequences),
		EACH(live_copies),
		cmocka_unit_test(killed),
		cmocka_unit_test(killed_without_sequences),
#ifdef BREAKPOINTS
		EACH(interrupted),
#endif
		EACH(forks),
		EACH(signals),
		EACH(a_recorder_dies),
		EACH(a_writer_of_the_old_recorder),
		EACH(the_guard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
