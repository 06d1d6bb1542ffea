// SPDX-License-Identifier: MIT
// Emits events with strings and bytes at unreadable addresses, such as mistakes in real programs
// lead to, and prints what the emit functions return and what was counted. Exits with 3, so that
// `flightrec run` leaves a snapshot.
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <flightrec/event.h>

FREC_EVENT(mistake, text, FREC_STR(text), FREC_U32(number));
FREC_EVENT(mistake, tag, FREC_U32(number), FREC_CHARS(tag, 20));
FREC_EVENT(mistake, raw, FREC_BYTES(raw), FREC_U32(number));
FREC_EVENT(mistake, counted, FREC_U32(number), FREC_TEXT(text));
FREC_EVENT(mistake, many, FREC_STR(first), FREC_BYTES(raw), FREC_STR(last), FREC_U32(number));

struct request {
	long id;
	char path[100];
};

static const void *at(uint64_t address)
{
	return (const void *)(uintptr_t)address;
}

// Returns the end of a page before an unreadable page. Strings and bytes that end there are fine.
static char *edge(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *pages =
		mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mprotect(pages + page, page, PROT_NONE);
	return pages + page;
}

int main(void)
{
	const uint64_t addresses[] = {
		0, // a NULL that nobody checked
		1,
		offsetof(struct request, path), // a member of a struct at NULL
		4095,
		8080, // a port
		65535,
		(uint64_t)-1, // a failed mmap(2)
		(uint64_t)-ENOMEM,
		(uint64_t)-4095,
		0x5a5a5a5a5a5a5a5a, // freed memory, filled by an allocator
		0xa5a5a5a5a5a5a5a5,
		0xdeadbeefdeadbeef,
		0xdead000000000122,
		0xcccccccccccccccc,
		0x6f6c6c6568206120, // text in place of a pointer
		0x0001000000000001, // two numbers in place of a pointer
		0x0001800000000000,
		0x8000000000001000, // the sign bit of a number
		0xffffffff81000000, // the kernel
		0xffff888000000000,
	};
	struct frec_stats stats = {.size = sizeof(stats)};
	char *end = edge();
	uint32_t i;

	errno = 4711;
	for (i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		const void *bad = at(addresses[i]);

		printf("%jx: text %d tag %d raw %d %d many %d %d %d counted %d %d\n",
		       (uintmax_t)addresses[i], frec_mistake_text(bad, i), frec_mistake_tag(i, bad),
		       frec_mistake_raw(bad, 8, i), frec_mistake_raw(bad, 0, i),
		       frec_mistake_many(bad, "raw", 3, "last", i),
		       frec_mistake_many("first", bad, 1, "last", i),
		       frec_mistake_many("first", "raw", 3, bad, i),
		       frec_mistake_counted(i, bad, 5), frec_mistake_counted(i, bad, 0));
	}
	printf("lengths: %d %d %d %d\n", frec_mistake_raw("x", (size_t)-1, i),
	       frec_mistake_raw("x", FREC_PAYLOAD_MAX + 1, i),
	       frec_mistake_raw(at(4095), FREC_PAYLOAD_MAX + 1, i),
	       frec_mistake_many("first", NULL, (size_t)-70294, "last", i));
	end[-1] = '\0';
	end[-2] = 'y';
	printf("edge: %d %d %d %d\n", frec_mistake_text(end - 2, i), frec_mistake_tag(i, end - 2),
	       frec_mistake_raw(end - 5, 5, i), frec_mistake_many(end - 1, end, 0, end - 2, i));
	frec_stats_read(&stats);
	printf("errno %d, %ju faults, %ju too large\n", errno, (uintmax_t)stats.dropped_fault,
	       (uintmax_t)stats.dropped_too_large);
	fflush(stdout);
	return 3;
}
