/* SPDX-License-Identifier: MIT */
/*
 * Tells a service manager the state of the recorder, with the protocol of sd_notify(3): a datagram
 * of KEY=value lines to the socket that NOTIFY_SOCKET names. Without that variable nothing happens.
 */
#ifndef FREC_RECORDER_NOTIFY_H
#define FREC_RECORDER_NOTIFY_H

#include <sys/socket.h>
#include <sys/un.h>

struct frec_notify {
	int fd; /* -1: there is nobody to tell */
	struct sockaddr_un address;
	socklen_t size; /* of the address */
	int timer;	/* a timerfd for the watchdog, to be polled for POLLIN; -1: none */
};

/* No service manager to tell. */
#define FREC_NOTIFY_NONE ((struct frec_notify){.fd = -1, .timer = -1})

/*
 * Reads NOTIFY_SOCKET, a path or, after '@', the name of an abstract socket, and, for the watchdog,
 * WATCHDOG_USEC and WATCHDOG_PID. If a variable is wrong, reports that and does without it.
 */
void frec__notify_open(struct frec_notify *notify);
void frec__notify_close(struct frec_notify *notify);

/* Sends the line `state`, such as READY=1, unless it is NULL, and a line STATUS= for people, in
 * which '?' replaces control characters. Waits at most a second for a manager that is busy. */
__attribute__((format(printf, 3, 4))) void frec__notify(const struct frec_notify *notify,
							const char *state, const char *format, ...);

/* Sends WATCHDOG=1 if half of the watchdog's time has passed since the last one. Called by the loop
 * alone, so that the manager notices if the loop hangs. */
void frec__notify_alive(const struct frec_notify *notify);

#endif
