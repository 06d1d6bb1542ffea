// SPDX-License-Identifier: MIT
// Proves that messages and descriptors cross the control socket, that hostile peers leave no
// descriptor behind, and that listening removes nothing but a dead socket, with one winner however
// many start at once and nobody turned away.
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

#include "recorder/service/control.h"

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

static void messages(void **state)
{
	char message[64];
	int fd = 99;

	(void)state;
	assert_int_equal(frec__control_receive(sockets[1], message, sizeof(message), &fd, 0),
			 -ETIMEDOUT);
	assert_int_equal(fd, -1);
	assert_int_equal(frec__control_send(sockets[0], "trigger x", -1), 0);
	assert_int_equal(frec__control_receive(sockets[1], message, sizeof(message), &fd, 1000), 9);
	assert_string_equal(message, "trigger x");
	assert_int_equal(fd, -1);
	shutdown(sockets[0], SHUT_WR);
	assert_int_equal(frec__control_receive(sockets[1], message, sizeof(message), NULL, 1000),
			 0);
	// The other end is gone: an error, no signal.
	close(sockets[1]);
	assert_int_equal(frec__control_send(sockets[0], "x", -1), -EPIPE);
	sockets[1] = dup(sockets[0]);
}

static void a_descriptor(void **state)
{
	char message[64];
	int before = open_descriptors(), fd, null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct stat sent, received;

	(void)state;
	assert_int_equal(frec__control_send(sockets[0], "ok", null), 0);
	assert_int_equal(frec__control_receive(sockets[1], message, sizeof(message), &fd, 1000), 2);
	assert_true(fd >= 0 && fd != null);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	fstat(null, &sent);
	fstat(fd, &received);
	assert_int_equal(sent.st_rdev, received.st_rdev);
	close(fd);
	// Who does not ask for one does not get one.
	assert_int_equal(frec__control_send(sockets[0], "ok", null), 0);
	assert_int_equal(frec__control_receive(sockets[1], message, sizeof(message), NULL, 1000),
			 2);
	close(null);
	assert_int_equal(open_descriptors(), before);
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
		// Too large a message, and none at all, with descriptors.
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
	assert_int_equal(frec__control_send(sockets[0], "still here", -1), 0);
	assert_int_equal(frec__control_receive(sockets[1], message, sizeof(message), NULL, 1000),
			 10);
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
	// A recorder that was killed leaves its socket; the next one takes its place.
	close(fd);
	fd = frec__control_listen(path, 0666);
	assert_true(fd >= 0);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0666);
	close(fd);
	// A file that somebody named by mistake stays.
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

// What the processes of a round tell each other.
struct race {
	char path[64];
	int before; // what a client is told until a recorder listens
	bool started, ended;
	int running, settled;	 // processes, and recorders among them that know
	int recorder[RECORDERS]; // what frec__control_listen() said
	pid_t server[CLIENTS];	 // who answered
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
	__atomic_add_fetch(&race->settled, 1, __ATOMIC_RELEASE);
	wait_until(&race->ended);
}

static void client_asks(struct race *race, int index)
{
	struct ucred peer = {0};
	socklen_t size = sizeof(peer);
	bool last;
	int fd;

	do {
		last = __atomic_load_n(&race->settled, __ATOMIC_ACQUIRE) == RECORDERS;
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
	race->running = race->settled = 0;
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
	while (__atomic_load_n(&race->settled, __ATOMIC_ACQUIRE) < RECORDERS)
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
		// All of them are gone now, and the winner has left its socket behind.
		race->before = -ECONNREFUSED;
		run_race(race);
		assert_int_equal(unlink(race->path), 0);
	}
	assert_int_equal(rmdir(folder), 0);
	munmap(race, sizeof(*race));
}

// A name as long as a socket's may be, however short its last part, and what one that was killed
// has left in the folder.
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
	// A link that leads nowhere is not ours either.
	snprintf(path, sizeof(path), "%s/link", folder);
	assert_int_equal(symlink("nowhere", path), 0);
	assert_int_equal(frec__control_listen(path, 0600), -EADDRINUSE);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(messages, setup, teardown),
		cmocka_unit_test_setup_teardown(a_descriptor, setup, teardown),
		cmocka_unit_test_setup_teardown(hostile_peers_leave_nothing, setup, teardown),
		cmocka_unit_test(listening),
		cmocka_unit_test(many_start_at_once),
		cmocka_unit_test(any_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
