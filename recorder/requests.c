// SPDX-License-Identifier: MIT
// The requests of clients, and who may send which.
#include "recorder/requests.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control.pb-c.h"
#include "proto/cleanup.h"
#include "proto/clocks.h"
#include "recorder/answers.h"
#include "recorder/engine_cores.h"
#include "recorder/notices.h"
#include "recorder/processes/proc_scan.h"
#include "recorder/processes/process_end.h"
#include "recorder/service/control.h"
#include "recorder/service/control_message.h"

_Static_assert((int)FREC_REQUEST_TRIGGER == (int)FLIGHTREC__CONTROL__REQUEST__KIND__TRIGGER &&
		       (int)FREC_REQUEST_LEAVE == (int)FLIGHTREC__CONTROL__REQUEST__KIND__LEAVE,
	       "the library numbers requests as the schema does");
_Static_assert(FREC_REQUEST_PAIRS_MAX == FREC_PAIRS_MAX &&
		       FREC_REQUEST_KEY_MAX == FREC_PAIR_KEY_MAX &&
		       FREC_REQUEST_VALUE_MAX == FREC_PAIR_VALUE_MAX,
	       "the library and the files have the same limits");

// Memory for one request. Requests are unpacked without the heap, because a trigger may be sent
// when memory runs out. A request with hundreds of unknown fields does not fit and is refused.
struct arena {
	size_t used;
	_Alignas(max_align_t) uint8_t bytes[16384];
};

static void *arena_alloc(void *context, size_t size)
{
	struct arena *arena = context;
	size_t aligned = (size + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
	void *p = arena->bytes + arena->used;

	if (aligned < size || aligned > sizeof(arena->bytes) - arena->used)
		return NULL;
	arena->used += aligned;
	return p;
}

static void arena_free(void *context, void *p)
{
	(void)context;
	(void)p;
}

// Returns the user whose records a snapshot for the client holds, or -1 for all.
static int64_t only_uid(const struct frec_client *client)
{
	return client->trusted ? -1 : (int64_t)client->uid;
}

// Checks and copies the pairs of a request. Returns NULL, or why they are refused.
static const char *read_pairs(const Flightrec__Control__Request *request, struct frec_pairs *ret)
{
	ret->count = ret->size = 0;
	for (size_t i = 0; i < request->n_pair; i++) {
		const Flightrec__Pair *pair = request->pair[i];
		int r = frec__pairs_add(ret, pair->key, strlen(pair->key), pair->value.data,
					pair->value.len);

		if (r == -E2BIG)
			return "there are more than 16 pairs of key and value";
		if (r)
			return "a key is 1 to 64 printable characters without ' ' and '=', and "
			       "occurs once; a value has no NUL";
	}
	return NULL;
}

static void answer_trigger(struct frec_client *client, const char *path, const char *error)
{
	Flightrec__Control__Reply reply = FLIGHTREC__CONTROL__REPLY__INIT;

	if (!path) {
		frec__answer_error(client->fd, error);
		return;
	}
	snprintf(client->last_path, sizeof(client->last_path), "%s", path);
	reply.path = (ProtobufCBinaryData){.data = (uint8_t *)path, .len = strlen(path)};
	frec__answer_done(client->fd, &reply, -1);
}

static void serve_trigger(struct frec_engine *engine, struct frec_client *client,
			  const Flightrec__Control__Request *request, bool answered)
{
	struct frec_reason reason = {.kind = FLIGHTREC__TRIGGER__KIND__REQUEST,
				     .time = frec__monotonic(),
				     .by_pid = client->from_pid,
				     .by_uid = client->from_uid};
	// A client that waits for the answer is mostly a `flightrec trigger`, a new process each
	// time, so its pid would make each request a cause of its own.
	struct frec_cause cause = {.kind = reason.kind,
				   .pid = answered ? 0 : client->from_pid,
				   .only_uid = only_uid(client)};
	struct frec_error error = {0};
	struct frec_pairs fields;
	const char *refused = read_pairs(request, &fields);
	char path[PATH_MAX];
	uint64_t held = 0;
	int r;

	if (!frec__trigger_name_valid(request->name))
		refused = "a trigger's name is 1 to 100 printable characters";
	if (refused) {
		if (answered)
			frec__answer_error(client->fd, refused);
		return;
	}
	// The file has to name the process that asked, even if the process table does not have it
	// yet, such as a new worker.
	if (reason.by_pid && !frec__process_table_find(&engine->processes, reason.by_pid))
		frec__process_table_scan_one(&engine->processes, reason.by_pid);
	snprintf(reason.name, sizeof(reason.name), "%s", request->name);
	reason.fields = &fields;
	snprintf(cause.name, sizeof(cause.name), "%s", request->name);
	// A connection waits for at most one held snapshot. Meanwhile, each further request that
	// waits for an answer gets its snapshot at once.
	if (client->held && answered)
		r = frec__engine_snapshot(engine, &reason, cause.only_uid, path, &error);
	else
		r = frec__engine_trigger(engine, &cause, &reason, path, &held, &error);
	if (held && answered)
		client->held = held;
	else if (held)
		client->held_unanswered = held;
	else if (answered)
		answer_trigger(client, r ? NULL : path, error.message);
	else if (!r)
		snprintf(client->last_path, sizeof(client->last_path), "%s", path);
}

void frec__request_held(struct frec_client *client, uint64_t number, const char *path,
			const char *error)
{
	if (client->held_unanswered == number) {
		client->held_unanswered = 0;
		if (path)
			snprintf(client->last_path, sizeof(client->last_path), "%s", path);
	}
	if (client->held == number) {
		client->held = 0;
		answer_trigger(client, path, error);
	}
}

// Returns the process that connected, or NULL if it has ended. Another process can have its pid by
// then, even one of another user.
static const struct frec_process *client_process(struct frec_engine *engine,
						 const struct frec_client *client)
{
	struct frec_process *process = frec__engine_process(engine, client->pid);

	if (process)
		frec__process_table_refresh_owner(process);
	// What was read is about the client if the client still has its pid now.
	if (!process || !frec__client_is_there(client) ||
	    (!client->trusted && frec__owner_is_other(&process->owner, client->uid)))
		return NULL;
	return process;
}

static void serve_attach(struct frec_engine *engine, struct frec_client *client,
			 const Flightrec__Control__Request *request)
{
	const struct frec_process *process = client->pid ? client_process(engine, client) : NULL;
	const struct frec_watched service = {.pid = client->pid,
					     .life = process ? process->life : 0,
					     .only_uid = only_uid(client)};
	struct frec_error error = {0};
	struct frec_pairs tags;
	const char *refused = read_pairs(request, &tags);
	FREC_CLOSE int fd = -1;

	if (refused) {
		frec__answer_error(client->fd, refused);
	} else if (!client->pid) {
		frec__answer_error(client->fd,
				   "the recorder is in a pid namespace that does not know you");
	} else if (!process) {
		frec__answer_error(client->fd,
				   "the process that connected has ended: connect again");
	} else if (frec__engine_attach(engine, &service, client->uid, client->attached, &fd,
				       &error)) {
		frec__answer_error(client->fd, error.message);
	} else {
		client->attached = true;
		client->life = service.life;
		(void)frec__process_table_tag(&engine->processes, client->pid, tags.text,
					      tags.size);
		frec__answer_ready(client->fd, engine, fd);
	}
}

static void serve_core(struct frec_engine *engine, struct frec_client *client, uint32_t pid)
{
	Flightrec__Control__Reply reply = FLIGHTREC__CONTROL__REPLY__INIT;

	client->core_pid = pid;
	reply.awaited = frec__engine_core_announced(engine, pid);
	frec__answer_done(client->fd, &reply, -1);
}

static void serve_stacks(struct frec_engine *engine, const struct frec_client *client,
			 const Flightrec__Control__Request *request, int fd)
{
	Flightrec__Control__Reply reply = FLIGHTREC__CONTROL__REPLY__INIT;
	struct frec_error error = {0};

	if (frec__engine_core_stacks(engine, request->pid, fd, request->missing, &error))
		frec__answer_error(client->fd, error.message);
	else
		frec__answer_done(client->fd, &reply, -1);
	frec__engine_core_over(engine, request->pid);
}

static void serve_notices(struct frec_client *client)
{
	Flightrec__Control__Reply reply = FLIGHTREC__CONTROL__REPLY__INIT;
	FREC_CLOSE int fd = frec__notices_open(client);

	if (fd < 0)
		frec__answer_error(client->fd, strerror(-fd));
	else
		frec__answer_done(client->fd, &reply, fd);
}

static bool is_for_trusted(Flightrec__Control__Request__Kind kind)
{
	return kind == FLIGHTREC__CONTROL__REQUEST__KIND__CORE ||
	       kind == FLIGHTREC__CONTROL__REQUEST__KIND__STACKS ||
	       kind == FLIGHTREC__CONTROL__REQUEST__KIND__STOP ||
	       kind == FLIGHTREC__CONTROL__REQUEST__KIND__LEAVE;
}

static void serve(struct frec_engine *engine, struct frec_client *client,
		  const Flightrec__Control__Request *request, int fd)
{
	const Flightrec__Control__Reply stays = FLIGHTREC__CONTROL__REPLY__INIT;

	if (is_for_trusted(request->kind) && !client->trusted) {
		frec__answer_error(client->fd, "only the recorder's owner may ask for that");
		return;
	}
	switch (request->kind) {
	case FLIGHTREC__CONTROL__REQUEST__KIND__TRIGGER:
	case FLIGHTREC__CONTROL__REQUEST__KIND__NOTIFY:
		serve_trigger(engine, client, request,
			      request->kind == FLIGHTREC__CONTROL__REQUEST__KIND__TRIGGER);
		break;
	case FLIGHTREC__CONTROL__REQUEST__KIND__ATTACH:
		serve_attach(engine, client, request);
		break;
	case FLIGHTREC__CONTROL__REQUEST__KIND__STATUS:
		frec__answer_status(client, engine);
		break;
	case FLIGHTREC__CONTROL__REQUEST__KIND__CORE:
		serve_core(engine, client, request->pid);
		break;
	case FLIGHTREC__CONTROL__REQUEST__KIND__STACKS:
		serve_stacks(engine, client, request, fd);
		break;
	case FLIGHTREC__CONTROL__REQUEST__KIND__END:
		frec__ends_expect_exit(&engine->ends, client->from_pid);
		break;
	case FLIGHTREC__CONTROL__REQUEST__KIND__STOP:
		client->stopped = true;
		break;
	case FLIGHTREC__CONTROL__REQUEST__KIND__NOTICES:
		serve_notices(client);
		break;
	case FLIGHTREC__CONTROL__REQUEST__KIND__LEAVE:
		client->stopped |= client->life_line && frec__process_is_over(client->pid);
		if (!client->stopped)
			frec__answer_done(client->fd, &stays, -1);
		break;
	default:
		frec__answer_error(client->fd, "unknown request");
	}
}

bool frec__request_serve(struct frec_engine *engine, struct frec_client *client)
{
	struct arena arena;
	ProtobufCAllocator allocator = {
		.alloc = arena_alloc, .free = arena_free, .allocator_data = &arena};
	Flightrec__Control__Request *request;
	uint8_t data[FREC_REQUEST_SIZE_MAX];
	FREC_CLOSE int fd = -1;
	struct ucred sender;
	ssize_t n = frec__control_receive_from(client->fd, data, sizeof(data),
					       client->trusted ? &fd : NULL, &sender, 0);

	if (n == -ETIMEDOUT || n == -EAGAIN || n == -EINTR)
		return true;
	if (n <= 0)
		return false;
	// The pid of a sender in a pid namespace that is not visible here is 0.
	client->from_pid = sender.pid > 0 ? (uint32_t)sender.pid : client->pid;
	client->from_uid = sender.pid > 0 ? sender.uid : client->uid;
	arena.used = 0;
	request = flightrec__control__request__unpack(&allocator, (size_t)n, data);
	if (request)
		serve(engine, client, request, fd);
	else
		frec__answer_error(client->fd, "not a request");
	return true;
}

void frec__request_end_all(struct frec_engine *engine, const struct frec_client *client)
{
	if (client->attached)
		frec__engine_detach(engine, &(struct frec_watched){.pid = client->pid,
								   .life = client->life,
								   .only_uid = only_uid(client)});
	if (client->core_pid)
		frec__engine_core_over(engine, client->core_pid);
}
