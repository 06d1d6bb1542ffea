// SPDX-License-Identifier: MIT
// Lists the events of tracefs and matches selections against them.
#include "recorder/declared/catalog.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "proto/cleanup.h"
#include "recorder/service/tracefs.h"

static const char *const user_groups[] = {"user_events", "user_events_multi"};

// Mounts tracefs without attaching it to the file tree: such a mount needs no mount point, is
// visible to nobody else, and disappears when its descriptor is closed.
static int open_detached(void)
{
	FREC_CLOSE int context = (int)syscall(SYS_fsopen, "tracefs", FSOPEN_CLOEXEC);
	int fd;

	if (context < 0 || syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return -errno;
	fd = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

int frec__catalog_open(struct frec_error *reterr)
{
	char path[PATH_MAX] = "";
	int fd;

	if (frec__tracefs_find(path, sizeof(path))) {
		fd = open_detached();
		if (fd < 0)
			return frec__error(reterr, -ENOENT,
					   "tracefs is not mounted: mount -t tracefs tracefs "
					   "/sys/kernel/tracing");
	} else {
		fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			return frec__error(reterr, -errno, "%s: %s", path, strerror(errno));
	}
	if (faccessat(fd, "events", R_OK | X_OK, AT_EACCESS)) {
		int error = errno;

		close(fd);
		return frec__error(reterr, -error,
				   "%s/events: %s: run as root, or connect to a recorder started "
				   "with --listen",
				   *path ? path : "tracefs", strerror(error));
	}
	return fd;
}

// The kernel's event "shop__paid" gets the name shop:paid, and so does "shop__paid.1" in the group
// user_events_multi.
static void name_user_event(struct frec_listed *listed)
{
	const char *name = listed->kernel_name;
	const char *split = strstr(name, "__");
	size_t length = strlen(name);

	if (!strcmp(listed->group, "user_events_multi")) {
		const char *dot = strrchr(name, '.');

		if (dot)
			length = (size_t)(dot - name);
	}
	if (split && split != name && split[2] && (size_t)(split - name) + 2 < length) {
		listed->kind = FLIGHTREC__SOURCE_KIND__SOURCE_EVENT;
		snprintf(listed->system, sizeof(listed->system), "%.*s", (int)(split - name), name);
		snprintf(listed->name, sizeof(listed->name), "%.*s",
			 (int)(name + length - split - 2), split + 2);
	} else {
		listed->kind = FLIGHTREC__SOURCE_KIND__SOURCE_USER_EVENT;
		snprintf(listed->system, sizeof(listed->system), "user_events");
		snprintf(listed->name, sizeof(listed->name), "%.*s", (int)length, name);
	}
}

void frec__catalog_name(struct frec_listed *ret, const char *group, const char *name)
{
	*ret = (struct frec_listed){.kind = FLIGHTREC__SOURCE_KIND__SOURCE_TRACEPOINT};
	snprintf(ret->group, sizeof(ret->group), "%s", group);
	snprintf(ret->kernel_name, sizeof(ret->kernel_name), "%s", name);
	snprintf(ret->system, sizeof(ret->system), "%s", group);
	snprintf(ret->name, sizeof(ret->name), "%s", name);
	for (size_t i = 0; i < sizeof(user_groups) / sizeof(user_groups[0]); i++) {
		if (!strcmp(group, user_groups[i]))
			name_user_event(ret);
	}
}

bool frec__catalog_matches(const char *selection, const struct frec_listed *listed)
{
	size_t length = strlen(listed->system);
	char shown[400];

	if (listed->kind == FLIGHTREC__SOURCE_KIND__SOURCE_TRACEPOINT &&
	    (strncmp(selection, listed->system, length) || selection[length] != ':'))
		return false;
	snprintf(shown, sizeof(shown), "%s:%s", listed->system, listed->name);
	return !fnmatch(selection, shown, 0);
}

static int walk_group(int tracefs, const char *group, const char *selection,
		      frec_catalog_visit *visit, void *context)
{
	char path[300];
	FREC_CLOSEDIR DIR *folder = NULL;
	struct dirent *entry;
	int fd;

	snprintf(path, sizeof(path), "events/%s", group);
	fd = openat(tracefs, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	folder = fd < 0 ? NULL : fdopendir(fd);
	if (!folder)
		return 0; // No such group: none of its events can match.
	while ((entry = readdir(folder))) {
		struct frec_listed listed;
		int r;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		frec__catalog_name(&listed, group, entry->d_name);
		if (!frec__catalog_matches(selection, &listed))
			continue;
		r = visit(context, &listed);
		if (r)
			return r;
	}
	return 0;
}

// Copies the system of a selection, which is the text before ':', to `ret`. Returns whether this
// text is the name of a system of kernel tracepoints. A glob is not, and neither is a group of user
// events.
static bool kernel_group(int tracefs, const char *selection, char *ret, size_t size)
{
	char path[300];
	size_t length = strcspn(selection, ":");
	struct stat status;

	snprintf(ret, size, "%.*s", (int)length, selection);
	if (strpbrk(ret, "*?[\\/") || !*ret || *ret == '.')
		return false;
	for (size_t i = 0; i < 2; i++) {
		if (!strcmp(ret, user_groups[i]))
			return false;
	}
	snprintf(path, sizeof(path), "events/%s", ret);
	return !fstatat(tracefs, path, &status, 0) && S_ISDIR(status.st_mode);
}

int frec__catalog_walk(int tracefs, const char *selection, frec_catalog_visit *visit, void *context)
{
	char group[128];
	int r = 0;

	if (kernel_group(tracefs, selection, group, sizeof(group)))
		r = walk_group(tracefs, group, selection, visit, context);
	for (size_t i = 0; i < 2 && !r; i++)
		r = walk_group(tracefs, user_groups[i], selection, visit, context);
	return r;
}

bool frec__catalog_is_kernel(int tracefs, const char *selection)
{
	// The systems that people select most. A provider with one of these names is mistaken for
	// the kernel's system.
	static const char *const systems[] = {
		"block",    "cgroup",	  "compaction", "exceptions",	"ext4",	    "filemap",
		"io_uring", "irq",	  "kmem",	"mmap",		"napi",	    "net",
		"oom",	    "page_fault", "power",	"raw_syscalls", "rcu",	    "sched",
		"signal",   "skb",	  "sock",	"syscalls",	"task",	    "tcp",
		"timer",    "udp",	  "vmscan",	"workqueue",	"writeback"};
	size_t length = strcspn(selection, ":");
	char group[128];

	if (tracefs >= 0)
		return kernel_group(tracefs, selection, group, sizeof(group));
	for (size_t i = 0; i < sizeof(systems) / sizeof(systems[0]); i++) {
		if (strlen(systems[i]) == length && !strncmp(systems[i], selection, length))
			return true;
	}
	return false;
}

static int found(void *context, const struct frec_listed *listed)
{
	(void)context;
	(void)listed;
	return 1;
}

int frec__catalog_check(int tracefs, const char *selection, struct frec_error *reterr)
{
	char group[128];

	if (kernel_group(tracefs, selection, group, sizeof(group)) &&
	    !frec__catalog_walk(tracefs, selection, found, NULL))
		return frec__error(reterr, -ENOENT,
				   "-e %s: the kernel has no such event: 'flightrec events %s:*' "
				   "lists what there is",
				   selection, group);
	return 0;
}
