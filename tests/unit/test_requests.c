// SPDX-License-Identifier: MIT
// Proves that a recorder refuses packets that are not requests, without waiting for more and within
// a fixed amount of memory; that clients get only what they have the right to; that the status fits
// into one message however much is recorded; and that no client keeps a recorder from ending.
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "control.pb-c.h"
#include "flightrec/recorder.h"
#include "recorder/answers.h"
#include "recorder/notices.h"
#include "recorder/requests.h"
#include "recorder/server.h"
#include "recorder/service/control.h"
#include "recorder/service/control_message.h"

static const char *const no_selection[] = {NULL};

// An engine that records nothing, and a client of it.
struct fixture {
	int peer;
	struct frec_client client;
	struct frec_engine engine;
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	int sockets[2];

	if (!fixture || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets))
		return -1;
	fixture->client = (struct frec_client){
		.fd = sockets[1], .pid = 1, .trusted = true, .notices = -1, .pidfd = -1};
	fixture->peer = sockets[0];
	fixture->engine.tracefs = -1;
	fixture->engine.sources.rings = &fixture->engine.rings;
	fixture->engine.sources.declarations = &fixture->engine.declarations;
	fixture->engine.options.selection = no_selection;
	fixture->engine.kernel = true;
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	close(fixture->peer);
	close(fixture->client.fd);
	frec__process_table_deinit(&fixture->engine.processes);
	free(fixture);
	return 0;
}

static bool serve(struct fixture *fixture, const void *data, size_t size)
{
	assert_int_equal(frec__control_send(fixture->peer, data, size, -1), 0);
	return frec__request_serve(&fixture->engine, &fixture->client);
}

static void expect_error(struct fixture *fixture, const char *error)
{
	struct frec_reply reply;

	assert_int_equal(frec__reply_receive(fixture->peer, &reply, NULL, 0), 0);
	assert_false(reply.done);
	assert_string_equal(reply.error, error);
}

static void expect_silence(struct fixture *fixture)
{
	struct frec_reply reply;

	assert_int_equal(frec__reply_receive(fixture->peer, &reply, NULL, 0), -ETIMEDOUT);
}

static void malformed(void **state)
{
	static const struct {
		size_t size;
		uint8_t data[12];
	} requests[] = {
		{1, {0x08}},					// a tag without a value
		{3, {0x08, 0x80, 0x80}},			// a varint without its end
		{4, {0x12, 3, 'a', 'b'}},			// a name beyond the end
		{7, {0x12, 0xff, 0xff, 0xff, 0xff, 0x0f, 'a'}}, // far beyond
		{4, {0x7a, 9, 'a', 'b'}},			// an unknown field beyond the end
		{5, {0x79, 0, 0, 0, 0}},			// half a fixed64
		{2, {0x00, 1}},					// field 0
		{2, {0x53, 0x54}},				// a group
		{2, {0x0f, 1}},					// wire type 7
		{3, {0x0a, 1, 1}},				// the kind as bytes
		{2, {0x10, 1}},					// the name as a number
		{5, {0x15, 0, 0, 0, 0}},			// the name as fixed32
		{3, {0x1a, 1, 1}},				// the pid as bytes
		{11, {'t', 'r', 'i', 'g', 'g', 'e', 'r', ' ', 'x', 'y', 'z'}},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		assert_true(serve(fixture, requests[i].data, requests[i].size));
		expect_error(fixture, "not a request");
	}
	// If there is nothing to read, serving does not wait.
	assert_true(frec__request_serve(&fixture->engine, &fixture->client));
	expect_silence(fixture);
	// The connection still works.
	assert_true(serve(fixture, (uint8_t[]){0x08, FREC_REQUEST_END}, 2));
	expect_silence(fixture);
}

static void unknown(void **state)
{
	// END, with fields of a later version.
	static const uint8_t later[] = {0x08, FREC_REQUEST_END,
					0x78, 5,
					0x7a, 2,
					'a',  'b',
					0x7d, 1,
					2,    3,
					4,    0x79,
					1,    2,
					3,    4,
					5,    6,
					7,    8};
	uint8_t many[FREC_REQUEST_SIZE_MAX];
	struct fixture *fixture = *state;

	assert_true(serve(fixture, later, sizeof(later)));
	expect_silence(fixture);
	assert_true(serve(fixture, (uint8_t[]){0x08, 99}, 2));
	expect_error(fixture, "unknown request");
	assert_true(serve(fixture, (uint8_t[]){0x18, 1}, 2)); // a pid and nothing else
	expect_error(fixture, "unknown request");
	// A packet has room for more unknown fields than the memory for a request has.
	for (size_t i = 0; i < sizeof(many); i += 2) {
		many[i] = 0x78;
		many[i + 1] = 1;
	}
	assert_true(serve(fixture, many, sizeof(many)));
	expect_error(fixture, "not a request");
}

static void too_large(void **state)
{
	static const uint8_t large[FREC_REQUEST_SIZE_MAX + 1];
	struct fixture *fixture = *state;

	assert_false(serve(fixture, large, sizeof(large)));
	expect_silence(fixture);
	// An empty packet looks like a hang-up.
	assert_int_equal(frec__control_send(fixture->peer, "", 0, -1), 0);
	assert_false(frec__request_serve(&fixture->engine, &fixture->client));
	shutdown(fixture->peer, SHUT_WR);
	assert_false(frec__request_serve(&fixture->engine, &fixture->client));
}

static void ask(struct fixture *fixture, struct frec_request request)
{
	assert_int_equal(frec__request_send(fixture->peer, &request, -1), 0);
	assert_true(frec__request_serve(&fixture->engine, &fixture->client));
}

static void permissions(void **state)
{
	struct fixture *fixture = *state;
	struct frec_reply reply;

	fixture->client.trusted = false;
	for (enum frec_request_kind kind = FREC_REQUEST_CORE; kind <= FREC_REQUEST_STOP; kind++) {
		if (kind == FREC_REQUEST_END)
			continue;
		ask(fixture, (struct frec_request){.kind = kind, .pid = 1});
		expect_error(fixture, "only the recorder's owner may ask for that");
	}
	assert_false(fixture->client.stopped);
	assert_int_equal(fixture->client.core_pid, 0);
	fixture->client.trusted = true;
	ask(fixture, (struct frec_request){.kind = FREC_REQUEST_CORE, .pid = 7});
	assert_int_equal(frec__reply_receive(fixture->peer, &reply, NULL, 0), 0);
	assert_true(reply.done && !reply.awaited);
	assert_int_equal(fixture->client.core_pid, 7);
	ask(fixture, (struct frec_request){.kind = FREC_REQUEST_STACKS, .pid = 7});
	expect_error(fixture, "no snapshot of process 7 is to come");
	ask(fixture, (struct frec_request){.kind = FREC_REQUEST_STOP});
	expect_silence(fixture);
	assert_true(fixture->client.stopped);
}

static void names(void **state)
{
	static const char *const bad[] = {"", "a\nb", "\xc3\xa4"};
	char longest[FREC_TRIGGER_NAME_MAX + 2];
	struct fixture *fixture = *state;

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = 0;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ask(fixture, (struct frec_request){.kind = FREC_REQUEST_TRIGGER, .name = bad[i]});
		expect_error(fixture, "a trigger's name is 1 to 100 printable characters");
	}
	ask(fixture, (struct frec_request){.kind = FREC_REQUEST_TRIGGER, .name = longest});
	expect_error(fixture, "a trigger's name is 1 to 100 printable characters");
	ask(fixture, (struct frec_request){.kind = FREC_REQUEST_NOTIFY, .name = longest});
	expect_silence(fixture);
	fixture->client.pid = 0;
	ask(fixture, (struct frec_request){.kind = FREC_REQUEST_ATTACH});
	expect_error(fixture, "the recorder is in a pid namespace that does not know you");
}

static Flightrec__Control__Reply *receive(struct fixture *fixture)
{
	static uint8_t data[FREC_CONTROL_MESSAGE_MAX];
	ssize_t n = frec__control_receive(fixture->peer, data, sizeof(data), NULL, 0);
	Flightrec__Control__Reply *reply;

	assert_true(n > 0);
	reply = flightrec__control__reply__unpack(NULL, (size_t)n, data);
	assert_non_null(reply);
	assert_true(reply->done);
	assert_non_null(reply->status);
	return reply;
}

// Adds as many sources as possible, with names as long as possible.
static void add_sources(struct frec_source_set *set)
{
	set->count = FREC_SOURCES_MAX;
	set->source = calloc(FREC_SOURCES_MAX, sizeof(*set->source));
	for (size_t i = 0; i < set->count; i++) {
		struct frec_listed *listed = &set->source[i].listed;

		memset(listed->system, 's', sizeof(listed->system) - 1);
		memset(listed->name, 'n', sizeof(listed->name) - 1);
		set->source[i].transport = FLIGHTREC__TRANSPORT__TRANSPORT_SHM;
	}
}

static void statuses(void **state)
{
	static char text[8192];
	const char *selection[FREC_SELECTIONS_MAX + 1] = {NULL};
	struct fixture *fixture = *state;
	struct frec_engine *engine = &fixture->engine;
	Flightrec__Control__Reply *reply;

	add_sources(&engine->sources);
	memset(engine->store.folder.path, 'f', sizeof(engine->store.folder.path) - 1);
	memset(engine->store.last_path, 'l', sizeof(engine->store.last_path) - 1);
	memset(engine->transport_why, 'w', sizeof(engine->transport_why) - 1);
	ask(fixture, (struct frec_request){.kind = FREC_REQUEST_STATUS});
	reply = receive(fixture);
	assert_int_equal(reply->status->pid, getpid());
	assert_string_equal(reply->status->version, FREC_VERSION);
	assert_int_equal(reply->status->recording->source_count, FREC_SOURCES_MAX);
	assert_in_range(reply->status->recording->n_sources, 100, 200);
	assert_int_equal(reply->status->recording->sources[0].len, 127 + 1 + 255);
	assert_int_equal(reply->status->recording->n_sources_by, FREC_TRANSPORT_COUNT);
	assert_int_equal(reply->status->recording->sources_by[FREC_TRANSPORT_SHM],
			 FREC_SOURCES_MAX);
	assert_int_equal(reply->status->recording->folder.len, PATH_MAX - 1);
	assert_int_equal(reply->status->recording->transport_why.len,
			 sizeof(engine->transport_why) - 1);
	flightrec__control__reply__free_unpacked(reply, NULL);
	// These selections are larger than a message, so only some of them are sent.
	memset(text, 't', sizeof(text) - 1);
	for (size_t i = 0; i < FREC_SELECTIONS_MAX; i++)
		selection[i] = text;
	engine->options.selection = selection;
	ask(fixture, (struct frec_request){.kind = FREC_REQUEST_STATUS});
	reply = receive(fixture);
	assert_int_equal(reply->status->recording->n_selection, 6);
	flightrec__control__reply__free_unpacked(reply, NULL);
	// Users who are not trusted learn nothing about the recording.
	fixture->client.trusted = false;
	fixture->client.attached = true;
	strcpy(fixture->client.last_path, "/mine.frec");
	ask(fixture, (struct frec_request){.kind = FREC_REQUEST_STATUS});
	reply = receive(fixture);
	assert_null(reply->status->recording);
	assert_true(reply->status->attached);
	assert_memory_equal(reply->status->last_path.data, "/mine.frec", 10);
	flightrec__control__reply__free_unpacked(reply, NULL);
	free(engine->sources.source);
}

// A client that does not read its answers loses them, but does not block the recorder.
static void unread_answers(void **state)
{
	struct fixture *fixture = *state;
	int lost = 0;

	for (int i = 0; i < 10000 && !lost; i++)
		lost = frec__answer_error(fixture->client.fd, "nobody reads this");
	assert_int_equal(lost, -EAGAIN);
	ask(fixture, (struct frec_request){.kind = FREC_REQUEST_STATUS});
}

// Whatever pairs a client sends, the recorder keeps only pairs within the bounds of the schema.
static void hostile_pairs(void **state)
{
	const char *const error = "a key is 1 to 64 printable characters without ' ' and '=', and "
				  "occurs once; a value has no NUL";
	char key[FREC_PAIR_KEY_MAX + 2];
	const struct {
		const char *key, *value;
	} bad[] = {{"", "v"}, {"a b", "v"}, {"a=", "v"}, {"\x7f", "v"}, {"\xff", "v"}, {key, "v"}};
	struct frec_pair_messages messages;
	struct frec_pairs pairs = {0};
	struct fixture *fixture = *state;
	char large[1000], name[8];

	memset(key, 'k', sizeof(key) - 1);
	key[sizeof(key) - 1] = 0;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *const pair[] = {bad[i].key, bad[i].value};

		ask(fixture,
		    (struct frec_request){
			    .kind = FREC_REQUEST_TRIGGER, .name = "x", .pair = pair, .pairs = 1});
		expect_error(fixture, error);
		ask(fixture,
		    (struct frec_request){.kind = FREC_REQUEST_ATTACH, .pair = pair, .pairs = 1});
		expect_error(fixture, error);
	}
	assert_false(fixture->client.attached);
	// A value is cut at the end of a character if it is UTF-8, and anywhere if it is not.
	assert_int_equal(frec__pairs_add(&pairs, "a", 1, "x\0y", 3), -EINVAL);
	assert_int_equal(frec__pairs_add(&pairs, "a", 1, NULL, 0), 0);
	assert_int_equal(frec__pairs_add(&pairs, "a", 1, "", 0), -EINVAL);
	for (size_t i = 0; i < sizeof(large); i++)
		large[i] = "\xf0\x9f\x98\x80"[i % 4];
	assert_int_equal(frec__pairs_add(&pairs, "face", 4, large, sizeof(large)), 0);
	memset(large, 0x80, sizeof(large));
	assert_int_equal(frec__pairs_add(&pairs, "bytes", 5, large, sizeof(large)), 0);
	assert_int_equal(frec__pairs_add(&pairs, "fits", 4, large, FREC_PAIR_VALUE_MAX), 0);
	memset(key, 'k', sizeof(key));
	for (size_t i = pairs.count; i < FREC_PAIRS_MAX; i++) {
		key[0] = (char)('a' + i);
		assert_int_equal(
			frec__pairs_add(&pairs, key, FREC_PAIR_KEY_MAX, large, sizeof(large)), 0);
	}
	snprintf(name, sizeof(name), "more");
	assert_int_equal(frec__pairs_add(&pairs, name, 4, "", 0), -E2BIG);
	assert_true(pairs.size <= sizeof(pairs.text));
	frec__pairs_to_messages(pairs.text, pairs.size, &messages);
	assert_int_equal(messages.count, FREC_PAIRS_MAX);
	assert_string_equal(messages.pair[0].key, "a");
	assert_int_equal(messages.pair[0].value.len, 0);
	assert_int_equal(messages.pair[1].value.len, 252 + 3);
	assert_memory_equal(messages.pair[1].value.data + 248, "\xf0\x9f\x98\x80...", 7);
	assert_int_equal(messages.pair[2].value.len, 250 + 3);
	assert_int_equal(messages.pair[3].value.len, FREC_PAIR_VALUE_MAX);
}

static int notices_of(struct fixture *fixture)
{
	struct frec_reply reply;
	int fd = -1;

	ask(fixture, (struct frec_request){.kind = FREC_REQUEST_NOTICES});
	assert_int_equal(frec__reply_receive(fixture->peer, &reply, &fd, 0), 0);
	assert_true(reply.done && fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	return fd;
}

// A client that never reads its notices does not block the recorder, and learns how many it missed.
// It cannot make the recorder read or fail, either.
static void unread_notices(void **state)
{
	struct fixture *fixture = *state;
	struct frec_clients clients = {.count = 1, .client = {&fixture->client}};
	const struct frec_reason reason = {.name = "crash", .pid = 7};
	const struct frec_snapshot_job job = {.reason = &reason, .only_uid = -1};
	int fd = notices_of(fixture), kept = 0, first = 1;
	struct frec_notice notice;

	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(write(fd, "x", 1), -1);
	for (int i = 0; i < 500; i++)
		frec__notices_send(&clients, &job, "/x.frec", 0);
	while (read(fd, &notice, sizeof(notice)) == sizeof(notice)) {
		assert_int_equal(notice.missed, 0);
		kept++;
	}
	assert_int_equal(errno, EAGAIN);
	assert_in_range(kept, 16, 499);
	frec__notices_send(&clients, &job, NULL, -ENOSPC);
	assert_int_equal(read(fd, &notice, sizeof(notice)), sizeof(notice));
	assert_int_equal(notice.size, sizeof(notice));
	assert_int_equal(notice.missed, 500 - kept);
	assert_int_equal(notice.error, -ENOSPC);
	assert_int_equal(notice.pid, 7);
	assert_string_equal(notice.name, "crash");
	assert_string_equal(notice.path, "");
	// If a program of another version has a smaller structure, the rest of the packet is
	// dropped.
	for (int i = 0; i < 2; i++)
		frec__notices_send(&clients, &job, "/x.frec", 0);
	assert_int_equal(read(fd, &first, sizeof(first)), sizeof(first));
	assert_int_equal(first, sizeof(notice));
	assert_int_equal(read(fd, &notice, sizeof(notice)), sizeof(notice));
	// A second descriptor replaces the first.
	first = notices_of(fixture);
	assert_int_equal(read(fd, &notice, sizeof(notice)), 0);
	close(fd);
	close(first);
	frec__notices_send(&clients, &job, "/x.frec", 0);
	close(fixture->client.notices);
}

// Another user learns only of the snapshots that are for this user alone.
static void whose_notices(void **state)
{
	struct fixture *fixture = *state;
	struct frec_clients clients = {.count = 1, .client = {&fixture->client}};
	const struct frec_reason reason = {.name = "x"};
	struct frec_snapshot_job job = {.reason = &reason, .only_uid = -1};
	struct frec_notice notice;
	int fd;

	fixture->client.trusted = false;
	fixture->client.uid = 1000;
	fd = notices_of(fixture);
	frec__notices_send(&clients, &job, "/all.frec", 0);
	job.only_uid = 1001;
	frec__notices_send(&clients, &job, "/other.frec", 0);
	job.only_uid = 1000;
	frec__notices_send(&clients, &job, "/mine.frec", 0);
	assert_int_equal(read(fd, &notice, sizeof(notice)), sizeof(notice));
	assert_string_equal(notice.path, "/mine.frec");
	assert_int_equal(notice.missed, 0);
	assert_int_equal(read(fd, &notice, sizeof(notice)), -1);
	close(fd);
	close(fixture->client.notices);
}

#define SENDERS 4

// A client that never stops sending cannot prevent the recorder from ending.
static void a_flood_at_the_end(void **state)
{
	struct fixture *fixture = *state;
	struct frec_server server = {.engine = &fixture->engine,
				     .signals = -1,
				     .until = -1,
				     .stop = true,
				     .clients = {.count = 1, .client = {&fixture->client}}};
	const struct frec_request request = {.kind = FREC_REQUEST_STATUS};
	pid_t senders[SENDERS];
	int queued = 0;

	fixture->engine.kernel = false;
	// Many sources make answering slower than asking.
	add_sources(&fixture->engine.sources);
	for (int i = 0; i < SENDERS; i++) {
		senders[i] = fork();
		if (!senders[i])
			prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (!senders[i])
			(void)frec__request_send(fixture->peer, &request, -1);
	}
	while (queued < 10000)
		assert_int_equal(ioctl(fixture->peer, SIOCOUTQ, &queued), 0);
	alarm(60);
	frec__server_run(&server);
	alarm(0);
	for (int i = 0; i < SENDERS; i++) {
		kill(senders[i], SIGKILL);
		assert_int_equal(waitpid(senders[i], NULL, 0), senders[i]);
	}
	free(fixture->engine.sources.source);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(malformed, setup, teardown),
		cmocka_unit_test_setup_teardown(unknown, setup, teardown),
		cmocka_unit_test_setup_teardown(too_large, setup, teardown),
		cmocka_unit_test_setup_teardown(permissions, setup, teardown),
		cmocka_unit_test_setup_teardown(names, setup, teardown),
		cmocka_unit_test_setup_teardown(statuses, setup, teardown),
		cmocka_unit_test_setup_teardown(unread_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(hostile_pairs, setup, teardown),
		cmocka_unit_test_setup_teardown(unread_notices, setup, teardown),
		cmocka_unit_test_setup_teardown(whose_notices, setup, teardown),
		cmocka_unit_test_setup_teardown(a_flood_at_the_end, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
