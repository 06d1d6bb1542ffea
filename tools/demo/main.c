/* SPDX-License-Identifier: MIT */
/*
 * shopd, a small shop: a threaded HTTP service that records itself with flightrec. It shows how a
 * service declares events, emits them, starts its own recorder, and leaves a snapshot when it dies.
 */
#include <errno.h>
#include <flightrec/recorder.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "ledger.h"
#include "shop.h"

#define THREADS_MAX 256
#define EVENTS_MAX 32

struct thread {
	pthread_t id;
	struct worker worker;
	int listener, stop;
};

struct options {
	const char *address, *ledger;
	unsigned int threads;
	bool allow_crash;
	size_t event_count;
	const char *events[EVENTS_MAX + 1];
	struct frec_recorder_options recorder;
};

static const char usage[] =
	"usage: shopd [--listen HOST:PORT] [--threads N] [--record DIR] [--event SPEC]...\n"
	"             [--ring-size BYTES] [--transport HOW] [--recorder-socket PATH]\n"
	"             [--keeper PATH] [--ledger FILE] [--allow-crash]\n"
	"\n"
	"  --listen HOST:PORT      where to serve (127.0.0.1:8080)\n"
	"  --threads N             workers (4)\n"
	"  --record DIR            record, and leave snapshots in DIR\n"
	"  --event SPEC            what to record, like flightrec's -e (shop:* and, with the\n"
	"                          right to watch the kernel, sched:sched_switch)\n"
	"  --ring-size BYTES       size of each CPU's ring, a number or with K or M\n"
	"  --transport HOW         how events travel: auto, user_events, usdt or shm\n"
	"  --recorder-socket PATH  use the privileged `flightrec record --listen PATH`\n"
	"  --keeper PATH           the flightrec program\n"
	"  --ledger FILE           store each worker's last event, for tests\n"
	"  --allow-crash           serve /trigger?name=NAME and /crash?how=HOW, where HOW is\n"
	"                          null, abort, fpe, ill, bus, trap, overflow, heap, exit or oom\n";

static uint64_t parse_number(const char *text, uint64_t max)
{
	uint64_t number, unit = 1;
	char *end;

	errno = 0;
	number = strtoull(text, &end, 10);
	if (*end == 'K' || *end == 'M')
		unit = *end++ == 'K' ? 1 << 10 : 1 << 20;
	if (errno || *end || *text == '-' || !number || number > max / unit) {
		fprintf(stderr, "shopd: not a number from 1 to %llu: %s\n", (unsigned long long)max,
			text);
		exit(2);
	}
	return number * unit;
}

static void parse_options(int argc, char **argv, struct options *options)
{
	static const struct option names[] = {
		{"listen", required_argument, NULL, 'l'},
		{"threads", required_argument, NULL, 't'},
		{"record", required_argument, NULL, 'r'},
		{"event", required_argument, NULL, 'e'},
		{"ring-size", required_argument, NULL, 's'},
		{"transport", required_argument, NULL, 'T'},
		{"recorder-socket", required_argument, NULL, 'S'},
		{"keeper", required_argument, NULL, 'k'},
		{"ledger", required_argument, NULL, 'L'},
		{"allow-crash", no_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (option) {
		case 'l':
			options->address = optarg;
			break;
		case 't':
			options->threads = parse_number(optarg, THREADS_MAX);
			break;
		case 'r':
			options->recorder.folder = optarg;
			break;
		case 's':
			options->recorder.ring_size = parse_number(optarg, 1ull << 40);
			break;
		case 'T':
			options->recorder.transport = optarg;
			break;
		case 'S':
			options->recorder.socket = optarg;
			break;
		case 'k':
			options->recorder.keeper = optarg;
			break;
		case 'L':
			options->ledger = optarg;
			break;
		case 'c':
			options->allow_crash = true;
			break;
		case 'e':
			if (options->event_count < EVENTS_MAX) {
				options->events[options->event_count++] = optarg;
				break;
			}
			fprintf(stderr, "shopd: at most %d --event\n", EVENTS_MAX);
			exit(2);
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			fputs(usage, stderr);
			exit(2);
		}
	}
	if (optind < argc) {
		fputs(usage, stderr);
		exit(2);
	}
	if (!options->event_count) {
		options->events[0] = "shop:*";
		options->events[1] = "sched:sched_switch";
	}
}

/* If the recorder cannot start, prints the reason. The shop then works without a recorder. */
static struct frec_recorder *start_recorder(struct options *options)
{
	struct frec_recorder *recorder = NULL;
	char error[512] = "";
	int r;

	if (!options->recorder.folder && !options->recorder.socket)
		return NULL;
	options->recorder.size = sizeof(options->recorder);
	options->recorder.events = options->events;
	options->recorder.error = error;
	options->recorder.error_size = sizeof(error);
	r = frec_recorder_start(&options->recorder, &recorder);
	/* Kernel events need the right to watch the kernel. If the user did not ask for them, go on
	 * without them. */
	if (r && !options->event_count) {
		options->events[1] = NULL;
		r = frec_recorder_start(&options->recorder, &recorder);
	}
	if (r)
		fprintf(stderr, "shopd: not recording: %s\n", *error ? error : strerror(-r));
	return recorder;
}

static void *work(void *context)
{
	struct thread *thread = context;
	char name[16];
	int r;

	/* The thread names itself, so that it has its name before its first event. */
	snprintf(name, sizeof(name), "worker-%u", thread->worker.index);
	pthread_setname_np(pthread_self(), name);
	r = http_serve(thread->listener, thread->stop, shop_handle, &thread->worker);
	if (r)
		fprintf(stderr, "shopd: worker-%u: %s\n", thread->worker.index, strerror(-r));
	return NULL;
}

int main(int argc, char **argv)
{
	struct options options = {.address = "127.0.0.1:8080", .threads = 4};
	static struct thread threads[THREADS_MAX];
	struct ledger_line *ledger = NULL;
	struct frec_recorder *recorder;
	int listener, stop, r, number;
	unsigned int i, started;
	struct shop *shop;
	sigset_t quit;

	parse_options(argc, argv, &options);
	listener = http_listen(options.address);
	if (listener < 0) {
		fprintf(stderr, "shopd: cannot listen on %s: %s\n", options.address,
			strerror(-listener));
		return 1;
	}
	r = options.ledger ? ledger_open(options.ledger, options.threads, &ledger) : 0;
	shop = shop_create(options.allow_crash);
	stop = eventfd(0, EFD_CLOEXEC);
	if (r || !shop || stop < 0) {
		fprintf(stderr, "shopd: cannot start: %s\n", strerror(r ? -r : errno));
		shop_destroy(shop);
		return 1;
	}
	recorder = start_recorder(&options);

	/* Blocked in every thread, so that only sigwait() below receives them. */
	sigemptyset(&quit);
	sigaddset(&quit, SIGTERM);
	sigaddset(&quit, SIGINT);
	pthread_sigmask(SIG_BLOCK, &quit, NULL);
	for (started = 0; started < options.threads; started++) {
		struct thread *thread = &threads[started];

		*thread = (struct thread){.listener = listener, .stop = stop};
		thread->worker.shop = shop;
		thread->worker.index = started;
		thread->worker.ledger = ledger ? &ledger[started] : NULL;
		r = pthread_create(&thread->id, NULL, work, thread);
		if (r) {
			fprintf(stderr, "shopd: cannot start a thread: %s\n", strerror(r));
			break;
		}
	}
	if (!r) {
		printf("shopd: serving on %s with %u threads\n", options.address, options.threads);
		fflush(stdout);
		sigwait(&quit, &number);
	}
	eventfd_write(stop, 1);
	for (i = 0; i < started; i++)
		pthread_join(threads[i].id, NULL);
	frec_recorder_stop(recorder);
	shop_destroy(shop);
	close(stop);
	close(listener);
	return r != 0;
}
