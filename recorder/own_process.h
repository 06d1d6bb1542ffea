/* SPDX-License-Identifier: MIT */
/*
 * Makes the process of a keeper its own. A keeper is started by a service, in whatever state the
 * service is in at that moment, and everything that a process inherits can keep it from doing its
 * work, or from doing it at the right moment:
 *
 *	descriptors		a port that stays open prevents the service's restart; a closed
 *				stderr gets messages written into a ring
 *	resource limits		too small a file, too few descriptors, too little memory
 *	signals			SIGXFSZ, SIGPIPE and SIGHUP would end it
 *	scheduling		a real-time class that takes a CPU from the service, or a nice value
 *				and a CPU that the service saturates when it fails
 *	control groups		a limit on memory that was made for the service
 *	OOM score, umask	killed before the service; files that nobody can read
 *
 * What cannot be changed stays as it is. If that matters, one line says which limit it is and what
 * it would have to be: here for the nice value, and where they are met for the limits
 * (proto/limits.h). The working folder is left later, because the folder of the snapshots can be
 * relative to it.
 */
#ifndef FREC_RECORDER_OWN_PROCESS_H
#define FREC_RECORDER_OWN_PROCESS_H

/* Call this first of all. Keeps stderr, and `fd`, which must be 3. */
void frec__own_process(int fd);

/* Leads stderr nowhere: whoever waits for its end waits for the service alone. */
void frec__own_stderr(void);

#endif
