// SPDX-License-Identifier: MIT
// A program with USDT probes that does not use flightrec: arguments of each size and sign, as
// constants, in registers and in memory, and texts that are easy or hard to read. It obeys each
// line of its input and answers with a line.
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096

// A no-op and the note that describes it, like those of <sys/sdt.h>: address, base (none),
// semaphore, names, arguments.
#define SITE(semaphore, name, arguments) \
	"990:	nop\n" \
	"	.pushsection .note.stapsdt, \"\", \"note\"\n" \
	"	.balign 4\n" \
	"	.4byte 992f - 991f, 994f - 993f, 3\n" \
	"991:	.asciz \"stapsdt\"\n" \
	"992:	.balign 4\n" \
	"993:	.8byte 990b, 0, " semaphore "\n" \
	"	.asciz \"probed\"\n" \
	"	.asciz \"" name "\"\n" \
	"	.asciz \"" arguments "\"\n" \
	"994:	.balign 4\n" \
	"	.popsection\n"

__attribute__((section(".probes"), used)) volatile uint16_t guarded_semaphore;

static void fire_registers(void)
{
	register uint64_t r8 __asm__("r8") = 0x123456789abcdef0;
	register uint64_t r9 __asm__("r9") = (uint64_t)-2;
	register uint64_t r10 __asm__("r10") = 0xfedcba9876543210;
	register uint64_t r11 __asm__("r11") = (uint64_t)INT64_MIN;

	// The unused upper bytes of the registers contain garbage, as the ABI allows.
	__asm__ volatile(SITE("0", "registers",
			      "1@%%dil -1@%%sil 2@%%dx -2@%%cx 4@%%r8d -4@%%r9d 8@%%r10 -8@%%r11")
			 :
			 : "D"(0xaaaaaaaaaaaaaaf0), "S"(0xaaaaaaaaaaaaaa80),
			   "d"(0xaaaaaaaaaaaafffe), "c"(0xaaaaaaaaaaaa8000), "r"(r8), "r"(r9),
			   "r"(r10), "r"(r11));
}

static void fire_memory(void)
{
	static const struct {
		int32_t before, at;
		uint8_t byte;
		int16_t half;
		uint64_t word;
	} memory = {-1, -2, 200, -300, 0x8000000000000001};

	__asm__ volatile(
		SITE("0", "memory", "-4@-4(%%rbx) -4@(%%rbx) 1@4(%%rbx) -2@6(%%rbx) 8@12(%%rbx)")
		:
		: "b"(&memory.at), "m"(memory));
}

static void fire_constants(void)
{
	__asm__ volatile(SITE("0", "constants", "-4@$-7 8@$123 4@$4294967295 -8@$-9000000000"));
}

// Two sites of one probe. One has a single, unsigned argument; the other has two, the first of them
// signed.
static void fire_sites(void)
{
	__asm__ volatile(SITE("0", "sites", "4@%%edi") : : "D"(5));
	__asm__ volatile(SITE("0", "sites", "-4@%%edi 8@%%rsi") : : "D"(-5), "S"(6ul));
}

static void fire_none(void)
{
	__asm__ volatile(SITE("0", "none", ""));
}

// An argument with an index register, which not every reader of notes supports.
static void fire_indexed(void)
{
	static const uint64_t table[2] = {1, 2};

	__asm__ volatile(SITE("0", "indexed", "8@(%%rdi,%%rsi,8)")
			 :
			 : "D"(table), "S"(1ul), "m"(table));
}

static void fire_text(uint64_t number, const char *text)
{
	__asm__ volatile(SITE("0", "text", "8@%%rdi 8@%%rsi")
			 :
			 : "D"(number), "S"(text)
			 : "memory");
}

static void fire_texts(const char *a, const char *b, const char *c)
{
	__asm__ volatile(SITE("0", "texts", "8@%%rdi 8@%%rsi 8@%%rdx")
			 :
			 : "D"(a), "S"(b), "d"(c)
			 : "memory");
}

static void fire_guarded(void)
{
	if (guarded_semaphore)
		__asm__ volatile(SITE("guarded_semaphore", "guarded", "-4@$1"));
}

static void fire_sequence(uint64_t thread, uint64_t number, const char *text)
{
	__asm__ volatile(SITE("0", "sequence", "4@%%edi 8@%%rsi 8@%%rdx")
			 :
			 : "D"(thread), "S"(number), "d"(text)
			 : "memory");
}

// Returns a text that crosses the border between two pages of a file, neither of which is in this
// process's page tables.
static const char *cold_text(void)
{
	char path[] = "/tmp/frec-probed-XXXXXX", *memory;
	int fd = mkstemp(path);

	unlink(path);
	if (fd < 0 || ftruncate(fd, 2 * PAGE) || pwrite(fd, "over the border", 16, PAGE - 8) != 16)
		exit(1);
	memory = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED || madvise(memory, 2 * PAGE, MADV_DONTNEED))
		exit(1);
	close(fd);
	return memory + PAGE - 8;
}

// Returns a text that ends where its mapping ends, without a NUL.
static const char *torn_text(void)
{
	char *memory =
		mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED || munmap(memory + PAGE, PAGE))
		exit(1);
	memcpy(memory + PAGE - 4, "torn", 4);
	return memory + PAGE - 4;
}

static char *long_text(size_t length)
{
	char *text = malloc(length + 1);

	if (!text)
		exit(1);
	memset(text, 'x', length);
	text[length] = 0;
	return text;
}

static void fire_hard_texts(void)
{
	fire_text(1, "plain");
	fire_text(2, "");
	fire_text(3, NULL);
	fire_text(4, (const char *)16);
	fire_text(5, torn_text());
	fire_text(6, long_text(4095));
	fire_text(7, long_text(4096));
	fire_text(8, long_text(100000));
	fire_texts(long_text(10000), "between", long_text(10000));
}

struct storm {
	uint64_t thread, count;
};

static void *storm(void *argument)
{
	const struct storm *storm = argument;

	for (uint64_t i = 0; i < storm->count; i++)
		fire_sequence(storm->thread, i, i % 2 ? "odd" : "even");
	return NULL;
}

static void run_storm(uint64_t threads, uint64_t count)
{
	struct storm storms[16];
	pthread_t thread[16];

	for (uint64_t i = 0; i < threads && i < 16; i++) {
		storms[i] = (struct storm){.thread = i, .count = count};
		if (pthread_create(&thread[i], NULL, storm, &storms[i]))
			exit(1);
	}
	for (uint64_t i = 0; i < threads && i < 16; i++)
		pthread_join(thread[i], NULL);
}

int main(void)
{
	char line[256];

	setvbuf(stdout, NULL, _IOLBF, 0);
	while (fgets(line, sizeof(line), stdin)) {
		unsigned long threads, count;

		line[strcspn(line, "\n")] = 0;
		if (!strcmp(line, "all")) {
			fire_registers();
			fire_memory();
			fire_constants();
			fire_sites();
			fire_none();
			fire_indexed();
			fire_guarded();
		} else if (!strcmp(line, "texts")) {
			fire_hard_texts();
		} else if (!strcmp(line, "cold")) {
			fire_text(100, cold_text());
		} else if (!strncmp(line, "say ", 4)) {
			fire_text(0, line + 4);
		} else if (sscanf(line, "storm %lu %lu", &threads, &count) == 2) {
			run_storm(threads, count);
		}
		printf("%u\n", guarded_semaphore);
	}
	return 0;
}
