/* SPDX-License-Identifier: MIT */
/* A running recorder: the engine's loop together with those who talk to it. The messages are in
 * control.h. */
#ifndef FREC_RECORDER_SERVER_H
#define FREC_RECORDER_SERVER_H

#include "recorder/engine.h"

#define FREC_CONNECTIONS_MAX 256

struct frec_connection {
	int fd;
	uint32_t pid, uid; /* SO_PEERCRED */
	bool trusted;	   /* root, or the user that the recorder runs as */
	bool attached;
	bool life_line;		  /* the recorder ends with it */
	bool stopped;		  /* it asked for the end before it hung up */
	uint32_t core_pid;	  /* the dying process that it announced stacks of; 0 */
	char last_path[PATH_MAX]; /* of the last snapshot that belongs to it */
};

struct frec_server {
	struct frec_engine *engine;
	int signals; /* signalfd: SIGUSR2, SIGTERM, SIGINT */
	size_t listeners;
	struct {
		int fd;
		char path[108];
	} listener[2];
	size_t connections;
	struct frec_connection *connection[FREC_CONNECTIONS_MAX];
	int until;	 /* pidfd: the loop ends when this process is gone; -1 */
	int interrupted; /* the signal that ended the loop, 0 */
	bool stop;
	bool cut_off; /* the life line broke without a word: whoever held it may be dying */
};

/* Blocks the signals and opens the signalfd: before any process is started that must not inherit
 * the mask late. */
int frec__server_init(struct frec_server *server, struct frec_engine *engine,
		      struct frec_error *reterr);

/* Accepts connections at `path`. */
int frec__server_listen(struct frec_server *server, const char *path, mode_t mode,
			struct frec_error *reterr);

/* Takes over a connected socket; with `life_line` the loop ends when its other end is closed. */
int frec__server_adopt(struct frec_server *server, int fd, bool life_line);

/* Runs until a `stop`, SIGTERM or SIGINT, or the end of the process `until`; deaths that are
 * pending are finished. */
void frec__server_run(struct frec_server *server);

void frec__server_deinit(struct frec_server *server);

#endif
