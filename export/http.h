/* SPDX-License-Identifier: MIT */
/* Posting to an HTTP server, by libcurl. */
#ifndef FREC_EXPORT_HTTP_H
#define FREC_EXPORT_HTTP_H

#include "export/read/text.h"
#include "proto/error.h"

struct frec_http;

struct frec_http_answer {
	long status; /* 0: there was none, and `trouble` says why */
	/* without a status: trouble that may be over when it is tried again */
	bool passing;
	uint64_t retry_after; /* seconds, as the server asks; 0: it does not */
	struct frec_text body;
	char trouble[256];
};

/*
 * Prepares for posting to `url`, http or https. Certificates are checked, redirections not
 * followed. `ret` keeps one connection open for many posts. Returns 0, -ENOENT where libcurl is not
 * installed, or another negative errno.
 */
int frec__http_create(struct frec_http **ret, const char *url, struct frec_error *reterr);
void frec__http_destroy(struct frec_http *http);

/* Sends this header with every post. Returns 0, -EINVAL for what cannot be in a header, or
 * -ENOMEM. */
int frec__http_header(struct frec_http *http, const char *name, const char *value);

/* Posts and waits for the answer, a minute at most. Free answer->body, which may be used again.
 * Returns 0 or -ENOMEM. */
int frec__http_post(struct frec_http *http, const void *data, size_t size,
		    struct frec_http_answer *answer);

#endif
