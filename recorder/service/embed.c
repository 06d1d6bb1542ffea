// SPDX-License-Identifier: MIT
// frec_recorder_start(), frec_trigger() and frec_recorder_stop(): starting a keeper, or connecting
// to a recorder that listens.
#include "flightrec/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "flightrec/event.h"
#include "recorder/service/control.h"
#include "recorder/service/control_message.h"
#include "recorder/service/registration.h"
#include "recorder/service/shm.h"
#include "recorder/service/shm_attach.h"

#define ANSWER_TIMEOUT 10000 /* milliseconds */
#define KEEPER_FD 3	     /* where the keeper expects its socket; see tools/cmd_keep.c */
#define EVENTS_MAX 256

// Our socket gets a high number, because services close and reuse low ones.
#define SOCKET_MIN 512

_Static_assert(FREC_TRIGGER_PAIRS_MAX == FREC_REQUEST_PAIRS_MAX &&
		       FREC_TRIGGER_KEY_MAX == FREC_REQUEST_KEY_MAX &&
		       FREC_TRIGGER_VALUE_MAX == FREC_REQUEST_VALUE_MAX,
	       "what is promised is what is sent");

struct frec_recorder {
	int socket;
	bool ours; /* at the other end is a keeper that this library started */
	pid_t pid; /* the process that started the recorder; a forked child keeps this value */
	/* identify the file behind `socket`, in case its number was closed and reused */
	dev_t device;
	ino_t inode;
	const char *transport; /* how events reach the recorder */
	char transport_why[FREC_REPLY_TEXT_MAX];
};

static struct frec_recorder recorder = {.socket = -1};

// Returns whether `socket` still refers to our socket: some services close all descriptors that
// they did not open, and then the number can be reused. Async-signal-safe.
static bool socket_is_ours(int socket)
{
	struct stat status;
	int error = errno;
	bool ours = socket >= 0 && !fstat(socket, &status) && status.st_dev == recorder.device &&
		    status.st_ino == recorder.inode;

	errno = error;
	return ours;
}

static int keep_socket(int socket, const struct frec_reply *reply, bool ours)
{
	static const char *const names[] = {[FREC_REPLY_USER_EVENTS] = "user_events",
					    [FREC_REPLY_USDT] = "usdt",
					    [FREC_REPLY_SHM] = "shm"};
	int high = fcntl(socket, F_DUPFD_CLOEXEC, SOCKET_MIN);
	struct stat status;

	if (high >= 0) { // If RLIMIT_NOFILE allows no high number, the low one stays.
		close(socket);
		socket = high;
	}
	if (fstat(socket, &status))
		return -errno;
	recorder = (struct frec_recorder){.socket = -1,
					  .ours = ours,
					  .pid = getpid(),
					  .device = status.st_dev,
					  .inode = status.st_ino,
					  .transport = "unknown"};
	if (reply->transport < sizeof(names) / sizeof(names[0]) && names[reply->transport])
		recorder.transport = names[reply->transport];
	memcpy(recorder.transport_why, reply->transport_why, sizeof(recorder.transport_why));
	__atomic_store_n(&recorder.socket, socket, __ATOMIC_RELEASE);
	return 0;
}

// Copies the caller's options, which may be those of another version: only `size` is in every
// version. Options that the caller's version lacks are 0. Returns 0 or -EINVAL.
static int check_options(const struct frec_recorder_options *options,
			 struct frec_recorder_options *ret)
{
	const char *bytes = (const char *)options;

	*ret = (struct frec_recorder_options){.size = sizeof(*ret)};
	if (!options)
		return 0;
	if (options->size < sizeof(options->size))
		return -EINVAL;
	memcpy(ret, options, options->size < sizeof(*ret) ? options->size : sizeof(*ret));
	// Refuse values for options that this version does not have.
	for (size_t i = sizeof(*ret); i < options->size; i++) {
		if (bytes[i])
			return -EINVAL;
	}
	return 0;
}

static int fail(const struct frec_recorder_options *options, int code, const char *what,
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

// Attaches to the memory of a recorder, and closes `fd`, which is -1 if the recorder shares none.
// Returns 0 or a negative errno.
static int take_memory(int fd)
{
	int r;

	if (fd < 0)
		return 0;
	r = frec__shm_attach(fd);
	// A process that connects to the same recorder again is still attached to its memory.
	if (r == -EALREADY && frec__shm_is_mapped(fd))
		r = 0;
	close(fd);
	return r;
}

static int fail_memory(const struct frec_recorder_options *options, int code)
{
	return fail(options, code, "events cannot be written into the recorder's memory",
		    code == -EALREADY ? "another recorder's is in use" : strerror(-code));
}

// Ends a keeper that has started, or that may still start after its answer has timed out.
static void dismiss(int socket)
{
	(void)frec__request_send(socket, &(struct frec_request){.kind = FREC_REQUEST_STOP}, -1);
	close(socket);
}

static int fail_spawn(const struct frec_recorder_options *options, int code)
{
	char why[160];
	struct rlimit limit;

	if (code != -EAGAIN || getrlimit(RLIMIT_NPROC, &limit))
		return fail(options, code, options->keeper ? options->keeper : "flightrec",
			    strerror(-code));
	snprintf(why, sizeof(why),
		 "RLIMIT_NPROC is %lld ('ulimit -u', LimitNPROC= of a unit), which the processes "
		 "of this user reach, or this thread has SCHED_DEADLINE",
		 (long long)limit.rlim_cur);
	return fail(options, code, "no process for the keeper", why);
}

static int start_keeper(const struct frec_recorder_options *options)
{
	char text[16384];
	struct frec_reply reply;
	char *argv[2 * EVENTS_MAX + 2 * FREC_TRIGGER_PAIRS_MAX + 22];
	int fd, sockets[2], r = keeper_arguments(options, text, sizeof(text), argv);
	char **variables;
	pid_t pid;

	if (r)
		return fail(options, r, "folder or events are too long", "");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets))
		return fail(options, -errno, "socketpair", strerror(errno));
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
	r = frec__reply_receive(sockets[0], &reply, &fd, ANSWER_TIMEOUT);
	if (!r && reply.done) {
		r = take_memory(fd);
		if (!r)
			return keep_socket(sockets[0], &reply, true);
		dismiss(sockets[0]);
		return fail_memory(options, r);
	}
	if (fd >= 0)
		close(fd);
	dismiss(sockets[0]);
	if (!r)
		return fail(options, -ENOTSUP, reply.error, "");
	return fail(options, r == -ETIMEDOUT ? r : -EPIPE, "the keeper did not start",
		    r == -EPIPE ? "" : strerror(-r));
}

static int attach(const struct frec_recorder_options *options, int socket, struct frec_reply *ret)
{
	const struct frec_request request = {.kind = FREC_REQUEST_ATTACH, .tags = options->tags};
	int fd, r = frec__request_send(socket, &request, -1);

	if (!r)
		r = frec__reply_receive(socket, ret, &fd, ANSWER_TIMEOUT);
	if (r)
		return fail(options, r, options->socket,
			    r == -EPIPE ? "the recorder hung up" : strerror(-r));
	if (!ret->done) {
		if (fd >= 0)
			close(fd);
		return fail(options, -ENOTSUP, ret->error, "");
	}
	if (ret->transport != FREC_REPLY_USER_EVENTS) {
		r = take_memory(fd);
		return r ? fail_memory(options, r) : 0;
	}
	if (fd < 0)
		return fail(options, -ENOTSUP, options->socket,
			    "the recorder sent no descriptor of user_events_data");
	r = frec_register_fd(fd);
	close(fd);
	return r ? fail(options, r, "events cannot be registered with the recorder's descriptor",
			strerror(-r))
		 : 0;
}

static int connect_recorder(const struct frec_recorder_options *options)
{
	struct frec_reply reply;
	int socket = frec__control_connect(options->socket), r;

	if (socket < 0)
		return fail(options, socket, options->socket, strerror(-socket));
	r = attach(options, socket, &reply);
	if (!r)
		return keep_socket(socket, &reply, false);
	close(socket);
	return r;
}

// Returns whether one of `count` texts, which are `step` elements apart, has the key of `size`
// bytes at `key`. The key of a text ends before its first '=' or at its end.
static bool has_key(const char *const *texts, size_t count, size_t step, const char *key,
		    size_t size)
{
	for (size_t i = 0; i < count; i++) {
		const char *other = texts[i * step];

		if (strcspn(other, "=") == size && !memcmp(other, key, size))
			return true;
	}
	return false;
}

static int check_tags(const struct frec_recorder_options *options)
{
	for (size_t i = 0; options->tags && options->tags[i]; i++) {
		const char *tag = options->tags[i];
		size_t size = strcspn(tag, "=");

		if (i == FREC_TRIGGER_PAIRS_MAX)
			return fail(options, -E2BIG, "there are more than 16 tags", "");
		if (!tag[size] || !frec__request_key_valid(tag, size))
			return fail(options, -EINVAL, tag,
				    "a tag is KEY=VALUE, with a key of 1 to 64 printable ASCII "
				    "characters without spaces");
		if (has_key(options->tags, i, 1, tag, size))
			return fail(options, -EINVAL, tag, "another tag has the same key");
	}
	return 0;
}

// Asks the recorder, which has just started, for a descriptor of notices. Returns 0, or stops the
// recorder and returns a negative errno.
static int open_notices(const struct frec_recorder_options *options)
{
	struct frec_reply reply = {.done = false};
	int fd = -1, high, socket = recorder.socket;
	int r = frec__request_send(socket, &(struct frec_request){.kind = FREC_REQUEST_NOTICES},
				   -1);

	if (!r)
		r = frec__reply_receive(socket, &reply, &fd, ANSWER_TIMEOUT);
	if (!r && reply.done && fd >= 0) {
		high = fcntl(fd, F_DUPFD_CLOEXEC, SOCKET_MIN);
		if (high >= 0)
			close(fd);
		*options->notify_fd = high >= 0 ? high : fd;
		return 0;
	}
	if (fd >= 0)
		close(fd);
	frec_recorder_stop(&recorder);
	return fail(options, r ? r : -ENOTSUP, "the recorder gives no descriptor of notices",
		    r ? strerror(-r) : reply.error);
}

// Returns whether the recorder is gone, for example because it was killed. Then another one can be
// started.
static bool hung_up(int socket)
{
	struct pollfd poller = {.fd = socket};

	return poll(&poller, 1, 0) == 1 && poller.revents & (POLLHUP | POLLERR);
}

static void log_transport(void)
{
	char line[FREC_REPLY_TEXT_MAX + 64];

	snprintf(line, sizeof(line), "events are recorded by %s: %s", recorder.transport,
		 recorder.transport_why);
	frec__log(line);
}

int frec_recorder_start(const struct frec_recorder_options *options, struct frec_recorder **ret)
{
	struct frec_recorder_options known;
	int r = check_options(options, &known);

	if (r)
		return fail(&known, r, "the options are not those of this version of flightrec",
			    "");
	if (socket_is_ours(recorder.socket) && hung_up(recorder.socket)) {
		close(recorder.socket);
		__atomic_store_n(&recorder.socket, -1, __ATOMIC_RELAXED);
	}
	if (socket_is_ours(recorder.socket))
		return fail(&known, -EALREADY, "this process has a recorder already", "");
	r = check_tags(&known);
	if (r)
		return r;
	// Try again to register the events that could not be registered when they were loaded.
	(void)frec_register();
	r = known.socket ? connect_recorder(&known) : start_keeper(&known);
	if (!r && known.notify_fd)
		r = open_notices(&known);
	if (r)
		return r;
	log_transport();
	*ret = &recorder;
	return 0;
}

const char *frec_recorder_transport(const struct frec_recorder *started, const char **ret_why)
{
	if (ret_why)
		*ret_why = started->transport_why;
	return started->transport;
}

// Announces that the service ends through exit(3). A recorder without the right to watch the kernel
// may have no other way to learn this.
__attribute__((destructor)) static void announce_end(void)
{
	int socket = recorder.socket;

	if (frec__shm_announce_end())
		return;
	// If there is no recorder, make no system call: a program that has entered seccomp might be
	// killed for it.
	if (socket >= 0 && recorder.pid == getpid() && socket_is_ours(socket))
		(void)frec__request_send(socket, &(struct frec_request){.kind = FREC_REQUEST_END},
					 -1);
}

// Turns an error from sending a request into one that frec_trigger() documents.
static int trigger_error(int r)
{
	switch (r) {
	case -EPIPE:
	case -ECONNRESET:
	case -ECONNREFUSED:
		return -ENOTCONN; // the recorder is gone
	case -ENOBUFS:
	case -ENOMEM:
		return -EAGAIN;
	default:
		return r;
	}
}

int frec_trigger(const char *name)
{
	return frec_trigger_pairs(name, NULL, 0);
}

int frec_trigger_pairs(const char *name, const char *const *pairs, size_t count)
{
	const struct frec_request request = {
		.kind = FREC_REQUEST_NOTIFY, .name = name, .pair = pairs, .pairs = count};
	// Pairs with the release store in keep_socket().
	int socket = __atomic_load_n(&recorder.socket, __ATOMIC_ACQUIRE);

	if (!name || !frec__trigger_name_valid(name))
		return -EINVAL;
	if (count > FREC_TRIGGER_PAIRS_MAX)
		return -E2BIG;
	for (size_t i = 0; i < count; i++) {
		const char *key = pairs[2 * i];

		if (!key || !frec__request_key_valid(key, strnlen(key, FREC_TRIGGER_KEY_MAX + 1)) ||
		    has_key(pairs, i, 2, key, strlen(key)))
			return -EINVAL;
	}
	if (!socket_is_ours(socket))
		return -ENOTCONN;
	return trigger_error(frec__request_send(socket, &request, -1));
}

// Sends a request that must not be dropped: if a flood of triggers fills the socket, waits for the
// keeper to read some of them, but gives up after 10 s without progress. Returns 0 or a negative
// errno.
static int send_for_sure(int socket, enum frec_request_kind kind)
{
	struct pollfd poller = {.fd = socket, .events = POLLOUT};
	int r;

	do {
		r = frec__request_send(socket, &(struct frec_request){.kind = kind}, -1);
	} while (r == -EAGAIN && (poll(&poller, 1, ANSWER_TIMEOUT) > 0 || errno == EINTR));
	return r;
}

void frec_recorder_stop(struct frec_recorder *stopped)
{
	char message[64];
	int socket = recorder.socket;

	if (!stopped || socket < 0)
		return;
	__atomic_store_n(&recorder.socket, -1, __ATOMIC_RELAXED);
	if (!socket_is_ours(socket))
		return; // The program closed the socket itself, and the keeper has seen that.
	// A keeper first writes the snapshots that it was asked for, and then closes its end. A
	// recorder at options.socket goes on without us.
	if (recorder.ours && recorder.pid == getpid()) {
		// STOP tells the keeper that the service is not dying. If the socket were only
		// closed, the keeper would wait for the service to end.
		(void)send_for_sure(socket, FREC_REQUEST_STOP);
		shutdown(socket, SHUT_WR);
		while (frec__control_receive(socket, message, sizeof(message), NULL,
					     ANSWER_TIMEOUT) > 0)
			;
	} else if (recorder.ours) {
		// This process was forked from the one that started the recorder. If that process
		// has ended, the keeper ends too; else the keeper answers that it goes on.
		if (!send_for_sure(socket, FREC_REQUEST_LEAVE))
			(void)frec__control_receive(socket, message, sizeof(message), NULL,
						    ANSWER_TIMEOUT);
	}
	close(socket);
	frec__shm_detached(); // a recorder that was killed has not given its memory back
}
