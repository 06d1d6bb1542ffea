/* SPDX-License-Identifier: MIT */
/*
 * The server's side of HTTP/1.1. Each worker has an epoll of its own, with the listening socket,
 * which all workers share, and the connections that this worker accepted. Workers share nothing
 * else, so nothing is locked. A connection holds requests that are not answered yet, and replies
 * that are not sent yet. The server reads nothing from a client that does not read its replies. It
 * closes a connection that is silent for too long, and after an error in reply to a bad request.
 */
#include "http.h"

#include <errno.h>
#include <netdb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define REPLY_MAX (HTTP_BODY_MAX + 256)
#define IDLE_SECONDS 30
#define EVENTS_AT_ONCE 64

struct connection {
	struct connection *next, *previous;
	int fd;
	time_t active; /* when bytes were last received or sent, in seconds */
	bool closing;  /* no further request is read */
	bool draining; /* all is sent; wait for the client to close, or it may lose the reply */
	bool behind;   /* a complete request may be waiting in `in` for room in `out` */
	size_t in_size, out_size, out_sent;
	char in[HTTP_REQUEST_MAX];
	char out[2 * REPLY_MAX];
};

struct server {
	int epoll, listener, stop;
	http_handler *handler;
	void *context;
	struct connection *connections;
};

static time_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec;
}

static const char *reason(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 400:
		return "Bad Request";
	case 402:
		return "Payment Required";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 409:
		return "Conflict";
	case 413:
		return "Content Too Large";
	case 431:
		return "Request Header Fields Too Large";
	case 501:
		return "Not Implemented";
	case 505:
		return "HTTP Version Not Supported";
	default:
		return "Internal Server Error";
	}
}

static void append(struct connection *connection, const struct http_reply *reply, bool with_body)
{
	char *out = connection->out + connection->out_size;
	int size = snprintf(out, sizeof(connection->out) - connection->out_size,
			    "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\n"
			    "Content-Length: %zu\r\nConnection: %s\r\n\r\n",
			    reply->status, reason(reply->status), reply->length,
			    connection->closing ? "close" : "keep-alive");

	if (with_body) {
		memcpy(out + size, reply->body, reply->length);
		size += reply->length;
	}
	connection->out_size += size;
}

/* Answers the complete requests in `in` while there is room for another reply. */
static void answer(struct server *server, struct connection *connection)
{
	struct http_reply reply;
	struct http_head head;
	size_t size;

	connection->behind = false;
	while (!connection->closing && connection->in_size) {
		connection->behind = sizeof(connection->out) - connection->out_size < REPLY_MAX;
		if (connection->behind)
			return;
		reply.length = 0;
		reply.status = http_parse(connection->in, connection->in_size, &head, &size);
		if (reply.status) {
			connection->closing = true;
			http_print(&reply, "{\"error\":\"%s\"}\n", reason(reply.status));
			append(connection, &reply, true);
			return;
		}
		if (!size)
			return;
		reply.status = 200;
		server->handler(server->context, &head.request, &reply);
		connection->closing = !head.keep_alive;
		append(connection, &reply, strcmp(head.request.method, "HEAD") != 0);
		connection->in_size -= size;
		memmove(connection->in, connection->in + size, connection->in_size);
	}
}

static bool would_block(void)
{
	return errno == EAGAIN || errno == EINTR;
}

/* Does at most one read and one write. Returns false if the connection is over. */
static bool advance(struct server *server, struct connection *connection)
{
	struct epoll_event event = {.data.ptr = connection};
	size_t room = sizeof(connection->in) - connection->in_size;
	ssize_t size;

	if (connection->draining) {
		size = recv(connection->fd, connection->in, sizeof(connection->in), 0);
		return size > 0 || (size < 0 && would_block());
	}
	if (!connection->out_size && !connection->closing && room) {
		size = recv(connection->fd, connection->in + connection->in_size, room, 0);
		if (size == 0 && !connection->behind)
			return false;
		if (size < 0 && !would_block())
			return false;
		if (size > 0) {
			connection->in_size += size;
			connection->active = now();
		}
	}
	answer(server, connection);
	if (connection->out_size) {
		size = send(connection->fd, connection->out + connection->out_sent,
			    connection->out_size - connection->out_sent, MSG_NOSIGNAL);
		if (size < 0 && !would_block())
			return false;
		if (size > 0) {
			connection->out_sent += size;
			connection->active = now();
		}
		if (connection->out_sent == connection->out_size)
			connection->out_sent = connection->out_size = 0;
	}
	if (connection->closing && !connection->out_size) {
		connection->draining = true;
		shutdown(connection->fd, SHUT_WR);
	}
	event.events = connection->out_size || connection->behind ? EPOLLOUT : EPOLLIN;
	return epoll_ctl(server->epoll, EPOLL_CTL_MOD, connection->fd, &event) == 0;
}

static void accept_one(struct server *server)
{
	struct epoll_event event = {.events = EPOLLIN};
	struct connection *connection;
	int fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0) {
		/* Out of descriptors: the socket stays readable, so sleep instead of spinning. */
		if (errno == EMFILE || errno == ENFILE)
			usleep(10000);
		return;
	}
	connection = malloc(sizeof(*connection));
	event.data.ptr = connection;
	if (!connection || epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event)) {
		free(connection);
		close(fd);
		return;
	}
	memset(connection, 0, offsetof(struct connection, in));
	connection->fd = fd;
	connection->active = now();
	connection->next = server->connections;
	if (connection->next)
		connection->next->previous = connection;
	server->connections = connection;
}

static void close_connection(struct server *server, struct connection *connection)
{
	if (connection->next)
		connection->next->previous = connection->previous;
	*(connection->previous ? &connection->previous->next : &server->connections) =
		connection->next;
	close(connection->fd);
	free(connection);
}

static void close_idle(struct server *server, time_t since)
{
	struct connection *connection = server->connections, *next;

	for (; connection; connection = next) {
		next = connection->next;
		if (connection->active <= since)
			close_connection(server, connection);
	}
}

int http_serve(int listener, int stop, http_handler *handler, void *context)
{
	struct server server = {.listener = listener, .handler = handler, .context = context};
	struct epoll_event events[EVENTS_AT_ONCE], event = {.events = EPOLLIN | EPOLLEXCLUSIVE};
	bool running = true;
	int i, count, r = 0;
	time_t swept = now();

	server.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (server.epoll < 0)
		return -errno;
	event.data.ptr = &server.listener;
	if (epoll_ctl(server.epoll, EPOLL_CTL_ADD, listener, &event))
		r = -errno;
	event.events = EPOLLIN;
	event.data.ptr = &server.stop;
	if (!r && epoll_ctl(server.epoll, EPOLL_CTL_ADD, stop, &event))
		r = -errno;
	while (!r && running) {
		count = epoll_wait(server.epoll, events, EVENTS_AT_ONCE, 1000);
		for (i = 0; i < count; i++) {
			if (events[i].data.ptr == &server.stop)
				running = false;
			else if (events[i].data.ptr == &server.listener)
				accept_one(&server);
			else if (!advance(&server, events[i].data.ptr))
				close_connection(&server, events[i].data.ptr);
		}
		if (now() != swept) {
			swept = now();
			close_idle(&server, swept - IDLE_SECONDS);
		}
	}
	while (server.connections)
		close_connection(&server, server.connections);
	close(server.epoll);
	return r;
}

int http_listen(const char *address)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found;
	const char *colon = strrchr(address, ':');
	int fd, one = 1, r = 0;
	char host[256];

	if (!colon || colon - address >= (ptrdiff_t)sizeof(host))
		return -EINVAL;
	snprintf(host, sizeof(host), "%.*s", (int)(colon - address), address);
	if (getaddrinfo(*host ? host : NULL, colon + 1, &hints, &found))
		return -EADDRNOTAVAIL;
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, found->ai_addr, found->ai_addrlen) || listen(fd, SOMAXCONN))
		r = -errno;
	freeaddrinfo(found);
	if (r && fd >= 0)
		close(fd);
	return r ? r : fd;
}
