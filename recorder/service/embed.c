// SPDX-License-Identifier: MIT
// frec_recorder_start(): starts a keeper, or connects to a recorder that listens.
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "flightrec/event.h"
#include "flightrec/recorder.h"
#include "recorder/service/control.h"
#include "recorder/service/control_message.h"
#include "recorder/service/embedded.h"
#include "recorder/service/keeper.h"
#include "recorder/service/registration.h"
#include "recorder/service/shm_attach.h"

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
	return frec__start_fail(
		options, code, "events cannot be written into the recorder's memory",
		code == -EALREADY ? "another recorder's is in use" : strerror(-code));
}

// Ends a keeper that has started, or that may still start after its answer has timed out.
static void dismiss(int socket)
{
	(void)frec__request_send(socket, &(struct frec_request){.kind = FREC_REQUEST_STOP}, -1);
	close(socket);
}

static int start_keeper(const struct frec_recorder_options *options)
{
	struct frec_reply reply;
	int fd, socket, r = frec__keeper_start(options, &socket);

	if (r)
		return r;
	r = frec__reply_receive(socket, &reply, &fd, FREC_ANSWER_TIMEOUT);
	if (!r && reply.done) {
		r = take_memory(fd);
		if (!r)
			return frec__embedded_keep(socket, &reply, true);
		dismiss(socket);
		return fail_memory(options, r);
	}
	if (fd >= 0)
		close(fd);
	dismiss(socket);
	if (!r)
		return frec__start_fail(options, -ENOTSUP, reply.error, "");
	return frec__start_fail(options, r == -ETIMEDOUT ? r : -EPIPE, "the keeper did not start",
				r == -EPIPE ? "" : strerror(-r));
}

static int attach(const struct frec_recorder_options *options, int socket, struct frec_reply *ret)
{
	const struct frec_request request = {.kind = FREC_REQUEST_ATTACH, .tags = options->tags};
	int fd, r = frec__request_send(socket, &request, -1);

	if (!r)
		r = frec__reply_receive(socket, ret, &fd, FREC_ANSWER_TIMEOUT);
	if (r)
		return frec__start_fail(options, r, options->socket,
					r == -EPIPE ? "the recorder hung up" : strerror(-r));
	if (!ret->done) {
		if (fd >= 0)
			close(fd);
		return frec__start_fail(options, -ENOTSUP, ret->error, "");
	}
	if (ret->transport != FREC_REPLY_USER_EVENTS) {
		r = take_memory(fd);
		return r ? fail_memory(options, r) : 0;
	}
	if (fd < 0)
		return frec__start_fail(options, -ENOTSUP, options->socket,
					"the recorder sent no descriptor of user_events_data");
	r = frec_register_fd(fd);
	close(fd);
	return r ? frec__start_fail(options, r,
				    "events cannot be registered with the recorder's descriptor",
				    strerror(-r))
		 : 0;
}

static int connect_recorder(const struct frec_recorder_options *options)
{
	struct frec_reply reply;
	int socket = frec__control_connect(options->socket), r;

	if (socket < 0)
		return frec__start_fail(options, socket, options->socket, strerror(-socket));
	r = attach(options, socket, &reply);
	if (!r)
		return frec__embedded_keep(socket, &reply, false);
	close(socket);
	return r;
}

static int check_tags(const struct frec_recorder_options *options)
{
	for (size_t i = 0; options->tags && options->tags[i]; i++) {
		const char *tag = options->tags[i];
		size_t size = strcspn(tag, "=");

		if (i == FREC_TRIGGER_PAIRS_MAX)
			return frec__start_fail(options, -E2BIG, "there are more than 16 tags", "");
		if (!tag[size] || !frec__request_key_valid(tag, size))
			return frec__start_fail(
				options, -EINVAL, tag,
				"a tag is KEY=VALUE, with a key of 1 to 64 printable ASCII "
				"characters without spaces");
		if (frec__has_key(options->tags, i, 1, tag, size))
			return frec__start_fail(options, -EINVAL, tag,
						"another tag has the same key");
	}
	return 0;
}

// Asks the recorder, which has just started, for a descriptor of notices. Returns 0, or stops the
// recorder and returns a negative errno.
static int open_notices(const struct frec_recorder_options *options)
{
	struct frec_reply reply = {.done = false};
	int fd = -1, socket = frec__embedded.socket;
	int r = frec__request_send(socket, &(struct frec_request){.kind = FREC_REQUEST_NOTICES},
				   -1);

	if (!r)
		r = frec__reply_receive(socket, &reply, &fd, FREC_ANSWER_TIMEOUT);
	if (!r && reply.done && fd >= 0) {
		*options->notify_fd = frec__embedded_move_up(fd);
		return 0;
	}
	if (fd >= 0)
		close(fd);
	frec_recorder_stop(&frec__embedded);
	return frec__start_fail(options, r ? r : -ENOTSUP,
				"the recorder gives no descriptor of notices",
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

	snprintf(line, sizeof(line), "events are recorded by %s: %s", frec__embedded.transport,
		 frec__embedded.transport_why);
	frec__log(line);
}

int frec_recorder_start(const struct frec_recorder_options *options, struct frec_recorder **ret)
{
	struct frec_recorder_options known;
	int r = check_options(options, &known);

	if (r)
		return frec__start_fail(
			&known, r, "the options are not those of this version of flightrec", "");
	if (frec__embedded_is_ours(frec__embedded.socket) && hung_up(frec__embedded.socket)) {
		close(frec__embedded.socket);
		__atomic_store_n(&frec__embedded.socket, -1, __ATOMIC_RELAXED);
	}
	if (frec__embedded_is_ours(frec__embedded.socket))
		return frec__start_fail(&known, -EALREADY, "this process has a recorder already",
					"");
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
	*ret = &frec__embedded;
	return 0;
}

const char *frec_recorder_transport(const struct frec_recorder *started, const char **ret_why)
{
	if (ret_why)
		*ret_why = started->transport_why;
	return started->transport;
}
