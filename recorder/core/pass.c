// SPDX-License-Identifier: MIT
// Passes a core dump to a command through a pipe. file.c writes files instead.
#include "recorder/core/pass.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/rights.h"
#include "recorder/core/file.h"
#include "recorder/core/socket.h"

#define PIECE (1u << 20)

// Moves everything from a file or pipe into a pipe. If the reader closes that pipe early, this is
// no failure.
static int feed(int from, int pipe)
{
	for (;;) {
		ssize_t n = splice(from, NULL, pipe, NULL, PIECE, SPLICE_F_MORE);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n && errno != EPIPE ? -errno : 0;
	}
}

// Replaces this process with the command, which gets the signals and descriptors that the kernel
// would give it. Our own descriptors are closed by exec.
static void become(char **command, int input)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	dup2(input, STDIN_FILENO);
	execv(command[0], command);
	_exit(127);
}

static int pass_to_command(const char *pattern, const struct frec_core_values *values, int kept,
			   int source, struct frec_error *reterr)
{
	FREC_FREE char **command = NULL;
	int pipes[2], status, r = frec__core_pattern_command(pattern, values, &command);
	pid_t child;

	if (r)
		return frec__error(reterr, r,
				   "kernel.core_pattern was \"%s\", which names no command",
				   pattern);
	if (pipe2(pipes, O_CLOEXEC))
		return frec__error(reterr, -errno, "pipe: %s", strerror(errno));
	signal(SIGPIPE, SIG_IGN);
	child = fork();
	if (!child)
		become(command, pipes[0]);
	close(pipes[0]);
	if (child < 0) {
		close(pipes[1]);
		return frec__error(reterr, -errno, "fork: %s", strerror(errno));
	}
	(void)frec__rights_keep(FREC_RIGHTS_NONE); // moving bytes takes none
	r = feed(kept, pipes[1]);
	if (!r || r == -EINVAL) // splice(2) refuses /dev/null, which is `kept` if nothing was kept
		r = feed(source, pipes[1]);
	close(pipes[1]);
	// With kernel.core_pipe_limit the kernel keeps the process until the reader of its pipe
	// ends, so we must not end before the command does.
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (r)
		return frec__error(reterr, r, "%s: the core dump was cut: %s", command[0],
				   strerror(-r));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return frec__error(reterr, -ENOEXEC,
				   "%s: could not be run to receive the core dump", command[0]);
	return 0;
}

int frec__core_pass_on(const char *pattern, const struct frec_core_values *values, int kept,
		       int source, struct frec_error *reterr)
{
	if (lseek(kept, 0, SEEK_SET) < 0 && errno != ESPIPE)
		return frec__error(reterr, -errno, "lseek: %s", strerror(errno));
	if (*pattern == '|')
		return pass_to_command(pattern, values, kept, source, reterr);
	if (*pattern == '@')
		return frec__core_socket_send(pattern, kept, source, reterr);
	return frec__core_file_write(pattern, values, kept, source, reterr);
}
