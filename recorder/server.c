// SPDX-License-Identifier: MIT
// The loop of a recorder.
#include "recorder/server.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/clocks.h"
#include "recorder/control_listen.h"
#include "recorder/lineage.h"
#include "recorder/requests.h"

#define POLL_MAX 2048
// The most requests of one client that are served after the loop has ended. A socket cannot hold
// that many, so no request that was sent before is lost, and a client that keeps sending does not
// keep the recorder from ending.
#define LAST_REQUESTS_MAX 1024

static void answer_held(void *context, uint64_t number, const char *path, const char *error)
{
	struct frec_server *server = context;

	for (size_t i = 0; i < server->clients.count; i++)
		frec__request_held(server->clients.client[i], number, path, error);
}

int frec__server_init(struct frec_server *server, struct frec_engine *engine,
		      struct frec_error *reterr)
{
	struct sigaction hangup;
	sigset_t mask;

	*server = (struct frec_server){.engine = engine, .until = -1, .notify = FREC_NOTIFY_NONE};
	engine->on_held = answer_held;
	engine->on_held_context = server;
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR2);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	// An ignored SIGHUP is left out, because a signalfd would report it all the same.
	if (!sigaction(SIGHUP, NULL, &hangup) && hangup.sa_handler != SIG_IGN)
		sigaddset(&mask, SIGHUP);
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

int frec__server_adopt(struct frec_server *server, int fd, bool life_line)
{
	return frec__clients_add(&server->clients, fd, life_line);
}

static void drop(struct frec_server *server, size_t at)
{
	const struct frec_client *client = server->clients.client[at];

	// If the client died, the sideband reported that before the client's socket closed, and the
	// death is recorded by now. Pidfds report a death only after that: see finish().
	if (client->life_line) {
		server->cut_off = !client->stopped;
		server->stop |= client->stopped || !server->engine->options.follows;
		server->engine->ends.life_line = NULL;
	}
	frec__request_end_all(server->engine, client);
	frec__clients_remove(&server->clients, at);
}

// Serves a request of a client. Returns false if the connection is to be closed.
static bool serve(struct frec_server *server, struct frec_client *client)
{
	bool open = frec__request_serve(server->engine, client);

	server->stop |= client->stopped;
	return open;
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
		const struct frec_cause cause = {
			.kind = reason.kind, .name = "SIGUSR2", .only_uid = -1};
		uint64_t held;

		if (info.ssi_signo == SIGUSR2) {
			frec__engine_trigger(server->engine, &cause, &reason, NULL, &held, NULL);
		} else {
			server->interrupted = (int)info.ssi_signo;
			server->by_process = info.ssi_code <= 0;
		}
	}
}

// Waits for pending deaths, and serves requests that were sent before the loop ended.
static void finish(struct frec_server *server)
{
	const unsigned int longest = FREC_DEATH_WAIT_MAX + FREC_ENDS_PATIENCE;
	uint64_t patience = frec__monotonic() + longest * UINT64_C(1000000);
	struct pollfd fds[POLL_MAX];

	server->engine->deaths.hurry = true;
	frec__engine_work(server->engine);
	// The descriptors of a process are closed some time before it counts as gone, so wait for
	// its end.
	while (server->engine->deaths.count ||
	       (server->cut_off && server->engine->ends.count && frec__monotonic() < patience)) {
		int timeout;
		size_t count = frec__engine_poll(server->engine, fds, POLL_MAX, &timeout);

		poll(fds, count, timeout);
		frec__engine_work(server->engine);
		frec__notify_alive(&server->notify);
	}
	for (size_t i = 0; i < server->clients.count; i++) {
		struct pollfd poller = {.fd = server->clients.client[i]->fd, .events = POLLIN};

		for (int left = LAST_REQUESTS_MAX;
		     left > 0 && poll(&poller, 1, 0) == 1 && poller.revents & POLLIN &&
		     serve(server, server->clients.client[i]);
		     left--)
			;
	}
	// Requests that were held back become their snapshots now, together with the last ones.
	server->engine->triggers.hurry = true;
	while (server->engine->triggers.count)
		frec__engine_work(server->engine);
	server->engine->deaths.hurry = server->engine->triggers.hurry = false;
}

static void accept_clients(struct frec_server *server, const struct pollfd *listeners)
{
	for (size_t i = 0; i < server->listeners; i++) {
		int fd = listeners[i].revents ? accept4(listeners[i].fd, NULL, NULL, SOCK_CLOEXEC)
					      : -1;

		if (fd >= 0)
			frec__server_adopt(server, fd, false);
	}
}

// At least so many milliseconds are between two looks whether a service without a life line lives.
// The ends of its processes wake the loop.
#define LIFE_MILLISECONDS 50

static bool is_over(struct frec_server *server)
{
	server->look_put_off = server->cut_off && frec__monotonic() < server->next_look;
	if (!server->cut_off || server->look_put_off)
		return false;
	server->next_look = frec__monotonic() + LIFE_MILLISECONDS * UINT64_C(1000000);
	return !frec__lineage_lives(server->engine);
}

void frec__server_run(struct frec_server *server)
{
	struct pollfd fds[POLL_MAX];
	bool gone = false;

	while (!server->stop && !server->interrupted && !gone && !is_over(server)) {
		const size_t first_listener = 3, first_client = 3 + server->listeners;
		size_t count = 0, clients = server->clients.count;
		int timeout;

		fds[count++] = (struct pollfd){.fd = server->signals, .events = POLLIN};
		fds[count++] = (struct pollfd){.fd = server->until, .events = POLLIN};
		fds[count++] = (struct pollfd){.fd = server->notify.timer, .events = POLLIN};
		for (size_t i = 0; i < server->listeners; i++)
			fds[count++] =
				(struct pollfd){.fd = server->listener[i].fd, .events = POLLIN};
		for (size_t i = 0; i < clients; i++)
			fds[count++] = (struct pollfd){.fd = server->clients.client[i]->fd,
						       .events = POLLIN};
		count += frec__engine_poll(server->engine, fds + count, POLL_MAX - count, &timeout);
		if (server->look_put_off && (timeout < 0 || timeout > LIFE_MILLISECONDS))
			timeout = LIFE_MILLISECONDS;
		if (poll(fds, count, timeout) < 0 && errno != EINTR)
			break;
		frec__engine_work(server->engine);
		frec__notify_alive(&server->notify);
		if (server->engine->options.follows)
			frec__lineage_refresh(server->engine);
		gone = fds[1].revents;
		if (fds[0].revents)
			handle_signal(server);
		// Go backwards, because dropping a client moves the last one into its place.
		for (size_t i = clients; i-- > 0;) {
			if (fds[first_client + i].revents &&
			    !serve(server, server->clients.client[i]))
				drop(server, i);
		}
		accept_clients(server, &fds[first_listener]);
	}
	frec__notify(&server->notify, "STOPPING=1", "Ending: %zu deaths wait for their snapshots",
		     server->engine->deaths.count);
	finish(server);
}

void frec__server_deinit(struct frec_server *server)
{
	while (server->clients.count)
		drop(server, server->clients.count - 1);
	for (size_t i = 0; i < server->listeners; i++) {
		unlink(server->listener[i].path);
		close(server->listener[i].fd);
	}
	if (server->signals >= 0)
		close(server->signals);
	if (server->until >= 0)
		close(server->until);
	frec__notify_close(&server->notify);
}
