// SPDX-License-Identifier: MIT
#include "recorder/service/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "recorder/service/shm.h"
#include "recorder/service/shm_attach.h"

#define KEEPER_FD 3 /* where the keeper expects its socket; see tools/cmd_keep.c */
#define EVENTS_MAX 256

int frec__start_fail(const struct frec_recorder_options *options, int code, const char *what,
		     const char *why)
{
	if (options->error && options->error_size)
		snprintf(options->error, options->error_size, "%s%s%s", what, *why ? ": " : "",
			 why);
	return code;
}

// Fills `argv` with the keeper's arguments. The strings that it makes for them are in `text`.
// Returns 0 or a negative errno.
static int keeper_arguments(const struct frec_recorder_options *options, char *text, size_t size,
			    char **argv)
{
	int argc = 0;
	size_t at = 0;

	argv[argc++] = (char *)"flightrec";
	argv[argc++] = (char *)"keep";
#define ADD(option, format, value) \
	do { \
		int n_ = snprintf(text + at, size - at, format, value); \
		if (n_ < 0 || (size_t)n_ >= size - at) \
			return -ENAMETOOLONG; \
		argv[argc++] = (char *)(option); \
		argv[argc++] = text + at; \
		at += (size_t)n_ + 1; \
	} while (0)
	ADD("--pid", "%d", (int)getpid());
	for (size_t i = 0; options->tags && options->tags[i]; i++) {
		argv[argc++] = (char *)"--tag";
		argv[argc++] = (char *)options->tags[i];
	}
	if (options->stack_bytes) {
		// The value of --stack is optional, so it has to be in the same argument.
		argv[argc++] = text + at;
		at += (size_t)snprintf(text + at, size - at, "--stack=%" PRIu64,
				       options->stack_bytes) +
		      1;
	}
	if (options->folder)
		ADD("-o", "%s", options->folder);
	if (options->ring_size)
		ADD("--ring-size", "%" PRIu64, options->ring_size);
	if (options->transport)
		ADD("--transport", "%s", options->transport);
	if (options->guard)
		argv[argc++] = (char *)"--guard";
	if (frec__shm_is_attached())
		argv[argc++] = (char *)"--memory-taken";
	if (options->drop_stack_bytes)
		argv[argc++] = (char *)"--drop-stack-bytes";
	if (options->quota)
		ADD("--quota", "%" PRIu64, options->quota);
	if (options->cooldown_ms)
		ADD("--cooldown", "%" PRIu64 "ms", options->cooldown_ms);
	for (size_t i = 0; options->events && options->events[i]; i++) {
		if (i == EVENTS_MAX)
			return -E2BIG;
		ADD("-e", "%s", options->events[i]);
	}
#undef ADD
	argv[argc] = NULL;
	return 0;
}

// Returns whether an environment variable is meant for the service and not for its keeper: it
// controls the service's dynamic loader or allocator, comes from the service manager, or is
// FREC_SHM_VARIABLE.
static bool is_for_service(const char *variable)
{
	static const char *const names[] = {
		"LD_PRELOAD=",	      "LD_AUDIT=", "LD_DEBUG", "LD_BIND_NOW",	 "LD_PROFILE",
		"GLIBC_TUNABLES=",    "MALLOC_",   "LISTEN_",  "NOTIFY_SOCKET=", "WATCHDOG_",
		FREC_SHM_VARIABLE "="};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strncmp(variable, names[i], strlen(names[i])))
			return true;
	return false;
}

// Whether this program has rights that whoever started it may not have: it is set-uid, or has file
// capabilities. Its environment then comes from a stranger.
static bool has_borrowed_rights(void)
{
	return getauxval(AT_SECURE);
}

// Makes the keeper's environment: pointers to those of our variables that are not for the service
// alone; none of a stranger's. The caller frees the array. Returns NULL if there is no memory.
static char **keeper_environment(void)
{
	extern char **environ;
	size_t count = 0, kept = 0;
	char **variables;

	while (environ && environ[count] && !has_borrowed_rights())
		count++;
	variables = calloc(count + 1, sizeof(*variables));
	if (!variables)
		return NULL;
	for (size_t i = 0; i < count; i++)
		if (!is_for_service(environ[i]))
			variables[kept++] = environ[i];
	return variables;
}

static int spawn(const struct frec_recorder_options *options, int socket, char **argv,
		 char **variables, pid_t *ret_pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t all, none;
	int r;

	sigfillset(&all);
	sigemptyset(&none);
	if (posix_spawn_file_actions_init(&actions))
		return -ENOMEM;
	if (posix_spawnattr_init(&attributes)) {
		posix_spawn_file_actions_destroy(&actions);
		return -ENOMEM;
	}
	// The keeper must not inherit which signals the service ignores or blocks.
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	posix_spawn_file_actions_adddup2(&actions, socket, KEEPER_FD);
	r = ENOENT;
	if (options->keeper)
		r = posix_spawn(ret_pid, options->keeper, &actions, &attributes, argv, variables);
	else if ((r = posix_spawn(ret_pid, FREC_BINARY_FOLDER "/flightrec", &actions, &attributes,
				  argv, variables)) &&
		 !has_borrowed_rights())
		r = posix_spawnp(ret_pid, "flightrec", &actions, &attributes, argv, variables);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return -r;
}

static int fail_spawn(const struct frec_recorder_options *options, int code)
{
	char why[160];
	struct rlimit limit;

	if (code != -EAGAIN || getrlimit(RLIMIT_NPROC, &limit))
		return frec__start_fail(options, code,
					options->keeper ? options->keeper : "flightrec",
					strerror(-code));
	snprintf(why, sizeof(why),
		 "RLIMIT_NPROC is %lld ('ulimit -u', LimitNPROC= of a unit), which the processes "
		 "of this user reach, or this thread has SCHED_DEADLINE",
		 (long long)limit.rlim_cur);
	return frec__start_fail(options, code, "no process for the keeper", why);
}

int frec__keeper_start(const struct frec_recorder_options *options, int *ret_socket)
{
	char text[16384];
	char *argv[2 * EVENTS_MAX + 2 * FREC_TRIGGER_PAIRS_MAX + 22];
	int sockets[2], r = keeper_arguments(options, text, sizeof(text), argv);
	char **variables;
	pid_t pid;

	if (r)
		return frec__start_fail(options, r, "folder or events are too long", "");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets))
		return frec__start_fail(options, -errno, "socketpair", strerror(errno));
	// Avoid 0 to 2, which belong to the keeper's standard streams, and KEEPER_FD: an old C
	// library would leave close-on-exec set on a descriptor that is duplicated onto itself.
	if (sockets[1] <= KEEPER_FD) {
		int moved = fcntl(sockets[1], F_DUPFD_CLOEXEC, KEEPER_FD + 1);

		r = moved < 0 ? -errno : 0;
		close(sockets[1]);
		sockets[1] = moved;
	}
	variables = keeper_environment();
	if (!r)
		r = variables ? spawn(options, sockets[1], argv, variables, &pid) : -ENOMEM;
	free(variables);
	close(sockets[1]);
	if (r) {
		close(sockets[0]);
		return fail_spawn(options, r);
	}
	// The child forks the keeper and exits at once. A SIGCHLD handler of the service may have
	// reaped the child already.
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	*ret_socket = sockets[0];
	return 0;
}
