/* SPDX-License-Identifier: MIT */
/* A small HTTP/1.1 server. It ignores the bodies of requests. A reply must fit in a buffer. */
#ifndef SHOPD_HTTP_H
#define SHOPD_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#define HTTP_REQUEST_MAX 8192 /* head and body */
#define HTTP_BODY_MAX 6144

struct http_request {
	const char *method; /* GET, HEAD or POST */
	const char *path;   /* as sent, without the query */
	const char *query;  /* what follows the question mark, or "" */
};

struct http_head {
	struct http_request request;
	bool keep_alive;
	size_t body_size;
	char text[HTTP_REQUEST_MAX]; /* holds the request's strings */
};

struct http_reply {
	int status;
	size_t length;
	char body[HTTP_BODY_MAX];
};

typedef void http_handler(void *context, const struct http_request *request,
			  struct http_reply *reply);

/* Listens on "HOST:PORT". Returns a descriptor or a negative errno. */
int http_listen(const char *address);

/* Runs one worker: accepts and serves until `stop`, an eventfd, becomes readable. Returns 0 or a
 * negative errno. */
int http_serve(int listener, int stop, http_handler *handler, void *context);

/*
 * Parses a request at the start of `data`. Returns 0, with the size of the whole request in
 * `*ret_size` (0: it is still incomplete), or the HTTP status to refuse it with.
 */
int http_parse(const char *data, size_t size, struct http_head *head, size_t *ret_size);

/* Appends to the reply's body, cut to the room that is left. */
__attribute__((format(printf, 2, 3))) void http_print(struct http_reply *reply, const char *format,
						      ...);

/* Store the decoded value of a parameter of the query in `ret`. Return false if the parameter is
 * absent, or its value is ill-formed, too long or above `max`. */
bool http_parameter(const struct http_request *request, const char *name, char *ret, size_t size);
bool http_number(const struct http_request *request, const char *name, unsigned long long max,
		 unsigned long long *ret);

#endif
