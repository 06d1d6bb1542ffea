// SPDX-License-Identifier: MIT
// A program that reads a secret from a file, so that the secret is only on its stack, and then
// crashes:
//
//	secretive FILE crash|overflow|smash
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define FRAME __attribute__((noinline, noclone))

static volatile int sink;
static volatile uintptr_t null_address;
static FILE *file;

FRAME static void crash(void)
{
	sink = *(const volatile int *)null_address;
}

FRAME static int overflow(const char *secret, int depth)
{
	volatile char room[4000];

	for (size_t i = 0; i < sizeof(room); i++)
		room[i] = secret[i % 64];
	// Never true, but the compiler does not know that.
	if (depth == 1 << 30)
		return sink;
	return overflow(secret, depth + 1) + room[0];
}

// Overwrites its return address, and the stack above that, with the secret.
FRAME static void smash(const char *secret)
{
	char *volatile *frame = __builtin_frame_address(0);

	for (int i = 1; i < 200; i++)
		memcpy((void *)(frame + i), secret + i % 8 * 8, 8);
	__asm__ volatile("" ::: "memory");
}

FRAME static int keep(const char *how)
{
	char secret[64];

	if (fread(secret, 1, sizeof(secret), file) != sizeof(secret))
		return 1;
	if (!strcmp(how, "crash"))
		crash();
	else if (!strcmp(how, "smash"))
		smash(secret);
	else
		sink = overflow(secret, 0);
	return secret[sink];
}

int main(int argc, char **argv)
{
	if (argc < 3 || !(file = fopen(argv[1], "re")))
		return 1;
	setvbuf(file, NULL, _IONBF, 0); // stdio keeps no copy of the secret
	return keep(argv[2]);
}
