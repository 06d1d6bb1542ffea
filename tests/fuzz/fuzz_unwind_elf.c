// SPDX-License-Identifier: MIT
// Fuzzes programs and stacks: unwinding and symbolizing must end and stay within the bytes. The
// first 256 bytes of the input are stack and registers, the rest is the ELF file. The seeds are
// small programs.
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "unwind/unwind.h"

#define STACK_SIZE 192
#define HEAD (STACK_SIZE + 64)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(struct frec_unwind_process *process, const uint8_t *data, uint64_t pc)
{
	const struct frec_stack stack = {0x7000, data, STACK_SIZE};
	struct frec_frame frames[32];
	struct frec_unwind_end end;
	struct frec_names names;
	uint64_t values[20] = {0};
	char words[600];
	size_t count;

	memcpy(values, data + STACK_SIZE, 64);
	values[6] = 0x7000 + data[0]; // fp
	values[7] = 0x7000;	      // sp
	values[8] = pc;
	count = frec__unwind(process, &(struct frec_unwind_registers){0xff0fff, values, 20}, &stack,
			     frames, 32, &end);
	frec__unwind_end_words(&end, words, sizeof(words));
	for (size_t i = 0; i < count && i < 4; i++)
		frec__symbolize(process, &frames[i], &names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frec_unwind_process *process = NULL;
	struct frec_unwinder *unwinder = NULL;
	struct frec_unwind_map map = {.start = 0x1000, .end = 0x100000};
	char path[64];
	int fd;

	if (size < HEAD)
		return 0;
	fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0)
		return 0;
	if (write(fd, data + HEAD, size - HEAD) != (ssize_t)(size - HEAD)) {
		close(fd);
		return 0;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	map.path = path;
	map.offset = 0x1000;
	if (!frec__unwinder_create(&frec__registers_x86_64, NULL, &unwinder) &&
	    !frec__unwind_process_create(unwinder, &map, 1, &process)) {
		for (uint64_t pc = 0x1000; pc < 0x1100; pc += 0x11)
			use(process, data, pc);
	}
	frec__unwind_process_destroy(process);
	frec__unwinder_destroy(unwinder);
	close(fd);
	return 0;
}
