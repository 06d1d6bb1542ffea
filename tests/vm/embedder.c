// SPDX-License-Identifier: MIT
// A service that embeds its recorder and then forks, closes descriptors, executes itself, or is
// interrupted.
//
//	embedder KEEPER FOLDER WHAT		prints a line per check, "ok ..." or "FAILED ..."
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <flightrec/event.h>
#include <flightrec/recorder.h>

FREC_EVENT(test, embedded, FREC_U32(number));

static char error[256];
static struct frec_recorder *recorder;

static void check(int good, const char *what)
{
	printf("%s %s\n", good ? "ok" : "FAILED", what);
	fflush(stdout);
}

static int start(const char *keeper, const char *folder)
{
	const char *events[] = {"test:*", NULL};
	struct frec_recorder_options options = {.size = sizeof(options),
						.folder = folder,
						.ring_size = 65536,
						.events = events,
						.keeper = keeper,
						.error = error,
						.error_size = sizeof(error)};

	return frec_recorder_start(&options, &recorder);
}

static int files(const char *folder)
{
	DIR *listing = opendir(folder);
	struct dirent *entry;
	int count = 0;

	while (listing && (entry = readdir(listing)))
		count += strstr(entry->d_name, ".frec") && entry->d_name[0] != '.';
	if (listing)
		closedir(listing);
	return count;
}

static int wait_for_files(const char *folder, int wanted)
{
	for (int i = 0; i < 2000 && files(folder) < wanted; i++)
		usleep(20000);
	return files(folder) >= wanted;
}

// Returns the first descriptor of this process that is a socket, or -1.
static int find_socket(void)
{
	for (int fd = 3; fd < 1024; fd++) {
		struct stat status;

		if (!fstat(fd, &status) && S_ISSOCK(status.st_mode))
			return fd;
	}
	return -1;
}

static void forked(const char *folder)
{
	pid_t child = fork();

	if (!child) {
		frec_recorder_stop(recorder);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	check(frec_trigger("after") == 0 && wait_for_files(folder, 1),
	      "a child's stop leaves the parent's recorder alone");
}

static void closed(void)
{
	int fd = find_socket(), pipes[2];
	char byte;

	check(fd >= 512, "the socket has a high descriptor");
	check(pipe(pipes) == 0 && dup2(pipes[1], fd) == fd, "another file gets its descriptor");
	check(frec_trigger("lost") == -ENOTCONN, "a trigger reports that the socket is gone");
	frec_recorder_stop(recorder);
	check(fcntl(fd, F_GETFD) >= 0, "stop leaves the other file open");
	fcntl(pipes[0], F_SETFL, O_NONBLOCK);
	check(read(pipes[0], &byte, 1) < 0 && errno == EAGAIN,
	      "nothing was written to the other file");
}

static void flood(const char *folder)
{
	int accepted = 0;

	// Triggers of one name would become one snapshot.
	for (int i = 0; i < 2000; i++) {
		char name[32];

		snprintf(name, sizeof(name), "flood %d", i);
		accepted += !frec_trigger(name);
	}
	check(accepted > 0 && accepted < 2000, "more triggers than can wait are refused");
	frec_recorder_stop(recorder);
	// frec_recorder_stop() waits only a few seconds, but the keeper finishes all snapshots.
	check(wait_for_files(folder, accepted) && files(folder) == accepted,
	      "the accepted ones are finished");
}

static volatile sig_atomic_t ticks;

static void tick(int sig)
{
	(void)sig;
	ticks++;
}

int main(int argc, char **argv)
{
	const struct itimerval fast = {{0, 5000}, {0, 5000}}, off = {{0, 0}, {0, 0}};
	const struct sigaction action = {.sa_handler = tick};

	if (argc < 4)
		return 2;
	if (!strcmp(argv[3], "ended"))
		return 0;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &fast, NULL);
	errno = 0;
	check(start(argv[1], argv[2]) == 0, *error ? error : "it starts while a timer interrupts");
	setitimer(ITIMER_REAL, &off, NULL);
	check(start(argv[1], argv[2]) == -EALREADY, "a second recorder in one process is refused");
	check(frec_test_embedded_enabled(), "its events are on when start returns");
	check(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD, "it left no child");
	for (uint32_t i = 0; i < 10; i++)
		frec_test_embedded(i);
	if (!strcmp(argv[3], "fork"))
		forked(argv[2]);
	else if (!strcmp(argv[3], "close"))
		closed();
	else if (!strcmp(argv[3], "flood"))
		flood(argv[2]);
	else if (!strcmp(argv[3], "exec")) {
		execl("/proc/self/exe", argv[0], argv[1], argv[2], "ended", (char *)NULL);
		return 1;
	}
	if (strcmp(argv[3], "exit"))
		frec_recorder_stop(recorder);
	return 0;
}
