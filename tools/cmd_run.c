// SPDX-License-Identifier: MIT
// flightrec run: record a command from its first event on; a snapshot when it dies.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "proto/clocks.h"
#include "proto/report.h"
#include "recorder/service/control.h"
#include "recorder/engine_shm.h"
#include "recorder/processes/proc_poll.h"
#include "recorder/service/shm.h"
#include "tools/cli.h"
#include "tools/session.h"

// Nanoseconds between the snapshot of a death and an exit status that it caused.
#define SAME_DEATH UINT64_C(2000000000)

static const char usage[] =
	"flightrec run [OPTION]... [--] COMMAND [ARGUMENT]...\n"
	"Runs COMMAND under a recorder. A snapshot is taken when it or a process that it started "
	"crashes or is\n"
	"killed, when it exits with a status other than 0, and on `flightrec trigger NAME` or "
	"SIGUSR2.\n"
	"Exits with COMMAND's status, 128 plus the signal's number when one killed "
	"it.\n" FREC_RECORD_USAGE "      --socket SOCKET   where `flightrec trigger` finds it "
	"(default /run/flightrec/PID.sock)\n";

// Where the number of the memory's descriptor begins: out of the way of the command's own.
#define MEMORY_MIN 512
// Milliseconds that a program has to start.
#define EXEC_PATIENCE 2000

static bool is_command(void *context, const struct frec_process *process)
{
	return process->pid == (uint32_t) * (const pid_t *)context;
}

// The file that execvp(3) will run.
static bool find_command(const char *name, char *ret, size_t size)
{
	const char *path = getenv("PATH");

	if (strchr(name, '/')) {
		snprintf(ret, size, "%s", name);
		return access(ret, X_OK) == 0;
	}
	for (const char *p = path ? path : "/usr/local/bin:/usr/bin:/bin"; p && *p;) {
		int length = (int)strcspn(p, ":");

		snprintf(ret, size, "%.*s/%s", length, p, name);
		if (access(ret, X_OK) == 0)
			return true;
		p += length + (p[length] == ':');
	}
	return false;
}

// The command, and what it starts in turn, finds the memory by this number: see
// frec__shm_inherited().
static void hand_down(int memory)
{
	int fd = fcntl(memory, F_DUPFD, MEMORY_MIN);
	char number[16];

	// Where the limit allows no such number a low one has to do.
	if (fd < 0)
		fd = fcntl(memory, F_DUPFD, 3);
	snprintf(number, sizeof(number), "%d", fd);
	setenv(FREC_SHM_VARIABLE, number, 1);
}

// The child waits for a word, so that nothing of it escapes the recorder, with which comes the
// memory that it is to write into, if any; it gets back the signals as they were.
static pid_t start(char **command, void (*inherited)(int), int *ret_go)
{
	sigset_t none;
	int sockets[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets))
		return -1;
	pid = fork();
	if (pid == 0) {
		char word[16];
		int memory;

		close(sockets[1]);
		if (frec__control_receive(sockets[0], word, sizeof(word), &memory, -1) <= 0)
			_exit(FREC_EXIT_FAILED);
		// Of a recorder that this one runs under: there is one memory for a process.
		unsetenv(FREC_SHM_VARIABLE);
		if (memory >= 0)
			hand_down(memory);
		signal(SIGCHLD, inherited);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		execvp(command[0], command);
		fprintf(stderr, "flightrec: %s: %s\n", command[0], strerror(errno));
		_exit(127);
	}
	close(sockets[0]);
	*ret_go = sockets[1];
	return pid;
}

// Lets the child run. Its end of the socket closes when it has become the command: then who it is
// can be read.
static void let_go(struct frec_session *session, pid_t pid, int go)
{
	struct frec_process_table *table = &session->engine.processes;
	struct pollfd poller = {.fd = go};
	struct frec_error error;
	int memory = -1;

	if (session->engine.transport == FREC_TRANSPORT_SHM)
		memory = frec__engine_shm_fd(&session->engine, geteuid(), 0, &error);
	frec__control_send(go, "go", memory);
	if (!session->engine.kernel) {
		poll(&poller, 1, EXEC_PATIENCE);
		frec__process_table_comm(table, (uint32_t)pid, (uint32_t)pid, "", true,
					 frec__monotonic());
		frec__process_table_poll(table, is_command, &pid, true);
	}
	close(go);
}

// A status other than 0 with no snapshot of a death yet: the command ended by its own decision, or
// by SIGTERM and the like.
static void snapshot_of_exit(struct frec_session *session, pid_t pid, int status)
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

	frec__engine_snapshot(&session->engine, &reason, -1, NULL, NULL);
}

// A shell that ends with the status of what it ran adds nothing to the snapshot of that, which can
// be long written by the time that its core is.
static bool just_died(const struct frec_engine *engine, pid_t pid)
{
	const struct frec_process *dead =
		frec__process_table_find(&engine->processes, engine->last_dead);
	uint64_t end = dead && dead->exit > engine->last_death ? dead->exit : engine->last_death;

	return engine->last_death &&
	       (engine->last_dead == (uint32_t)pid || frec__monotonic() - end < SAME_DEATH);
}

int frec_cmd_run(int argc, char **argv)
{
	struct frec_record_options options;
	struct frec_session session;
	struct frec_error error;
	void (*inherited)(int);
	char path[4096];
	int first, go, status = 0;
	pid_t pid;

	frec__record_options_init(&options);
	first = frec__record_options_parse(&options, argc, argv, usage);
	if (first < 0)
		return -1 - first;
	if (first == argc)
		return frec__cli_usage(usage, "no command to run");
	if (!find_command(argv[first], path, sizeof(path)))
		return frec__cli_fail("%s: no such command", argv[first]);
	options.engine.watch = FREC_WATCH_DESCENDANTS;
	options.engine.hands_memory = true;
	// Who ignores SIGCHLD does not learn how its children ended; the command gets it back as it
	// was.
	inherited = signal(SIGCHLD, SIG_DFL);
	pid = start(argv + first, inherited, &go);
	if (pid < 0)
		return frec__cli_fail("cannot start a process: %s", strerror(errno));
	if (frec__session_start(&session, &options, &error)) {
		close(go);
		waitpid(pid, NULL, 0);
		return frec__cli_fail("%s", error.message);
	}
	if (frec__engine_preload(&session.engine, path, &error))
		frec__report(LOG_WARNING, "%s", error.message);
	frec__engine_watch(&session.engine, (uint32_t)pid, -1, false);
	(void)frec__process_table_expect(&session.engine.processes, (uint32_t)pid, argv + first);
	session.server.until = (int)syscall(SYS_pidfd_open, pid, 0);
	let_go(&session, pid, go);
	// SIGINT from the terminal reaches the command by itself; SIGTERM is handed on. Then its
	// end is waited for.
	for (;;) {
		frec__server_run(&session.server);
		if (!session.server.interrupted)
			break;
		if (session.server.interrupted == SIGTERM)
			kill(pid, SIGTERM);
		session.server.interrupted = 0;
	}
	if (waitpid(pid, &status, session.server.stop ? WNOHANG : 0) == pid && status &&
	    !just_died(&session.engine, pid))
		snapshot_of_exit(&session, pid, status);
	frec__session_end(&session);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
