// SPDX-License-Identifier: MIT
// Ways to crash, by name, to test the unwinder. The compiler keeps every function on the way as a
// frame of its own.
#include <alloca.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define FRAME __attribute__((noinline, noclone, noipa))
#ifdef __clang__
#undef FRAME
#define FRAME __attribute__((noinline, optnone))
#endif

// Code after a call keeps the compiler from turning the call into a jump.
#define AFTER __asm__ volatile("" ::: "memory")

static volatile int sink;
static volatile uintptr_t null_address;

FRAME static int leaf(const int *bad)
{
	return *bad;
}

FRAME static void crash(void)
{
	sink = leaf((const int *)null_address);
	AFTER;
}

FRAME static void middle(void (*what)(void))
{
	char room[200];

	memset(room, sink, sizeof(room));
	sink = room[sink];
	what();
	AFTER;
}

FRAME static void outer(void (*what)(void))
{
	middle(what);
	AFTER;
}

FRAME static void with_alloca(size_t size, void (*what)(void))
{
	volatile char *room = alloca(size);

	room[0] = 1;
	what();
	AFTER;
}

// The stack is aligned more strictly than in the caller, so the function has to save its CFA.
FRAME static void aligned(size_t size, void (*what)(void))
{
	volatile char room[128] __attribute__((aligned(64)));
	volatile char *more = alloca(size);

	room[sink] = 1;
	more[0] = room[sink];
	what();
	AFTER;
}

static void through_alloca(void)
{
	with_alloca(1000 + (size_t)sink, crash);
	AFTER;
}

static void through_aligned(void)
{
	aligned(1000 + (size_t)sink, crash);
	AFTER;
}

static void jump_to_null(void)
{
	((void (*)(void))null_address)();
	AFTER;
}

static void jump_wild(void)
{
	((void (*)(void))(null_address + 0x123456789000))();
	AFTER;
}

FRAME static int recurse(int depth)
{
	volatile char room[3000];

	room[0] = (char)depth;
	// Never reached, but the compiler does not know that.
	if (depth == 1 << 30)
		return sink;
	return recurse(depth + 1) + room[0];
}

static void overflow(void)
{
	sink = recurse(0);
}

FRAME static int recurse_deep(int depth)
{
	volatile int below = depth;

	if (depth)
		below = recurse_deep(depth - 1);
	else
		crash();
	return below;
}

static void recursion(void)
{
	sink = recurse_deep(100);
	AFTER;
}

static void handler(int signal)
{
	(void)signal;
	crash();
	AFTER;
}

FRAME static void interrupted(void)
{
	raise(SIGUSR1);
	AFTER;
}

// Faults instead of making a call, so that the frame that the signal interrupts is at the first
// instruction of a function.
void faults_at_once(void);
__asm__(".text\n.globl faults_at_once\n.type faults_at_once, "
	"@function\nfaults_at_once:\n.cfi_startproc\n"
#if defined(__x86_64__)
	"ud2\nret\n"
#else
	"udf #0\nret\n"
#endif
	".cfi_endproc\n.size faults_at_once, .-faults_at_once\n");

static void in_handler(void)
{
	signal(SIGUSR1, handler);
	interrupted();
	AFTER;
}

static void faulting(void)
{
	faults_at_once();
	AFTER;
}

#if defined(__x86_64__)
// The code that a signal handler returns to, without CFI, as in musl and Go.
void undescribed_return(void);
__asm__(".text\n.globl undescribed_return\n.type undescribed_return, "
	"@function\nnop\nundescribed_return:\n"
	"mov $15, %rax\nsyscall\n.size undescribed_return, .-undescribed_return\n");
#endif

static void undescribed_handler(void)
{
#if defined(__x86_64__)
	struct {
		void (*handler)(int);
		unsigned long flags;
		void (*restorer)(void);
		unsigned long mask;
	} action = {handler, 0x04000000, undescribed_return, 0};

	syscall(SYS_rt_sigaction, SIGUSR1, &action, NULL, 8);
#endif
	interrupted();
	AFTER;
}

static void on_alternate_stack(void)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
	stack_t stack = {.ss_sp = malloc(1 << 16), .ss_size = 1 << 16};

	sigaltstack(&stack, NULL);
	sigaction(SIGUSR1, &action, NULL);
	interrupted();
	AFTER;
}

// A service's handler for crashes: it reports, and lets the signal kill.
static void report(int number)
{
	signal(number, SIG_DFL);
	raise(number);
	AFTER;
}

static void crash_reported(void)
{
	struct sigaction action = {.sa_handler = report, .sa_flags = SA_ONSTACK | SA_NODEFER};
	stack_t stack = {.ss_sp = malloc(1 << 16), .ss_size = 1 << 16};

	sigaltstack(&stack, NULL);
	sigaction(SIGSEGV, &action, NULL);
	crash();
	AFTER;
}

// The first signal is delivered on the alternative stack, and so is the second one, which the
// handler of the first one raises.
static void report_twice(int signal)
{
	(void)signal;
	abort();
}

static void crash_reported_twice(void)
{
	struct sigaction first = {.sa_handler = report_twice, .sa_flags = SA_ONSTACK};
	struct sigaction second = {.sa_handler = report, .sa_flags = SA_ONSTACK | SA_NODEFER};
	stack_t stack = {.ss_sp = malloc(1 << 16), .ss_size = 1 << 16};

	sigaltstack(&stack, NULL);
	sigaction(SIGSEGV, &first, NULL);
	sigaction(SIGABRT, &second, NULL);
	crash();
	AFTER;
}

// The buffers are larger than a page and never written, so the stack has holes.
FRAME static void buffered(size_t size, void (*what)(void))
{
	volatile char *room = alloca(size);

	sink = room[0] != 0 && size == 1;
	what();
	AFTER;
}

static void hole(void)
{
	buffered(100000 + (size_t)sink, crash);
	AFTER;
}

static void holes(void)
{
	buffered(3 << 20, hole);
	AFTER;
}

// One frame that is larger than the stack.
FRAME static void huge_frame(size_t size)
{
	volatile char *room = alloca(size);

	room[0] = 1;
	sink = room[1];
	AFTER;
}

static void huge(void)
{
	huge_frame((size_t)40 << 20);
	AFTER;
}

static void giant(void)
{
	huge_frame((size_t)1 << 30);
	AFTER;
}

#if defined(__x86_64__)
// Calls on a stack of its own, as stacker (Rust) and split stacks do: the frame's CFA is on the
// caller's stack.
void call_on(void *stack, void (*what)(void));
__asm__(".text\n.globl call_on\n.type call_on, @function\ncall_on:\n.cfi_startproc\n"
	"push %rbp\n.cfi_def_cfa_offset 16\n.cfi_offset rbp, -16\n"
	"mov %rsp, %rbp\n.cfi_def_cfa_register rbp\n"
	"mov %rdi, %rsp\ncall *%rsi\nmov %rbp, %rsp\n"
	"pop %rbp\n.cfi_def_cfa rsp, 8\nret\n.cfi_endproc\n.size call_on, .-call_on\n");
#endif

static void segment(void)
{
#if defined(__x86_64__)
	call_on((char *)mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			     0) +
			(1 << 16),
		crash);
#endif
	AFTER;
}

static void bad_free(void)
{
	char *volatile p = malloc(64);

	free(p + 8 + sink);
	AFTER;
}

static void bad_string(void)
{
	sink = (int)strlen((const char *)null_address + sink + 1);
	AFTER;
}

// Crashes in memcpy(3), which is hand-written assembly and is called through a stub.
static void bad_copy(void)
{
	char room[4096];

	memcpy(room, (const char *)null_address + sink + 1, sizeof(room) - (size_t)sink);
	sink = room[sink];
	AFTER;
}

FRAME static void coroutine(void)
{
	middle(crash);
	AFTER;
}

static void in_coroutine(void)
{
	const size_t size = 1 << 16;
	static ucontext_t here, there;

	getcontext(&there);
	there.uc_stack.ss_sp = malloc(size);
	there.uc_stack.ss_size = size;
	there.uc_link = &here;
	makecontext(&there, coroutine, 0);
	swapcontext(&here, &there);
	AFTER;
}

static void *thread(void *what)
{
	middle((void (*)(void))(uintptr_t)what);
	return NULL;
}

static void on_own_stack(void)
{
	const size_t size = 1 << 18;
	pthread_attr_t attributes;
	pthread_t id;

	pthread_attr_init(&attributes);
	pthread_attr_setstack(
		&attributes,
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), size);
	pthread_create(&id, &attributes, thread, (void *)(uintptr_t)crash);
	pthread_join(id, NULL);
}

static void hole_in_thread(void)
{
	pthread_t id;

	pthread_create(&id, NULL, thread, (void *)(uintptr_t)hole);
	pthread_join(id, NULL);
}

static void huge_in_thread(void)
{
	pthread_t id;

	pthread_create(&id, NULL, thread, (void *)(uintptr_t)huge);
	pthread_join(id, NULL);
}

// Code without CFI but with a frame pointer, like most code that is made at run time.
static void made_at_run_time(void)
{
#if defined(__x86_64__)
	static const uint8_t code[] = {0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3};
#else
	static const uint8_t code[] = {0xfd, 0x7b, 0xbf, 0xa9, 0xfd, 0x03, 0x00, 0x91, 0x00, 0x00,
				       0x3f, 0xd6, 0xfd, 0x7b, 0xc1, 0xa8, 0xc0, 0x03, 0x5f, 0xd6};
#endif
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memcpy(page, code, sizeof(code));
	__builtin___clear_cache(page, (char *)page + sizeof(code));
	((void (*)(void (*)(void)))(uintptr_t)page)(crash);
	AFTER;
}

static void smashed(void)
{
	// Overwrites 200 words: the saved frame pointer, the return address, and what is above.
	void **frame = __builtin_frame_address(0);

	for (int i = 0; i < 200; i++)
		((void *volatile *)frame)[i] = (void *)0x4141414141414141;
	AFTER;
}

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void trap(void)
{
#if defined(__x86_64__)
	__asm__ volatile("int3");
#else
	__asm__ volatile("brk #0");
#endif
}

// After the trap the test unwinds at each instruction: in calls through stubs that are resolved on
// the way, the vDSO, libc's functions in assembly, and a callback.
FRAME static void many_calls(void)
{
	int numbers[] = {3, 1, 2};
	char text[64];
	struct timespec now;

	trap();
	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(text, sizeof(text), "%ld", (long)now.tv_sec);
	sink = (int)strlen(text) + (int)strtol(text, NULL, 10) + memcmp(text, numbers, 8);
	qsort(numbers, 3, sizeof(numbers[0]), compare);
	raise(SIGUSR1);
	free(malloc(10000));
}

static void quiet_handler(int signal)
{
	sink = signal;
}

static void stepping(void)
{
	signal(SIGUSR1, quiet_handler);
	many_calls();
	AFTER;
}

static const struct {
	const char *name;
	void (*what)(void);
} ways[] = {
	{"crash", crash},
	{"alloca", through_alloca},
	{"aligned", through_aligned},
	{"null", jump_to_null},
	{"wild", jump_wild},
	{"overflow", overflow},
	{"recursion", recursion},
	{"handler", in_handler},
	{"undescribed", undescribed_handler},
	{"fault", faulting},
	{"altstack", on_alternate_stack},
	{"reported", crash_reported},
	{"twice", crash_reported_twice},
	{"hole", hole},
	{"holes", holes},
	{"hole-thread", hole_in_thread},
	{"huge", huge},
	{"giant", giant},
	{"huge-thread", huge_in_thread},
	{"segment", segment},
	{"free", bad_free},
	{"string", bad_string},
	{"copy", bad_copy},
	{"coroutine", in_coroutine},
	{"thread", on_own_stack},
	{"jit", made_at_run_time},
	{"smash", smashed},
	{"steps", stepping},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (!strcmp(ways[i].name, argv[1]))
			outer(ways[i].what);
	}
	return 0;
}
