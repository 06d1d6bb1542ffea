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
// The most requests of one client that are read after the loop has ended. A socket cannot hold that
// many, so no request that was sent before is forgotten, and a client that keeps sending does not
// keep the recorder from ending.
#define LAST_REQUESTS_MAX 1024
// The most connections that are accepted in one round of the loop.
#define ACCEPTED_MAX 64

static void answer_held(void *context, uint64_t number, const char *path, const char *error)
{
	struct frec_server *server = context;

	for (size_t i = 0; i < server->clients.count; i++)
		frec__request_held(server->clients.client[i], number, path, error);
}

// Sets the time by which a recorder that ends has to be done.
static void limit_time(struct frec_server *server)
{
	if (server->ends_soon && !server->engine->deadline)
		server->engine->deadline = frec__monotonic() + FREC_SERVER_END_MAX;
}

// Reads the signals that came. A signal that ends the recorder limits the time of a snapshot that
// is being written, too.
static void read_signals(struct frec_server *server)
{
	struct signalfd_siginfo info;

	while (read(server->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGUSR2) {
			server->asked =
				(struct frec_reason){.kind = FLIGHTREC__TRIGGER__KIND__SIGNAL_USR2,
						     .name = "SIGUSR2",
						     .time = frec__monotonic(),
						     .by_pid = info.ssi_pid,
						     .by_uid = info.ssi_uid};
			continue;
		}
		server->interrupted = (int)info.ssi_signo;
		server->by_process = info.ssi_code <= 0;
		limit_time(server);
	}
}

static void make_progress(void *context)
{
	struct frec_server *server = context;

	read_signals(server);
	frec__notify_alive(&server->notify);
}

int frec__server_init(struct frec_server *server, struct frec_engine *engine,
		      struct frec_error *reterr)
{
	struct sigaction hangup;
	sigset_t mask;

	*server = (struct frec_server){.engine = engine, .until = -1, .notify = FREC_NOTIFY_NONE};
	engine->on_progress = make_progress;
	engine->progress_context = server;
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
	uint64_t began = frec__monotonic();
	bool open = frec__request_serve(server->engine, client);

	frec__pace_spend(&server->engine->pace, client->uid, began, frec__monotonic());
	server->stop |= client->stopped;
	return open;
}

static void handle_signals(struct frec_server *server)
{
	const struct frec_cause cause = {
		.kind = FLIGHTREC__TRIGGER__KIND__SIGNAL_USR2, .name = "SIGUSR2", .only_uid = -1};
	struct frec_reason reason;
	uint64_t held;

	read_signals(server);
	if (!server->asked.time)
		return;
	reason = server->asked;
	server->asked.time = 0;
	frec__engine_trigger(server->engine, &cause, &reason, NULL, &held, NULL);
}

// Waits for the pending deaths of those who are served now: see frec_pace.mode.
static void wait_for_deaths(struct frec_server *server)
{
	const unsigned int longest = FREC_DEATH_WAIT_MAX + FREC_ENDS_PATIENCE;
	uint64_t patience = frec__monotonic() + longest * UINT64_C(1000000);
	struct frec_engine *engine = server->engine;
	struct pollfd fds[POLL_MAX];

	frec__engine_work(engine);
	// The descriptors of a process are closed some time before it counts as gone, so wait for
	// its end.
	while (!frec__engine_is_late(engine) &&
	       (frec__deaths_count(&engine->deaths, &engine->pace) ||
		(server->cut_off && engine->ends.count && frec__monotonic() < patience))) {
		int timeout;
		size_t count = frec__engine_poll(engine, fds, POLL_MAX, &timeout);

		// Half of the time is left for the snapshots of processes that do not end.
		engine->deaths.at_once =
			engine->deadline &&
			frec__monotonic() + FREC_SERVER_END_MAX / 2 >= engine->deadline;
		poll(fds, count, timeout);
		frec__engine_work(engine);
		frec__notify_alive(&server->notify);
	}
}

// Serves the next request of each client that is served now, if it has sent one. Returns whether
// any had.
static bool serve_each(struct frec_server *server)
{
	bool any = false;

	for (size_t i = 0; i < server->clients.count; i++) {
		struct frec_client *client = server->clients.client[i];
		struct pollfd poller = {.fd = client->fd, .events = POLLIN};

		any |= !frec__pace_rests(&server->engine->pace, client->uid, frec__monotonic()) &&
		       poll(&poller, 1, 0) == 1 && poller.revents & POLLIN && serve(server, client);
	}
	return any;
}

// Waits for pending deaths, and serves requests that were sent before the loop ended: first those
// of root and of the recorder's user, because there may not be time for more.
static void finish(struct frec_server *server)
{
	static const enum frec_pace_mode modes[] = {FREC_PACE_TRUSTED, FREC_PACE_ALL};
	struct frec_engine *engine = server->engine;

	limit_time(server);
	for (size_t i = 0; i < 2; i++) {
		engine->pace.mode = modes[i];
		engine->deaths.hurry = true;
		wait_for_deaths(server);
		for (int left = LAST_REQUESTS_MAX; left > 0 && serve_each(server); left--)
			frec__notify_alive(&server->notify);
		// Requests that were held back become their snapshots now, together with the last
		// ones.
		engine->triggers.hurry = true;
		while (frec__triggers_count(&engine->triggers, &engine->pace) &&
		       !frec__engine_is_late(engine))
			frec__engine_work(engine);
		engine->triggers.hurry = false;
	}
	if (engine->deadline)
		frec__engine_give_up(engine);
	engine->deadline = 0;
	engine->pace.mode = FREC_PACE_SHARED;
	engine->deaths.hurry = engine->deaths.at_once = false;
}

// Accepts several connections at a time, so that one user's do not keep others waiting for long.
static void accept_clients(struct frec_server *server, const struct pollfd *listeners)
{
	for (size_t i = 0; i < server->listeners; i++) {
		for (int left = listeners[i].revents ? ACCEPTED_MAX : 0; left > 0; left--) {
			int fd = accept4(listeners[i].fd, NULL, NULL, SOCK_CLOEXEC);

			if (fd < 0)
				break;
			frec__server_adopt(server, fd, false);
		}
	}
}

// Fills `fds` with what to poll for the clients. While a user rests, the requests and ends of that
// user's clients are not looked at. Returns whether there are such users.
static bool poll_clients(const struct frec_server *server, struct pollfd *fds)
{
	uint64_t now = frec__monotonic();
	bool any = false;

	for (size_t i = 0; i < server->clients.count; i++) {
		const struct frec_client *client = server->clients.client[i];
		bool rests = frec__pace_rests(&server->engine->pace, client->uid, now);

		fds[i] = (struct pollfd){.fd = rests ? -1 : client->fd, .events = POLLIN};
		any |= rests;
	}
	return any;
}

static void wake_within(int milliseconds, int *timeout)
{
	if (*timeout < 0 || *timeout > milliseconds)
		*timeout = milliseconds;
}

// Serves a request of each client that has sent one. Goes backwards, because dropping a client
// moves the last one into its place.
static void serve_clients(struct frec_server *server, const struct pollfd *polled, size_t count)
{
	for (size_t i = count; i-- > 0;) {
		struct frec_client *client = server->clients.client[i];

		// The request that was served before may have used up the time of this user.
		if (polled[i].revents &&
		    !frec__pace_rests(&server->engine->pace, client->uid, frec__monotonic()) &&
		    !serve(server, client))
			drop(server, i);
	}
}

// At least so many milliseconds are between two looks whether a service without a life line lives.
// The ends of its processes wake the loop.
#define LIFE_MILLISECONDS 50
// The most milliseconds between two looks whether the clients that rest may be served again.
#define REST_MILLISECONDS 20

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
		bool any_rests;
		int timeout;

		fds[count++] = (struct pollfd){.fd = server->signals, .events = POLLIN};
		fds[count++] = (struct pollfd){.fd = server->until, .events = POLLIN};
		fds[count++] = (struct pollfd){.fd = server->notify.timer, .events = POLLIN};
		for (size_t i = 0; i < server->listeners; i++)
			fds[count++] =
				(struct pollfd){.fd = server->listener[i].fd, .events = POLLIN};
		any_rests = poll_clients(server, fds + count);
		count += clients;
		count += frec__engine_poll(server->engine, fds + count, POLL_MAX - count, &timeout);
		if (server->look_put_off)
			wake_within(LIFE_MILLISECONDS, &timeout);
		if (any_rests)
			wake_within(REST_MILLISECONDS, &timeout);
		if (poll(fds, count, timeout) < 0 && errno != EINTR)
			break;
		frec__engine_work(server->engine);
		frec__notify_alive(&server->notify);
		if (server->engine->options.follows)
			frec__lineage_refresh(server->engine);
		gone = fds[1].revents;
		handle_signals(server);
		serve_clients(server, &fds[first_client], clients);
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
