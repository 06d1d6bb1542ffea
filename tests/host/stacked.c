// SPDX-License-Identifier: MIT
// A program with known stacks: main calls outer, outer calls middle, and middle calls leaf, which
// makes one event of each kind: a flightrec event, a foreign USDT probe, and a signal, which is a
// tracepoint of the kernel.
//
// It prints the addresses of these functions and then answers each line: "on?" with whether the
// event is on, "fire" by making the events and printing the address of a mark in leaf's frame, and
// "storm" after making them a thousand times. It answers "locked" with the id of a thread that has
// ended, in which outer made a flightrec event after frec_stacks_off(), while any system call but
// write(2) and exit(2) would have killed the process. It does not answer "crash".
//
//	stacked [KEEPER FOLDER BYTES [SOCKET]]
//
// With arguments it embeds a recorder that records BYTES bytes of stack with each event, or uses
// the recorder at SOCKET. "trigger" requests a snapshot from that recorder.
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <flightrec/event.h>
#include <flightrec/recorder.h>

#include "tests/data/locked.h"

#define MARK UINT64_C(0x5ac4edf00df00d15)

FREC_EVENT(stacked, fired, FREC_U64(number));

// Each function is in a section of its own, whose bounds the linker defines as symbols.
#define PLACED(name) \
	extern const char __start_at_##name[], __stop_at_##name[]; \
	__attribute__((section("at_" #name), noinline))
#define SAY(name) \
	printf(" \"" #name "\": [%zu, %zu],", (size_t)__start_at_##name, (size_t)__stop_at_##name)

static const volatile void *marked;
static bool no_calls; // a locked-in thread makes the events, which must not send signals

PLACED(leaf) static uint64_t leaf(uint64_t number)
{
	volatile uint64_t mark = MARK;

	marked = &mark;
	frec_stacked_fired(number);
	__asm__ volatile("990:	nop\n"
			 "	.pushsection .note.stapsdt, \"\", \"note\"\n"
			 "	.balign 4\n"
			 "	.4byte 992f - 991f, 994f - 993f, 3\n"
			 "991:	.asciz \"stapsdt\"\n"
			 "992:	.balign 4\n"
			 "993:	.8byte 990b, _.stapsdt.base, 0\n"
			 "	.asciz \"stacked_probe\"\n"
			 "	.asciz \"fired\"\n"
			 "	.asciz \"\"\n"
			 "994:	.balign 4\n"
			 "	.popsection\n" ::
				 : "memory");
	if (!no_calls)
		kill(getpid(), SIGURG);
	return mark;
}

PLACED(middle) static uint64_t middle(uint64_t number)
{
	return leaf(number) ^ number;
}

PLACED(outer) static uint64_t outer(uint64_t number)
{
	return middle(number + 1) + number;
}

static void *fire_locked(void *ret_tid)
{
	*(pid_t *)ret_tid = gettid();
	no_calls = true;
	frec_stacks_off();
	if (locked_in(false))
		abort();
	outer(0);
	locked_end(0);
}

static pid_t fire_in_locked_thread(void)
{
	pthread_t thread;
	pid_t tid = 0;

	if (!pthread_create(&thread, NULL, fire_locked, &tid))
		pthread_join(thread, NULL);
	no_calls = false;
	return tid;
}

static void embed(const char *keeper, const char *folder, const char *bytes, const char *socket)
{
	const char *const events[] = {"stacked:*", "signal:signal_generate/stack=none/", NULL};
	char error[256];
	struct frec_recorder_options options = {.size = sizeof(options),
						.folder = folder,
						.events = events,
						.keeper = keeper,
						.socket = socket,
						.error = error,
						.error_size = sizeof(error),
						.stack_bytes = strtoull(bytes, NULL, 10),
						.drop_stack_bytes = strstr(bytes, ",drop") != NULL};
	struct frec_recorder *recorder;

	if (frec_recorder_start(&options, &recorder)) {
		printf("%s\n", error);
		exit(1);
	}
}

PLACED(main) int main(int argc, char **argv)
{
	const struct rlimit no_core = {0, 0};
	// Makes the stack at least as large as any copy of it that a test requests, and faults it
	// in, because the kernel copies only resident pages.
	volatile char room[1 << 16];
	uint64_t number = 0;
	char line[64];

	setvbuf(stdout, NULL, _IOLBF, 0);
	setrlimit(RLIMIT_CORE, &no_core);
	for (size_t i = 0; i < sizeof(room); i++)
		room[i] = 1;
	if (argc > 3)
		embed(argv[1], argv[2], argv[3], argc > 4 ? argv[4] : NULL);
	printf("{");
	SAY(leaf);
	SAY(middle);
	SAY(outer);
	SAY(main);
	printf(" \"pid\": %d, \"mark\": %zu}\n", getpid(), (size_t)MARK);
	while (fgets(line, sizeof(line), stdin)) {
		if (!strcmp(line, "fire\n")) {
			number += outer(number) & 0xff;
			printf("%zu\n", (size_t)marked);
		} else if (!strcmp(line, "storm\n")) {
			for (int i = 0; i < 1000; i++)
				number += outer(number) & 0xff;
			printf("1000\n");
		} else if (!strcmp(line, "locked\n")) {
			printf("%d\n", fire_in_locked_thread());
		} else if (!strcmp(line, "trigger\n")) {
			printf("%d\n", frec_trigger("embedded"));
		} else if (!strcmp(line, "crash\n")) {
			*(volatile int *)0x1234 = 1;
		} else {
			printf("%d\n", frec_stacked_fired_enabled());
		}
	}
	return 0;
}
