// SPDX-License-Identifier: MIT
// Whatever clients do at a recorder's socket, in whatever order, and whatever descriptors they
// pass: the recorder neither crashes nor hangs nor keeps a descriptor of theirs; a client that is
// not trusted neither ends the recorder nor sees its state; and when all clients have gone, nothing
// is left of them. The input is a list of steps, each a byte, the client in a byte, and what the
// step needs.
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control.pb-c.h"
#include "recorder/engine_start.h"
#include "recorder/server.h"
#include "recorder/service/control.h"
#include "recorder/service/control_message.h"
#include "recorder/service/shm.h"
#include "tests/fuzz/require.h"

#define CLIENTS 4
#define STEPS_MAX 24
#define STRANGER 1000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct frec_engine engine;
static struct frec_server server;
static int over;      // readable at all times, so that the loop runs once
static pid_t service; // the process of every client
static int peer[CLIENTS];
static bool trusted[CLIENTS];

// What is left of the input.
static struct {
	const uint8_t *at;
	size_t left;
} input;

static const uint8_t *take(size_t size)
{
	const uint8_t *at = input.at;

	if (size > input.left)
		return NULL;
	input.at += size;
	input.left -= size;
	return at;
}

static uint8_t take_byte(void)
{
	const uint8_t *at = take(1);

	return at ? *at : 0;
}

// An engine without rights, as that of a keeper, which hands out memory and writes files.
static void start(void)
{
	static const char *const selection[] = {"fuzz:*", NULL};
	static char folder[64];
	struct frec_engine_options options = {.selection = selection,
					      .ring_size = FREC_SHM_RING_SIZE_MIN,
					      .folder = folder,
					      .quota = 1 << 20,
					      .cooldown = UINT64_C(5000000000),
					      .watch = FREC_WATCH_DESCENDANTS,
					      .serves_others = true,
					      .hands_memory = true,
					      .transport = FREC_TRANSPORT_SHM};
	uid_t before = geteuid();
	struct frec_error error = {0};
	sigset_t none;

	service = fork();
	if (!service) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	snprintf(folder, sizeof(folder), "/dev/shm/frec-fuzz-%d", getpid());
	require(!mkdir(folder, 0777) && !chmod(folder, 0777));
	require(before || !seteuid(65534));
	if (frec__engine_start(&engine, &options, &error)) {
		fprintf(stderr, "%s\n", error.message);
		abort();
	}
	require(!seteuid(before));
	require(!engine.kernel);
	require(!frec__server_init(&server, &engine, &error));
	// The fuzzer wants its signals.
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	over = eventfd(1, EFD_CLOEXEC);
	server.until = over;
}

static void stop(void)
{
	char path[300];
	DIR *files = opendir(engine.store.folder.path);
	struct dirent *entry;

	while ((entry = readdir(files))) {
		snprintf(path, sizeof(path), "%s/%s", engine.store.folder.path, entry->d_name);
		unlink(path);
	}
	closedir(files);
	rmdir(engine.store.folder.path);
}

static int count_descriptors(void)
{
	int count = 0;
	DIR *folder = opendir("/proc/self/fd");

	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

static void connect_client(int n)
{
	uint8_t how = take_byte();
	struct frec_client *client;
	int ends[2];

	if (peer[n] >= 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return;
	require(!frec__server_adopt(&server, ends[0], (how & 0x3b) == 0x3b));
	client = server.clients.client[server.clients.count - 1];
	client->trusted = trusted[n] = how & 1;
	client->uid = how & 1 ? geteuid() : STRANGER + (how >> 6);
	client->pid = how & 4 ? 0 : (uint32_t)service;
	peer[n] = ends[1];
}

// Returns a descriptor of one of several kinds, or -1.
static int make_descriptor(uint8_t kind)
{
	int fd, ends[2];

	switch (kind % 8) {
	case 1:
		fd = memfd_create("passed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
		require(write(fd, input.at, input.left) == (ssize_t)input.left);
		if (kind & 8)
			fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
		return fd;
	case 2:
		return pipe2(ends, O_CLOEXEC) ? -1 : (close(ends[1]), ends[0]);
	case 3:
		return open("/dev/zero", O_RDONLY | O_CLOEXEC);
	case 4:
		return open("/", O_PATH | O_CLOEXEC);
	case 5:
		return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	case 6:
		return memfd_create("huge", MFD_CLOEXEC);
	default:
		return -1;
	}
}

static void pass(int n, const void *data, size_t size)
{
	uint8_t kind = take_byte();
	int fd = make_descriptor(kind);

	if (fd >= 0 && kind % 8 == 6)
		require(!ftruncate(fd, INT64_C(1) << 40));
	(void)frec__control_send(peer[n], data, size, fd);
	if (fd >= 0)
		close(fd);
}

static void send_bytes(int n)
{
	size_t size = take_byte() | (size_t)take_byte() << 8;
	const uint8_t *data;

	size = size < input.left ? size : input.left;
	data = take(size);
	if (peer[n] >= 0)
		pass(n, data, size);
}

static void send_request(int n)
{
	static const char *const pair[] = {"order", "77", "host", "\x01\xff"};
	static const char *const names[] = {"slow", "other", "", "a\nb", NULL};
	uint8_t kind = take_byte(), what = take_byte();
	struct frec_request request = {.kind = (enum frec_request_kind)(kind % 12),
				       .name = names[what % 5],
				       .pid = what & 8 ? (uint32_t)service : what,
				       .missing = what,
				       .pair = pair,
				       .pairs = (what >> 6) % 3};
	uint8_t data[FREC_REQUEST_SIZE_MAX];
	ssize_t size = frec__request_encode(&request, data, sizeof(data));

	if (peer[n] >= 0 && size >= 0)
		pass(n, data, (size_t)size);
}

// A service that closes its life line without a STOP makes the recorder wait for its end, which is
// too long for a fuzzer.
static void close_client(int n)
{
	for (size_t i = 0; i < server.clients.count; i++)
		server.clients.client[i]->stopped |= server.clients.client[i]->life_line;
	if (peer[n] >= 0)
		close(peer[n]);
	peer[n] = -1;
}

static void read_answers(int n)
{
	static uint8_t data[FREC_CONTROL_MESSAGE_MAX];
	Flightrec__Control__Reply *reply;
	ssize_t size;
	int fd;

	while (peer[n] >= 0 &&
	       (size = frec__control_receive(peer[n], data, sizeof(data), &fd, 0)) > 0) {
		reply = flightrec__control__reply__unpack(NULL, (size_t)size, data);
		require(reply);
		if (reply->status && !trusted[n])
			require(!reply->status->recording);
		flightrec__control__reply__free_unpacked(reply, NULL);
		if (fd >= 0)
			close(fd);
	}
}

static void run_loop(void)
{
	// As a new server, which has not lost its life line.
	server.stop = server.cut_off = false;
	frec__server_run(&server);
	for (size_t i = 0; i < server.clients.count; i++)
		require(server.clients.client[i]->trusted || !server.clients.client[i]->stopped);
}

static void step(uint8_t what, int n)
{
	switch (what % 8) {
	case 0:
		connect_client(n);
		break;
	case 1:
		send_bytes(n);
		break;
	case 2:
	case 3:
		send_request(n);
		break;
	case 4:
		run_loop();
		break;
	case 5:
		read_answers(n);
		break;
	case 6:
		close_client(n);
		break;
	default:
		if (peer[n] >= 0)
			shutdown(peer[n], take_byte() % 3);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int before;

	if (!engine.store.folder.path[0]) {
		start();
		atexit(stop);
	}
	memset(peer, -1, sizeof(peer));
	input.at = data;
	input.left = size;
	// The memory of a user stays once it is made, and a process is awaited until it ends.
	before = count_descriptors() - (int)(engine.rings.count + engine.ends.count);
	for (int i = 0; i < STEPS_MAX && input.left; i++) {
		uint8_t what = take_byte();

		step(what, take_byte() % CLIENTS);
	}
	for (int n = 0; n < CLIENTS; n++) {
		read_answers(n);
		close_client(n);
	}
	// Each run takes at least one message of a client, up to the end of its connection.
	for (int i = 0; i < STEPS_MAX + 2 && server.clients.count; i++)
		run_loop();
	// Clients of a user who has had his share of the time rest for a while (recorder/pace.h).
	for (int i = 0; i < 5000 && server.clients.count; i++) {
		usleep(1000);
		run_loop();
	}
	require(!server.clients.count);
	require(!engine.watchlist.count);
	require(!engine.triggers.count);
	require(count_descriptors() - (int)(engine.rings.count + engine.ends.count) <= before);
	return 0;
}
