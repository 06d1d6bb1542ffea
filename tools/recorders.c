// SPDX-License-Identifier: MIT
// Finds the running recorders by the sockets at which they listen, and asks them.
#include "tools/recorders.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "recorder/service/control.h"
#include "recorder/session.h"
#include "tools/cli.h"

#define ASKED_MAX 256
#define SUFFIX ".sock"

struct asked {
	int fd;
	char socket[PATH_MAX];
};

struct round {
	size_t count;
	struct asked *asked[ASKED_MAX];
};

int frec__parse_pid_option(void *data, const char *value, struct frec_error *reterr)
{
	uint64_t number;

	if (frec__parse_number(value, 1, INT_MAX, &number))
		return frec__error(reterr, -EINVAL, "--pid %s: not a process number", value);
	*(uint32_t *)data = (uint32_t)number;
	return 0;
}

// Sends the request; the reply is read later. Returns 0 or a negative errno.
static int ask(struct round *round, const char *socket, const struct frec_request *request)
{
	struct asked *asked;
	int fd = frec__control_connect(socket), r;

	if (fd < 0)
		return fd;
	asked = round->count < ASKED_MAX ? malloc(sizeof(*asked)) : NULL;
	r = asked ? frec__request_send(fd, request, -1) : -ENOMEM;
	if (r) {
		free(asked);
		close(fd);
		return r;
	}
	asked->fd = fd;
	snprintf(asked->socket, sizeof(asked->socket), "%s", socket);
	round->asked[round->count++] = asked;
	return 0;
}

// Asks all recorders in the folder. Errors are ignored, because recorders that were killed leave
// sockets at which nobody listens.
static void ask_folder(struct round *round, const char *folder, const struct frec_request *request)
{
	FREC_CLOSEDIR DIR *entries = opendir(folder);
	const struct dirent *entry;

	while (entries && (entry = readdir(entries))) {
		size_t length = strlen(entry->d_name);
		char path[PATH_MAX];

		if (length <= strlen(SUFFIX) ||
		    strcmp(entry->d_name + length - strlen(SUFFIX), SUFFIX) != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		(void)ask(round, path, request);
	}
}

static int judge(const struct asked *asked, const Flightrec__Control__Reply *reply,
		 frec_answered *answered, void *context)
{
	if (!reply)
		return frec__cli_fail("%s: what answered there is not a recorder of this version",
				      asked->socket);
	if (!reply->done)
		return frec__cli_fail("%s: %.*s", asked->socket, (int)reply->error.len,
				      (const char *)reply->error.data);
	return answered(context, reply);
}

static int collect(const struct asked *asked, frec_answered *answered, void *context)
{
	static uint8_t data[FREC_CONTROL_MESSAGE_MAX];
	ssize_t n = frec__control_receive(asked->fd, data, sizeof(data), NULL,
					  FREC_ANSWER_SECONDS * 1000);
	Flightrec__Control__Reply *reply;
	int status;

	if (n <= 0)
		return frec__cli_fail("%s: the recorder went away before it answered",
				      asked->socket);
	reply = flightrec__control__reply__unpack(NULL, (size_t)n, data);
	status = judge(asked, reply, answered, context);
	if (reply)
		flightrec__control__reply__free_unpacked(reply, NULL);
	return status;
}

int frec__recorders_ask(const struct frec_recorders *which, const struct frec_request *request,
			frec_answered *answered, void *context)
{
	struct round round = {0};
	char folder[PATH_MAX - 64], path[PATH_MAX];
	int status = FREC_EXIT_DONE;

	frec__control_folder(folder, sizeof(folder));
	snprintf(path, sizeof(path), "%s/%u" SUFFIX, folder, which->pid);
	if (which->socket || which->pid) {
		const char *socket = which->socket ? which->socket : path;
		int r = ask(&round, socket, request);

		if (r)
			return frec__cli_fail("%s: no recorder listens there: %s", socket,
					      strerror(-r));
	} else {
		ask_folder(&round, folder, request);
		if (!round.count)
			return frec__cli_fail(
				"no recorder runs (none listens in %s): start one with 'flightrec "
				"record', or name its --socket",
				folder);
	}
	for (size_t i = 0; i < round.count; i++) {
		int r = collect(round.asked[i], answered, context);

		status = status ? status : r;
		close(round.asked[i]->fd);
		free(round.asked[i]);
	}
	return status;
}
