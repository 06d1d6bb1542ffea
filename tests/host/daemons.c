// SPDX-License-Identifier: MIT
// A service that executes the steps in its arguments one after the other: the ways in which
// services become daemons, and states that a keeper could inherit. It reports to a file, because it
// may have no standard streams.
//
//	daemons KEEPER FOLDER LOG STEP...
//
//	start[:TRANSPORT]	starts a recorder; reports "start CODE ERROR" and ends if that fails
//	try[:TRANSPORT]		the same, but goes on
//	event:GLOB		one more event for the next start
//	ring:BYTES		the ring size of the next start
//	stop			stops the recorder
//	fork, leave, stay	goes on in a child; the parent ends at once (_exit(2), exit(3)), or
//				waits for the child and ends with 0
//	worker			goes on in a child, and the parent goes on as well, with the steps
//				after the next "--", which it begins when the child has ended
//	daemon			daemon(3), which ends the parent
//	init			goes on in a child; the parent adopts and reaps what is orphaned,
//				at once, as process 1 does
//	old			from now on simulates a kernel that forgets how processes ended
//	setsid, chroot:DIR, chdir:DIR, user:UID, umask:MODE, exec
//	closeall		closes every descriptor but that of LOG
//	close:FD		closes one
//	limit:N:VALUE		both limits of resource number N
//	soft:N:VALUE		only the soft one
//	nice:N, fifo, cpu:N, ignore:SIGNAL, oom:N, rmdir:DIR
//	emit:N			emits N events whose field `process` is the pid
//	trigger:NAME
//	pid:NAME		reports "NAME PID"
//	pause			waits for SIGUSR1
//	wait:FILE		waits until FILE exists
//	end:HOW			segv, abort, kill, exit, _exit
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <flightrec/event.h>
#include <flightrec/recorder.h>

#include "old_kernel.h"

FREC_EVENT(test, step, FREC_U32(process), FREC_U32(number));

#define LOG_FD 200

static const char *keeper, *folder;
static struct frec_recorder *recorder;
static uint64_t ring_size = 256 << 10;
static const char *events[3] = {"test:*"};

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vdprintf(LOG_FD, format, arguments);
	va_end(arguments);
}

static void need(int r, const char *what)
{
	if (!r)
		return;
	say("FAILED %s: %s\n", what, strerror(errno));
	_exit(9);
}

static void start(const char *transport, int must)
{
	char error[512] = "";
	struct frec_recorder_options options = {.size = sizeof(options),
						.folder = folder,
						.ring_size = ring_size,
						.events = events,
						.keeper = keeper,
						.transport = transport,
						.error = error,
						.error_size = sizeof(error)};
	int r = frec_recorder_start(&options, &recorder);

	say("start %d %s\n", r, error);
	if (r && must)
		exit(7);
}

static void end(const char *how)
{
	if (!strcmp(how, "segv"))
		raise(SIGSEGV);
	if (!strcmp(how, "abort"))
		abort();
	if (!strcmp(how, "kill"))
		kill(getpid(), SIGKILL);
	if (!strcmp(how, "exit"))
		exit(0);
	_exit(0);
}

static void go_on_in_child(const char *how)
{
	pid_t child = fork();

	need(child < 0, "fork");
	if (!child)
		return;
	if (!strcmp(how, "leave"))
		exit(0);
	if (!strcmp(how, "stay"))
		while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
			;
	_exit(0);
}

static void be_init(void)
{
	pid_t child;

	need(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl");
	child = fork();
	need(child < 0, "fork");
	if (!child)
		return;
	while (wait(NULL) > 0 || errno == EINTR)
		;
	_exit(0);
}

// Forks. Returns the steps of the process that it returns in: the parent's come after "--".
static char **become_worker(char **steps)
{
	pid_t child = fork();
	int status = 0;

	need(child < 0, "fork");
	if (!child) {
		for (char **step = steps; *step; step++)
			if (!strcmp(*step, "--"))
				*step = NULL;
		return steps;
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	while (*steps && strcmp(*steps, "--"))
		steps++;
	return *steps ? steps + 1 : steps;
}

static void close_all(void)
{
	need(close_range(0, LOG_FD - 1, 0), "close_range");
	need(close_range(LOG_FD + 1, ~0u, 0), "close_range");
}

static void limit(char *numbers, int both)
{
	char *at = numbers;
	int resource = (int)strtol(at, &at, 10);
	struct rlimit wanted;

	need(getrlimit(resource, &wanted), "getrlimit");
	wanted.rlim_cur = strtoul(at + 1, NULL, 10);
	if (both)
		wanted.rlim_max = wanted.rlim_cur;
	need(setrlimit(resource, &wanted), "setrlimit");
}

static void use_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	need(sched_setaffinity(0, sizeof(set), &set), "sched_setaffinity");
}

static void set_oom(const char *value)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	need(fd < 0 || write(fd, value, strlen(value)) < 0, "oom_score_adj");
	close(fd);
}

static void emit(uint32_t count)
{
	for (uint32_t i = 1; i <= count; i++)
		frec_test_step((uint32_t)getpid(), i);
}

static volatile sig_atomic_t told;

static void tell(int signal)
{
	(void)signal;
	told = 1;
}

static void wait_for_signal(void)
{
	sigset_t mask, before;

	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	sigprocmask(SIG_BLOCK, &mask, &before);
	say("waiting %d\n", getpid());
	while (!told)
		sigsuspend(&before);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

static void execute_again(char **argv, char **steps)
{
	// In argv, the steps that are left replace all steps.
	char **at = argv + 4;

	while ((*at++ = *steps++))
		;
	execv("/proc/self/exe", argv);
	need(1, "execv");
}

// Executes one step; `value` is what follows its colon. Returns 1, or 0 if there is no such step.
static int act(const char *step, char *value)
{
	const struct sched_param high = {.sched_priority = 10};

	if (!strcmp(step, "start") || !strcmp(step, "try"))
		start(*value ? value : NULL, *step == 's');
	else if (!strcmp(step, "event"))
		events[1] = value;
	else if (!strcmp(step, "init"))
		be_init();
	else if (!strcmp(step, "old"))
		need(be_an_old_kernel(), step);
	else if (!strcmp(step, "ring"))
		ring_size = strtoull(value, NULL, 10);
	else if (!strcmp(step, "stop"))
		frec_recorder_stop(recorder);
	else if (!strcmp(step, "fork") || !strcmp(step, "leave") || !strcmp(step, "stay"))
		go_on_in_child(step);
	else if (!strcmp(step, "daemon"))
		need(daemon(0, 0), step);
	else if (!strcmp(step, "setsid"))
		need(setsid() < 0, step);
	else if (!strcmp(step, "chroot"))
		need(chroot(value) || chdir("/"), step);
	else if (!strcmp(step, "chdir"))
		need(chdir(value), step);
	else if (!strcmp(step, "rmdir"))
		need(rmdir(value), step);
	else if (!strcmp(step, "user"))
		need(setgid((gid_t)atoi(value)) || setuid((uid_t)atoi(value)), step);
	else if (!strcmp(step, "umask"))
		umask((mode_t)strtoul(value, NULL, 8));
	else if (!strcmp(step, "closeall"))
		close_all();
	else if (!strcmp(step, "close"))
		close(atoi(value));
	else if (!strcmp(step, "limit") || !strcmp(step, "soft"))
		limit(value, *step == 'l');
	else if (!strcmp(step, "nice"))
		need(setpriority(PRIO_PROCESS, 0, atoi(value)), step);
	else if (!strcmp(step, "fifo"))
		need(sched_setscheduler(0, SCHED_FIFO, &high), step);
	else if (!strcmp(step, "cpu"))
		use_cpu(atoi(value));
	else if (!strcmp(step, "ignore"))
		signal(atoi(value), SIG_IGN);
	else if (!strcmp(step, "oom"))
		set_oom(value);
	else if (!strcmp(step, "emit"))
		emit((uint32_t)atoi(value));
	else if (!strcmp(step, "trigger"))
		say("trigger %d\n", frec_trigger(value));
	else if (!strcmp(step, "pid"))
		say("%s %d\n", value, getpid());
	else if (!strcmp(step, "pause"))
		wait_for_signal();
	else if (!strcmp(step, "wait"))
		while (access(value, F_OK))
			usleep(10000);
	else if (!strcmp(step, "end"))
		end(value);
	else
		return 0;
	return 1;
}

int main(int argc, char **argv)
{
	char **steps = argv + 4;
	int log = argc > 4 ? open(argv[3], O_WRONLY | O_CREAT | O_APPEND, 0666) : -1;

	if (log < 0 || dup2(log, LOG_FD) < 0)
		return 2;
	if (log != LOG_FD)
		close(log);
	fcntl(LOG_FD, F_SETFD, FD_CLOEXEC);
	signal(SIGUSR1, tell);
	keeper = argv[1];
	folder = strcmp(argv[2], "-") ? argv[2] : NULL;
	while (*steps) {
		char *step = *steps++, *colon = strchr(step, ':');

		if (!strcmp(step, "exec"))
			execute_again(argv, steps);
		if (!strcmp(step, "worker")) {
			steps = become_worker(steps);
			continue;
		}
		if (colon)
			*colon = 0;
		if (!act(step, colon ? colon + 1 : step + strlen(step))) {
			say("FAILED %s: no such step\n", step);
			return 3;
		}
		if (colon)
			*colon = ':';
	}
	return 0;
}
