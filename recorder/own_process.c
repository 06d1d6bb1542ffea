// SPDX-License-Identifier: MIT
// Undoing what a keeper inherits from its service.
#include "recorder/own_process.h"

#include <fcntl.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <syslog.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/limits.h"
#include "proto/read_file.h"
#include "proto/report.h"
#include "recorder/control_groups.h"
#include "recorder/cpu_list.h"

// Opens a file whose contents nobody reads. In a changed root there may be no /dev/null.
static int open_nowhere(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	return fd >= 0 ? fd : memfd_create("nowhere", MFD_CLOEXEC);
}

// Descriptors 0 to 2 are always open afterwards. If they were not, the next file that is opened
// would get one of these numbers, and messages would be written into it.
static void own_descriptors(int fd)
{
	int nowhere = open_nowhere();

	if (nowhere >= 0) {
		dup2(nowhere, STDIN_FILENO);
		dup2(nowhere, STDOUT_FILENO);
		if (nowhere == STDERR_FILENO || fcntl(STDERR_FILENO, F_GETFD) < 0)
			dup2(nowhere, STDERR_FILENO);
		if (nowhere > STDERR_FILENO)
			close(nowhere);
	}
	syscall(SYS_close_range, fd + 1, ~0u, 0);
}

void frec__own_stderr(void)
{
	int nowhere = open_nowhere();

	if (nowhere < 0)
		return;
	dup2(nowhere, STDERR_FILENO);
	close(nowhere);
}

// Ignores signals that would end the keeper, because frec_recorder_start() has set all signals to
// their default actions. SIGTERM and SIGINT are read from a signalfd later.
static void own_signals(void)
{
	static const int ignored[] = {SIGXFSZ, SIGPIPE, SIGHUP, SIGTERM, SIGINT};

	for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
		signal(ignored[i], SIG_IGN);
}

#define CPUS_MAX 8192
#define CPU_LIST_MAX 4096 // bytes

static int exclude(void *set, int cpu)
{
	if (cpu >= 0 && cpu < CPUS_MAX)
		CPU_CLR_S(cpu, CPU_ALLOC_SIZE(CPUS_MAX), (cpu_set_t *)set);
	return cpu >= CPUS_MAX;
}

// Allows all CPUs, except those that were set aside for particular programs when the machine was
// booted.
static void own_cpus(void)
{
	size_t size = CPU_ALLOC_SIZE(CPUS_MAX);
	cpu_set_t *set = CPU_ALLOC(CPUS_MAX);
	FREC_FREE char *isolated =
		frec__read_file_at(AT_FDCWD, "/sys/devices/system/cpu/isolated", CPU_LIST_MAX);

	if (!set)
		return;
	memset(set, 0xff, size);
	if (isolated)
		(void)frec__each_cpu(isolated, exclude, set);
	sched_setaffinity(0, size, set);
	CPU_FREE(set);
}

static void own_scheduling(void)
{
	const struct sched_param none = {0};
	int nice;

	sched_setscheduler(0, SCHED_OTHER, &none);
	setpriority(PRIO_PROCESS, 0, 0);
	own_cpus();
	// 1: this process; 0: the class that follows from the nice value.
	syscall(SYS_ioprio_set, 1, 0, 0);
	syscall(SYS_set_mempolicy, MPOL_DEFAULT, NULL, 0);
	nice = getpriority(PRIO_PROCESS, 0);
	if (nice > 0)
		frec__report_quietly(LOG_NOTICE,
				     "the keeper stays at the nice value of its service, %d: "
				     "RLIMIT_NICE is %d, and 20 is needed ('ulimit -e 20', or "
				     "LimitNICE=+0 of a unit)",
				     nice, (int)frec__limit_of(RLIMIT_NICE));
}

// If memory runs out, the kernel is to kill the service that is being recorded, not its keeper.
// This needs CAP_SYS_RESOURCE. Without that right, the keeper can at least undo a higher score that
// the service has set.
static void own_oom_score(void)
{
	static const char *const wanted[] = {"-1000", "0"};

	for (size_t i = 0; i < 2; i++) {
		int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
		bool done = fd >= 0 && write(fd, wanted[i], strlen(wanted[i])) > 0;

		if (fd >= 0)
			close(fd);
		if (done)
			return;
	}
}

void frec__own_process(int fd)
{
	own_descriptors(fd);
	own_signals();
	frec__limits_raise();
	// Leave the groups first, because they limit the CPUs that can be used.
	frec__control_groups_leave(FREC_CONTROL_GROUPS, "/proc/self/cgroup");
	own_scheduling();
	own_oom_score();
	umask(077);
}
