/* SPDX-License-Identifier: MIT */
/* A seccomp filter for tests of threads that have locked themselves in. It kills the process for
 * any system call but the few that are allowed here. */
#ifndef FREC_TESTS_LOCKED_H
#define FREC_TESTS_LOCKED_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOCKED_ALLOW(number) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1), \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* Locks this thread in: from now on it may only call write(2), exit(2) and exit_group(2), and with
 * `vector` also writev(2). Returns 0, or -1 with errno. */
static inline int locked_in(bool vector)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		LOCKED_ALLOW(SYS_exit),
		LOCKED_ALLOW(SYS_exit_group),
		LOCKED_ALLOW(SYS_write),
		LOCKED_ALLOW(vector ? SYS_writev : SYS_write),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
		       ? -1
		       : prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

/* Ends this thread without the system calls that pthread_exit(3) makes. */
static inline _Noreturn void locked_end(int status)
{
	for (;;)
		syscall(SYS_exit, status);
}

#endif
