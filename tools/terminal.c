// SPDX-License-Identifier: MIT
// Colours and the pager. If there is no pager (PAGER is cat or empty, or it is unset and less is
// not found), the output goes to the terminal.
#include "tools/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

// The exit statuses of a shell that cannot run a command, as POSIX defines them.
#define SHELL_CANNOT_RUN 126
#define SHELL_NOT_FOUND 127

bool frec__terminal_parse_when(const char *word, enum frec_when *ret)
{
	static const char *const words[] = {"auto", "always", "never"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcmp(word, words[i])) {
			*ret = (enum frec_when)i;
			return true;
		}
	}
	return false;
}

bool frec__terminal_colored(enum frec_when when)
{
	const char *no_color = getenv("NO_COLOR"), *terminal = getenv("TERM");

	if (when != FREC_WHEN_AUTO)
		return when == FREC_WHEN_ALWAYS;
	return isatty(STDOUT_FILENO) && !(no_color && *no_color) &&
	       !(terminal && !strcmp(terminal, "dumb"));
}

static int spawn(const char *command, int input, pid_t *ret)
{
	// The options of less(1): quit if the text fits on one screen, show colours, leave the text
	// on the screen at the end.
	char *less[] = {"less", "-FRX", NULL}, *shell[] = {"sh", "-c", (char *)command, NULL};
	posix_spawn_file_actions_t actions;
	int error = posix_spawn_file_actions_init(&actions);

	if (error)
		return error;
	error = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	if (!error && command)
		error = posix_spawnp(ret, "sh", &actions, NULL, shell, environ);
	else if (!error)
		error = posix_spawnp(ret, "less", &actions, NULL, less, environ);
	posix_spawn_file_actions_destroy(&actions);
	return error;
}

void frec__pager_start(struct frec_pager *pager)
{
	const char *command = getenv("PAGER");
	int ends[2];

	*pager = (struct frec_pager){.fd = STDOUT_FILENO, .pid = -1};
	if (!isatty(STDOUT_FILENO) || (command && (!*command || !strcmp(command, "cat"))))
		return;
	if (pipe2(ends, O_CLOEXEC))
		return;
	if (spawn(command, ends[0], &pager->pid)) {
		pager->pid = -1;
		close(ends[1]);
	} else {
		// Ctrl-C is for the pager, which has the terminal, so this program ignores the
		// signal.
		signal(SIGINT, SIG_IGN);
		signal(SIGPIPE, SIG_IGN);
		pager->fd = ends[1];
	}
	close(ends[0]);
}

bool frec__pager_end(struct frec_pager *pager)
{
	int status = 0;

	if (pager->pid < 0)
		return true;
	close(pager->fd);
	while (waitpid(pager->pid, &status, 0) < 0 && errno == EINTR)
		;
	pager->pid = -1;
	return !WIFEXITED(status) || WEXITSTATUS(status) < SHELL_CANNOT_RUN ||
	       WEXITSTATUS(status) > SHELL_NOT_FOUND;
}
