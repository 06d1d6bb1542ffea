// SPDX-License-Identifier: MIT
// Probes whether a recorder can sleep while nothing happens.
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "recorder/announcements.h"
#include "recorder/declared/catalog.h"
#include "recorder/doctor/probes_internal.h"
#include "recorder/rings/perf.h"
#include "recorder/service/tracefs.h"

void frec__probe_idle(struct frec_probe_result *ret)
{
	struct frec_announcements announcements;
	struct frec_error error;
	FREC_CLOSE int tracefs = frec__catalog_open(&error);
	FREC_CLOSE int user_events = frec__tracefs_open("user_events_data", O_WRONLY);
	int r = frec__announcements_open(&announcements, user_events >= 0, &error);

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
