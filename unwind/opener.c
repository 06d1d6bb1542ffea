// SPDX-License-Identifier: MIT
// The process that asks and the opener share a pair of sockets. Each request is one message: a
// letter (see OPEN) and a path or a build-id. Each answer is one message, a struct answer, and
// carries a descriptor if `result` is 0.
#include "unwind/opener.h"

#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/close_others.h"
#include "proto/regular_file.h"
#include "proto/rights.h"
#include "unwind/debuginfod.h"
#include "unwind/elf_file.h"

// The letter of a request to open a path. The letter of any other request is the first letter of
// `kind`, as frec__debuginfod() gets it.
enum { OPEN = 'o' };

struct answer {
	int result;	     // 0 or a negative errno
	char path[PATH_MAX]; // of the copy of a file that a debuginfod server sent, else empty
};

static int opener = -1; // the asking process's end of the pair of sockets

// Returns whether this is a program, a library, or debugging information. A core file, which is the
// memory of a process, is none of these.
static bool is_program(int fd)
{
	Elf64_Ehdr header;

	return pread(fd, &header, sizeof(header), 0) == sizeof(header) &&
	       !memcmp(header.e_ident, ELFMAG, SELFMAG) && header.e_type != ET_CORE;
}

static int open_for(const char *request, size_t size, bool debuginfod, struct answer *answer)
{
	struct frec_build_id build_id = {.size = size - 1};
	FREC_FREE char *path = NULL;
	int fd;

	if (*request == OPEN)
		return size > 1 && !request[size - 1] ? frec__open_regular(request + 1) : -EINVAL;
	if (!debuginfod || build_id.size > sizeof(build_id.bytes))
		return -ENOENT;
	memcpy(build_id.bytes, request + 1, build_id.size);
	errno = 0;
	fd = frec__debuginfod(*request == 'e' ? "executable" : "debuginfo", &build_id, &path);
	if (fd < 0 && errno == ENOMEM)
		fd = -ENOMEM;
	if (fd >= 0 && path)
		strncpy(answer->path, path, sizeof(answer->path) - 1);
	return fd;
}

union control {
	struct cmsghdr header;
	char space[CMSG_SPACE(sizeof(int))];
};

static bool send_answer(int socket, const struct answer *answer, int fd)
{
	union control control = {0};
	struct iovec data = {(void *)(uintptr_t)answer, sizeof(*answer)};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};

	if (fd >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
		control.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(fd)),
						  .cmsg_level = SOL_SOCKET,
						  .cmsg_type = SCM_RIGHTS};
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	}
	return sendmsg(socket, &message, MSG_NOSIGNAL) == sizeof(*answer);
}

static void serve(int socket, bool debuginfod)
{
	char request[PATH_MAX + 2];
	ssize_t size;

	while ((size = recv(socket, request, sizeof(request), 0)) > 0) {
		struct answer answer = {0};
		FREC_CLOSE int fd = open_for(request, (size_t)size, debuginfod, &answer);

		// The path may be a stranger's choice, so only programs are handed over.
		if (fd >= 0 && !is_program(fd)) {
			close(fd);
			fd = -ENOEXEC;
		}
		answer.result = fd < 0 ? fd : 0;
		if (!send_answer(socket, &answer, fd))
			break;
	}
}

// Sends a request to the opener and waits for the answer. Returns a descriptor or a negative errno.
static int ask(char kind, const void *data, size_t size, char **ret_path)
{
	struct answer answer;
	union control control;
	struct iovec question[] = {{&kind, 1}, {(void *)(uintptr_t)data, size}};
	struct iovec reply = {&answer, sizeof(answer)};
	struct msghdr request = {.msg_iov = question, .msg_iovlen = 2};
	struct msghdr message = {.msg_iov = &reply,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	const struct cmsghdr *header;
	int fd = -1;

	if (opener < 0 || sendmsg(opener, &request, MSG_NOSIGNAL) < 0 ||
	    recvmsg(opener, &message, MSG_CMSG_CLOEXEC) != sizeof(answer))
		return -EPIPE;
	header = CMSG_FIRSTHDR(&message);
	if (header && header->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	if (fd < 0)
		return answer.result < 0 ? answer.result : -EACCES;
	answer.path[sizeof(answer.path) - 1] = 0;
	if (ret_path)
		*ret_path = strdup(answer.path);
	return fd;
}

static int open_through(const char *path)
{
	size_t size = strlen(path) + 1;

	return size > PATH_MAX ? -ENAMETOOLONG : ask(OPEN, path, size, NULL);
}

static int debuginfod_through(const char *kind, const struct frec_build_id *build_id,
			      char **ret_path)
{
	return ask(*kind, build_id->bytes, build_id->size, ret_path);
}

bool frec__opener_start(bool debuginfod, const int *held, size_t count)
{
	int ends[2];
	pid_t pid;

	frec__elf_open_through(open_through);
	frec__debuginfod_through(debuginfod_through);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return false;
	pid = fork();
	if (!pid) {
		// Whoever reads the command's output waits until all processes have closed it.
		dup2(ends[1], STDIN_FILENO);
		close(STDOUT_FILENO);
		frec__close_others(STDERR_FILENO + 1, held, count);
		signal(SIGINT, SIG_IGN); // the opener ends with the process that asks
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		if (frec__rights_keep(FREC_RIGHTS_OF_OPENER))
			_exit(1);
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		frec__elf_open_through(NULL);
		frec__debuginfod_through(NULL);
		serve(STDIN_FILENO, debuginfod);
		_exit(0);
	}
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return false;
	}
	opener = ends[0];
	return true;
}
