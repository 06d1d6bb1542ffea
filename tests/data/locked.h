/* SPDX-License-Identifier: MIT */
/* For tests of threads that have locked themselves in: a seccomp filter that kills the process for
 * any system call but the few that are named. */
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

/* From now on this thread may do nothing but write to a file and end; with `vector` it may also use
 * writev(2). Returns 0, or -1 with errno. */
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
