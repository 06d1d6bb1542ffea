// SPDX-License-Identifier: MIT
// Probes of tracefs and user_events.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "recorder/catalog.h"
#include "recorder/cleanup.h"
#include "recorder/data_file.h"
#include "recorder/probe.h"
#include "recorder/tracefs.h"

/* Of the enable words that are registered here, which nothing reads. */
#define SCRATCH_BIT 31
#define SCRATCH_EVENT "flightrec_doctor"

void frec__probe_tracefs(struct frec_probe_result *ret)
{
	char path[PATH_MAX];

	if (!frec__tracefs_find(path, sizeof(path))) {
		frec__probe_found(ret, FREC_PROBE_OK, "%.200s", path);
		return;
	}
	frec__probe_found(ret, FREC_PROBE_MISSING,
			  "tracefs is mounted nowhere that can be reached");
	frec__probe_fix(ret, "sudo mount -t tracefs tracefs /sys/kernel/tracing");
}

// What opens tracefs to a user's group. Its files are for their owner to write, whatever the mount says.
static void fix_rights(struct frec_probe_result *ret, bool to_emit)
{
	char path[PATH_MAX];

	if (frec__tracefs_find(path, sizeof(path)))
		return;
	if (to_emit)
		frec__probe_fix(ret,
				"run it as root (sudo), or let your group in: sudo chgrp %u "
				"%.100s/user_events_data && "
				"sudo chmod g+w %.100s/user_events_data",
				getegid(), path, path);
	else
		frec__probe_fix(ret,
				"run it as root (sudo), or let your group in: sudo mount -o "
				"remount,gid=%u,mode=750 %.100s",
				getegid(), path);
}

void frec__probe_tracefs_rights(struct frec_probe_result *ret)
{
	struct frec_error error;
	FREC_CLOSE int tracefs = frec__catalog_open(&error);

	if (tracefs >= 0) {
		frec__probe_found(ret, FREC_PROBE_OK, "its events can be read");
		return;
	}
	frec__probe_found(ret, FREC_PROBE_MISSING, "%s",
			  tracefs == -ENOENT ? "there is no tracefs to read" : strerror(-tracefs));
	fix_rights(ret, false);
}

void frec__probe_user_events(struct frec_probe_result *ret)
{
	FREC_CLOSE int fd = frec__tracefs_open("user_events_data", O_WRONLY);
	char path[PATH_MAX];

	if (fd >= 0) {
		frec__probe_found(ret, FREC_PROBE_OK, "user_events_data can be written");
		return;
	}
	if (fd == -EACCES || fd == -EPERM) {
		frec__probe_found(ret, FREC_PROBE_MISSING, "user_events_data: %s", strerror(-fd));
		fix_rights(ret, true);
	} else if (frec__tracefs_find(path, sizeof(path))) {
		frec__probe_found(ret, FREC_PROBE_MISSING,
				  "user_events_data cannot be reached without tracefs");
	} else {
		frec__probe_found(
			ret, FREC_PROBE_MISSING,
			"this kernel has no user_events (no user_events_data in tracefs)");
		frec__probe_fix(ret, "boot a kernel built with CONFIG_USER_EVENTS=y (Ubuntu, Azure "
				     "Linux and WSL2 ship one)");
	}
}

// A kernel that refuses says which errno; what can be done about it is in the probe above.
void frec__probe_register(struct frec_probe_result *ret)
{
	FREC_CLOSE int fd = frec__tracefs_open("user_events_data", O_WRONLY);
	static uint32_t enabled;
	uint32_t index;
	int r = fd < 0 ? fd
		       : frec__data_file_register(fd, SCRATCH_EVENT " u32 value", &enabled,
						  SCRATCH_BIT, &index);

	if (fd < 0) {
		frec__probe_found(ret, FREC_PROBE_MISSING, "not without user_events_data");
		return;
	}
	if (!r)
		r = frec__data_file_unregister(fd, &enabled, SCRATCH_BIT);
	if (!r) {
		frec__probe_found(ret, FREC_PROBE_OK, "an event was registered and unregistered");
		return;
	}
	frec__probe_found(ret, FREC_PROBE_MISSING, "registering an event failed: %s", strerror(-r));
	if (r == -EMFILE || r == -ENOSPC)
		frec__probe_fix(ret, "sudo sysctl kernel.user_events_max=65535");
}

void frec__probe_layouts(struct frec_probe_result *ret)
{
	FREC_CLOSE int fd = frec__tracefs_open("user_events_data", O_WRONLY);
	static uint32_t enabled, enabled_other;
	uint32_t index;
	int r;

	if (fd < 0) {
		frec__probe_found(ret, FREC_PROBE_MISSING, "not without user_events_data");
		return;
	}
	r = frec__data_file_register(fd, SCRATCH_EVENT " u32 value", &enabled, SCRATCH_BIT, &index);
	if (r) {
		frec__probe_found(ret, FREC_PROBE_MISSING, "not without registering an event");
		return;
	}
	r = frec__data_file_register(fd, SCRATCH_EVENT " u64 value", &enabled_other, SCRATCH_BIT,
				     &index);
	if (!r)
		frec__data_file_unregister(fd, &enabled_other, SCRATCH_BIT);
	frec__data_file_unregister(fd, &enabled, SCRATCH_BIT);
	if (!r) {
		frec__probe_found(ret, FREC_PROBE_OK,
				  "both of two layouts of one name were registered");
		return;
	}
	frec__probe_found(ret, FREC_PROBE_LIMITED,
			  "one name, one layout: the second program is refused (%s)", strerror(-r));
	frec__probe_fix(ret, "rename one of two events that share a name, or boot a kernel that "
			     "has USER_EVENT_REG_MULTI_FORMAT");
}
