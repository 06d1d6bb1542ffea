// SPDX-License-Identifier: MIT
// A service that triggers with fields, tags its files and reads notices.
//
//	fields keeper FOLDER KEEPER [wait]	starts a recorder of its own
//	fields socket SOCKET [wait]		uses a recorder that listens
//
// Prints "ok WHAT" or "FAILED WHAT" for each check, and "notice NAME PATH" for each notice. With
// `wait` it prints "ready PID" after the start, and then obeys lines of its input: "trigger NAME",
// "fork" (a child that emits and then waits), "reap" (ends it), "exec".
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <flightrec/event.h>
#include <flightrec/recorder.h>

#define PATIENCE 60000 /* milliseconds */
#define FLOOD 40

FREC_EVENT(fields, step, FREC_I32(number));
FREC_EVENT(fields, order_begin, FREC_I32(number));
FREC_EVENT(fields, order_end, FREC_I32(number));

static int failed;
static pid_t child;

static void check(bool condition, const char *what)
{
	printf("%s %s\n", condition ? "ok" : "FAILED", what);
	failed |= !condition;
}

static bool next_notice(int fd, struct frec_notice *ret)
{
	struct pollfd poller = {.fd = fd, .events = POLLIN};

	memset(ret, 0xff, sizeof(*ret));
	return poll(&poller, 1, PATIENCE) == 1 && read(fd, ret, sizeof(*ret)) == sizeof(*ret);
}

static void expect_notice(int fd, const char *name)
{
	struct frec_notice notice;

	if (!next_notice(fd, &notice)) {
		check(false, name);
		return;
	}
	printf("notice %s %s\n", notice.name, notice.path);
	check(notice.size == sizeof(notice) && !notice.error && !notice.missed &&
		      notice.pid == (uint32_t)getpid() && !strcmp(notice.name, name) &&
		      !access(notice.path, R_OK),
	      "a notice tells of the snapshot");
}

// Wrong names, keys and numbers of pairs are refused, with a recorder and without one.
static void refused(void)
{
	char key[FREC_TRIGGER_KEY_MAX + 2] = {0};
	const char *many[2 * (FREC_TRIGGER_PAIRS_MAX + 1)];

	memset(key, 'k', sizeof(key) - 1);
	for (size_t i = 0; i < sizeof(many) / sizeof(many[0]); i++)
		many[i] = "x";
	check(frec_trigger_fields("t", "", "v") == -EINVAL &&
		      frec_trigger_fields("t", "a b", "v") == -EINVAL &&
		      frec_trigger_fields("t", "a=b", "v") == -EINVAL &&
		      frec_trigger_fields("t", "a\nb", "v") == -EINVAL &&
		      frec_trigger_fields("t", "\xc3\xa4", "v") == -EINVAL &&
		      frec_trigger_fields("t", key, "v") == -EINVAL &&
		      frec_trigger_fields("t", NULL, "v") == -EINVAL,
	      "a bad key is refused");
	check(frec_trigger_fields("t", "a", "1", "b", "2", "a", "3") == -EINVAL,
	      "a key that comes twice is refused");
	check(frec_trigger_fields("", "a", "1") == -EINVAL, "a bad name is refused");
	check(frec_trigger_pairs("t", many, FREC_TRIGGER_PAIRS_MAX + 1) == -E2BIG,
	      "too many pairs are refused");
}

static int start_with(struct frec_recorder_options *options, const char *const *tags,
		      struct frec_recorder **ret)
{
	options->tags = tags;
	return frec_recorder_start(options, ret);
}

static void refused_tags(struct frec_recorder_options *options)
{
	static const char *const bad[][3] = {{"no value"}, {"=x"}, {"a b=x"}, {"a=1", "a=2"}};
	const char *many[FREC_TRIGGER_PAIRS_MAX + 2] = {NULL};
	char text[FREC_TRIGGER_PAIRS_MAX + 1][8];
	struct frec_recorder *recorder = NULL;
	int fd = -7;

	options->notify_fd = &fd;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check(start_with(options, bad[i], &recorder) == -EINVAL && *options->error,
		      "a bad tag is refused");
	for (size_t i = 0; i < FREC_TRIGGER_PAIRS_MAX + 1; i++) {
		snprintf(text[i], sizeof(text[i]), "k%zu=v", i);
		many[i] = text[i];
	}
	check(start_with(options, many, &recorder) == -E2BIG, "too many tags are refused");
	check(!recorder && fd == -7, "a failed start writes neither recorder nor descriptor");
}

static volatile int from_handler = 1;

static void on_signal(int signal)
{
	errno = 4321;
	from_handler = frec_trigger_fields("from_handler", "signal",
					   signal == SIGUSR1 ? "SIGUSR1" : "?", "where", "handler");
	if (errno != 4321)
		from_handler = 1;
}

// Triggers in a signal handler whose stack has 8 KiB, the size that programs have used for decades.
static void trigger_in_a_handler(void)
{
	static char small[8192];
	const stack_t stack = {.ss_sp = small, .ss_size = sizeof(small)};
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};

	sigaltstack(&stack, NULL);
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	check(from_handler == 0, "a signal handler on a small stack may trigger");
}

static void hostile(int fd)
{
	char longer[3000] = "", cut[400] = "";

	for (int i = 0; i < 700; i++)
		strcat(longer, "\xc3\xa4");
	for (int i = 0; i < 150; i++)
		strcat(cut, "\xe2\x82\xac");
	errno = 1234;
	check(!frec_trigger_fields("slow_checkout", "request_id", "8f3a-77", "shard", NULL, "empty",
				   "", "note", "line\nfake: value\x1b[31m\x01\xff<b>\"", "longer",
				   longer, "cut", cut),
	      "a trigger with hostile values");
	check(errno == 1234, "errno stays");
	expect_notice(fd, "slow_checkout");
}

// Requests snapshots faster than it reads notices.
static void flood(int fd)
{
	int heard = 0, sent = 0;
	struct frec_notice notice;
	char name[32];

	while (heard < FLOOD) {
		snprintf(name, sizeof(name), "flood-%d", sent);
		if (sent < FLOOD && !frec_trigger(name)) {
			sent++;
			continue;
		}
		snprintf(name, sizeof(name), "flood-%d", heard);
		if (!next_notice(fd, &notice) || notice.error || strcmp(notice.name, name) != 0 ||
		    notice.missed)
			break;
		heard++;
	}
	// Notices came in order until one had no room; the next notice counts those that had none.
	check(heard == FLOOD || (heard >= 16 && notice.missed),
	      "notices come in order, or are counted");
	if (heard < FLOOD)
		printf("after %d: %s, %u missed\n", heard, notice.name, notice.missed);
}

static void obey(char *line, int fd)
{
	char *name = strchr(line, ' ');

	line[strcspn(line, "\n")] = 0;
	if (name)
		*name++ = 0;
	frec_fields_step(1);
	if (!strcmp(line, "trigger") && name) {
		frec_fields_order_begin(17);
		frec_fields_order_end(17);
		check(!frec_trigger_fields(name, "asked", "yes"), "trigger");
		expect_notice(fd, name);
	} else if (!strcmp(line, "fork")) {
		child = fork();
		if (!child) {
			close(fd);
			frec_fields_step(2);
			pause();
		}
		printf("forked %d\n", (int)child);
	} else if (!strcmp(line, "reap")) {
		kill(child, SIGTERM);
		waitpid(child, NULL, 0);
	} else if (!strcmp(line, "exec")) {
		execl("/proc/self/exe", "fields", "pause", (char *)NULL);
	}
}

int main(int argc, char **argv)
{
	static const char *const tags[] = {"service.version=1.4.2",
					   "service.name=checkout",
					   "deployment.environment.name=test\x01\xff\n",
					   "host.name=liar",
					   "equals=a=b",
					   "empty=",
					   NULL};
	const char *events[] = {"fields:*", NULL};
	char error[400] = "";
	struct frec_recorder_options options = {.size = sizeof(options),
						.events = events,
						.ring_size = 65536,
						.error = error,
						.error_size = sizeof(error)};
	struct frec_recorder *recorder = NULL;
	struct frec_notice notice;
	char line[256];
	bool keeper, last = false;
	int fd = -1;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 2 && !strcmp(argv[1], "pause")) {
		printf("executed %d\n", (int)getpid());
		return fgets(line, sizeof(line), stdin) ? 0 : 1;
	}
	if (argc < 3)
		return 2;
	keeper = !strcmp(argv[1], "keeper");
	if (keeper) {
		options.folder = argv[2];
		options.keeper = argv[3];
	} else {
		options.socket = argv[2];
	}
	check(frec_trigger_fields("t", "a", "1") == -ENOTCONN, "there is no recorder yet");
	refused();
	refused_tags(&options);
	options.notify_fd = &fd;
	if (start_with(&options, tags, &recorder)) {
		printf("FAILED start: %s\n", error);
		return 1;
	}
	check(fd >= 512 && fcntl(fd, F_GETFD) == FD_CLOEXEC && fcntl(fd, F_GETFL) & O_NONBLOCK &&
		      read(fd, &notice, sizeof(notice)) == -1 && errno == EAGAIN,
	      "the descriptor is high, close-on-exec and does not block");
	refused();
	frec_fields_step(0);
	if (!strcmp(argv[argc - 1], "wait")) {
		printf("ready %d\n", (int)getpid());
		while (fgets(line, sizeof(line), stdin))
			obey(line, fd);
		return failed;
	}
	hostile(fd);
	trigger_in_a_handler();
	expect_notice(fd, "from_handler");
	flood(fd);
	// A recorder may make one snapshot of several triggers that have the same name.
	check(!frec_trigger_fields("same", "n", "1") && !frec_trigger_fields("same", "n", "2") &&
		      !frec_trigger_fields("same", "n", "3"),
	      "the same trigger three times");
	check(!frec_trigger("last"), "trigger");
	frec_recorder_stop(recorder);
	if (keeper) {
		// Notices of snapshots that were finished before the stop can still be read; then
		// read(2) returns 0.
		while (next_notice(fd, &notice))
			last |= !strcmp(notice.name, "last");
		check(last && read(fd, &notice, sizeof(notice)) == 0,
		      "after the last notice comes the end");
	}
	close(fd);
	return failed;
}
