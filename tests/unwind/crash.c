// SPDX-License-Identifier: MIT
// Takes the stack of a program at the moment when it crashes, with ptrace(2).
#include "tests/unwind/crash.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__x86_64__)
static int take_registers(pid_t pid, struct recorded_stack *stack)
{
	struct user_regs_struct r;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &r))
		return -errno;
	stack->mask = RECORDING_MASK;
	stack->count = (size_t)__builtin_popcountll(RECORDING_MASK);
	memcpy(stack->values,
	       (uint64_t[]){r.rax, r.rbx, r.rcx, r.rdx, r.rsi, r.rdi, r.rbp, r.rsp, r.rip, r.eflags,
			    r.cs,  r.ss,  r.r8,	 r.r9,	r.r10, r.r11, r.r12, r.r13, r.r14, r.r15},
	       stack->count * 8);
	stack->stack.address = r.rsp;
	return 0;
}
#else
static int take_registers(pid_t pid, struct recorded_stack *stack)
{
	struct user_regs_struct r;
	struct iovec vector = {&r, sizeof(r)};

	if (ptrace(PTRACE_GETREGSET, pid, 1, &vector))
		return -errno;
	stack->mask = RECORDING_MASK;
	stack->count = (size_t)__builtin_popcountll(RECORDING_MASK);
	memcpy(stack->values, r.regs, sizeof(r.regs));
	stack->values[31] = r.sp;
	stack->values[32] = r.pc;
	stack->stack.address = r.sp;
	return 0;
}
#endif

static size_t read_memory(pid_t pid, uint64_t address, uint8_t *data, size_t size)
{
	size_t got = 0;

	while (got < size) {
		size_t part = 4096 - (address + got) % 4096;
		struct iovec local = {data + got, part < size - got ? part : size - got};
		struct iovec remote = {(void *)(uintptr_t)(address + got), local.iov_len};
		ssize_t n = process_vm_readv(pid, &local, 1, &remote, 1, 0);

		if (n <= 0)
			break;
		got += (size_t)n;
	}
	return got;
}

static int take_stack(pid_t pid, size_t bytes, struct recording *recording)
{
	struct recorded_stack *stack = &recording->stacks[recording->stack_count];
	uint8_t *data = malloc(bytes);
	int r = data ? take_registers(pid, stack) : -ENOMEM;

	if (r) {
		free(data);
		return r;
	}
	// After a stack overflow, begin at the first page above the guard, as the recorder does.
	for (int page = 0; page < 64 && bytes && !stack->stack.size; page++) {
		stack->stack.size = read_memory(pid, stack->stack.address, data, bytes);
		if (!stack->stack.size)
			stack->stack.address = (stack->stack.address | 4095) + 1;
	}
	stack->stack.data = data;
	recording->stack_count++;
	return 0;
}

static int take_maps(pid_t pid, struct recording *recording)
{
	size_t size = 0, room = 1 << 16;
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	file = fopen(path, "re");
	free(recording->maps_text);
	recording->maps_text = calloc(1, room);
	if (!file || !recording->maps_text)
		return -ENOENT;
	size = fread(recording->maps_text, 1, room - 1, file);
	recording->maps_text[size] = '\0';
	fclose(file);
	return 0;
}

static bool is_fatal(int signal)
{
	return signal == SIGSEGV || signal == SIGABRT || signal == SIGILL || signal == SIGFPE ||
	       signal == SIGBUS || signal == SIGTRAP;
}

// Runs the program with its threads until one of them is about to die.
static int run_to_crash(pid_t pid, pid_t *ret_tid, int *ret_signal)
{
	bool started = false;
	int status;
	pid_t tid;

	while ((tid = waitpid(-1, &status, __WALL)) > 0) {
		int signal;

		if (!WIFSTOPPED(status)) {
			if (tid == pid)
				break;
			continue;
		}
		signal = WSTOPSIG(status);
		// The first trap, which execve causes, and the stop with which a new thread begins
		// are not signals of the program, so they are not passed on.
		if (!started && ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACECLONE))
			return -errno;
		if (!started || status >> 16 || signal == SIGSTOP)
			signal = 0;
		started = true;
		if (is_fatal(signal)) {
			*ret_tid = tid;
			*ret_signal = signal;
			return 0;
		}
		if (ptrace(PTRACE_CONT, tid, NULL, signal))
			return -errno;
	}
	return -ECHILD;
}

static int trace(pid_t pid, size_t bytes, size_t steps, struct recording *recording)
{
	int signal = 0, r = run_to_crash(pid, &pid, &signal);

	if (r)
		return r;
	r = take_stack(pid, bytes, recording);
	for (size_t i = 0; !r && signal == SIGTRAP && i < steps; i++) {
		int wait_status;

		if (ptrace(PTRACE_SINGLESTEP, pid, NULL, 0) ||
		    waitpid(pid, &wait_status, __WALL) != pid || !WIFSTOPPED(wait_status))
			break;
		r = take_stack(pid, bytes, recording);
	}
	return r ? r : take_maps(pid, recording);
}

int recording_crash(char *const *argv, size_t bytes, size_t steps, struct recording *ret)
{
	struct recording recording = {0};
	pid_t pid = fork();
	int r;

	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		execvp(argv[0], argv);
		_exit(127);
	}
	recording.stacks = calloc(steps + 1, sizeof(*recording.stacks));
	r = recording.stacks && pid > 0 ? trace(pid, bytes, steps, &recording) : -ENOMEM;
	if (pid > 0) {
		kill(pid, SIGKILL);
		while (waitpid(-1, NULL, __WALL) > 0)
			;
	}
	if (!r)
		r = recording_parse_maps(&recording, true);
	if (r)
		recording_free(&recording);
	else
		*ret = recording;
	return r;
}
