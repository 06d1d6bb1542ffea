// SPDX-License-Identifier: MIT
// Takes a snapshot of what led to a slow request, while the service goes on.
//
//	./trigger FOLDER
//
// One request of fifty takes longer than the others. frec_trigger_fields() only sends a message, so
// it may be called where time matters, and in a signal handler. The fields are in the snapshot.
#include <flightrec/event.h>
#include <flightrec/recorder.h>
#include <stdio.h>
#include <time.h>

#define LIMIT 100 // milliseconds

FREC_EVENT(shop, request_begin, FREC_U32(id));
FREC_EVENT(shop, query, FREC_U32(id), FREC_STR(text));
FREC_EVENT(shop, request_end, FREC_U32(id), FREC_U32(milliseconds));

static uint32_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint32_t)(time.tv_sec * 1000 + time.tv_nsec / 1000000);
}

static void handle(uint32_t id)
{
	const struct timespec usual = {.tv_nsec = 1000000}, slow = {.tv_nsec = 200000000};
	uint32_t begin = now(), took;
	char number[16];

	frec_shop_request_begin(id);
	frec_shop_query(id, id == 40 ? "SELECT * FROM orders" : "SELECT * FROM orders LIMIT 1");
	nanosleep(id == 40 ? &slow : &usual, NULL);
	took = now() - begin;
	frec_shop_request_end(id, took);
	snprintf(number, sizeof(number), "%u", id);
	if (took > LIMIT && frec_trigger_fields("slow-request", "request_id", number))
		fprintf(stderr, "trigger: request %u was slow, and nothing recorded it\n", id);
}

int main(int argc, char **argv)
{
	char error[300] = "";
	struct frec_recorder_options options = {
		.size = sizeof(options),
		.folder = argc > 1 ? argv[1] : NULL,
		.ring_size = 256 << 10,
		.error = error,
		.error_size = sizeof(error),
	};
	struct frec_recorder *recorder = NULL;

	if (frec_recorder_start(&options, &recorder))
		fprintf(stderr, "trigger: not recorded: %s\n", error);
	for (uint32_t id = 1; id <= 50; id++)
		handle(id);
	frec_recorder_stop(recorder);
	return 0;
}
