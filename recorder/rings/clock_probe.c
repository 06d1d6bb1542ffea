// SPDX-License-Identifier: MIT
// Tries whether the exact clock can be read without a system call: see clock_probe.h.
#include "recorder/rings/clock_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "proto/cleanup.h"

#define SOURCE "/sys/devices/system/clocksource/clocksource0/current_clocksource"

// Makes the system call clock_gettime(2) fail in this thread.
static bool forbid(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clock_gettime, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	       !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

static void *try(void *needs_call)
{
	struct timespec now;

	*(bool *)needs_call = forbid() && clock_gettime(CLOCK_MONOTONIC, &now) != 0;
	return NULL;
}

// Reads the name of the clock source into `ret`, padded with at least one zero. If the file cannot
// be read, fills `ret` with zeroes.
static void read_source(char *ret, size_t size)
{
	FREC_CLOSE int fd = open(SOURCE, O_RDONLY | O_CLOEXEC);

	memset(ret, 0, size);
	if (fd >= 0 && read(fd, ret, size - 1) < 0)
		memset(ret, 0, size);
}

enum frec_clock_way frec__clock_probe(struct frec_clock_probe *probe)
{
	char source[sizeof(probe->source)];
	bool needs_call = false;
	pthread_t thread;

	read_source(source, sizeof(source));
	if (probe->tried && !memcmp(source, probe->source, sizeof(source)))
		return probe->way;
	probe->tried = true;
	memcpy(probe->source, source, sizeof(source));
	if (!pthread_create(&thread, NULL, try, &needs_call))
		pthread_join(thread, NULL);
	probe->way = needs_call			? FREC_CLOCK_COARSE
		     : !strcmp(source, "tsc\n") ? FREC_CLOCK_COUNTER
						: FREC_CLOCK_EXACT;
	return probe->way;
}
