// SPDX-License-Identifier: MIT
// Forks a child, and passes messages and descriptors through a socket.
#include "recorder/worker/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/close_others.h"

// How many milliseconds a child that has closed its socket may take to end.
#define END_PATIENCE 1000

static __attribute__((noreturn)) void run(const struct frec_sandbox *sandbox, int socket,
					  void (*serve)(void *context, int socket), void *context)
{
	const int kept = STDERR_FILENO + 1;

	// A child that hangs may never end, so it must not keep the parent's rings, breakpoints and
	// sockets open.
	if (socket != kept && (dup2(socket, kept) < 0 || fcntl(kept, F_SETFD, FD_CLOEXEC)))
		_exit(1);
	// Those of held files are closed by frec__sandbox_enter().
	frec__close_others(kept + 1, sandbox->held, sandbox->held_count);
	prctl(PR_SET_NAME, "flightrec-child", 0, 0, 0);
	if (frec__sandbox_enter(sandbox))
		_exit(1);
	serve(context, kept);
	_exit(0);
}

int frec__worker_start(struct frec_worker *worker, const struct frec_sandbox *sandbox,
		       void (*serve)(void *context, int socket), void *context)
{
	sigset_t all, before;
	int fds[2], r = 0;

	*worker = FREC_WORKER_NONE;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return -errno;
	// The parent's signal handlers must not run in the child. SIGPROF stays unblocked, because
	// a child may limit with it how long it works on one thing.
	sigfillset(&all);
	sigdelset(&all, SIGPROF);
	sigprocmask(SIG_SETMASK, &all, &before);
	worker->pid = fork();
	if (!worker->pid)
		run(sandbox, fds[1], serve, context);
	if (worker->pid < 0)
		r = -errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(fds[1]);
	if (r)
		close(fds[0]);
	else
		worker->fd = fds[0];
	return r;
}

void frec__worker_stop(struct frec_worker *worker)
{
	if (worker->fd < 0)
		return;
	close(worker->fd);
	worker->fd = -1;
	frec__child_kill(worker->pid);
}

void frec__worker_reap(struct frec_worker *worker, char *ret, size_t size)
{
	int status = 0;

	close(worker->fd);
	worker->fd = -1;
	if (!frec__child_ends_within(worker->pid, END_PATIENCE, &status)) {
		frec__child_kill(worker->pid);
		snprintf(ret, size, "a kill, because it did not exit");
	} else {
		snprintf(ret, size, "%s %d", WIFSIGNALED(status) ? "signal" : "exit status",
			 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	}
}

int frec__worker_send(int socket, const struct iovec *parts, size_t count, int fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)parts, .msg_iovlen = count};

	if (fd >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(int));
	}
	while (sendmsg(socket, &message, MSG_NOSIGNAL) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

ssize_t frec__worker_receive(int socket, void *data, size_t size, int *ret_fd, int flags)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = {.iov_base = data, .iov_len = size};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	const struct cmsghdr *header;
	ssize_t n;

	// The kernel closes descriptors for which there is no room in msg_control.
	if (ret_fd) {
		*ret_fd = -1;
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
	}
	do {
		n = recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	header = ret_fd ? CMSG_FIRSTHDR(&message) : NULL;
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
		memcpy(ret_fd, CMSG_DATA(header), sizeof(int));
	return message.msg_flags & MSG_TRUNC ? -EMSGSIZE : n;
}
