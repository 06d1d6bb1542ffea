// SPDX-License-Identifier: MIT
// A small service that looks at itself and prints what it sees: limits, signals, timers, system
// calls that signals interrupt, descriptors, children. Compiled with PLAIN it does not know
// flightrec; otherwise it emits events all the while. The output must be the same.
//
//	unchanged exit|abort|crash|kill		how it ends
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef PLAIN
#define EMIT(number) (void)(number)
#else
#include <flightrec/event.h>
FREC_EVENT(unchanged, work, FREC_STR(what), FREC_U64(number));
#define EMIT(number) frec_unchanged_work("work", number)
#endif

#define TICKS 40
#define QUEUED 30

static atomic_int ticks, children;
static int queued, out_of_order, answer_to = -1;

static void on_tick(int number)
{
	(void)number;
	EMIT(++ticks);
	if (answer_to >= 0 && write(answer_to, "x", 1) != 1)
		abort();
}

static void on_child(int number)
{
	(void)number;
	EMIT(++children);
}

static void on_queued(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	out_of_order += info->si_value.sival_int != queued++;
	EMIT(queued);
}

static void handle(int number, void (*handler)(int), int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

	sigaction(number, &action, NULL);
}

static void print_status(void)
{
	static const char *const wanted[] = {
		"Umask:",      "Threads:", "SigPnd:",	   "ShdPnd:",	    "Cap",
		"NoNewPrivs:", "Seccomp:", "CoreDumping:", "Cpus_allowed:", "Groups:",
		"Uid:",	       "Gid:",	   "TracerPid:"};
	FILE *file = fopen("/proc/self/status", "re");
	char line[1024];

	while (file && fgets(line, sizeof(line), file))
		for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
			if (!strncmp(line, wanted[i], strlen(wanted[i])))
				fputs(line, stdout);
	if (file)
		fclose(file);
}

static void print_process(void)
{
	char folder[4096];
	struct sigaction action;
	sigset_t mask;
	stack_t stack;
	int slack = prctl(PR_GET_TIMERSLACK), dumpable = prctl(PR_GET_DUMPABLE);

	printf("folder %s\n", getcwd(folder, sizeof(folder)));
	printf("nice %d policy %d slack %d dumpable %d subreaper-free %d\n",
	       getpriority(PRIO_PROCESS, 0), sched_getscheduler(0), slack, dumpable,
	       prctl(PR_GET_CHILD_SUBREAPER, &(int){0}));
	printf("group of the parent: %d, session too: %d\n", getpgrp() == getpgid(getppid()),
	       getsid(0) == getsid(getppid()));
	for (int i = 0; i < RLIM_NLIMITS; i++) {
		struct rlimit limit;

		getrlimit(i, &limit);
		printf("limit %d: %jd %jd\n", i, (intmax_t)limit.rlim_cur,
		       (intmax_t)limit.rlim_max);
	}
	sigprocmask(SIG_SETMASK, NULL, &mask);
	for (int i = 1; i < NSIG; i++) {
		if (sigaction(i, NULL, &action))
			continue;
		if (sigismember(&mask, i) || action.sa_handler != SIG_DFL || action.sa_flags)
			printf("signal %d: blocked %d ignored %d default %d flags %x\n", i,
			       sigismember(&mask, i), action.sa_handler == SIG_IGN,
			       action.sa_handler == SIG_DFL, action.sa_flags);
	}
	sigaltstack(NULL, &stack);
	printf("stack for signals: %d\n", stack.ss_flags);
	print_status();
}

static void print_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	int free_one = open("/dev/null", O_RDONLY | O_CLOEXEC);

	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		int fd = atoi(entry->d_name);
		char path[300], target[4096];
		ssize_t length;

		if (entry->d_name[0] == '.' || fd == dirfd(folder) || fd == free_one)
			continue;
		snprintf(path, sizeof(path), "/proc/self/fd/%s", entry->d_name);
		length = readlink(path, target, sizeof(target) - 1);
		target[length < 0 ? 0 : length] = '\0';
		// The text after the colon, which differs in each run, is the number of a pipe or
		// socket.
		printf("descriptor %d is %.*s, closes %d\n", fd, (int)strcspn(target, ":"), target,
		       fcntl(fd, F_GETFD));
	}
	printf("next descriptor %d\n", free_one);
	close(free_one);
	if (folder)
		closedir(folder);
}

// A timer whose signals interrupt calls that emit: they arrive, and the interval stays as set.
static void timer(void)
{
	struct itimerval often = {{0, 500}, {0, 500}}, never = {{0, 0}, {0, 0}}, left;

	handle(SIGALRM, on_tick, SA_RESTART);
	ticks = 0;
	setitimer(ITIMER_REAL, &often, NULL);
	for (uint64_t i = 0; ticks < TICKS; i++)
		if (i % 65536 == 0)
			EMIT(i);
	getitimer(ITIMER_REAL, &left);
	printf("timer: interval %ld\n", (long)left.it_interval.tv_usec);
	setitimer(ITIMER_REAL, &never, NULL);
}

// Signals that are queued arrive once each, in order, also while events are emitted.
static void queue(void)
{
	struct sigaction action = {.sa_sigaction = on_queued, .sa_flags = SA_SIGINFO | SA_RESTART};
	sigset_t one, before;

	sigemptyset(&one);
	sigaddset(&one, SIGRTMIN);
	sigaction(SIGRTMIN, &action, NULL);
	sigprocmask(SIG_BLOCK, &one, &before);
	for (int i = 0; i < QUEUED; i++) {
		sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = i});
		EMIT((uint64_t)i);
	}
	printf("queued: %d handled while blocked", queued);
	sigprocmask(SIG_SETMASK, &before, NULL);
	printf(", %d afterwards, %d out of order\n", queued, out_of_order);
}

// Prints what becomes of a system call that a signal interrupts, if the signal's handler emits. The
// timer repeats, in case its first signal comes before the system call does.
static void interrupted(int flags)
{
	struct itimerval often = {{0, 20000}, {0, 20000}}, never = {{0, 0}, {0, 0}};
	int pipes[2];
	ssize_t count;
	char byte = '-';

	if (pipe2(pipes, O_CLOEXEC))
		abort();
	handle(SIGALRM, on_tick, flags);
	if (flags & SA_RESTART)
		answer_to = pipes[1];
	EMIT(1);
	setitimer(ITIMER_REAL, &often, NULL);
	errno = 0;
	count = read(pipes[0], &byte, 1);
	printf("read with flags %x: %zd %c %s\n", flags, count, byte, strerrorname_np(errno));
	answer_to = -1;
	errno = 0;
	count = usleep(10000000);
	printf("sleep with flags %x: %zd %s\n", flags, count, strerrorname_np(errno));
	setitimer(ITIMER_REAL, &never, NULL);
	close(pipes[0]);
	close(pipes[1]);
}

static void have_children(void)
{
	int status = 0;
	pid_t child;

	handle(SIGCHLD, on_child, SA_RESTART);
	child = waitpid(-1, &status, WNOHANG);
	printf("children before: %d %s\n", (int)child, strerrorname_np(errno));
	child = fork();
	if (!child) {
		EMIT(1);
		_exit(7);
	}
	while (waitpid(child, &status, 0) != child)
		;
	child = waitpid(-1, NULL, WNOHANG);
	printf("child: status %d, %d signals, then %d %s\n", WEXITSTATUS(status), (int)children,
	       (int)child, strerrorname_np(errno));
}

int main(int argc, char **argv)
{
	const struct rlimit no_core = {0, 0};

	setvbuf(stdout, NULL, _IOLBF, 0);
	errno = 4711;
	EMIT(0);
	printf("errno after an event: %d\n", errno);
	print_process();
	print_descriptors();
	timer();
	queue();
	interrupted(0);
	interrupted(SA_RESTART);
	have_children();
	print_process();
	print_descriptors();
	fprintf(stderr, "a line on stderr\n");
	setrlimit(RLIMIT_CORE, &no_core);
	EMIT(2);
	if (argc < 2)
		return 2;
	if (!strcmp(argv[1], "abort"))
		abort();
	if (!strcmp(argv[1], "crash"))
		*(volatile int *)(uintptr_t)argc = 1;
	if (!strcmp(argv[1], "kill"))
		raise(SIGKILL);
	return 5;
}
