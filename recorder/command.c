// SPDX-License-Identifier: MIT
// Starting a command, recording it and judging its end.
#include "recorder/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "proto/clocks.h"
#include "proto/limits.h"
#include "proto/report.h"
#include "recorder/processes/proc_poll.h"
#include "recorder/service/control.h"
#include "recorder/service/shm.h"

// The lowest number for the descriptor of the memory that events are written into. The number is
// out of the way of the command's own descriptors.
#define MEMORY_MIN 512
// The most milliseconds to wait until the process has executed the command's program.
#define EXEC_PATIENCE 2000
// Exit statuses of a process that did not become the command.
#define EXIT_CANCELLED 1
#define EXIT_NO_COMMAND 127

// Puts the number of the memory's descriptor into the environment, where the command and the
// processes that it starts find it: see frec__shm_inherited().
static void hand_down(int memory)
{
	int fd = fcntl(memory, F_DUPFD, MEMORY_MIN);
	char number[16];

	// If the limit on descriptors does not allow a number that high, a low one has to do.
	if (fd < 0)
		fd = fcntl(memory, F_DUPFD, 3);
	snprintf(number, sizeof(number), "%d", fd);
	setenv(FREC_SHM_VARIABLE, number, 1);
}

// In such a variable, a service manager names the process that it has started. If that is the
// recorder, which is the parent, names the calling process instead, which becomes the command.
static void hand_down_role(const char *variable)
{
	const char *text = getenv(variable);
	char number[16];

	if (!text || atoll(text) != getppid())
		return;
	snprintf(number, sizeof(number), "%d", getpid());
	setenv(variable, number, 1);
}

// Runs in the child. Waits for the packet that frec__command_release() sends, then executes the
// command. The packet may carry the descriptor of the memory to write events into. The command
// starts with the handling of SIGCHLD that the recorder inherited, and with no signal blocked.
static _Noreturn void become(char **arguments, int socket, void (*inherited)(int))
{
	sigset_t none;
	char go;
	int memory;

	if (frec__control_receive(socket, &go, sizeof(go), &memory, -1) <= 0)
		_exit(EXIT_CANCELLED);
	// The environment may have the variable of another recorder, under which this one runs. But
	// a process can use only one recorder.
	unsetenv(FREC_SHM_VARIABLE);
	if (memory >= 0)
		hand_down(memory);
	hand_down_role("LISTEN_PID");
	hand_down_role("WATCHDOG_PID");
	signal(SIGCHLD, inherited);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvp(arguments[0], arguments);
	fprintf(stderr, "flightrec: %s: %s\n", arguments[0], strerror(errno));
	_exit(EXIT_NO_COMMAND);
}

int frec__command_start(struct frec_command *command, char **arguments, struct frec_error *reterr)
{
	// If SIGCHLD were ignored, there would be no exit status to wait for.
	void (*inherited)(int) = signal(SIGCHLD, SIG_DFL);
	int sockets[2], r;

	*command = (struct frec_command){.go = -1, .end = -1};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets))
		return frec__limit_error(reterr, -errno, 0, "cannot make a socket");
	command->pid = fork();
	if (command->pid == 0) {
		close(sockets[1]);
		become(arguments, sockets[0], inherited);
	}
	r = command->pid < 0 ? -errno : 0;
	close(sockets[0]);
	command->go = sockets[1];
	if (r) {
		close(command->go);
		return frec__limit_error(reterr, r, 0, "cannot start a process");
	}
	// Without a pidfd the end of the command would not be noticed.
	command->end = (int)syscall(SYS_pidfd_open, command->pid, 0);
	if (command->end >= 0)
		return 0;
	r = -errno;
	frec__command_cancel(command);
	return frec__limit_error(reterr, r, 0, "cannot watch the command (pidfd_open)");
}

void frec__command_cancel(struct frec_command *command)
{
	close(command->go);
	command->go = -1;
	if (command->end >= 0)
		close(command->end);
	command->end = -1;
	waitpid(command->pid, NULL, 0);
}

static bool is_command(void *context, const struct frec_process *process)
{
	return process->pid == *(const uint32_t *)context;
}

// Without the sideband, the exec is not reported. But the exec closes the process's end of the
// socket: this function waits for that, and then reads /proc.
static void wait_for_exec(const struct frec_command *command, struct frec_engine *engine)
{
	struct pollfd poller = {.fd = command->go};
	uint32_t pid = (uint32_t)command->pid;

	poll(&poller, 1, EXEC_PATIENCE);
	frec__process_table_comm(&engine->processes, pid, pid, "", true, frec__monotonic());
	frec__process_table_poll(&engine->processes, is_command, &pid, true);
}

void frec__command_release(struct frec_command *command, struct frec_session *session,
			   const char *path, char **arguments)
{
	struct frec_engine *engine = &session->engine;
	uint32_t pid = (uint32_t)command->pid;
	struct frec_error error;

	if (frec__preload_file(&engine->preload, &engine->sources, path, &error))
		frec__report(LOG_WARNING, "%s", error.message);
	frec__engine_watch(engine, frec__engine_process(engine, pid), -1, false);
	(void)frec__process_table_expect(&engine->processes, pid, arguments);
	session->server.until = command->end;
	frec__control_send(command->go, "", 1, frec__engine_memory(engine));
	if (!engine->kernel)
		wait_for_exec(command, engine);
	close(command->go);
	command->go = -1;
}

static void snapshot_of_exit(struct frec_engine *engine, pid_t pid, int status)
{
	struct frec_reason reason = {.kind = WIFSIGNALED(status)
						     ? FLIGHTREC__TRIGGER__KIND__KILLED
						     : FLIGHTREC__TRIGGER__KIND__EXIT_STATUS,
				     .name = "exit",
				     .time = frec__monotonic(),
				     .pid = (uint32_t)pid,
				     .code_unknown = true,
				     .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
				     .exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 0};

	frec__engine_snapshot(engine, &reason, -1, NULL, NULL);
}

// Passes a signal on to the command, unless the command gets the signal anyway. A terminal sends
// SIGINT to both. When a terminal closes, SIGHUP reaches both, unless this process leads the
// session: then only this process gets SIGHUP.
static void pass_on(const struct frec_command *command, const struct frec_server *server)
{
	int signal = server->interrupted;

	if (signal == SIGTERM ||
	    (signal == SIGHUP && (server->by_process || getsid(0) == getpid())))
		kill(command->pid, signal);
}

int frec__command_run(struct frec_command *command, struct frec_session *session)
{
	struct frec_server *server = &session->server;
	int status = 0;

	// Signals do not end the recording, which goes on until the command has ended.
	for (;;) {
		frec__server_run(server);
		if (!server->interrupted)
			break;
		pass_on(command, server);
		server->interrupted = 0;
	}
	// A command that exits with a status other than 0, or that a signal such as SIGTERM ends,
	// gets a snapshot. It needs none if the snapshot of a death explains its end: either the
	// command itself died, or it is a shell that passes on the status of a program that died.
	if (waitpid(command->pid, &status, server->stop ? WNOHANG : 0) == command->pid && status &&
	    !frec__engine_explains_end(&session->engine, (uint32_t)command->pid))
		snapshot_of_exit(&session->engine, command->pid, status);
	return status;
}
