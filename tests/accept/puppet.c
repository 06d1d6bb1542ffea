// SPDX-License-Identifier: MIT
// A service under the control of a test: it obeys each line of its input and answers with a line,
// so that the test decides the order of things without relying on time.
//
//	puppet			answers "ready PID", then reads commands
//	puppet once NUMBER	short-lived: emits one event, a beat, and ends
//
//	emit N			emits N more beats, numbered on from the last: "ok LAST"
//	word			answers with the enable word of the beat, in hexadecimal
//	start HOW FOLDER KEEPER	starts a recorder: "ok", or why it did not start; KEEPER is - for
//				the keeper that is found without a path
//	attach SOCKET		is recorded by the recorder that listens there: the same answers
//	transport		how the recorder gets the events: "HOW: WHY"
//	log			the last line that the library has logged
//	stop			stops the recorder: "ok"
//	fork CHILDREN N		forks children that emit N beats each, all at once:
//				"ok PID PID ..."
//	spawn N			runs N short-lived processes, eight at a time: "ok FAILED"
//	exec [PROGRAM]		executes itself again: "ready PID"; or another program
//	trigger NAME		"ok", or why it failed
//	hide			becomes not dumpable, as an agent with keys in its memory does: "ok"
//	crash			does not answer
#include <flightrec/event.h>
#include <flightrec/recorder.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define AT_ONCE 8
#define CHILDREN_MAX 1000

FREC_EVENT(accept, beat, FREC_U64(sequence), FREC_STR(text), FREC_I32(negative));

static uint64_t sequence;
static struct frec_recorder *recorder;

static char logged[1024];

static void keep_line(void *ctx, const char *message)
{
	(void)ctx;
	snprintf(logged, sizeof(logged), "%s", message);
}

static void beat(void)
{
	sequence++;
	frec_accept_beat(sequence, "a beat of the puppet's", -(int32_t)sequence);
}

static void start_with(struct frec_recorder_options options)
{
	char error[400] = "";

	options.size = sizeof(options);
	options.error = error;
	options.error_size = sizeof(error);
	frec_set_log(keep_line, NULL);
	if (frec_recorder_start(&options, &recorder))
		printf("failed %s\n", error);
	else
		printf("ok\n");
}

static void start(const char *how, const char *folder, const char *keeper)
{
	const char *events[] = {"accept:*", NULL};

	start_with((struct frec_recorder_options){.folder = folder,
						  .ring_size = 1 << 20,
						  .events = events,
						  .keeper = strcmp(keeper, "-") ? keeper : NULL,
						  .transport = how});
}

// The children wait for the pipe to close, so that all of them exist before the first one emits.
static void fork_children(unsigned long children, unsigned long count)
{
	pid_t pids[CHILDREN_MAX];
	int gate[2];
	char byte;

	if (children > CHILDREN_MAX || pipe(gate)) {
		printf("failed\n");
		return;
	}
	for (unsigned long i = 0; i < children; i++) {
		pids[i] = fork();
		if (pids[i])
			continue;
		close(gate[1]);
		if (read(gate[0], &byte, 1))
			_exit(1);
		sequence = 0;
		while (count--)
			beat();
		_exit(0);
	}
	close(gate[1]);
	close(gate[0]);
	printf("ok");
	for (unsigned long i = 0; i < children; i++) {
		int status = 1;

		waitpid(pids[i], &status, 0);
		printf(status ? " failed" : " %d", (int)pids[i]);
	}
	printf("\n");
}

static void spawn(unsigned long count)
{
	extern char **environ;
	unsigned long failed = 0, running = 0;
	char number[24];
	char *argv[] = {(char *)"puppet", (char *)"once", number, NULL};

	for (unsigned long i = 1; i <= count || running;) {
		int status = 1;

		if (i <= count && running < AT_ONCE) {
			snprintf(number, sizeof(number), "%lu", i++);
			if (posix_spawn(&(pid_t){0}, "/proc/self/exe", NULL, NULL, argv, environ))
				failed++;
			else
				running++;
			continue;
		}
		waitpid(-1, &status, 0);
		failed += status != 0;
		running--;
	}
	printf("ok %lu\n", failed);
}

static void obey(char *line)
{
	char *word[4] = {line, NULL, NULL, NULL};
	unsigned long count;

	for (int i = 1; i < 4 && word[i - 1]; i++) {
		word[i] = strchr(word[i - 1], ' ');
		if (word[i])
			*word[i]++ = '\0';
	}
	count = word[1] ? strtoul(word[1], NULL, 10) : 0;
	if (!strcmp(line, "emit")) {
		while (count--)
			beat();
		printf("ok %lu\n", (unsigned long)sequence);
	} else if (!strcmp(line, "word")) {
		printf("%x\n", __atomic_load_n(&frec__event_accept_beat.enabled, __ATOMIC_RELAXED));
	} else if (!strcmp(line, "start") && word[3]) {
		start(word[1], word[2], word[3]);
	} else if (!strcmp(line, "attach") && word[1]) {
		start_with((struct frec_recorder_options){.socket = word[1]});
	} else if (!strcmp(line, "transport")) {
		const char *why, *how = frec_recorder_transport(recorder, &why);

		printf("%s: %s\n", how, why);
	} else if (!strcmp(line, "log")) {
		printf("%s\n", logged);
	} else if (!strcmp(line, "stop")) {
		frec_recorder_stop(recorder);
		printf("ok\n");
	} else if (!strcmp(line, "fork") && word[2]) {
		fork_children(count, strtoul(word[2], NULL, 10));
	} else if (!strcmp(line, "spawn")) {
		spawn(count);
	} else if (!strcmp(line, "exec")) {
		execl(word[1] ? word[1] : "/proc/self/exe", "puppet", "wait", (char *)NULL);
		printf("failed\n");
	} else if (!strcmp(line, "trigger") && word[1]) {
		int r = frec_trigger(word[1]);

		printf(r ? "failed %s\n" : "ok\n", strerror(-r));
	} else if (!strcmp(line, "hide")) {
		printf(prctl(PR_SET_DUMPABLE, 0) ? "failed\n" : "ok\n");
	} else if (!strcmp(line, "crash")) {
		*(volatile int *)0x1234 = 1;
	} else {
		printf("failed: unknown: %s\n", line);
	}
}

int main(int argc, char **argv)
{
	const struct rlimit no_core = {0, 0};
	char line[4096];

	if (argc == 3 && !strcmp(argv[1], "once")) {
		sequence = strtoul(argv[2], NULL, 10) - 1;
		beat();
		return 0;
	}
	setrlimit(RLIMIT_CORE, &no_core);
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("ready %d\n", (int)getpid());
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		obey(line);
	}
	return 0;
}
