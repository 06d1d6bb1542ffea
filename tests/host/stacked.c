// SPDX-License-Identifier: MIT
// A program of which every stack is known: main calls outer, outer middle, middle leaf, and leaf makes one event of each kind: a
// flightrec event, a USDT probe that knows nothing of flightrec, and a signal, which is a tracepoint of the kernel's.
//
// It says where these functions lie, and then answers each line: "on?" with whether the event is, "fire" with where in leaf's
// frame a mark stood when the events were made.
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <flightrec/event.h>

#define MARK UINT64_C(0x5ac4edf00df00d15)

FREC_EVENT(stacked, fired, FREC_U64(number));

// Each function is in a section of its own: the linker tells where that begins and ends.
#define PLACED(name)                                          \
	extern const char __start_at_##name[], __stop_at_##name[]; \
	__attribute__((section("at_" #name), noinline, noclone))
#define SAY(name) printf(" \"" #name "\": [%zu, %zu],", (size_t)__start_at_##name, (size_t)__stop_at_##name)

static const volatile void *marked;

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
			 "	.popsection\n" ::: "memory");
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

PLACED(main) int main(void)
{
	uint64_t number = 0;
	char line[64];

	setvbuf(stdout, NULL, _IOLBF, 0);
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
		} else {
			printf("%d\n", frec_stacked_fired_enabled());
		}
	}
	return 0;
}
