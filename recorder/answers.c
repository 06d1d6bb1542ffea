// SPDX-License-Identifier: MIT
// Packs the answers, above all the status.
#include "recorder/answers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "recorder/clients.h"
#include "recorder/engine_status.h"
#include "recorder/service/control.h"

// The most bytes of a packed status besides its texts: the numbers, the version, and all tags.
#define STATUS_NUMBERS_MAX 1024

_Static_assert((int)FREC_TRANSPORT_USER_EVENTS ==
			       (int)FLIGHTREC__TRANSPORT__TRANSPORT_USER_EVENTS &&
		       (int)FREC_TRANSPORT_USDT == (int)FLIGHTREC__TRANSPORT__TRANSPORT_USDT &&
		       (int)FREC_TRANSPORT_SHM == (int)FLIGHTREC__TRANSPORT__TRANSPORT_SHM,
	       "the transports have the numbers of the schema");

static ProtobufCBinaryData text(const char *text)
{
	return (ProtobufCBinaryData){.data = (uint8_t *)text, .len = strlen(text)};
}

static int send_reply(int socket, const Flightrec__Control__Reply *reply, int fd)
{
	uint8_t data[FREC_CONTROL_MESSAGE_MAX];
	size_t size = flightrec__control__reply__get_packed_size(reply);

	if (size > sizeof(data))
		return -EMSGSIZE;
	flightrec__control__reply__pack(reply, data);
	return frec__control_send(socket, data, size, fd);
}

int frec__answer_done(int socket, const Flightrec__Control__Reply *reply, int fd)
{
	Flightrec__Control__Reply done = *reply;

	done.done = true;
	return send_reply(socket, &done, fd);
}

int frec__answer_error(int socket, const char *error)
{
	Flightrec__Control__Reply reply = FLIGHTREC__CONTROL__REPLY__INIT;

	reply.error = text(error);
	return send_reply(socket, &reply, -1);
}

int frec__answer_ready(int socket, const struct frec_engine *engine, int fd)
{
	Flightrec__Control__Reply reply = FLIGHTREC__CONTROL__REPLY__INIT;

	reply.transport = (Flightrec__Transport)engine->transport;
	reply.transport_why = text(engine->transport_why);
	return frec__answer_done(socket, &reply, fd);
}

// The texts that were added to a message, and how many bytes are left for more.
struct texts {
	size_t count, left;
	ProtobufCBinaryData *text;
};

// Adds a text, or returns false if it does not fit. In the message, a tag of two bytes and a length
// of at most three bytes come before the text.
static bool add_text(struct texts *texts, const char *added)
{
	size_t size = strlen(added) + 5;

	if (size > texts->left)
		return false;
	texts->left -= size;
	texts->text[texts->count++] = text(added);
	return true;
}

static void fill_numbers(Flightrec__Control__Recording *recording,
			 const struct frec_engine_status *status)
{
	const struct frec_history *history = &status->history;

	recording->rings = status->rings;
	recording->ring_size = status->ring_size;
	recording->recording_for = history->recording;
	recording->history = history->held;
	recording->busiest_ring_written = history->written;
	recording->full_ring = history->full;
	recording->without_stacks = history->stacks ? history->without_stacks : 0;
	recording->stacks_missing = history->stacks_missing;
	recording->snapshots = status->snapshots;
	recording->failures = status->failures;
	recording->triggers_coalesced = status->triggers_coalesced;
	recording->deaths_coalesced = status->deaths_coalesced;
	recording->deaths_missed = status->deaths_missed;
	recording->cooldown = (double)status->cooldown / 1e9;
	recording->passed_over = status->passed_over;
	recording->transport = (Flightrec__Transport)status->transport;
	recording->kernel = !status->no_kernel;
	recording->fault_addresses = status->fault_addresses;
	recording->source_count = status->sources;
}

static int answer_recording(int socket, Flightrec__Control__StatusReply *message,
			    const struct frec_engine_status *status)
{
	Flightrec__Control__Reply reply = FLIGHTREC__CONTROL__REPLY__INIT;
	Flightrec__Control__Recording recording = FLIGHTREC__CONTROL__RECORDING__INIT;
	FREC_FREE ProtobufCBinaryData *selection = calloc(FREC_SELECTIONS_MAX, sizeof(*selection));
	FREC_FREE ProtobufCBinaryData *names = calloc(status->sources + 1, sizeof(*names));
	FREC_FREE char *space = malloc(FREC_CONTROL_MESSAGE_MAX);
	uint64_t sources_by[FREC_TRANSPORT_COUNT];
	struct texts texts = {.text = selection};

	if (!selection || !names || !space)
		return frec__answer_error(socket, "out of memory");
	fill_numbers(&recording, status);
	recording.folder = text(status->folder);
	recording.last_path = text(status->last_path);
	recording.no_kernel = text(status->no_kernel ? status->no_kernel : "");
	recording.transport_why = text(status->transport_why);
	recording.last_passed_over = text(status->last_passed_over);
	texts.left = FREC_CONTROL_MESSAGE_MAX - STATUS_NUMBERS_MAX - recording.folder.len -
		     recording.last_path.len - recording.no_kernel.len -
		     recording.transport_why.len - recording.last_passed_over.len;
	while (texts.count < FREC_SELECTIONS_MAX && status->selection[texts.count] &&
	       add_text(&texts, status->selection[texts.count]))
		;
	recording.selection = selection;
	recording.n_selection = texts.count;
	texts.text = names;
	texts.count = 0;
	for (size_t i = 0, used = 0; i < status->sources; i++) {
		const struct frec_listed *listed = &status->source[i].listed;
		char *name = space + used;
		int size = snprintf(name, FREC_CONTROL_MESSAGE_MAX - used, "%s:%s", listed->system,
				    listed->name);

		if ((size_t)size >= FREC_CONTROL_MESSAGE_MAX - used || !add_text(&texts, name))
			break;
		used += (size_t)size + 1;
	}
	recording.sources = names;
	recording.n_sources = texts.count;
	for (size_t i = 0; i < FREC_TRANSPORT_COUNT; i++)
		sources_by[i] = status->sources_by[i];
	recording.sources_by = sources_by;
	recording.n_sources_by = FREC_TRANSPORT_COUNT;
	message->recording = &recording;
	reply.status = message;
	return frec__answer_done(socket, &reply, -1);
}

int frec__answer_status(const struct frec_client *client, const struct frec_engine *engine)
{
	Flightrec__Control__Reply reply = FLIGHTREC__CONTROL__REPLY__INIT;
	Flightrec__Control__StatusReply message = FLIGHTREC__CONTROL__STATUS_REPLY__INIT;
	struct frec_engine_status status;

	message.pid = (uint32_t)getpid();
	message.version = (char *)FREC_VERSION;
	if (client->trusted) {
		frec__engine_status(engine, &status);
		return answer_recording(client->fd, &message, &status);
	}
	message.attached = client->attached;
	message.last_path = text(client->last_path);
	reply.status = &message;
	return frec__answer_done(client->fd, &reply, -1);
}
