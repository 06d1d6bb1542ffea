// SPDX-License-Identifier: MIT
// Crashes several calls deep. It has no C library, so that its recording is small: see the script
// beside it.
#define FRAME __attribute__((noinline, noclone, noipa))
#define AFTER __asm__ volatile("" ::: "memory")

static volatile unsigned long bad;

// Keeps nothing on the stack: the return address stays in the link register.
FRAME static int leaf(const int *at)
{
	return *at;
}

static inline __attribute__((always_inline)) int price(const int *at)
{
	int value = leaf(at);

	AFTER;
	return value;
}

FRAME static int without_frame_pointer(int depth)
{
	volatile int room[30];

	room[depth] = depth;
	room[1] = price((const int *)bad);
	AFTER;
	return room[depth];
}

__attribute__((optimize("no-omit-frame-pointer"))) FRAME static int with_alloca(unsigned long size)
{
	volatile char *room = __builtin_alloca(size);

	room[0] = 1;
	room[1] = (char)without_frame_pointer(2);
	AFTER;
	return room[1];
}

__attribute__((target("branch-protection=pac-ret"))) FRAME static int with_signed_return(void)
{
	int value = with_alloca(100 + bad);

	AFTER;
	return value;
}

void begin(void);
__asm__(".text\n.globl _start\n.type _start, @function\n_start:\n.cfi_startproc\n.cfi_undefined "
	"x30\n"
	"bl begin\nbrk #1\n.cfi_endproc\n.size _start, .-_start\n");

void begin(void)
{
	with_signed_return();
	AFTER;
}
