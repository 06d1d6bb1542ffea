// SPDX-License-Identifier: MIT
// Proves that events in shared memory have the call stack of the thread that emits them, that a
// stack is left out and counted where it cannot be had, that nothing in a frame pointer makes a
// service read outside its stack, and that the recorder believes no stack that cannot be.
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>

#include <cmocka.h>

#include "recorder/service/registration.h"
#include "recorder/service/shm_attach.h"
#include "recorder/service/shm_checksum.h"
#include "recorder/service/shm_stack.h"
#include "recorder/service/shm_stack_bounds.h"
#include "tests/data/shm_kit.h"

#define RING_SIZE (1u << 20)
#define STACK_SIZE (256u << 10)
#define WORDS (1 + FREC_SHM_ADDRESSES_MAX)

FREC_EVENT(kit, tock, FREC_U64(number)); // without stacks

static struct frec_shm_rings *rings;

// Each function is in a section of its own, whose bounds the linker defines as symbols.
#define PLACED(name) \
	extern const char __start_at_##name[], __stop_at_##name[]; \
	__attribute__((section("at_" #name), noinline)) static

PLACED(leaf) uint64_t leaf(uint64_t number)
{
	frec_kit_tick((uint32_t)gettid(), number, "text");
	return number ^ 1;
}

PLACED(middle) uint64_t middle(uint64_t number)
{
	return leaf(number) ^ 2;
}

PLACED(outer) uint64_t outer(uint64_t number)
{
	return middle(number) ^ 4;
}

// Frames of that many functions.
PLACED(deep) uint64_t deep(uint64_t number, size_t frames)
{
	return (frames ? deep(number, frames - 1) : leaf(number)) ^ frames;
}

static bool is_in(uint64_t address, const char *start, const char *stop)
{
	return address >= (uintptr_t)start && address < (uintptr_t)stop;
}

struct stack {
	uint64_t number;
	size_t words; /* 0: it was left out */
	uint64_t word[WORDS];
};

struct stacks {
	size_t count;
	struct stack *stack; /* in no particular order */
	struct frec_shm_damage damage;
};

// Adds the records of kit:tick in a finished copy.
static void add_stacks(struct stacks *stacks, const struct frec_ring_copy *copy)
{
	for (size_t at = 0; at < copy->valid;) {
		const struct frec_sample *sample = (const void *)(copy->data + at);
		const uint8_t *words = (const uint8_t *)&sample->raw_size;
		struct stack *stack;

		at += sample->header.size;
		assert_int_equal(sample->header.misc, PERF_RECORD_MISC_USER);
		if (sample->id != rings->event[kit_tick(rings)].id)
			continue;
		stacks->stack = reallocarray(stacks->stack, stacks->count + 1, sizeof(*stack));
		stack = &stacks->stack[stacks->count++];
		memcpy(&stack->words, words, sizeof(stack->words));
		assert_in_range(stack->words, 0, WORDS);
		memcpy(stack->word, words + 8, 8 * stack->words);
		// The payload is after the size and the common header, which begins with 8 bytes.
		memcpy(&stack->number, words + 8 * (1 + stack->words) + 4 + 8 + 4,
		       sizeof(stack->number));
	}
}

static struct stacks read_stacks(void)
{
	struct frec_ring_copy copy = {.data = malloc(RING_SIZE)};
	struct stacks stacks = {0};

	frec__shm_refresh(rings);
	frec__shm_keep_stacks(rings, kit_tick(rings));
	for (size_t i = 0; i < frec__shm_ring_count(rings); i++) {
		struct frec_shm_damage damage;

		frec__shm_copy(rings, i, &copy);
		frec__shm_copy_finish(rings, &copy, &damage);
		stacks.damage.regions += damage.regions;
		add_stacks(&stacks, &copy);
	}
	free(copy.data);
	return stacks;
}

static const struct stack *stack_of(const struct stacks *stacks, uint64_t number)
{
	for (size_t i = 0; i < stacks->count; i++)
		if (stacks->stack[i].number == number)
			return &stacks->stack[i];
	fail_msg("there is no event %zu", (size_t)number);
	return NULL;
}

// Checks that the functions leaf, middle and outer are in the stack, in this order and next to each
// other, after the function that FREC_EVENT has made.
static void check_functions(const struct stack *stack)
{
	size_t at = 1;

	assert_true(stack->words > 4);
	assert_int_equal(stack->word[0], (uint64_t)PERF_CONTEXT_USER);
	while (at < 3 && !is_in(stack->word[at], __start_at_leaf, __stop_at_leaf))
		at++;
	assert_true(is_in(stack->word[at], __start_at_leaf, __stop_at_leaf));
	assert_true(is_in(stack->word[at + 1], __start_at_middle, __stop_at_middle));
	assert_true(is_in(stack->word[at + 2], __start_at_outer, __stop_at_outer));
}

static uint64_t left_out(void)
{
	struct frec_stats stats = {.size = sizeof(stats)};

	assert_int_equal(frec_stats_read(&stats), 0);
	return stats.stacks_left_out;
}

// Attaches this process to new rings that want stacks of the kind `how`.
static void attach(char how)
{
	char stacks[] = "?kit:tick";
	const char *const list[] = {"nkit:*", stacks, "nkit:tock", NULL};

	stacks[0] = how;
	rings = kit_create(RING_SIZE, 0);
	assert_non_null(rings);
	assert_int_equal(frec__shm_ask_stacks(rings, list, NULL), 0);
	assert_int_equal(frec__shm_attach(frec__shm_fd(rings)), 0);
}

// Runs `function` on the stack of a new thread, or on the `size` bytes at `stack`.
static void run_thread(void *(*function)(void *), uint64_t number, void *stack, size_t size)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	if (stack)
		assert_int_equal(pthread_attr_setstack(&attributes, stack, size), 0);
	assert_int_equal(pthread_create(&thread, &attributes, function, (void *)(uintptr_t)number),
			 0);
	pthread_join(thread, NULL);
	pthread_attr_destroy(&attributes);
}

static uint64_t signalled;

static void on_signal(int signal)
{
	(void)signal;
	outer(signalled);
}

static void handle(uint64_t number, int flags)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = flags};

	signalled = number;
	assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
	raise(SIGUSR1);
}

static ucontext_t home, away;

static void in_coroutine(void)
{
	outer(signalled);
}

// Emits on a stack that the C library knows nothing of.
static void run_coroutine(uint64_t number)
{
	static char stack[STACK_SIZE];

	signalled = number;
	getcontext(&away);
	away.uc_stack.ss_sp = stack;
	away.uc_stack.ss_size = sizeof(stack);
	away.uc_link = &home;
	makecontext(&away, in_coroutine, 0);
	swapcontext(&home, &away);
}

static void *in_everything(void *number)
{
	char *stack = malloc(STACK_SIZE);
	const stack_t alternate = {.ss_sp = stack, .ss_size = STACK_SIZE},
		      none = {.ss_flags = SS_DISABLE};
	uint64_t first = (uintptr_t)number;

	outer(first);
	handle(first + 1, 0);
	sigaltstack(&alternate, NULL);
	handle(first + 2, SA_ONSTACK);
	sigaltstack(&none, NULL);
	free(stack);
	run_coroutine(first + 3);
	// Not in a handler any more.
	outer(first + 4);
	return NULL;
}

static void fork_and_emit(uint64_t number, bool raw)
{
	pid_t child = raw ? (pid_t)syscall(SYS_fork) : fork();
	int status;

	if (!child) {
		outer(number);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void check_everything(bool in_handlers, bool in_raw_children)
{
	void *stack = NULL;
	struct stacks stacks;
	uint64_t before = left_out(), expected = 0;

	assert_int_equal(posix_memalign(&stack, 4096, STACK_SIZE), 0);
	in_everything((void *)10);
	run_thread(in_everything, 20, NULL, 0);
	run_thread(in_everything, 30, stack, STACK_SIZE);
	expected = left_out() - before;
	fork_and_emit(40, false);
	fork_and_emit(41, true);
	frec_kit_tock(50);
	stacks = read_stacks();
	assert_int_equal(stacks.damage.regions, 0);
	assert_int_equal(stacks.count, 17);
	for (uint64_t first = 10; first <= 30; first += 10) {
		check_functions(stack_of(&stacks, first));
		if (in_handlers)
			check_functions(stack_of(&stacks, first + 1));
		else
			assert_int_equal(stack_of(&stacks, first + 1)->words, 0);
		assert_int_equal(stack_of(&stacks, first + 2)->words, 0);
		assert_int_equal(stack_of(&stacks, first + 3)->words, 0);
		check_functions(stack_of(&stacks, first + 4));
	}
	check_functions(stack_of(&stacks, 40));
	if (in_raw_children)
		check_functions(stack_of(&stacks, 41));
	else
		assert_int_equal(stack_of(&stacks, 41)->words, 0);
	assert_int_equal(expected, in_handlers ? 6 : 9);
	free(stacks.stack);
	free(stack);
	frec__shm_destroy(rings);
}

static void frames_of_each_thread(void **state)
{
	(void)state;
	attach(FREC_SHM_STACK_FRAMES);
	check_everything(true, true);
}

static bool has_libunwind(void)
{
	if (!frec__shm_stack_prepare(FREC_SHM_STACK_SELF))
		return true;
	print_message("skipped: there is no libunwind\n");
	return false;
}

static void libunwind_in_each_thread(void **state)
{
	(void)state;
	if (!has_libunwind())
		return;
	attach(FREC_SHM_STACK_SELF);
	check_everything(false, false);
}

// No stack has more addresses than a record can have, and the innermost ones are kept.
static void deep_stacks(void **state)
{
	static const char ways[] = {FREC_SHM_STACK_FRAMES, FREC_SHM_STACK_SELF};

	(void)state;
	for (size_t i = 0; i < sizeof(ways) && (i == 0 || has_libunwind()); i++) {
		struct stacks stacks;
		const struct stack *stack;

		attach(ways[i]);
		deep(1, 1000);
		deep(2, 50);
		stacks = read_stacks();
		stack = stack_of(&stacks, 1);
		assert_int_equal(stack->words, WORDS);
		assert_true(is_in(stack->word[WORDS - 1], __start_at_deep, __stop_at_deep));
		assert_in_range(stack_of(&stacks, 2)->words, 53, 80);
		free(stacks.stack);
		frec__shm_destroy(rings);
	}
}

// After this call libunwind is not asked. In a process of its own, because it cannot be undone.
static void turned_off(void **state)
{
	int status;
	pid_t child;

	(void)state;
	if (!has_libunwind())
		return;
	for (int coarse = 0; coarse < 2; coarse++) {
		struct stacks stacks;

		attach(FREC_SHM_STACK_SELF);
		outer(1);
		child = fork();
		if (!child) {
			uint64_t before = left_out();

			outer(2);
			if (coarse)
				frec_clock_coarse();
			else
				frec_stacks_off();
			outer(3);
			_exit(left_out() - before == 1 ? 0 : 1);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
		stacks = read_stacks();
		check_functions(stack_of(&stacks, 1));
		check_functions(stack_of(&stacks, 2));
		assert_int_equal(stack_of(&stacks, 3)->words, 0);
		free(stacks.stack);
		frec__shm_destroy(rings);
	}
}

#ifdef __x86_64__
// Calls leaf() with this frame pointer.
__attribute__((noinline)) static void with_frame_pointer(uintptr_t pointer, uint64_t number)
{
	uint64_t (*function)(uint64_t) = leaf;

	__asm__ volatile("pushq %%rbp\n"
			 "pushq %%rbp\n"
			 "movq %1, %%rbp\n"
			 "callq *%2\n"
			 "popq %%rbp\n"
			 "popq %%rbp\n"
			 : "+D"(number)
			 : "r"(pointer), "r"(function)
			 : "rax", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "memory", "cc",
			   "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7");
}

static uintptr_t stack_low, stack_high;

// Code without frame pointers leaves anything in that register: the address of a page that cannot
// be read, just behind the stack or within the distance of a large frame, and loops.
static void *with_frame_pointers(void *unused)
{
	uintptr_t here[8] = {0}, own = (uintptr_t)here;
	const uintptr_t pointers[] = {0,
				      1,
				      8,
				      own,
				      own + 1,
				      own + 4,
				      own - 4096,
				      stack_low,
				      stack_low - 8,
				      stack_low - 16,
				      stack_high,
				      stack_high - 1,
				      stack_high - 8,
				      stack_high - 12,
				      stack_high - 16,
				      stack_high + 8,
				      stack_high + 4096,
				      getauxval(AT_RANDOM),
				      getauxval(AT_RANDOM) + (1 << 20),
				      (uintptr_t)1 << 46,
				      (uintptr_t)1 << 47,
				      (uintptr_t)1 << 63,
				      UINTPTR_MAX,
				      UINTPTR_MAX - 7,
				      UINTPTR_MAX - 15};

	(void)unused;
	for (size_t i = 0; i < sizeof(pointers) / sizeof(*pointers); i++) {
		for (uintptr_t next = 0; next < sizeof(pointers) / sizeof(*pointers); next++) {
			here[0] = pointers[next];
			here[1] = (uintptr_t)outer;
			with_frame_pointer(pointers[i], 1);
		}
	}
	return NULL;
}

static void any_frame_pointer(void **state)
{
	struct stacks stacks;
	char *block = mmap(NULL, 3 * STACK_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	attach(FREC_SHM_STACK_FRAMES);
	assert_int_equal(mprotect(block + STACK_SIZE, STACK_SIZE, PROT_READ | PROT_WRITE), 0);
	stack_low = (uintptr_t)block + STACK_SIZE;
	stack_high = stack_low + STACK_SIZE;
	run_thread(with_frame_pointers, 0, block + STACK_SIZE, STACK_SIZE);
	stack_high = getauxval(AT_RANDOM) & ~(uintptr_t)7;
	stack_low = stack_high - STACK_SIZE;
	with_frame_pointers(NULL);
	stacks = read_stacks();
	assert_int_equal(stacks.damage.regions, 0);
	for (size_t i = 0; i < stacks.count; i++)
		assert_in_range(stacks.stack[i].words, 2, WORDS);
	assert_int_equal(stacks.count, 2 * 25 * 25);
	free(stacks.stack);
	munmap(block, 3 * STACK_SIZE);
	frec__shm_destroy(rings);
}
#endif

// The bounds of a stack are the same as those that the C library tells to who may ask the kernel.
static void *check_bounds(void *unused)
{
	pthread_attr_t attributes;
	void *start;
	size_t size;
	uintptr_t end, address = (uintptr_t)&start, beyond = gettid() == getpid() ? 1 << 20 : 0;

	(void)unused;
	assert_int_equal(pthread_getattr_np(pthread_self(), &attributes), 0);
	assert_int_equal(pthread_attr_getstack(&attributes, &start, &size), 0);
	pthread_attr_destroy(&attributes);
	end = frec__shm_stack_end(address);
	// For the main stack glibc tells the page in which its first frame is. The kernel's
	// strings are behind that, in the same mapping.
	assert_in_range(end, address + 1, (uintptr_t)start + size + beyond);
	assert_in_range(end, (uintptr_t)start + size - (64 << 10), UINTPTR_MAX);
	if (gettid() != getpid()) {
		assert_int_equal(frec__shm_stack_end((uintptr_t)start), end);
		assert_int_equal(frec__shm_stack_end((uintptr_t)start - 1), 0);
	}
	assert_int_equal(frec__shm_stack_end(end), 0);
	assert_int_equal(frec__shm_stack_end((uintptr_t)&rings), 0);
	return NULL;
}

static void bounds(void **state)
{
	void *stack = NULL;

	(void)state;
	frec__shm_stack_bounds_init();
	assert_int_equal(posix_memalign(&stack, 4096, STACK_SIZE), 0);
	check_bounds(NULL);
	run_thread(check_bounds, 0, NULL, 0);
	run_thread(check_bounds, 0, (char *)stack + 48, STACK_SIZE - 80);
	free(stack);
}

// A service that knows nothing of stacks writes records without any, and one that is asked for no
// stacks may still write some. In a copy all records of an event are alike.
static void records_are_made_alike(void **state)
{
	struct kit_reading reading;
	struct stacks stacks;

	(void)state;
	attach(FREC_SHM_STACK_FRAMES);
	outer(1);
	// As an older library would, which does not look at that list.
	frec__event_kit_tick.enabled &= ~FREC__SHM_STACK_MASK;
	outer(2);
	frec__event_kit_tick.enabled |= FREC__SHM_STACK_MASK;
	outer(3);
	reading = kit_read(rings);
	assert_int_equal(reading.damage.regions, 0);
	assert_int_equal(reading.count, 3);
	for (size_t i = 0; i < reading.count; i++)
		assert_int_equal(reading.record[i].thread, gettid());
	free(reading.record);
	stacks = read_stacks();
	assert_int_equal(stacks.damage.regions, 0);
	check_functions(stack_of(&stacks, 1));
	assert_int_equal(stack_of(&stacks, 2)->words, 0);
	check_functions(stack_of(&stacks, 3));
	free(stacks.stack);
	frec__shm_destroy(rings);
}

enum lie {
	TRUTH,
	TOO_MANY,
	FAR_TOO_MANY,
	OVERFLOWING,
	BEHIND_THE_RECORD,
	ONE_MORE,
	ONE_LESS,
	NO_CONTEXT,
	KERNEL_CONTEXT,
	KERNEL_ADDRESS,
	CONTEXT_WITHIN,
	NO_FLAG,
	OTHER_FLAG,
	LIES
};

static void tell_lie(enum lie lie, struct frec_shm_record *record, struct frec_shm_chain *chain)
{
	chain->count = lie == TOO_MANY		  ? WORDS + 1
		       : lie == FAR_TOO_MANY	  ? UINT64_MAX
		       : lie == OVERFLOWING	  ? UINT64_C(1) << 61
		       : lie == BEHIND_THE_RECORD ? WORDS
		       : lie == ONE_MORE	  ? chain->count + 1
		       : lie == ONE_LESS	  ? chain->count - 1
						  : chain->count;
	if (lie == NO_CONTEXT)
		chain->word[0] = 4711;
	if (lie == KERNEL_CONTEXT)
		chain->word[0] = (uint64_t)PERF_CONTEXT_KERNEL;
	if (lie == KERNEL_ADDRESS)
		chain->word[2] = UINT64_C(0xffffffff81000000);
	if (lie == CONTEXT_WITHIN)
		chain->word[2] = (uint64_t)PERF_CONTEXT_KERNEL;
	if (lie == NO_FLAG)
		record->header.misc &= (uint16_t)~FREC_SHM_MISC_CHAIN;
	if (lie == OTHER_FLAG)
		record->header.misc |= PERF_RECORD_MISC_EXACT_IP;
}

// A service can compute valid checksums, so a stack is checked as well.
static void stacks_that_cannot_be(void **state)
{
	(void)state;
	for (enum lie lie = TRUTH; lie < LIES; lie++) {
		struct frec_ring_copy copy = {.data = malloc(RING_SIZE)};
		struct frec_shm_record *record = (void *)copy.data;
		struct frec_shm_damage damage;
		struct stacks stacks = {0};
		size_t ring = 0;

		attach(FREC_SHM_STACK_FRAMES);
		outer(7);
		frec__shm_refresh(rings);
		frec__shm_keep_stacks(rings, kit_tick(rings));
		while (!frec__shm_written(rings, ring))
			ring++;
		frec__shm_copy(rings, ring, &copy);
		tell_lie(lie, record,
			 (void *)(copy.data + offsetof(struct frec_shm_record, raw_size)));
		record->checksum = frec__shm_checksum(copy.data + FREC_SHM_FRAME_SIZE,
						      copy.valid - FREC_SHM_FRAME_SIZE);
		frec__shm_copy_finish(rings, &copy, &damage);
		add_stacks(&stacks, &copy);
		assert_int_equal(stacks.count, lie == TRUTH);
		assert_int_equal(damage.regions, lie != TRUTH);
		free(stacks.stack);
		free(copy.data);
		frec__shm_destroy(rings);
	}
}

// The list of stacks is in what the list of events leaves.
static void long_lists(void **state)
{
	char name[FREC_SHM_SELECTION_SIZE];
	const char *selection[] = {name, NULL}, *stacks[] = {"fkit:tick", NULL};

	(void)state;
	memset(name, 'x', sizeof(name));
	for (size_t room = 0; room < 16; room++) {
		name[sizeof(name) - 3 - room] = 0;
		assert_int_equal(frec__shm_create_for(&rings, 1, RING_SIZE, selection, 0, NULL), 0);
		assert_int_equal(frec__shm_ask_stacks(rings, stacks, NULL), room < 10 ? -E2BIG : 0);
		frec__shm_destroy(rings);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bounds),
		cmocka_unit_test(frames_of_each_thread),
		cmocka_unit_test(libunwind_in_each_thread),
		cmocka_unit_test(deep_stacks),
		cmocka_unit_test(turned_off),
#ifdef __x86_64__
		cmocka_unit_test(any_frame_pointer),
#endif
		cmocka_unit_test(records_are_made_alike),
		cmocka_unit_test(stacks_that_cannot_be),
		cmocka_unit_test(long_lists),
	};

	return cmocka_run_group_tests_name("shm_stack", tests, NULL, NULL);
}
