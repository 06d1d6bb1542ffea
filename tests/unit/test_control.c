// SPDX-License-Identifier: MIT
// Proves that packets and descriptors cross the control socket, that hostile peers leave no
// descriptor behind, that the library reads and writes the messages of control.proto and refuses
// all others, and that listening removes only a dead socket. If several recorders start at once,
// one of them wins, and no client is refused.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "control.pb-c.h"
#include "recorder/control_listen.h"
#include "recorder/service/control.h"
#include "recorder/service/control_message.h"

static int sockets[2];

static int setup(void **state)
{
	(void)state;
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets);
}

static int teardown(void **state)
{
	(void)state;
	close(sockets[0]);
	close(sockets[1]);
	return 0;
}

static int open_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

static void packets(void **state)
{
	char packet[64];
	int fd = 99;

	(void)state;
	assert_int_equal(frec__control_receive(sockets[1], packet, sizeof(packet), &fd, 0),
			 -ETIMEDOUT);
	assert_int_equal(fd, -1);
	assert_int_equal(frec__control_send(sockets[0], "trigger x", 9, -1), 0);
	assert_int_equal(frec__control_receive(sockets[1], packet, sizeof(packet), &fd, 1000), 9);
	assert_memory_equal(packet, "trigger x", 9);
	assert_int_equal(fd, -1);
	// A packet can fill the buffer to its last byte.
	assert_int_equal(frec__control_send(sockets[0], packet, sizeof(packet), -1), 0);
	assert_int_equal(frec__control_receive(sockets[1], packet, sizeof(packet), &fd, 1000),
			 sizeof(packet));
	shutdown(sockets[0], SHUT_WR);
	assert_int_equal(frec__control_receive(sockets[1], packet, sizeof(packet), NULL, 1000), 0);
	// Sending to a peer that has closed its end fails, but raises no signal.
	close(sockets[1]);
	assert_int_equal(frec__control_send(sockets[0], "x", 1, -1), -EPIPE);
	sockets[1] = dup(sockets[0]);
}

static void a_descriptor(void **state)
{
	char packet[64];
	int before = open_descriptors(), fd, null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct stat sent, received;

	(void)state;
	assert_int_equal(frec__control_send(sockets[0], "ok", 2, null), 0);
	assert_int_equal(frec__control_receive(sockets[1], packet, sizeof(packet), &fd, 1000), 2);
	assert_true(fd >= 0 && fd != null);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	fstat(null, &sent);
	fstat(fd, &received);
	assert_int_equal(sent.st_rdev, received.st_rdev);
	close(fd);
	// A receiver that does not ask for a descriptor does not get one.
	assert_int_equal(frec__control_send(sockets[0], "ok", 2, null), 0);
	assert_int_equal(frec__control_receive(sockets[1], packet, sizeof(packet), NULL, 1000), 2);
	close(null);
	assert_int_equal(open_descriptors(), before);
}

// Each kind of request is encoded as the schema defines it.
static void requests(void **state)
{
	uint8_t data[FREC_REQUEST_SIZE_MAX];
	char name[FREC_REQUEST_SIZE_MAX + 1];
	const struct frec_request all[] = {
		{.kind = FREC_REQUEST_TRIGGER, .name = "slow request"},
		{.kind = FREC_REQUEST_NOTIFY, .name = ""},
		{.kind = FREC_REQUEST_ATTACH},
		{.kind = FREC_REQUEST_STATUS},
		{.kind = FREC_REQUEST_CORE, .pid = 127},
		{.kind = FREC_REQUEST_STACKS, .pid = 4194304, .missing = UINT32_MAX},
		{.kind = FREC_REQUEST_END},
		{.kind = FREC_REQUEST_STOP},
		{.kind = FREC_REQUEST_NOTICES},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		ssize_t size = frec__request_encode(&all[i], data, sizeof(data));
		Flightrec__Control__Request *request;

		assert_true(size > 0);
		request = flightrec__control__request__unpack(NULL, (size_t)size, data);
		assert_non_null(request);
		assert_int_equal(request->kind, all[i].kind);
		assert_string_equal(request->name, all[i].name ? all[i].name : "");
		assert_int_equal(request->pid, all[i].pid);
		assert_int_equal(request->missing, all[i].missing);
		assert_int_equal(request->base.n_unknown_fields, 0);
		flightrec__control__request__free_unpacked(request, NULL);
		// Not a byte is written beyond the buffer.
		for (ssize_t room = 0; room < size; room++) {
			uint8_t cut[FREC_REQUEST_SIZE_MAX + 1];

			memset(cut, 0xaa, sizeof(cut));
			assert_int_equal(frec__request_encode(&all[i], cut, (size_t)room),
					 -EMSGSIZE);
			assert_int_equal(cut[room], 0xaa);
		}
	}
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	assert_int_equal(frec__request_send(sockets[0], &(struct frec_request){.name = name}, -1),
			 -EMSGSIZE);
}

static void expect_pair(const Flightrec__Pair *pair, const char *key, const char *value)
{
	assert_string_equal(pair->key, key);
	assert_int_equal(pair->value.len, strlen(value));
	assert_memory_equal(pair->value.data, value, pair->value.len);
}

// Pairs from an array and pairs from KEY=VALUE texts are encoded as the schema defines them,
// however long the values are. Sending gathers a packet from pieces, and gives the same bytes as
// encoding.
static void pairs(void **state)
{
	char longest[FREC_REQUEST_KEY_MAX + 1], longer[FREC_REQUEST_VALUE_MAX + 100];
	uint8_t data[FREC_REQUEST_SIZE_MAX], packet[FREC_REQUEST_SIZE_MAX];
	const char *const texts[] = {"id", "17\n\xff", longest, longer, "none", NULL, "e", ""};
	const char *const tags[] = {"version=1.2", "a=b=c", "empty=", NULL};
	const char *full[2 * FREC_REQUEST_PAIRS_MAX + 2];
	struct frec_request request = {.kind = FREC_REQUEST_NOTIFY,
				       .name = "slow",
				       .pid = 300,
				       .pair = texts,
				       .pairs = 4,
				       .tags = tags};
	Flightrec__Control__Request *read;
	ssize_t size;

	(void)state;
	memset(longest, 'k', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = 0;
	memset(longer, 'v', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = 0;
	size = frec__request_encode(&request, data, sizeof(data));
	assert_true(size > 0);
	assert_int_equal(frec__request_send(sockets[0], &request, -1), 0);
	assert_int_equal(frec__control_receive(sockets[1], packet, sizeof(packet), NULL, 0), size);
	assert_memory_equal(packet, data, size);
	read = flightrec__control__request__unpack(NULL, (size_t)size, data);
	assert_non_null(read);
	assert_int_equal(read->n_pair, 7);
	expect_pair(read->pair[0], "id", "17\n\xff");
	// The value is sent with one byte more than is kept, so that the recorder knows that it was
	// longer.
	longer[FREC_REQUEST_VALUE_MAX + 1] = 0;
	expect_pair(read->pair[1], longest, longer);
	expect_pair(read->pair[2], "none", "(null)");
	expect_pair(read->pair[3], "e", "");
	expect_pair(read->pair[4], "version", "1.2");
	expect_pair(read->pair[5], "a", "b=c");
	expect_pair(read->pair[6], "empty", "");
	assert_int_equal(read->pid, 300);
	flightrec__control__request__free_unpacked(read, NULL);
	// The largest request has room in a packet, and one with more pairs is refused.
	for (size_t i = 0; i < 2 * FREC_REQUEST_PAIRS_MAX + 2; i++)
		full[i] = i % 2 ? longer : longest;
	request = (struct frec_request){.kind = FREC_REQUEST_NOTIFY,
					.name = longest,
					.pid = UINT32_MAX,
					.missing = UINT32_MAX,
					.pair = full,
					.pairs = FREC_REQUEST_PAIRS_MAX};
	assert_int_equal(frec__request_send(sockets[0], &request, -1), 0);
	request.pairs = FREC_REQUEST_PAIRS_MAX + 1;
	assert_int_equal(frec__request_encode(&request, data, sizeof(data)), -EMSGSIZE);
}

static size_t pack(const Flightrec__Control__Reply *reply, uint8_t *ret, size_t size)
{
	assert_true(flightrec__control__reply__get_packed_size(reply) <= size);
	return flightrec__control__reply__pack(reply, ret);
}

static void replies(void **state)
{
	Flightrec__Control__StatusReply status = FLIGHTREC__CONTROL__STATUS_REPLY__INIT;
	Flightrec__Control__Recording recording = FLIGHTREC__CONTROL__RECORDING__INIT;
	Flightrec__Control__Reply message = FLIGHTREC__CONTROL__REPLY__INIT;
	char error[2000];
	uint8_t data[4096] = {0};
	struct frec_reply reply;
	size_t size;

	(void)state;
	// An empty reply says that nothing was done.
	assert_int_equal(frec__reply_decode(data, 0, &reply), 0);
	assert_true(!reply.done && !*reply.error && !reply.transport && !reply.awaited);
	message.done = message.awaited = true;
	message.transport = FLIGHTREC__TRANSPORT__TRANSPORT_SHM;
	message.path = (ProtobufCBinaryData){.data = (uint8_t *)"/tmp/x", .len = 6};
	message.transport_why = (ProtobufCBinaryData){.data = (uint8_t *)"no rights", .len = 9};
	recording.recording_for = 1.5;
	status.recording = &recording;
	message.status = &status;
	size = pack(&message, data, sizeof(data));
	assert_int_equal(frec__reply_decode(data, size, &reply), 0);
	assert_true(reply.done && reply.awaited && !*reply.error);
	assert_int_equal(reply.transport, FREC_REPLY_SHM);
	assert_string_equal(reply.transport_why, "no rights");
	// An error that is longer than the room for it is truncated.
	message = (Flightrec__Control__Reply)FLIGHTREC__CONTROL__REPLY__INIT;
	memset(error, 'e', sizeof(error));
	message.error = message.transport_why =
		(ProtobufCBinaryData){.data = (uint8_t *)error, .len = sizeof(error)};
	size = pack(&message, data, sizeof(data));
	assert_int_equal(frec__reply_decode(data, size, &reply), 0);
	assert_false(reply.done);
	assert_int_equal(strlen(reply.error), sizeof(reply.error) - 1);
	assert_int_equal(strlen(reply.transport_why), sizeof(reply.transport_why) - 1);
}

struct malformed {
	const char *what;
	size_t size;
	uint8_t data[16];
};

static const struct malformed malformed[] = {
	{"done as bytes", 3, {0x0a, 1, 1}},
	{"error as a number", 2, {0x10, 1}},
	{"error as fixed32", 5, {0x15, 0, 0, 0, 0}},
	{"transport as fixed64", 9, {0x21, 0, 0, 0, 0, 0, 0, 0, 0}},
	{"awaited as bytes", 2, {0x2a, 0}},
	{"transport_why as a number", 2, {0x38, 1}},
	{"field 0", 2, {0x00, 1}},
	{"a group", 2, {0x53, 0x54}},
	{"wire type 7", 2, {0x57, 0}},
	{"a tag without a value", 1, {0x08}},
	{"a varint without its end", 3, {0x08, 0x80, 0x80}},
	{"a varint of eleven bytes",
	 12,
	 {0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}},
	{"bytes beyond the end", 4, {0x12, 3, 'a', 'b'}},
	{"bytes without end", 11, {0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}},
	{"unknown bytes beyond the end", 4, {0x7a, 3, 'a', 'b'}},
	{"half a fixed64", 5, {0x79, 0, 0, 0, 0}},
	{"half a fixed32", 3, {0x7d, 0, 0}},
};

static void malformed_replies(void **state)
{
	static const uint8_t unknown[] = {0x78, 5, 0x79, 1,   2,    3, 4, 5, 6, 7,    8,
					  0x7a, 2, 'a',	 'b', 0x7d, 1, 2, 3, 4, 0x08, 1};
	struct frec_reply reply;

	(void)state;
	for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
		// Put the message at the end of a page, so that reading a byte beyond it is
		// detected.
		char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				   -1, 0);
		uint8_t *data = (uint8_t *)pages + 4096 - malformed[i].size;

		assert_true(pages != MAP_FAILED);
		assert_int_equal(mprotect(pages + 4096, 4096, PROT_NONE), 0);
		memcpy(data, malformed[i].data, malformed[i].size);
		reply.transport = 99;
		if (frec__reply_decode(data, malformed[i].size, &reply) != -EBADMSG)
			fail_msg("%s was taken for a reply", malformed[i].what);
		// Nothing is written on failure.
		assert_int_equal(reply.transport, 99);
		munmap(pages, 8192);
	}
	// Fields of a later version are ignored.
	assert_int_equal(frec__reply_decode(unknown, sizeof(unknown), &reply), 0);
	assert_true(reply.done);
	// A truncated reply is either refused or has the fields before the cut.
	for (size_t size = 0; size < sizeof(unknown); size++) {
		if (!frec__reply_decode(unknown, size, &reply))
			assert_false(reply.done);
	}
}

static void received_replies(void **state)
{
	static const uint8_t done[] = {0x08, 1}, torn[] = {0x08};
	static const uint8_t large[4096];
	int before = open_descriptors(), fd, null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct frec_reply reply;

	(void)state;
	assert_int_equal(frec__reply_receive(sockets[1], &reply, &fd, 0), -ETIMEDOUT);
	assert_int_equal(fd, -1);
	assert_int_equal(frec__control_send(sockets[0], done, sizeof(done), null), 0);
	assert_int_equal(frec__reply_receive(sockets[1], &reply, &fd, 1000), 0);
	assert_true(reply.done && fd >= 0);
	close(fd);
	// A descriptor that comes with an invalid reply is closed.
	assert_int_equal(frec__control_send(sockets[0], torn, sizeof(torn), null), 0);
	assert_int_equal(frec__reply_receive(sockets[1], &reply, &fd, 1000), -EBADMSG);
	assert_int_equal(fd, -1);
	assert_int_equal(frec__control_send(sockets[0], large, sizeof(large), null), 0);
	assert_int_equal(frec__reply_receive(sockets[1], &reply, &fd, 1000), -EMSGSIZE);
	assert_int_equal(fd, -1);
	close(null);
	assert_int_equal(open_descriptors(), before);
	shutdown(sockets[0], SHUT_WR);
	assert_int_equal(frec__reply_receive(sockets[1], &reply, NULL, 1000), -EPIPE);
}

static void send_many(const char *text, size_t size, int count)
{
	char space[CMSG_SPACE(64 * sizeof(int))] = {0};
	struct iovec data = {.iov_base = (void *)text, .iov_len = size};
	struct msghdr header = {.msg_iov = &data,
				.msg_iovlen = 1,
				.msg_control = space,
				.msg_controllen = CMSG_SPACE((size_t)count * sizeof(int))};
	struct cmsghdr *rights = CMSG_FIRSTHDR(&header);

	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
	for (int i = 0; i < count; i++)
		memcpy(CMSG_DATA(rights) + (size_t)i * sizeof(int), &sockets[0], sizeof(int));
	assert_int_equal(sendmsg(sockets[0], &header, MSG_NOSIGNAL), size);
}

static void hostile_peers_leave_nothing(void **state)
{
	static char large[4096];
	char message[64];
	int before = open_descriptors();

	(void)state;
	memset(large, 'x', sizeof(large));
	for (int count = 1; count <= 64; count++) {
		int fd;
		ssize_t n;

		send_many("hello", 5, count);
		n = frec__control_receive(sockets[1], message, sizeof(message), &fd, 1000);
		assert_true(n == 5 || n == -EMSGSIZE);
		assert_int_equal(fd >= 0, n == 5);
		if (fd >= 0)
			close(fd);
		assert_int_equal(open_descriptors(), before);
		// Send a message that is too large, and then an empty one, both with descriptors.
		send_many(large, sizeof(large), count);
		assert_int_equal(
			frec__control_receive(sockets[1], message, sizeof(message), &fd, 1000),
			-EMSGSIZE);
		assert_int_equal(fd, -1);
		send_many("", 0, count);
		assert_true(frec__control_receive(sockets[1], message, sizeof(message), &fd,
						  1000) <= 0);
		assert_int_equal(fd, -1);
		assert_int_equal(open_descriptors(), before);
	}
	assert_int_equal(frec__control_send(sockets[0], "still here", 10, -1), 0);
	assert_int_equal(frec__control_receive(sockets[1], message, sizeof(message), NULL, 1000),
			 10);
}

// Sockets of recorders that were killed go, and nothing else.
static void dead_sockets_are_swept(void **state)
{
	static const char *const names[] = {"1.sock", "2.sock", ".flightrec-7-0", "socket",
					    "x.sock"};
	static const bool stays[] = {false, true, true, true, true};
	char folder[] = "/tmp/frec-control-XXXXXX", path[64];
	int living = -1;

	(void)state;
	assert_non_null(mkdtemp(folder));
	for (size_t i = 0; i < 5; i++) {
		int fd;

		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		fd = i < 4 ? frec__control_listen(path, 0600)
			   : open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		assert_true(fd >= 0);
		if (i == 1)
			living = fd;
		else
			close(fd);
	}
	frec__control_sweep(folder);
	for (size_t i = 0; i < 5; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		assert_int_equal(!access(path, F_OK), stays[i]);
		unlink(path);
	}
	close(living);
	assert_int_equal(rmdir(folder), 0);
}

static void listening(void **state)
{
	char folder[] = "/tmp/frec-control-XXXXXX", path[64], file[64], text[200];
	struct stat status;
	int fd, client, plain;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/socket", folder);
	snprintf(file, sizeof(file), "%s/file", folder);
	fd = frec__control_listen(path, 0600);
	assert_true(fd >= 0);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	client = frec__control_connect(path);
	assert_true(client >= 0);
	close(client);
	assert_int_equal(frec__control_listen(path, 0600), -EADDRINUSE);
	// A recorder that was killed leaves its socket, which the next recorder replaces.
	close(fd);
	fd = frec__control_listen(path, 0666);
	assert_true(fd >= 0);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0666);
	close(fd);
	// A file of another kind at that path is left alone.
	plain = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	close(plain);
	assert_int_equal(frec__control_listen(file, 0600), -EADDRINUSE);
	assert_int_equal(stat(file, &status), 0);
	assert_true(S_ISREG(status.st_mode));
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	assert_int_equal(frec__control_listen(text, 0600), -ENAMETOOLONG);
	assert_int_equal(frec__control_connect(text), -ENAMETOOLONG);
	unlink(path);
	unlink(file);
	assert_int_equal(frec__control_connect(path), -ENOENT);
	assert_int_equal(rmdir(folder), 0);
}

#define RECORDERS 8
#define CLIENTS 2
#define ROUNDS 100

// What the processes of a round share.
struct race {
	char path[64];
	int before; // what connecting returns until a recorder listens
	bool started, ended;
	int running, decided;	 // processes that run, and recorders that have a result
	int recorder[RECORDERS]; // results of frec__control_listen()
	pid_t server[CLIENTS];	 // the process that answered
	int surprise[CLIENTS];
};

static void wait_until(const bool *flag)
{
	while (!__atomic_load_n(flag, __ATOMIC_ACQUIRE))
		sched_yield();
}

static void recorder_starts(struct race *race, int index)
{
	race->recorder[index] = frec__control_listen(race->path, 0600);
	__atomic_add_fetch(&race->decided, 1, __ATOMIC_RELEASE);
	wait_until(&race->ended);
}

static void client_asks(struct race *race, int index)
{
	struct ucred peer = {0};
	socklen_t size = sizeof(peer);
	bool last;
	int fd;

	do {
		last = __atomic_load_n(&race->decided, __ATOMIC_ACQUIRE) == RECORDERS;
		fd = frec__control_connect(race->path);
	} while (fd == race->before && !last);
	race->surprise[index] = fd < 0 ? fd : getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
	race->server[index] = peer.pid;
}

static void run_race(struct race *race)
{
	const int count = RECORDERS + CLIENTS;
	pid_t process[RECORDERS + CLIENTS], winner = 0;

	race->started = race->ended = false;
	race->running = race->decided = 0;
	for (int i = 0; i < count; i++) {
		process[i] = fork();
		if (!process[i]) {
			__atomic_add_fetch(&race->running, 1, __ATOMIC_RELEASE);
			wait_until(&race->started);
			i < RECORDERS ? recorder_starts(race, i) : client_asks(race, i - RECORDERS);
			_exit(0);
		}
		assert_true(process[i] > 0);
	}
	while (__atomic_load_n(&race->running, __ATOMIC_ACQUIRE) < count)
		sched_yield();
	__atomic_store_n(&race->started, true, __ATOMIC_RELEASE);
	for (int i = RECORDERS; i < count; i++)
		assert_int_equal(waitpid(process[i], NULL, 0), process[i]);
	while (__atomic_load_n(&race->decided, __ATOMIC_ACQUIRE) < RECORDERS)
		sched_yield();
	__atomic_store_n(&race->ended, true, __ATOMIC_RELEASE);
	for (int i = 0; i < RECORDERS; i++)
		assert_int_equal(waitpid(process[i], NULL, 0), process[i]);
	for (int i = 0; i < RECORDERS; i++) {
		if (race->recorder[i] < 0) {
			assert_int_equal(race->recorder[i], -EADDRINUSE);
			continue;
		}
		assert_int_equal(winner, 0);
		winner = process[i];
	}
	for (int i = 0; i < CLIENTS; i++) {
		assert_int_equal(race->surprise[i], 0);
		assert_int_equal(race->server[i], winner);
	}
}

static void many_start_at_once(void **state)
{
	char folder[] = "/tmp/frec-control-XXXXXX";
	struct race *race = mmap(NULL, sizeof(*race), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_true(race != MAP_FAILED);
	assert_non_null(mkdtemp(folder));
	snprintf(race->path, sizeof(race->path), "%s/socket", folder);
	for (int i = 0; i < ROUNDS; i++) {
		race->before = -ENOENT;
		run_race(race);
		// All recorders are gone now, and the winner has left its socket behind.
		race->before = -ECONNREFUSED;
		run_race(race);
		assert_int_equal(unlink(race->path), 0);
	}
	assert_int_equal(rmdir(folder), 0);
	munmap(race, sizeof(*race));
}

// The path of a socket can have the maximum length, even if its last part is short and a killed
// recorder has left files in its folder.
static void any_name(void **state)
{
	char folder[] = "/tmp/frec-control-XXXXXX", deep[120], path[130], left[160];
	int fd, client;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(deep, sizeof(deep), "%s/%0*d", folder, (int)(107 - sizeof(folder) - 2), 0);
	snprintf(path, sizeof(path), "%s/s", deep);
	assert_int_equal(strlen(path), 107);
	assert_int_equal(mkdir(deep, 0700), 0);
	snprintf(left, sizeof(left), "%s/.flightrec-%x-0", deep, (unsigned int)getpid());
	close(open(left, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	fd = frec__control_listen(path, 0600);
	assert_true(fd >= 0);
	client = frec__control_connect(path);
	assert_true(client >= 0);
	close(client);
	close(fd);
	unlink(path);
	unlink(left);
	// Nothing else is left behind.
	assert_int_equal(rmdir(deep), 0);
	assert_int_equal(frec__control_listen(path, 0600), -ENOENT);
	// A symbolic link whose target does not exist is not replaced.
	snprintf(path, sizeof(path), "%s/link", folder);
	assert_int_equal(symlink("nowhere", path), 0);
	assert_int_equal(frec__control_listen(path, 0600), -EADDRINUSE);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(packets, setup, teardown),
		cmocka_unit_test_setup_teardown(a_descriptor, setup, teardown),
		cmocka_unit_test_setup_teardown(hostile_peers_leave_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(requests, setup, teardown),
		cmocka_unit_test_setup_teardown(pairs, setup, teardown),
		cmocka_unit_test(replies),
		cmocka_unit_test(malformed_replies),
		cmocka_unit_test_setup_teardown(received_replies, setup, teardown),
		cmocka_unit_test(listening),
		cmocka_unit_test(dead_sockets_are_swept),
		cmocka_unit_test(many_start_at_once),
		cmocka_unit_test(any_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
