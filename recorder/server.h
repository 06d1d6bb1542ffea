/* SPDX-License-Identifier: MIT */
/* The loop of a running recorder: the engine together with its clients and signals. */
#ifndef FREC_RECORDER_SERVER_H
#define FREC_RECORDER_SERVER_H

#include <sys/types.h>

#include "recorder/clients.h"
#include "recorder/engine.h"
#include "recorder/notify.h"

/* With `ends_soon`, this many nanoseconds after the signal or request that ends the recorder, no
 * snapshot is begun any more, whatever is queued. The one that is being written then still takes a
 * moment, and longer on a busy machine; the end is promised within 5 s. */
#define FREC_SERVER_END_MAX UINT64_C(3000000000)

struct frec_server {
	struct frec_engine *engine;
	int signals; /* signalfd: SIGUSR2, SIGTERM, SIGINT, SIGHUP */
	/* reports to the service manager; FREC_NOTIFY_NONE unless the caller opens it */
	struct frec_notify notify;
	size_t listeners;
	struct {
		int fd;
		char path[108];
	} listener[2];
	struct frec_clients clients;
	int until; /* pidfd: the loop ends when this process is gone; -1: none */
	/* The end of the loop is the end of the recorder, which must not take long. Else the loop
	 * may be run again. */
	bool ends_soon;
	int interrupted; /* the signal that ended the loop, or 0 */
	bool by_process; /* a process sent that signal, not the terminal */
	/* the last SIGUSR2 that has not been handled; its time is 0 if there is none */
	struct frec_reason asked;
	bool stop;
	/* the life line was closed without a STOP: the process at its other end may be dying */
	bool cut_off;
	uint64_t next_look; /* before this time, no look whether the service lives */
	bool look_put_off;  /* until that time */
};

/* Blocks the signals and opens the signalfd. If SIGHUP is ignored, as under nohup(1), it stays
 * ignored. Processes that must not inherit the signal mask must be started before this. Returns 0
 * or a negative errno. */
int frec__server_init(struct frec_server *server, struct frec_engine *engine,
		      struct frec_error *reterr);

/* Accepts connections at `path`. Returns 0 or a negative errno. */
int frec__server_listen(struct frec_server *server, const char *path, mode_t mode,
			struct frec_error *reterr);

/* Takes over a connected socket. With `life_line`, the loop ends when the other end of the socket
 * is closed, unless the recorder `follows` its service. Returns what frec__clients_add()
 * returns. */
int frec__server_adopt(struct frec_server *server, int fd, bool life_line);

/* Runs the loop until a STOP, SIGTERM, SIGINT or SIGHUP, the end of the process `until`, or the end
 * of the life line; with `follows`, the end of the life line and of the service. Before this
 * returns, pending deaths get their snapshots, and requests that were sent are served, as far as
 * the time allows. May be called again after a signal or the end of `until`. */
void frec__server_run(struct frec_server *server);

void frec__server_deinit(struct frec_server *server);

#endif
