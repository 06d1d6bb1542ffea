// SPDX-License-Identifier: MIT
// How a process parts from its recorder: frec_recorder_stop(), or its exit.
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "flightrec/recorder.h"
#include "recorder/service/control.h"
#include "recorder/service/control_message.h"
#include "recorder/service/embedded.h"
#include "recorder/service/registration.h"
#include "recorder/service/shm_attach.h"

// Announces that the service ends through exit(3). A recorder without the right to watch the kernel
// may have no other way to learn this.
__attribute__((destructor)) static void announce_end(void)
{
	int socket = frec__embedded.socket;

	if (frec__shm_announce_end())
		return;
	// If there is no recorder, make no system call: a program that has entered seccomp might be
	// killed for it.
	if (socket >= 0 && frec__embedded.pid == getpid() && frec__embedded_is_ours(socket))
		(void)frec__request_send(socket, &(struct frec_request){.kind = FREC_REQUEST_END},
					 -1);
}

// Sends a request that must not be dropped: if a flood of triggers fills the socket, waits for the
// keeper to read some of them, but gives up after 10 s without progress. Returns 0 or a negative
// errno.
static int send_for_sure(int socket, enum frec_request_kind kind)
{
	struct pollfd poller = {.fd = socket, .events = POLLOUT};
	int r;

	do {
		r = frec__request_send(socket, &(struct frec_request){.kind = kind}, -1);
	} while (r == -EAGAIN && (poll(&poller, 1, FREC_ANSWER_TIMEOUT) > 0 || errno == EINTR));
	return r;
}

void frec_recorder_stop(struct frec_recorder *stopped)
{
	char message[64];
	int socket = frec__embedded.socket;

	if (!stopped || socket < 0)
		return;
	__atomic_store_n(&frec__embedded.socket, -1, __ATOMIC_RELAXED);
	if (!frec__embedded_is_ours(socket))
		return; // The program closed the socket itself, and the keeper has seen that.
	// A keeper first writes the snapshots that it was asked for, and then closes its end. A
	// recorder at options.socket goes on without us.
	if (frec__embedded.ours && frec__embedded.pid == getpid()) {
		// STOP tells the keeper that the service is not dying. If the socket were only
		// closed, the keeper would wait for the service to end.
		(void)send_for_sure(socket, FREC_REQUEST_STOP);
		shutdown(socket, SHUT_WR);
		while (frec__control_receive(socket, message, sizeof(message), NULL,
					     FREC_ANSWER_TIMEOUT) > 0)
			;
	} else if (frec__embedded.ours) {
		// This process was forked from the one that started the recorder. If that process
		// has ended, the keeper ends too; else the keeper answers that it goes on.
		if (!send_for_sure(socket, FREC_REQUEST_LEAVE))
			(void)frec__control_receive(socket, message, sizeof(message), NULL,
						    FREC_ANSWER_TIMEOUT);
	}
	close(socket);
	frec__shm_detached(); // a recorder that was killed has not given its memory back
}
