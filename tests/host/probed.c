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

#include "probed.h"

#define PAGE 4096

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

static void fire_indexed(void)
{
	static const uint64_t table[2] = {0xfff0000000000001, 0x8877665544332211};

	__asm__ volatile(SITE("0", "indexed", "8@(%%rdi,%%rsi,8) -2@6(%%rdi,%%rdx) 1@8(,%%rdi)")
			 :
			 : "D"(table), "S"(1ul), "d"(0ul), "m"(table));
}

// Arguments that the compiler addresses by a symbol: a global one, one that only .symtab has, and
// some that nobody can find. The twins are two static symbols of one name, see probed_twin.c.
__attribute__((visibility("default"))) volatile uint32_t probed_global = 4294967290;
static volatile int64_t hidden[3] = {-1, -2, -3};
static volatile int32_t twin = 11;
static _Thread_local volatile int32_t of_thread = 12;
// Nobody touches the page in the middle, so it is not in this process's page tables.
volatile uint64_t probed_cold[3 * PAGE / sizeof(uint64_t)]
	__attribute__((aligned(PAGE))) = {[PAGE / sizeof(uint64_t) + 100] = 77};

static void fire_relative(void)
{
	__asm__ volatile(
		SITE("0", "relative",
		     "4@probed_global(%%rip) -8@hidden+8(%%rip) -8@16+hidden(%%rip) "
		     "8@probed_cold+4896(%%rip) -4@of_thread(%%rip) 8@nowhere(%%rip) 8@8(%%rip)")
		:
		: "m"(probed_global), "m"(hidden), "m"(probed_cold), "m"(of_thread));
}

// A function that is local to this source file, so there is no doubt about its twin.
static __attribute__((noinline)) void fire_twin(void)
{
	__asm__ volatile(SITE("0", "twin", "-4@twin(%%rip)") : : "m"(twin));
}

void fire_twin_of_whom(void);

// Code of a function that does not belong to one source file.
__attribute__((noinline)) void fire_twin_of_whom(void)
{
	__asm__ volatile(SITE("0", "twin_of_whom", "-4@twin(%%rip) 8@%%rdi") : : "m"(twin), "D"(1));
}

static void fire_floats(void)
{
	static const struct {
		double wide;
		float narrow;
	} numbers = {-1e300, 0.15625f};

	__asm__ volatile(SITE("0", "floats", "8f@(%%rdi) 4f@8(%%rdi) -8f@%%xmm0 8@%%rsi")
			 :
			 : "D"(&numbers), "S"(5ul), "m"(numbers));
}

// A place that cannot be read is one argument without a value, at one of two sites.
static void fire_places(void)
{
	__asm__ volatile(SITE("0", "places", "8@%%rdi 8@%%xmm1 16@%%rax -4@$-5 %%rbx 8@%%fs:0")
			 :
			 : "D"(1ul));
	__asm__ volatile(SITE("0", "places", "8@%%rdi 8@%%rsi 1@%%ah 8@(%%rdx)")
			 :
			 : "D"(2ul), "S"(3ul), "a"(0x1234ul), "d"(16ul));
}

static void fire_unsigned(void)
{
	__asm__ volatile(SITE("0", "unsigned",
			      "8@$18446744073709551615 4@$-1 -8@$-9223372036854775808 "
			      "8@$0xfffffffffffffff0 -4@$4294967295 8@$-2 1@$300"));
}

#define THIRTEEN "8@$0 8@$1 8@$2 8@$3 8@$4 8@$5 8@$6 8@$7 8@$8 8@$9 8@$10 8@$11 8@%%rdi"

static void fire_many(void)
{
	__asm__ volatile(SITE("0", "thirteen", THIRTEEN) : : "D"(12ul));
	__asm__ volatile(SITE("0", "twenty_six", THIRTEEN " " THIRTEEN) : : "D"(12ul));
}

// Texts without a NUL, as those of the JVM, Rust and Go.
static void fire_counted(uint64_t number, const void *text, int64_t length)
{
	__asm__ volatile(SITE("0", "counted", "8@%%rdi 8@%%rsi -8@%%rdx")
			 :
			 : "D"(number), "S"(text), "d"(length)
			 : "memory");
}

static void fire_short(const void *text, uint32_t length)
{
	__asm__ volatile(SITE("0", "counted_first", "4@%%edx 8@%%rsi")
			 :
			 : "S"(text), "d"(length | 0xaaaaaaaa00000000)
			 : "memory");
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

static void fire_counted_texts(void)
{
	fire_counted(1, "some of it", 4);
	fire_counted(2, "with\0nul", 8);
	fire_counted(3, "ends in one\0", 12);
	fire_counted(4, NULL, 0);
	fire_counted(5, NULL, 3);
	fire_counted(6, (const char *)16, 5);
	fire_counted(7, torn_text(), 100);
	fire_counted(8, "negative", -1);
	fire_counted(9, long_text(10000), 10000);
	fire_counted(10, long_text(10000), 4094);
	fire_counted(11, cold_text(), 12);
	fire_short("short", 2);
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
			fire_relative();
			fire_twin();
			fire_twin_of_whom();
			fire_other_twins();
			fire_floats();
			fire_places();
			fire_unsigned();
			fire_many();
			fire_guarded();
		} else if (!strcmp(line, "texts")) {
			fire_hard_texts();
		} else if (!strcmp(line, "counted")) {
			fire_counted_texts();
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
