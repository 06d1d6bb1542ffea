/* SPDX-License-Identifier: MIT */
/*
 * This folder is libflightrec: all the code of flightrec that can run in the process of a service.
 * It depends on libc alone.
 *
 * The code runs on four occasions. On each occasion, data flows in one direction:
 *
 *	An event is emitted, in any thread or signal handler:
 *	    flightrec/event.h (each.h fields.h site.h)	FREC_EVENT: the enable word, and the sender,
 *					which lays the payload out
 *	    -> emit.c			chooses the transports that listen; serves user_events, USDT
 *	       -> payload.c		only if a string or text has to be cut or replaced
 *		  -> readable.h		refuses strings at impossible addresses
 *	       -> shm_emit.c		writes a record into shared memory
 *		  -> shm_identity.c shm_clock.c	who emits, and when, without a system call
 *		  -> shm_checksum.h, shm_sequence_ARCH.[ch]
 *
 *	An executable or library is loaded or unloaded, or frec_register() is called:
 *	    registration.c		keeps the list of loaded events, under one mutex
 *	    -> data_file.c -> tracefs.c	registers them with the kernel
 *	    -> shm_inherit.c		finds the memory that `flightrec run` hands down
 *	    -> shm_attach.c		maps it and takes a slot for each event (layout: shm.h)
 *
 *	The process forks (in the child, by pthread_atfork(3)), or a forked process exits:
 *	    registration.c, embed.c -> shm_attach.c
 *				tells the recorder in shared memory, without a system call
 *
 *	frec_recorder_start(), frec_trigger() and frec_recorder_stop(), flightrec/recorder.h:
 *	    embed.c -> control.c	starts a recorder or connects to one, and sends it requests
 *	    embed.c -> registration.c	attaches to the memory that the recorder sent
 *
 * Threads. The library starts none. Emitting runs in the thread that emits, takes no lock,
 * allocates nothing, keeps errno, and, with glibc, makes no system call but writev(2) for
 * user_events. Registration runs in the thread that loads a library or calls frec_register(). The
 * keeper is another process, started by posix_spawn(3) in frec_recorder_start() alone.
 *
 * Memory. An event has 64 bytes of data, and a declaration that is read-only. An emit uses stack
 * for the event's fields and for a copy of them in one piece, at most FREC_PAYLOAD_MAX bytes each.
 * A thread has 8 bytes of thread-local storage. Attaching to a recorder's memory maps its rings,
 * each of them twice in a row, so each CPU takes twice the ring size in address space. It also maps
 * one page, and allocates a small structure that is never freed. A mapping stays until the process
 * ends.
 *
 * Descriptors. The library has one descriptor of user_events_data, if tracefs can be opened, and
 * one socket, while a recorder of frec_recorder_start() is in use. Both are close-on-exec and have
 * high numbers. A memfd inherited from `flightrec run` stays open, so that the programs that this
 * process starts have it as well.
 *
 * Never. The library does not print, exit or abort. It installs no signal handler; its only hooks
 * are constructors, destructors and one pthread_atfork(3), all of them in registration.c,
 * flightrec/event.h and embed.c. It reads one environment variable, FLIGHTREC_SHM, with
 * secure_getenv(3). frec_recorder_start() hands the environment, without what is for the service
 * alone, to the keeper, and searches PATH for the keeper if it is not where it was installed. In a
 * set-uid program, or one with file capabilities, it does neither.
 *
 * This header has what emitting and registering share. Both variables are defined in emit.c.
 */
#ifndef FREC_RECORDER_SERVICE_EMIT_H
#define FREC_RECORDER_SERVICE_EMIT_H

#include "flightrec/event.h"
#include "recorder/service/data_file.h"

/* The descriptor of user_events_data, or -1. registration.c sets it; emit.c sets it to -1 when an
 * emit finds that the program has closed the descriptor. */
extern int frec__fd;

/* The counts that frec_stats_read() copies; `size` is not used. The counts are changed by relaxed
 * atomic operations, because no other data depends on them. */
extern struct frec_stats frec__counts;

/*
 * The size, in bytes, of the header that perf puts in front of a tracepoint's payload: the event's
 * number, flags, preemption count and thread id. Payloads of the other transports begin with as
 * many bytes, so that one layout of fields applies to all transports.
 */
#define FREC__COMMON_SIZE 8

#endif
