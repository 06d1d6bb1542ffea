// SPDX-License-Identifier: MIT
// Whatever bytes arrive as a core dump, reading the dump's notes stays within the bytes, and keeps
// no more of them than came through the pipe. Parsing the same bytes as thread stacks is safe too.
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "recorder/core/notes.h"
#include "recorder/snapshot/thread_stacks.h"

/* The capacity of a pipe: writing more would block, so larger inputs are skipped. */
#define PIPE_SIZE 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frec_thread_stacks stacks;
	struct frec_core_notes notes;
	struct frec_error error;
	struct stat status;
	int pipes[2], kept = memfd_create("kept", 0);

	if (size > PIPE_SIZE || kept < 0 || pipe(pipes))
		return 0;
	if (write(pipes[1], data, size) != (ssize_t)size)
		abort();
	close(pipes[1]);
	(void)frec__core_notes_read(pipes[0], kept, 100, &notes, &error);
	frec__core_notes_deinit(&notes);
	if (fstat(kept, &status) || (size_t)status.st_size > size)
		abort();
	close(pipes[0]);
	close(kept);
	if (!frec__thread_stacks_parse(&stacks, data, size, 7, &error))
		frec__thread_stacks_deinit(&stacks);
	return 0;
}
