// SPDX-License-Identifier: MIT
// Whatever the child says that unwinds stacks (a program file may have taken it over), the recorder
// stays within the message, and the frames that it takes from it fit into a file. The input is one
// message.
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/clocks.h"
#include "recorder/snapshot/unwind_worker.h"
#include "tests/fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct frec_unwound *unwound)
{
	const Flightrec__Frames *frames = &unwound->frames;
	size_t size = flightrec__frames__get_packed_size(frames);
	uint8_t *packed = malloc(size + 1);
	Flightrec__Frames *again;

	require(frames->n_pc <= FREC_FRAMES_MAX);
	flightrec__frames__pack(frames, packed);
	again = flightrec__frames__unpack(NULL, size, packed);
	require(again && again->n_pc == frames->n_pc && again->how.len == frames->how.len);
	require((unsigned int)again->end <= FREC_UNWIND_LIMIT);
	flightrec__frames__free_unpacked(again, NULL);
	free(packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint64_t values[4] = {1, 2, 3, 4};
	static const uint8_t stack[64];
	const struct frec_stack_sample sample = {.registers = {0xf, values, 4},
						 .stack = {0x7000, stack, sizeof(stack)}};
	static struct frec_unwound unwound;
	struct frec_unwind_worker worker = {.until = frec__monotonic() + UINT64_C(1000000000)};
	int ends[2];

	if (!size)
		return 0;
	require(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends));
	// A child that has ended already, for the recorder to reap.
	worker.child = (struct frec_worker){ends[0], vfork()};
	if (!worker.child.pid)
		_exit(0);
	require(send(ends[1], data, size, MSG_DONTWAIT) == (ssize_t)size);
	frec__unwind_worker_ask(&worker, &sample, &unwound);
	check(&unwound);
	frec__unwind_worker_stop(&worker);
	close(ends[1]);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	return 0;
}
