// SPDX-License-Identifier: MIT
// Two services that talk to each other, for the tests of timelines: `pair server SOCKET` answers
// the requests of `pair client SOCKET COUNT`. Each request has a number that both put into their
// events. One thread of the server receives a request and another one handles it. Both processes
// exit with status 3, so that `flightrec run` writes a snapshot.
#include <flightrec/event.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

FREC_EVENT(client, call_start, FREC_U64(request), FREC_STR(what));
FREC_EVENT(client, call_done, FREC_U64(request), FREC_I32(status));
FREC_EVENT(client, check_start, FREC_U64(request));
FREC_EVENT(client, check_done, FREC_U64(request), FREC_BOOL(right));
FREC_EVENT(server, job_start, FREC_U32(request));
FREC_EVENT(server, job_done, FREC_U32(request), FREC_I64(answer));
FREC_EVENT(server, work_begin, FREC_U64(request));
FREC_EVENT(server, work_end, FREC_U64(request));
FREC_EVENT(server, queue, FREC_U32(depth), FREC_F64(load));
FREC_EVENT(server, told, FREC_STR(level), FREC_STR(message));

struct job {
	int fd;
	uint64_t request; // 0: no more jobs follow
};

static int pipe_fds[2];

static void *work(void *unused)
{
	struct job job;

	while (read(pipe_fds[0], &job, sizeof(job)) == (ssize_t)sizeof(job) && job.request) {
		frec_server_work_begin(job.request);
		frec_server_told(job.request % 10 ? "info" : "warning", "working");
		frec_server_work_end(job.request);
		frec_server_job_done((uint32_t)job.request, -(int64_t)job.request);
		if (write(job.fd, &job.request, sizeof(job.request)) < 0)
			break;
	}
	return unused;
}

static int open_socket(const char *path, struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address->sun_family = AF_UNIX;
	snprintf(address->sun_path, sizeof(address->sun_path), "%s", path);
	return fd;
}

static int serve(const char *path)
{
	struct sockaddr_un address = {0};
	int listener = open_socket(path, &address), fd;
	struct job job = {0};
	pthread_t worker;

	if (pipe(pipe_fds) || bind(listener, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(listener, 1))
		return 1;
	puts("ready");
	fflush(stdout);
	fd = accept(listener, NULL, NULL);
	if (fd < 0 || pthread_create(&worker, NULL, work, NULL))
		return 1;
	job.fd = fd;
	for (uint32_t depth = 1;
	     read(fd, &job.request, sizeof(job.request)) == (ssize_t)sizeof(job.request); depth++) {
		frec_server_job_start((uint32_t)job.request);
		frec_server_queue(depth, depth / 4.0);
		if (write(pipe_fds[1], &job, sizeof(job)) < 0)
			return 1;
	}
	job.request = 0;
	if (write(pipe_fds[1], &job, sizeof(job)) < 0)
		return 1;
	pthread_join(worker, NULL);
	return 3;
}

static int ask(const char *path, uint64_t count)
{
	struct sockaddr_un address = {0};
	int fd = open_socket(path, &address);

	if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return 1;
	for (uint64_t request = 1001; request <= 1000 + count; request++) {
		uint64_t answer = 0;

		frec_client_call_start(request, "half");
		if (write(fd, &request, sizeof(request)) < 0 ||
		    read(fd, &answer, sizeof(answer)) < 0)
			return 1;
		frec_client_check_start(request);
		frec_client_check_done(request, answer == request);
		frec_client_call_done(request, 200);
	}
	frec_client_call_start(1, "never answered");
	return 3;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "server"))
		return serve(argv[2]);
	if (argc == 4 && !strcmp(argv[1], "client"))
		return ask(argv[2], strtoull(argv[3], NULL, 10));
	return 2;
}
