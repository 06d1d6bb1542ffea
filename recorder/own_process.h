/* SPDX-License-Identifier: MIT */
/*
 * Undoes what the process of a keeper inherits. A service starts its keeper in whatever state the
 * service is in at that moment, and everything that a process inherits can keep it from doing its
 * work, or from doing it at the right moment:
 *
 *	descriptors		a port that stays open prevents the service's restart; if stderr is
 *				closed, messages are written into a ring
 *	resource limits		too small a file, too few descriptors, too little memory
 *	signals			SIGXFSZ, SIGPIPE and SIGHUP would end it
 *	scheduling		a real-time class that takes a CPU from the service, or a nice value
 *				and a CPU that the service saturates when it fails
 *	control groups		a limit on memory that was made for the service
 *	OOM score, umask	killed before the service; files that nobody can read
 *
 * What cannot be changed stays as it is. If that matters, a message says which limit it is and what
 * it would have to be. For the nice value the message comes from here; for the other limits it
 * comes when they are reached (proto/limits.h). The keeper leaves its working folder later, because
 * the folder of the snapshots can be relative to it.
 */
#ifndef FREC_RECORDER_OWN_PROCESS_H
#define FREC_RECORDER_OWN_PROCESS_H

/* Call this first of all. Closes the inherited descriptors except stderr and `fd`, which must be
 * 3. */
void frec__own_process(int fd);

/* Redirects stderr to nowhere, so that whoever waits for the end of the service's stderr does not
 * wait for the keeper. */
void frec__own_stderr(void);

#endif
