// SPDX-License-Identifier: MIT
// Probes whether a recorder can sleep while nothing happens.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "recorder/announcements.h"
#include "recorder/declared/catalog.h"
#include "recorder/doctor/probes_internal.h"
#include "recorder/rings/perf.h"
#include "recorder/service/data_file.h"
#include "recorder/service/tracefs.h"

// The bit that is registered in an enable word here. Nothing reads it.
#define SCRATCH_BIT 31

// Registers an event, and returns whether that was announced. The name is new, because only the
// first registration of a name makes an event.
static bool hears_registrations(struct frec_announcements *announcements, int user_events)
{
	static uint32_t enabled;
	struct pollfd fds[FREC_ANNOUNCEMENTS_MAX];
	char event[64];
	uint32_t index;
	bool heard;

	snprintf(event, sizeof(event), "flightrec_doctor_%d u32 value", getpid());
	if (frec__data_file_register(user_events, event, &enabled, SCRATCH_BIT, &index))
		return true; // frec__probe_register() reports this
	heard = poll(fds, frec__announcements_poll(announcements, fds, FREC_ANNOUNCEMENTS_MAX), 0) >
		0;
	frec__data_file_unregister(user_events, &enabled, SCRATCH_BIT);
	return heard;
}

void frec__probe_idle(struct frec_probe_result *ret)
{
	struct frec_announcements announcements;
	struct frec_error error;
	FREC_CLOSE int tracefs = frec__catalog_open(&error);
	FREC_CLOSE int user_events = frec__tracefs_open("user_events_data", O_WRONLY);
	int r = frec__announcements_open(&announcements, user_events >= 0, &error);

	if (!r && user_events >= 0 && !hears_registrations(&announcements, user_events))
		r = frec__error(&error, -ENOTSUP, "registrations of user_events make no folder");
	frec__announcements_close(&announcements);
	if (tracefs < 0 || frec__perf_allowed(NULL)) {
		frec__probe_found(ret, FREC_PROBE_LIMITED,
				  "without rights, a recorder wakes 50 times a second while a "
				  "service lives");
	} else if (r) {
		frec__probe_found(ret, FREC_PROBE_LIMITED, "a recorder wakes 50 times a second: %s",
				  error.message);
		if (user_events >= 0 && r != -EPERM && r != -EACCES)
			frec__probe_advise(ret, "boot a kernel built with CONFIG_KPROBE_EVENTS=y "
						"and CONFIG_BPF_EVENTS=y");
	} else if (faccessat(tracefs, "events/printk/console/id", F_OK, 0)) {
		frec__probe_found(ret, FREC_PROBE_LIMITED,
				  "with shm, a recorder wakes 50 times a second while a service "
				  "lives: this kernel has no tracepoint printk:console");
	} else {
		frec__probe_found(ret, FREC_PROBE_OK,
				  "the kernel announces all that a recorder waits for");
	}
}
