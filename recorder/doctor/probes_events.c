// SPDX-License-Identifier: MIT
// Probes of tracefs and user_events.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "recorder/declared/catalog.h"
#include "recorder/doctor/probes_internal.h"
#include "recorder/service/data_file.h"
#include "recorder/service/tracefs.h"

/* The bit that is registered in the enable words here. Nothing reads it. */
#define SCRATCH_BIT 31
#define SCRATCH_EVENT "flightrec_doctor"

void frec__probe_tracefs(struct frec_probe_result *ret)
{
	char path[PATH_MAX];
	struct frec_error error;

	if (!frec__tracefs_find(path, sizeof(path))) {
		frec__probe_found(ret, FREC_PROBE_OK, "%.200s", path);
		return;
	}

	FREC_CLOSE int own = frec__catalog_open(&error);

	if (own >= 0)
		frec__probe_found(
			ret, FREC_PROBE_LIMITED,
			"not mounted: a recorder can use a mount of its own, but services cannot "
			"register events");
	else
		frec__probe_found(ret, FREC_PROBE_MISSING, "not mounted, or not accessible");
	frec__probe_fix(ret, "%smount -t tracefs tracefs /sys/kernel/tracing", frec__probe_sudo());
}

// Returns the path of tracefs, quoted for a shell, or "" if tracefs is not mounted.
static void quote_tracefs(char *ret, size_t size)
{
	char path[PATH_MAX];

	*ret = 0;
	if (!frec__tracefs_find(path, sizeof(path)))
		frec__probe_quote(path, ret, size);
}

// Mount options can let a group read tracefs, but only the owner of a file may write to it, so
// emitting needs a change to the file itself.
static void fix_rights(struct frec_probe_result *ret, bool to_emit)
{
	char path[200];

	quote_tracefs(path, sizeof(path));
	if (!*path)
		return;
	if (to_emit)
		frec__probe_fix(
			ret,
			"sudo chgrp %u %s/user_events_data && sudo chmod g+w %s/user_events_data",
			getegid(), path, path);
	else
		frec__probe_fix(ret, "sudo mount -o remount,gid=%u,mode=750 %s", getegid(), path);
	if (*ret->fix)
		frec__probe_advise(ret, "only root may; to give group %u access", getegid());
}

// Looks for a file that exists on every kernel with user_events and that, unlike tracefs, every
// user can see.
static bool kernel_has_user_events(void)
{
	return !access("/proc/sys/kernel/user_events_max", F_OK);
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
			  tracefs == -ENOENT ? "tracefs is not mounted" : strerror(-tracefs));
	fix_rights(ret, false);
}

void frec__probe_user_events(struct frec_probe_result *ret)
{
	FREC_CLOSE int fd = frec__tracefs_open("user_events_data", O_WRONLY);
	char path[PATH_MAX];

	if (fd >= 0) {
		frec__probe_found(ret, FREC_PROBE_OK, "user_events_data can be written%s",
				  frec__tracefs_find(path, sizeof(path))
					  ? ", which is all of tracefs here"
					  : "");
	} else if ((fd == -EACCES || fd == -EPERM) && kernel_has_user_events()) {
		frec__probe_found(ret, FREC_PROBE_MISSING, "user_events_data: %s", strerror(-fd));
		fix_rights(ret, true);
	} else if (frec__tracefs_find(path, sizeof(path)) && kernel_has_user_events()) {
		frec__probe_found(ret, FREC_PROBE_MISSING, "needs a mounted tracefs");
	} else {
		frec__probe_found(ret, FREC_PROBE_MISSING, "this kernel does not have user_events");
		frec__probe_advise(
			ret,
			"boot a kernel built with CONFIG_USER_EVENTS=y (Ubuntu, Azure Linux and "
			"WSL2 ship one), or use usdt or shm, which do not need it");
	}
}

// If rights are missing, frec__probe_user_events() sets the fix, so this function does not.
void frec__probe_register(struct frec_probe_result *ret)
{
	FREC_CLOSE int fd = frec__tracefs_open("user_events_data", O_WRONLY);
	static uint32_t enabled;
	uint32_t index;
	int r = fd < 0 ? fd
		       : frec__data_file_register(fd, SCRATCH_EVENT " u32 value", &enabled,
						  SCRATCH_BIT, &index);

	if (fd < 0) {
		frec__probe_found(ret, FREC_PROBE_MISSING, "needs user-events");
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
		frec__probe_fix(ret, "%ssysctl kernel.user_events_max=65535", frec__probe_sudo());
}

void frec__probe_layouts(struct frec_probe_result *ret)
{
	FREC_CLOSE int fd = frec__tracefs_open("user_events_data", O_WRONLY);
	static uint32_t enabled, enabled_other;
	uint32_t index;
	int r;

	if (fd < 0) {
		frec__probe_found(ret, FREC_PROBE_MISSING, "needs user-events");
		return;
	}
	r = frec__data_file_register(fd, SCRATCH_EVENT " u32 value", &enabled, SCRATCH_BIT, &index);
	if (r) {
		frec__probe_found(ret, FREC_PROBE_MISSING, "needs register");
		return;
	}
	r = frec__data_file_register(fd, SCRATCH_EVENT " u64 value", &enabled_other, SCRATCH_BIT,
				     &index);
	if (!r)
		frec__data_file_unregister(fd, &enabled_other, SCRATCH_BIT);
	frec__data_file_unregister(fd, &enabled, SCRATCH_BIT);
	if (!r) {
		frec__probe_found(ret, FREC_PROBE_OK, "two layouts of one name were registered");
		return;
	}
	frec__probe_found(ret, FREC_PROBE_LIMITED, "the second program is refused (%s)",
			  strerror(-r));
	frec__probe_advise(ret, "rename one of two events that share a name, or boot a kernel with "
				"USER_EVENT_REG_MULTI_FORMAT");
}
