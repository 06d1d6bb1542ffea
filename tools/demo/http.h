/* SPDX-License-Identifier: MIT */
/* A small HTTP/1.1 server: requests without a body of interest, replies that fit in a buffer. */
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
	char text[HTTP_REQUEST_MAX]; /* the request's strings lie in here */
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

/* One worker: accepts and serves until `stop`, an eventfd, becomes readable. 0 or a negative errno.
 */
int http_serve(int listener, int stop, http_handler *handler, void *context);

/*
 * Reads a request from the start of `data`. Returns 0 with its whole size (0: not all of it is
 * there yet), or the status to refuse it with.
 */
int http_parse(const char *data, size_t size, struct http_head *head, size_t *ret_size);

/* Appends to the reply's body; what does not fit is cut. */
__attribute__((format(printf, 2, 3))) void http_print(struct http_reply *reply, const char *format,
						      ...);

/* The decoded value of a query's parameter; false when it is absent, ill-formed or too long. */
bool http_parameter(const struct http_request *request, const char *name, char *ret, size_t size);
bool http_number(const struct http_request *request, const char *name, unsigned long long max,
		 unsigned long long *ret);

#endif
