/* SPDX-License-Identifier: MIT */
/* Posts to an HTTP server with libcurl. */
#ifndef FREC_EXPORT_HTTP_H
#define FREC_EXPORT_HTTP_H

#include "export/read/text.h"
#include "proto/error.h"

struct frec_http;

struct frec_http_answer {
	long status; /* 0: there was no answer, and `error` says why */
	/* if there was no answer: the failure may be temporary, so a retry makes sense */
	bool temporary;
	uint64_t retry_after; /* seconds that the server asks to wait; 0: not given */
	struct frec_text body;
	char error[256];
};

/*
 * Prepares to post to `url`, which is http or https. Certificates are checked and redirections are
 * not followed. One connection stays open for many posts. Returns 0, -ENOENT if libcurl is not
 * installed, or another negative errno.
 */
int frec__http_create(struct frec_http **ret, const char *url, struct frec_error *reterr);
void frec__http_destroy(struct frec_http *http);

/* Adds a header to every post. Returns 0, -EINVAL if the name or the value is not allowed in a
 * header, or -ENOMEM. */
int frec__http_header(struct frec_http *http, const char *name, const char *value);

/* Posts and waits for the answer, but at most a minute. The caller frees answer->body, which can be
 * reused for the next post. Returns 0, even if there was no answer, or -ENOMEM. */
int frec__http_post(struct frec_http *http, const void *data, size_t size,
		    struct frec_http_answer *answer);

#endif
