// SPDX-License-Identifier: MIT
// Proves that messages and descriptors cross the control socket, that hostile peers leave no descriptor behind, and that
// listening removes nothing but a dead socket.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "recorder/control.h"

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
	assert_int_equal(frec__control_receive(sockets[1], message, sizeof(message), &fd, 0), -ETIMEDOUT);
	assert_int_equal(fd, -1);
	assert_int_equal(frec__control_send(sockets[0], "trigger x", -1), 0);
	assert_int_equal(frec__control_receive(sockets[1], message, sizeof(message), &fd, 1000), 9);
	assert_string_equal(message, "trigger x");
	assert_int_equal(fd, -1);
	shutdown(sockets[0], SHUT_WR);
	assert_int_equal(frec__control_receive(sockets[1], message, sizeof(message), NULL, 1000), 0);
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
	assert_int_equal(frec__control_receive(sockets[1], message, sizeof(message), NULL, 1000), 2);
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
		assert_int_equal(frec__control_receive(sockets[1], message, sizeof(message), &fd, 1000), -EMSGSIZE);
		assert_int_equal(fd, -1);
		send_many("", 0, count);
		assert_true(frec__control_receive(sockets[1], message, sizeof(message), &fd, 1000) <= 0);
		assert_int_equal(fd, -1);
		assert_int_equal(open_descriptors(), before);
	}
	assert_int_equal(frec__control_send(sockets[0], "still here", -1), 0);
	assert_int_equal(frec__control_receive(sockets[1], message, sizeof(message), NULL, 1000), 10);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(messages, setup, teardown),
		cmocka_unit_test_setup_teardown(a_descriptor, setup, teardown),
		cmocka_unit_test_setup_teardown(hostile_peers_leave_nothing, setup, teardown),
		cmocka_unit_test(listening),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
