// SPDX-License-Identifier: MIT
// libcurl is loaded when it is first needed. Linking it would pull in thirty more libraries, which
// would make every start of the tool nine times as long and take memory in every recorder, which is
// the same program, although few users ever send over HTTP.
#include "export/http.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// curl's type checks are turned off because they are macros around direct calls of its functions,
// and here the functions are called through pointers.
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#define LIBRARY "libcurl.so.4"
#define CONNECT_SECONDS 10L
#define ANSWER_SECONDS 60L
// The rest of a longer answer is ignored.
#define BODY_MAX (64u << 10)

struct frec_http {
	CURL *curl;
	struct curl_slist *headers;
	char error[CURL_ERROR_SIZE];
};

static struct {
	__typeof__(&curl_easy_init) init;
	__typeof__(&curl_easy_setopt) setopt;
	__typeof__(&curl_easy_perform) perform;
	__typeof__(&curl_easy_getinfo) getinfo;
	__typeof__(&curl_easy_cleanup) cleanup;
	__typeof__(&curl_easy_strerror) strerror;
	__typeof__(&curl_slist_append) slist_append;
	__typeof__(&curl_slist_free_all) slist_free_all;
} library;

static int load(struct frec_error *reterr)
{
	static const struct {
		const char *name;
		void *function; /* address of the pointer to set */
	} symbols[] = {
		{"curl_easy_init", &library.init},
		{"curl_easy_setopt", &library.setopt},
		{"curl_easy_perform", &library.perform},
		{"curl_easy_getinfo", &library.getinfo},
		{"curl_easy_cleanup", &library.cleanup},
		{"curl_easy_strerror", &library.strerror},
		{"curl_slist_append", &library.slist_append},
		{"curl_slist_free_all", &library.slist_free_all},
	};
	void *handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

	if (!handle)
		return frec__error(reterr, -ENOENT, "sending needs libcurl, install libcurl4: %s",
				   dlerror());
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		void *symbol = dlsym(handle, symbols[i].name);

		if (!symbol)
			return frec__error(reterr, -ENOENT, LIBRARY " has no %s", symbols[i].name);
		memcpy(symbols[i].function, &symbol, sizeof(symbol));
	}
	return 0;
}

static size_t receive(char *data, size_t one, size_t size, void *context)
{
	struct frec_text *body = context;
	size_t room = BODY_MAX - body->size;

	(void)one;
	frec__text_add(body, data, size < room ? size : room);
	return size;
}

int frec__http_create(struct frec_http **ret, const char *url, struct frec_error *reterr)
{
	int r = load(reterr);
	struct frec_http *http;

	if (r)
		return r;
	http = calloc(1, sizeof(*http));
	if (http)
		http->curl = library.init();
	if (!http || !http->curl || library.setopt(http->curl, CURLOPT_URL, url)) {
		frec__http_destroy(http);
		return frec__error(reterr, -ENOMEM, "out of memory");
	}
	library.setopt(http->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	library.setopt(http->curl, CURLOPT_USERAGENT, "flightrec/" FREC_VERSION);
	library.setopt(http->curl, CURLOPT_NOSIGNAL, 1L);
	library.setopt(http->curl, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
	library.setopt(http->curl, CURLOPT_TIMEOUT, ANSWER_SECONDS);
	library.setopt(http->curl, CURLOPT_ERRORBUFFER, http->error);
	library.setopt(http->curl, CURLOPT_WRITEFUNCTION, receive);
	// Without this, curl sends "Expect: 100-continue" before each large body, which costs a
	// round trip.
	r = frec__http_header(http, "Expect", "");
	if (r) {
		frec__http_destroy(http);
		return frec__error(reterr, r, "out of memory");
	}
	*ret = http;
	return 0;
}

void frec__http_destroy(struct frec_http *http)
{
	if (!http)
		return;
	library.slist_free_all(http->headers);
	if (http->curl)
		library.cleanup(http->curl);
	free(http);
}

int frec__http_header(struct frec_http *http, const char *name, const char *value)
{
	FREC_TEXT_FREE struct frec_text line = {0};
	struct curl_slist *grown;

	if (!*name || strpbrk(name, "\r\n: \t") || strpbrk(value, "\r\n"))
		return -EINVAL;
	frec__text_puts(&line, name);
	frec__text_puts(&line, ":");
	frec__text_puts(&line, *value ? " " : "");
	frec__text_puts(&line, value);
	grown = line.failed ? NULL : library.slist_append(http->headers, line.data);
	if (!grown)
		return -ENOMEM;
	http->headers = grown;
	return 0;
}

int frec__http_post(struct frec_http *http, const void *data, size_t size,
		    struct frec_http_answer *answer)
{
	curl_off_t retry_after = 0;
	CURLcode code;

	frec__text_clear(&answer->body);
	answer->status = 0;
	*http->error = '\0';
	library.setopt(http->curl, CURLOPT_HTTPHEADER, http->headers);
	library.setopt(http->curl, CURLOPT_WRITEDATA, &answer->body);
	library.setopt(http->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
	library.setopt(http->curl, CURLOPT_POSTFIELDS, data);
	code = library.perform(http->curl);
	if (!code)
		library.getinfo(http->curl, CURLINFO_RESPONSE_CODE, &answer->status);
	library.getinfo(http->curl, CURLINFO_RETRY_AFTER, &retry_after);
	answer->retry_after = retry_after <= 0		 ? 0
			      : retry_after < UINT32_MAX ? (uint64_t)retry_after
							 : UINT32_MAX;
	answer->temporary = code == CURLE_COULDNT_CONNECT || code == CURLE_GOT_NOTHING ||
			    code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR ||
			    code == CURLE_OPERATION_TIMEDOUT;
	snprintf(answer->error, sizeof(answer->error), "%s",
		 *http->error ? http->error : library.strerror(code));
	return answer->body.failed ? -ENOMEM : 0;
}
