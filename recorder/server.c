// SPDX-License-Identifier: MIT
// The loop of a recorder, and who may ask it for what.
#include "recorder/server.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/clocks.h"
#include "recorder/service/control.h"
#include "recorder/engine_cores.h"
#include "recorder/engine_ends.h"
#include "recorder/engine_shm.h"
#include "recorder/history.h"
#include "recorder/processes/proc_scan.h"

#define POLL_MAX 2048
#define CONNECTIONS_PER_USER 64

int frec__server_init(struct frec_server *server, struct frec_engine *engine,
		      struct frec_error *reterr)
{
	sigset_t mask;

	// A terminal or pipe that is gone must not end the recording with the next line that is
	// said.
	signal(SIGPIPE, SIG_IGN);
	*server = (struct frec_server){.engine = engine, .until = -1};
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR2);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	server->signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	return server->signals < 0 ? frec__error(reterr, -errno, "signalfd: %s", strerror(errno))
				   : 0;
}

int frec__server_listen(struct frec_server *server, const char *path, mode_t mode,
			struct frec_error *reterr)
{
	int fd = frec__control_listen(path, mode);

	if (fd == -EADDRINUSE)
		return frec__error(reterr, fd, "%s: another recorder listens there", path);
	if (fd < 0)
		return frec__error(reterr, fd, "%s: %s", path, strerror(-fd));
	server->listener[server->listeners].fd = fd;
	snprintf(server->listener[server->listeners].path, sizeof(server->listener[0].path), "%s",
		 path);
	server->listeners++;
	return 0;
}

// Nobody but the owner can take all the places.
static size_t connections_of(const struct frec_server *server, uint32_t uid)
{
	size_t count = 0;

	for (size_t i = 0; i < server->connections; i++)
		count += server->connection[i]->uid == uid;
	return count;
}

int frec__server_adopt(struct frec_server *server, int fd, bool life_line)
{
	struct frec_connection *connection = calloc(1, sizeof(*connection));
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (!connection || server->connections == FREC_CONNECTIONS_MAX ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size)) {
		free(connection);
		close(fd);
		return -EAGAIN;
	}
	connection->fd = fd;
	connection->life_line = life_line;
	connection->pid = (uint32_t)peer.pid;
	connection->uid = peer.uid;
	connection->trusted = peer.uid == 0 || peer.uid == geteuid();
	if (!connection->trusted && connections_of(server, peer.uid) >= CONNECTIONS_PER_USER) {
		free(connection);
		close(fd);
		return -EAGAIN;
	}
	server->connection[server->connections++] = connection;
	return 0;
}

static void drop(struct frec_server *server, size_t at)
{
	struct frec_connection *connection = server->connection[at];

	// If it died, the sideband told so before its socket closed, and the death is noted. Pidfds
	// tell it after that.
	if (connection->life_line) {
		server->stop = true;
		server->cut_off = !connection->stopped;
	}
	if (connection->attached)
		frec__engine_unwatch(server->engine, connection->pid);
	if (connection->core_pid)
		frec__engine_core_over(server->engine, connection->core_pid);
	close(connection->fd);
	free(connection);
	server->connection[at] = server->connection[--server->connections];
}

static void answer(const struct frec_connection *connection, const char *word, const char *text,
		   int fd)
{
	char message[FREC_CONTROL_MESSAGE_MAX];

	snprintf(message, sizeof(message), "%s %s", word, text);
	(void)frec__control_send(connection->fd, message, fd);
}

// JSON text: quotes, backslashes and control bytes escaped, bytes beyond ASCII passed on.
static void put_json(FILE *stream, const char *text)
{
	fputc('"', stream);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fprintf(stream, "\\%c", *text);
		else if (iscntrl((unsigned char)*text))
			fprintf(stream, "\\u%04x", (unsigned char)*text);
		else
			fputc(*text, stream);
	}
	fputc('"', stream);
}

// How many sources each transport carries.
static void put_transports(FILE *stream, const struct frec_engine *engine)
{
	// A source's transport and the engine's have the same numbers, but for 0.
	size_t counts[FREC_TRANSPORT_COUNT] = {0};

	for (size_t i = 0; i < engine->source_count; i++)
		counts[engine->source[i].transport]++;
	for (size_t i = 0; i < FREC_TRANSPORT_COUNT; i++)
		fprintf(stream, "%s\"%s\":%zu", i ? "," : "",
			i ? frec__transport_names[i] : "kernel", counts[i]);
}

static void put_status(FILE *stream, struct frec_engine *engine)
{
	struct frec_history history;

	frec__history_read(engine, &history);
	fprintf(stream, ",\"folder\":");
	put_json(stream, engine->folder.path);
	fprintf(stream,
		",\"rings\":%zu,\"ring_size\":%" PRIu64 ",\"recording_for\":%.1f,\"history\":%.1f,"
		"\"busiest_ring_written\":%" PRIu64 ",\"snapshots\":%" PRIu64
		",\"failures\":%" PRIu64,
		engine->ring_count, engine->options.ring_size, history.recording, history.held,
		history.written, engine->snapshots, engine->failures);
	if (history.full > 0)
		fprintf(stream, ",\"full_ring\":%.1f", history.full);
	if (history.full > 0 && history.stacks)
		fprintf(stream, ",\"without_stacks\":%.1f", history.without_stacks);
	if (history.stacks_missing)
		fprintf(stream, ",\"stacks_missing\":%zu", history.stacks_missing);
	fprintf(stream, ",\"transport\":\"%s\",\"kernel\":%s",
		frec__transport_names[engine->transport], engine->kernel ? "true" : "false");
	if (!engine->kernel) {
		fprintf(stream, ",\"no_kernel\":");
		put_json(stream, engine->no_kernel.message);
	}
	fprintf(stream, ",\"fault_addresses\":%s", engine->crash_program ? "true" : "false");
	fprintf(stream, ",\"last\":");
	put_json(stream, engine->last_path);
	fprintf(stream, ",\"selection\":[");
	for (size_t i = 0; engine->options.selection[i]; i++) {
		fputs(i ? "," : "", stream);
		put_json(stream, engine->options.selection[i]);
	}
	fprintf(stream, "],\"source_count\":%zu,\"sources\":[", engine->source_count);
	// As many as fit into one message.
	for (size_t i = 0;
	     i < engine->source_count && ftell(stream) < FREC_CONTROL_MESSAGE_MAX - 2048; i++) {
		char name[400];

		snprintf(name, sizeof(name), "%s:%s", engine->source[i].listed.system,
			 engine->source[i].listed.name);
		fputs(i ? "," : "", stream);
		put_json(stream, name);
	}
	fprintf(stream, "],\"sources_by\":{");
	put_transports(stream, engine);
	fprintf(stream, "}");
}

static void handle_status(const struct frec_server *server,
			  const struct frec_connection *connection)
{
	FREC_FREE char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (!stream)
		return;
	fprintf(stream, "{\"pid\":%d,\"version\":\"" FREC_VERSION "\"", getpid());
	// Another user learns that the recorder runs, and of himself.
	if (connection->trusted) {
		put_status(stream, server->engine);
	} else {
		fprintf(stream,
			",\"attached\":%s,\"last\":", connection->attached ? "true" : "false");
		put_json(stream, connection->last_path);
	}
	fprintf(stream, "}");
	if (!fclose(stream))
		answer(connection, "ok", text, -1);
}

static void handle_trigger(struct frec_server *server, struct frec_connection *connection,
			   const char *name, bool wants_answer)
{
	struct frec_reason reason = {.kind = FLIGHTREC__TRIGGER__KIND__REQUEST,
				     .time = frec__monotonic(),
				     .by_pid = connection->pid,
				     .by_uid = connection->uid};
	struct frec_error error = {0};
	char path[PATH_MAX];
	int r;

	if (!frec__trigger_name_valid(name)) {
		if (wants_answer)
			answer(connection, "error",
			       "a trigger's name is 1 to 100 printable characters", -1);
		return;
	}
	snprintf(reason.name, sizeof(reason.name), "%s", name);
	r = frec__engine_snapshot(server->engine, &reason,
				  connection->trusted ? -1 : (int64_t)connection->uid, path,
				  &error);
	if (!r)
		memcpy(connection->last_path, path, sizeof(path));
	if (wants_answer)
		answer(connection, r ? "error" : "ok", r ? error.message : path, -1);
}

static void handle_attach(struct frec_server *server, struct frec_connection *connection)
{
	struct frec_engine *engine = server->engine;
	struct frec_error error = {0};
	// Each client gets an open file of its own: the kernel counts its registered events by it.
	FREC_CLOSE int file =
		engine->transport == FREC_TRANSPORT_USER_EVENTS
			? openat(engine->tracefs, "user_events_data", O_WRONLY | O_CLOEXEC)
			: -1;
	int fd = file;

	if (!connection->pid) {
		answer(connection, "error",
		       "the recorder is in a pid namespace that does not know you", -1);
		return;
	}
	// Memory is shared by the processes of a user: they can do worse to each other than write
	// into it.
	if (engine->transport == FREC_TRANSPORT_SHM)
		fd = frec__engine_shm_fd(engine, connection->uid, connection->pid, &error);
	if (fd < 0 && engine->transport != FREC_TRANSPORT_USDT) {
		answer(connection, "error",
		       error.code ? error.message : "this kernel has no user_events", -1);
		return;
	}
	if (!connection->attached &&
	    frec__engine_watch(server->engine, connection->pid,
			       connection->trusted ? -1 : (int64_t)connection->uid, true)) {
		answer(connection, "error", "out of memory", -1);
		return;
	}
	connection->attached = true;
	// It may have changed its user since the process table saw it.
	frec__process_table_refresh(&server->engine->processes, connection->pid);
	answer(connection, "ok", frec__transport_names[engine->transport], fd);
}

static void handle_core(struct frec_server *server, struct frec_connection *connection,
			const char *argument)
{
	connection->core_pid = (uint32_t)strtoul(argument, NULL, 10);
	answer(connection, "ok",
	       frec__engine_core_announced(server->engine, connection->core_pid) ? "yes" : "no",
	       -1);
}

static void handle_stacks(struct frec_server *server, struct frec_connection *connection,
			  const char *argument, int fd)
{
	struct frec_error error = {0};
	char *end;
	uint32_t pid = (uint32_t)strtoul(argument, &end, 10);
	uint32_t missing = (uint32_t)strtoul(end, NULL, 10);
	int r = frec__engine_core_stacks(server->engine, pid, fd, missing, &error);

	answer(connection, r ? "error" : "ok", error.message, -1);
	frec__engine_core_over(server->engine, pid);
}

// False when the connection is to be closed.
static bool handle(struct frec_server *server, struct frec_connection *connection)
{
	char message[512];
	FREC_CLOSE int fd = -1;
	ssize_t n = frec__control_receive(connection->fd, message, sizeof(message),
					  connection->trusted ? &fd : NULL, 0);
	char *argument;

	if (n == -ETIMEDOUT || n == -EAGAIN || n == -EINTR)
		return true;
	if (n <= 0)
		return false;
	argument = strchr(message, ' ');
	if (argument)
		*argument++ = 0;
	if (!strcmp(message, "trigger") && argument && *argument)
		handle_trigger(server, connection, argument, true);
	else if (!strcmp(message, "notify") && argument && *argument)
		handle_trigger(server, connection, argument, false);
	else if (!strcmp(message, "status"))
		handle_status(server, connection);
	else if (!strcmp(message, "attach"))
		handle_attach(server, connection);
	else if (!strcmp(message, "end"))
		frec__engine_excuse(server->engine, connection->pid);
	else if (!strcmp(message, "core") && argument && connection->trusted)
		handle_core(server, connection, argument);
	else if (!strcmp(message, "stacks") && argument && connection->trusted)
		handle_stacks(server, connection, argument, fd);
	else if (!strcmp(message, "stop") && connection->trusted)
		server->stop = connection->stopped = true;
	else
		answer(connection, "error",
		       !strcmp(message, "stop") ? "only the recorder's owner may stop it"
						: "unknown request",
		       -1);
	return true;
}

static void handle_signal(struct frec_server *server)
{
	struct signalfd_siginfo info;

	while (read(server->signals, &info, sizeof(info)) == sizeof(info)) {
		struct frec_reason reason = {.kind = FLIGHTREC__TRIGGER__KIND__SIGNAL_USR2,
					     .name = "SIGUSR2",
					     .time = frec__monotonic(),
					     .by_pid = info.ssi_pid,
					     .by_uid = info.ssi_uid};

		if (info.ssi_signo == SIGUSR2)
			frec__engine_snapshot(server->engine, &reason, -1, NULL, NULL);
		else
			server->interrupted = (int)info.ssi_signo;
	}
}

// Whatever was asked for before the end came is still done.
static void finish(struct frec_server *server)
{
	uint64_t patience = frec__monotonic() + FREC_DEATH_WAIT_MAX * UINT64_C(1000000);
	struct pollfd fds[POLL_MAX];

	frec__engine_work(server->engine);
	// Descriptors are closed some time before a process counts as gone.
	while (server->engine->deaths.count ||
	       (server->cut_off && frec__engine_awaits(server->engine) &&
		frec__monotonic() < patience)) {
		int timeout;
		size_t count = frec__engine_poll(server->engine, fds, POLL_MAX, &timeout);

		poll(fds, count, timeout);
		frec__engine_work(server->engine);
	}
	for (size_t i = 0; i < server->connections; i++) {
		struct pollfd poller = {.fd = server->connection[i]->fd, .events = POLLIN};

		while (poll(&poller, 1, 0) == 1 && poller.revents & POLLIN &&
		       handle(server, server->connection[i]))
			;
	}
}

void frec__server_run(struct frec_server *server)
{
	struct pollfd fds[POLL_MAX];
	bool gone = false;

	while (!server->stop && !server->interrupted && !gone) {
		size_t count = 0, first_connection, connections = server->connections;
		int timeout;

		fds[count++] = (struct pollfd){.fd = server->signals, .events = POLLIN};
		fds[count++] = (struct pollfd){.fd = server->until, .events = POLLIN};
		for (size_t i = 0; i < server->listeners; i++)
			fds[count++] =
				(struct pollfd){.fd = server->listener[i].fd, .events = POLLIN};
		first_connection = count;
		for (size_t i = 0; i < connections; i++)
			fds[count++] =
				(struct pollfd){.fd = server->connection[i]->fd, .events = POLLIN};
		count += frec__engine_poll(server->engine, fds + count, POLL_MAX - count, &timeout);
		if (poll(fds, count, timeout) < 0 && errno != EINTR)
			break;
		frec__engine_work(server->engine);
		gone = fds[1].revents;
		if (fds[0].revents)
			handle_signal(server);
		// From the end: dropping one moves the last into its place.
		for (size_t i = connections; i-- > 0;) {
			if (fds[first_connection + i].revents &&
			    !handle(server, server->connection[i]))
				drop(server, i);
		}
		for (size_t i = 0; i < server->listeners; i++) {
			int fd = fds[2 + i].revents
					 ? accept4(server->listener[i].fd, NULL, NULL, SOCK_CLOEXEC)
					 : -1;

			if (fd >= 0)
				frec__server_adopt(server, fd, false);
		}
	}
	finish(server);
}

void frec__server_deinit(struct frec_server *server)
{
	while (server->connections)
		drop(server, server->connections - 1);
	for (size_t i = 0; i < server->listeners; i++) {
		unlink(server->listener[i].path);
		close(server->listener[i].fd);
	}
	if (server->signals >= 0)
		close(server->signals);
	if (server->until >= 0)
		close(server->until);
}
