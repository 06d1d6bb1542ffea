// SPDX-License-Identifier: MIT
// Emits numbered events from several threads and then ends as its arguments say. Kernel tests
// record it.
//
//	emitter [-t THREADS] [-n COUNT] [-b BYTES] [-l LEDGER] [-w MICROSECONDS] [-s SECONDS]
//		[-m EVERY] [END]
//
// Thread i emits (i, 1), (i, 2) ... with BYTES of payload in a string, and a mark with every
// EVERYth event. LEDGER is a shared file with two u64 for each thread, the last number begun and
// the last one done. The file survives any end.
//
// END: ok, exit, segv, null, bus, ill, fpe, abort, trap, sys, kill, overflow, wild, hang.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <flightrec/event.h>

enum phase { PHASE_WARM, PHASE_HOT };

FREC_EVENT(test, tick, FREC_U32(thread), FREC_U64(sequence), FREC_STR(text), FREC_I32(negative),
	   FREC_F64(ratio), FREC_ENUM(phase, PHASE_WARM, PHASE_HOT), FREC_BOOL(odd),
	   FREC_PTR(where));

FREC_EVENT(test, mark, FREC_U32(thread), FREC_U64(sequence));

static struct {
	uint64_t begun, done;
} * ledger;
static unsigned long count = 100, pause_us, seconds, mark_every;
static char *text;

static void *emit(void *argument)
{
	uint32_t thread = (uint32_t)(uintptr_t)argument;
	char name[16];
	time_t end = time(NULL) + (time_t)seconds;

	snprintf(name, sizeof(name), "emit-%u", thread);
	pthread_setname_np(pthread_self(), name);
	for (uint64_t i = 1; seconds ? time(NULL) < end : i <= count; i++) {
		__atomic_store_n(&ledger[thread].begun, i, __ATOMIC_SEQ_CST);
		frec_test_tick(thread, i, text, -(int32_t)(i % 1000), (double)i / 4,
			       i % 2 ? PHASE_HOT : PHASE_WARM, i % 2, argument);
		__atomic_store_n(&ledger[thread].done, i, __ATOMIC_SEQ_CST);
		if (mark_every && i % mark_every == 0)
			frec_test_mark(thread, i);
		if (pause_us)
			usleep((useconds_t)pause_us);
	}
	return NULL;
}

__attribute__((noinline)) static int overflow(int depth)
{
	volatile char frame[4096];

	frame[0] = (char)depth;
	// The condition avoids a compiler warning about infinite recursion.
	return depth < 0 ? 0 : overflow(depth + 1) + frame[0];
}

static int end(const char *how)
{
	if (!strcmp(how, "segv"))
		*(volatile int *)0x1234 = 1;
	if (!strcmp(how, "wild"))
		((void (*)(void))0x10)();
	if (!strcmp(how, "bus")) {
		// Maps an empty file, so that a read is beyond its end.
		FILE *file = tmpfile();
		volatile char *page =
			file ? mmap(NULL, 4096, PROT_READ, MAP_SHARED, fileno(file), 0) : NULL;

		return page[0];
	}
	if (!strcmp(how, "ill"))
		__builtin_trap();
	if (!strcmp(how, "fpe"))
		raise(SIGFPE);
	if (!strcmp(how, "abort"))
		abort();
	if (!strcmp(how, "trap"))
		raise(SIGTRAP);
	if (!strcmp(how, "sys"))
		raise(SIGSYS);
	if (!strcmp(how, "kill"))
		raise(SIGKILL);
	if (!strcmp(how, "overflow"))
		return overflow(0);
	if (!strcmp(how, "hang"))
		pause();
	return !strcmp(how, "exit") ? 3 : 0;
}

int main(int argc, char **argv)
{
	unsigned long threads = 1, bytes = 16;
	const char *path = NULL;
	pthread_t thread[64];
	struct rlimit no_core = {0, 0};
	int option;

	while ((option = getopt(argc, argv, "t:n:b:l:w:s:m:")) != -1) {
		unsigned long value = option == 'l' ? 0 : strtoul(optarg, NULL, 10);

		switch (option) {
		case 't':
			threads = value < 64 ? value : 64;
			break;
		case 'n':
			count = value;
			break;
		case 'b':
			bytes = value;
			break;
		case 'l':
			path = optarg;
			break;
		case 'w':
			pause_us = value;
			break;
		case 'm':
			mark_every = value;
			break;
		case 's':
			seconds = value;
			break;
		default:
			return 2;
		}
	}
	setrlimit(RLIMIT_CORE, &no_core);
	text = malloc(bytes + 1);
	memset(text, 'x', bytes);
	text[bytes] = 0;
	if (path) {
		int fd = open(path, O_RDWR | O_CREAT, 0600);

		if (fd < 0 || ftruncate(fd, 4096)) {
			perror(path);
			return 2;
		}
		ledger = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	} else {
		ledger = calloc(64, sizeof(*ledger));
	}
	for (unsigned long i = 0; i < threads; i++)
		pthread_create(&thread[i], NULL, emit, (void *)i);
	for (unsigned long i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	return end(optind < argc ? argv[optind] : "ok");
}
