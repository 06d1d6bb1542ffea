// SPDX-License-Identifier: MIT
// A service whose threads and children lock themselves in before they emit: the kernel kills the
// service for any system call but write(2), exit(2) and, with the argument "writev", writev(2). It
// obeys each line of its input and answers with a line, as accept/puppet.c does.
//
//	locked [writev]		answers "ready PID", then reads commands
//
//	word			answers with the enable word of the event, in hexadecimal
//	attach SOCKET		attaches to the recorder there: "ok", or why it did not
//	detach			"ok"
//	WHO N			emits N events: "ok PID TID", or "killed SIGNAL". WHO is
//		old		a thread that is as old as the process, and has emitted nothing
//		new		a new thread
//		fork		a child of fork(3)
//		raw		a child of the bare system call, without fork(3)
//		strict		a child of fork(3) in strict mode, after frec_clock_coarse()
//	end			the main thread locks itself in, too, and calls exit(3)
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <flightrec/event.h>
#include <flightrec/recorder.h>

#include "../data/locked.h"

#define OLD_THREADS 8

FREC_EVENT(accept, locked, FREC_STR(who), FREC_U32(number));

static struct frec_recorder *recorder;
static bool vector;

// What a thread or child is to do, and its ids, in memory that children share.
static struct job {
	const char *who;
	unsigned int count;
	pid_t pid, tid;
	bool done;
} * job;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static pthread_t old[OLD_THREADS];
static int woken;

static _Noreturn void emit_locked(void)
{
	job->pid = getpid();
	job->tid = gettid();
	if (!strcmp(job->who, "strict")) {
		frec_clock_coarse();
		if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
			abort();
	} else if (locked_in(vector)) {
		abort();
	}
	for (unsigned int i = 0; i < job->count; i++)
		frec_accept_locked(job->who, i);
	job->done = true;
	locked_end(0);
}

static void *in_old_thread(void *number)
{
	pthread_mutex_lock(&lock);
	while (woken <= (int)(intptr_t)number)
		pthread_cond_wait(&wake, &lock);
	pthread_mutex_unlock(&lock);
	emit_locked();
}

static void *in_new_thread(void *unused)
{
	(void)unused;
	emit_locked();
}

static void run_thread(bool is_old)
{
	pthread_t thread;

	if (!is_old) {
		if (pthread_create(&thread, NULL, in_new_thread, NULL))
			abort();
	} else {
		if (woken == OLD_THREADS)
			abort();
		pthread_mutex_lock(&lock);
		thread = old[woken++];
		pthread_cond_broadcast(&wake);
		pthread_mutex_unlock(&lock);
	}
	pthread_join(thread, NULL);
}

static int run_child(bool raw)
{
	pid_t child = raw ? (pid_t)syscall(SYS_fork) : fork();
	int status = 0;

	if (!child)
		emit_locked();
	waitpid(child, &status, 0);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void run(const char *who, unsigned int count)
{
	int killed = 0;

	*job = (struct job){.who = who, .count = count};
	if (!strcmp(who, "old") || !strcmp(who, "new"))
		run_thread(*who == 'o');
	else
		killed = run_child(!strcmp(who, "raw"));
	if (killed)
		printf("killed %d\n", killed);
	else
		printf(job->done ? "ok %d %d\n" : "failed\n", (int)job->pid, (int)job->tid);
}

static void obey(char *line)
{
	char *word = strchr(line, ' ');

	if (word)
		*word++ = '\0';
	if (!strcmp(line, "word")) {
		printf("%x\n",
		       __atomic_load_n(&frec__event_accept_locked.enabled, __ATOMIC_RELAXED));
	} else if (!strcmp(line, "attach") && word) {
		char error[400] = "";
		struct frec_recorder_options options = {.size = sizeof(options),
							.socket = word,
							.error = error,
							.error_size = sizeof(error)};

		printf(frec_recorder_start(&options, &recorder) ? "failed %s\n" : "ok%s\n", error);
	} else if (!strcmp(line, "end")) {
		if (locked_in(vector))
			abort();
		exit(0);
	} else if (!strcmp(line, "detach")) {
		frec_recorder_stop(recorder);
		printf("ok\n");
	} else {
		run(line, word ? (unsigned int)strtoul(word, NULL, 10) : 1);
	}
}

int main(int argc, char **argv)
{
	const struct rlimit no_core = {0, 0};
	char line[4096];

	vector = argc == 2 && !strcmp(argv[1], "writev");
	setrlimit(RLIMIT_CORE, &no_core);
	setvbuf(stdout, NULL, _IOLBF, 0);
	job = mmap(NULL, sizeof(*job), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (job == MAP_FAILED)
		abort();
	for (intptr_t i = 0; i < OLD_THREADS; i++)
		if (pthread_create(&old[i], NULL, in_old_thread, (void *)i))
			abort();
	printf("ready %d\n", (int)getpid());
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		obey(line);
	}
	// The threads that still wait end with the process.
	return 0;
}
