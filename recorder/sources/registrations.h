/* SPDX-License-Identifier: MIT */
/* Learning from the kernel that a process has registered a user event (registrations.bpf.c). */
#ifndef FREC_RECORDER_SOURCES_REGISTRATIONS_H
#define FREC_RECORDER_SOURCES_REGISTRATIONS_H

#include <stdbool.h>

#include "proto/error.h"

struct frec_registrations;

/* Returns 0, or a negative errno with a message if the kernel or the rights of this process do not
 * allow the BPF program; registrations are then found only by reading user_events_status. */
int frec__registrations_open(struct frec_registrations **ret, struct frec_error *reterr);

/* Returns a descriptor that is readable while there are registrations that have not been taken. */
int frec__registrations_fd(const struct frec_registrations *registrations);

/* Takes the registrations. */
void frec__registrations_take(struct frec_registrations *registrations);

/* NULL is fine. */
void frec__registrations_close(struct frec_registrations *registrations);

#endif
