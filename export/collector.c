// SPDX-License-Identifier: MIT
// OTLP over HTTP, as OpenTelemetry's specification requires of a client. A request is a POST of an
// ExportLogsServiceRequest or ExportTraceServiceRequest in protobuf. The statuses 429, 502, 503 and
// 504 mean "try again later". The server may say how much later; otherwise the wait doubles each
// time, with a random part so that many clients do not return at once. Every other failure is
// final. A collector may accept a request but reject some of its events (a partial success); these
// are counted and reported at the end.
//
// A first connection that fails is not retried, because a wrong address is the more likely cause.
#include "export/collector.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "export/http.h"
#include "export/read/wire.h"
#include "otlp.pb-c.h"
#include "proto/cleanup.h"

// A request is sent as soon as it has reached this size, which is less than the several megabytes
// that collectors accept.
#define REQUEST_SIZE (1u << 20)
#define FIRST_WAIT_MS 500
#define LONGEST_WAIT_MS 30000

struct frec_collector {
	struct frec_http *http;
	struct frec_text url, request;
	const char *path;
	bool base;
	const struct frec_compression *compression;
	struct frec_text compressed; /* the request, compressed */
	struct frec_http_answer answer;
	uint64_t patience;
	bool reached; /* the server has answered before */
	uint64_t rejected;
	struct frec_text why; /* the reason that the server gave for the first rejection */
};

static bool is_busy(long status)
{
	return status == 429 || status == 502 || status == 503 || status == 504;
}

// Makes the URL to post to. A URL with a password is refused, because error messages quote it.
static int complete_url(struct frec_text *url, const struct frec_collector_options *options,
			struct frec_error *reterr)
{
	const char *given = options->url, *host = strstr(given, "://");
	size_t length, end;

	if (!host || !host[3] || (strncmp(given, "http://", 7) && strncmp(given, "https://", 8)))
		return frec__error(reterr, -EINVAL,
				   "%s: a URL begins with http:// or https:// and a host", given);
	host += 3;
	length = strcspn(host, "/?#");
	if (memchr(host, '@', length))
		return frec__error(
			reterr, -EINVAL,
			"the URL contains a password: put it into OTEL_EXPORTER_OTLP_HEADERS");
	end = strcspn(host, "?#");
	if (!options->base && host[length] && strcmp(host + length, "/") != 0) {
		frec__text_puts(url, given);
	} else {
		while (end && host[end - 1] == '/')
			end--;
		frec__text_add(url, given, (size_t)(host - given) + end);
		frec__text_puts(url, options->path);
		frec__text_puts(url, host + strcspn(host, "?#"));
	}
	return url->failed ? frec__error(reterr, -ENOMEM, "out of memory") : 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Decodes %20 and the like in place.
static void decode_percent(char *text)
{
	char *to = text;

	for (; *text; text++) {
		int high = *text == '%' ? hex_digit(text[1]) : -1;
		int low = high < 0 ? -1 : hex_digit(text[2]);

		if (low >= 0) {
			*to++ = (char)(high << 4 | low);
			text += 2;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
}

static int add_headers(struct frec_http *http, const char *headers, struct frec_error *reterr)
{
	FREC_FREE char *copy = strdup(headers);
	char *rest = copy, *pair;
	int r = copy ? 0 : -ENOMEM;

	while (!r && (pair = strsep(&rest, ","))) {
		char *value;

		pair += strspn(pair, " ");
		if (!*pair)
			continue;
		value = strchr(pair, '=');
		if (value)
			*value++ = '\0';
		else
			r = -EINVAL;
		if (!r) {
			decode_percent(value);
			r = frec__http_header(http, pair, value);
		}
	}
	if (r == -EINVAL)
		return frec__error(reterr, r,
				   "OTEL_EXPORTER_OTLP_HEADERS: expected name=value,name=value...");
	return r ? frec__error(reterr, r, "out of memory") : 0;
}

int frec__collector_create(struct frec_collector **ret,
			   const struct frec_collector_options *options, struct frec_error *reterr)
{
	struct frec_collector *collector = calloc(1, sizeof(*collector));
	int r;

	if (!collector)
		return frec__error(reterr, -ENOMEM, "out of memory");
	collector->patience = options->patience;
	collector->compression = options->compression;
	collector->path = options->path;
	collector->base = options->base;
	r = complete_url(&collector->url, options, reterr);
	if (!r)
		r = frec__http_create(&collector->http, collector->url.data, reterr);
	if (!r && frec__http_header(collector->http, "Content-Type", "application/x-protobuf"))
		r = frec__error(reterr, -ENOMEM, "out of memory");
	if (!r && options->compression &&
	    frec__http_header(collector->http, "Content-Encoding", options->compression->name))
		r = frec__error(reterr, -ENOMEM, "out of memory");
	if (!r && options->headers)
		r = add_headers(collector->http, options->headers, reterr);
	if (r)
		frec__collector_destroy(collector);
	else
		*ret = collector;
	return r;
}

void frec__collector_destroy(struct frec_collector *collector)
{
	if (!collector)
		return;
	frec__http_destroy(collector->http);
	frec__text_free(&collector->url);
	frec__text_free(&collector->request);
	frec__text_free(&collector->compressed);
	frec__text_free(&collector->answer.body);
	frec__text_free(&collector->why);
	free(collector);
}

// For __attribute__((cleanup)): frees an unpacked message of any type. All types begin with a
// ProtobufCMessage.
static void free_message(void *message)
{
	if (*(ProtobufCMessage **)message)
		protobuf_c_message_free_unpacked(*(ProtobufCMessage **)message, NULL);
}

#define FREC_MESSAGE_FREE __attribute__((cleanup(free_message)))

static void *unpack(const ProtobufCMessageDescriptor *descriptor, const struct frec_text *body)
{
	const uint8_t *data = (const uint8_t *)body->data;

	if (!body->size || frec__wire_check(descriptor, data, body->size))
		return NULL;
	return protobuf_c_message_unpack(descriptor, NULL, body->size, data);
}

static void count_rejected(struct frec_collector *collector)
{
	FREC_MESSAGE_FREE Otlp__ExportServiceResponse *response =
		unpack(&otlp__export_service_response__descriptor, &collector->answer.body);
	const Otlp__ExportPartialSuccess *part = response ? response->partial_success : NULL;

	if (part && part->rejected > 0) {
		if (!collector->rejected)
			frec__text_plain(&collector->why, part->error_message,
					 strlen(part->error_message));
		collector->rejected += (uint64_t)part->rejected;
	}
}

// Reports a final refusal, with the collector's explanation (a google.rpc.Status) if it sent one in
// protobuf.
static int refuse(struct frec_collector *collector, struct frec_error *reterr)
{
	FREC_MESSAGE_FREE Otlp__Status *status =
		unpack(&otlp__status__descriptor, &collector->answer.body);
	FREC_TEXT_FREE struct frec_text words = {0};
	long code = collector->answer.status;

	if (status && *status->message) {
		frec__text_puts(&words, ": ");
		frec__text_plain(&words, status->message, strlen(status->message));
	} else if (code == 404 || code == 405) {
		frec__text_printf(&words,
				  ": is this where a collector takes %s? Usually it is %s%s",
				  strrchr(collector->path, '/') + 1, collector->path,
				  collector->base ? "; with -f otlp only logs are sent" : "");
	}
	return frec__error(reterr, -EREMOTEIO, "%s: answered %ld%s", collector->url.data, code,
			   words.data ? words.data : "");
}

// Returns a random number between half of `milliseconds` and `milliseconds`.
static uint64_t vary(uint64_t milliseconds)
{
	uint16_t random = 0;

	// If there is no entropy yet, the result is merely the shortest wait.
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		random = 0;
	return milliseconds / 2 + milliseconds / 2 * random / UINT16_MAX;
}

static void pause_for(uint64_t milliseconds)
{
	struct timespec left = {(time_t)(milliseconds / 1000),
				(long)(milliseconds % 1000) * 1000000};

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

static int give_up(const struct frec_collector *collector, uint64_t wait, struct frec_error *reterr)
{
	const struct frec_http_answer *answer = &collector->answer;

	if (answer->status && answer->retry_after)
		return frec__error(reterr, -EBUSY,
				   "%s: answered %ld and asks to retry in %" PRIu64
				   " s, more than --retry %" PRIu64 " allows",
				   collector->url.data, answer->status, wait / 1000,
				   collector->patience);
	if (answer->status)
		return frec__error(reterr, -EBUSY,
				   "%s: still answers %ld after --retry %" PRIu64 " s",
				   collector->url.data, answer->status, collector->patience);
	return frec__error(reterr, -EHOSTUNREACH, "%s: %s", collector->url.data, answer->error);
}

static bool compress_request(struct frec_collector *collector)
{
	void *state = collector->compression->create();
	bool done;

	frec__text_clear(&collector->compressed);
	done = state &&
	       collector->compression->add(state, collector->request.data, collector->request.size,
					   true, &collector->compressed);
	collector->compression->destroy(state);
	return done;
}

static int send_request(struct frec_collector *collector, struct frec_error *reterr)
{
	const struct frec_text *body =
		collector->compression ? &collector->compressed : &collector->request;
	const struct frec_http_answer *answer = &collector->answer;
	uint64_t waited = 0, wait = FIRST_WAIT_MS;

	if (collector->compression && !compress_request(collector))
		return frec__error(reterr, -ENOMEM, "out of memory");
	for (;;) {
		uint64_t pause;

		if (frec__http_post(collector->http, body->data, body->size, &collector->answer))
			return frec__error(reterr, -ENOMEM, "out of memory");
		if (answer->status >= 200 && answer->status < 300)
			break;
		if (answer->status && !is_busy(answer->status))
			return refuse(collector, reterr);
		if (!answer->status && !(answer->temporary && collector->reached))
			return give_up(collector, 0, reterr);
		collector->reached = true;
		pause = answer->retry_after ? answer->retry_after * 1000 : vary(wait);
		if (waited + pause > collector->patience * 1000)
			return give_up(collector, pause, reterr);
		pause_for(pause);
		waited += pause;
		wait = 2 * wait < LONGEST_WAIT_MS ? 2 * wait : LONGEST_WAIT_MS;
	}
	collector->reached = true;
	count_rejected(collector);
	frec__text_clear(&collector->request);
	return 0;
}

int frec__collector_add(struct frec_collector *collector, const void *message, size_t size,
			struct frec_error *reterr)
{
	// Concatenated protobuf messages are one message that has the repeated fields of all.
	frec__text_add(&collector->request, message, size);
	if (collector->request.failed)
		return frec__error(reterr, -ENOMEM, "out of memory");
	return collector->request.size >= REQUEST_SIZE ? send_request(collector, reterr) : 0;
}

int frec__collector_finish(struct frec_collector *collector, struct frec_error *reterr)
{
	int r = collector->request.size ? send_request(collector, reterr) : 0;

	if (r || !collector->rejected)
		return r;
	return frec__error(reterr, -EBADMSG, "%s: the collector rejected %" PRIu64 " %s%s%s",
			   collector->url.data, collector->rejected,
			   strcmp(collector->path, "/v1/traces") ? "events" : "spans",
			   collector->why.size ? ": " : "",
			   collector->why.size ? collector->why.data : "");
}
