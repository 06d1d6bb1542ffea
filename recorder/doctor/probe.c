// SPDX-License-Identifier: MIT
// What probes have in common: they report what was found and how to fix problems.
#include "recorder/doctor/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/read_file.h"

/* The inode of the first user namespace: PROC_USER_INIT_INO of the kernel's
 * include/linux/proc_ns.h. */
#define FIRST_USER_NAMESPACE 0xEFFFFFFDu

#define CAPABILITIES_MAX 3
#define NO_CAPABILITY 0 /* the number of CAP_CHOWN, which no probe needs */

/*
 * The capabilities for each right. The first one that is lacking is reported. On newer kernels,
 * attaching uprobes one by one needs CAP_SYS_ADMIN, because a breakpoint within an instruction can
 * do harm. CAP_SYS_ADMIN is the last one, so that it is reported only if the others were not
 * enough.
 */
static const int rights[][CAPABILITIES_MAX] = {
	[FREC_PROBE_RIGHT_PERFMON] = {CAP_PERFMON},
	[FREC_PROBE_RIGHT_BPF] = {CAP_BPF},
	[FREC_PROBE_RIGHT_BPF_PERFMON] = {CAP_BPF, CAP_PERFMON},
	[FREC_PROBE_RIGHT_UPROBE] = {CAP_BPF, CAP_PERFMON, CAP_SYS_ADMIN},
};

void frec__probe_found(struct frec_probe_result *ret, enum frec_probe_state state,
		       const char *format, ...)
{
	va_list arguments;

	ret->state = state;
	va_start(arguments, format);
	vsnprintf(ret->found, sizeof(ret->found), format, arguments);
	va_end(arguments);
}

static void advise_outside(struct frec_probe_result *ret)
{
	frec__probe_advise(
		ret,
		"rights inside a user namespace do not count for this: have a recorder outside of "
		"it do the recording (flightrec record --listen)");
}

// If the command does not fit, ret->fix stays empty, because a truncated command would be worse.
void frec__probe_fix(struct frec_probe_result *ret, const char *format, ...)
{
	va_list arguments;

	if (!frec__probe_first_user_namespace()) {
		advise_outside(ret);
		return;
	}
	va_start(arguments, format);
	if (vsnprintf(ret->fix, sizeof(ret->fix), format, arguments) >= (int)sizeof(ret->fix))
		*ret->fix = 0;
	va_end(arguments);
}

void frec__probe_advise(struct frec_probe_result *ret, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(ret->advice, sizeof(ret->advice), format, arguments);
	va_end(arguments);
}

static bool effective(int capability)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

	if (syscall(SYS_capget, &header, data))
		return false;
	return data[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability);
}

// Returns the first capability of `right` that this process lacks, or NO_CAPABILITY. CAP_SYS_ADMIN
// includes the capabilities that were split off from it.
static int lacking(enum frec_probe_right right)
{
	for (int i = 0; i < CAPABILITIES_MAX && rights[right][i] != NO_CAPABILITY; i++) {
		if (!effective(rights[right][i]) && !effective(CAP_SYS_ADMIN))
			return rights[right][i];
	}
	return NO_CAPABILITY;
}

bool frec__probe_first_user_namespace(void)
{
	struct stat status;

	// A kernel without user namespaces does not have this file. On such a kernel, rights count
	// as in the first user namespace.
	return stat("/proc/self/ns/user", &status) || status.st_ino == FIRST_USER_NAMESPACE;
}

static const char *name_of(int capability)
{
	return capability == CAP_BPF ? "BPF" : capability == CAP_PERFMON ? "PERFMON" : "SYS_ADMIN";
}

void frec__probe_tool(char *ret, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", ret, size - 1);

	ret[n < 0 ? 0 : n] = 0;
}

static void fix_rights(struct frec_probe_result *ret, enum frec_probe_right right)
{
	int capability = lacking(right);
	char path[PATH_MAX], quoted[400];

	frec__probe_tool(path, sizeof(path));
	frec__probe_quote(path, quoted, sizeof(quoted));
	if (!frec__probe_first_user_namespace()) {
		advise_outside(ret);
	} else if (capability == NO_CAPABILITY) {
		frec__probe_advise(ret,
				   "this process has the rights: seccomp, a security module or "
				   "kernel lockdown forbids it anyway");
	} else if (prctl(PR_CAPBSET_READ, capability) == 0) {
		frec__probe_advise(
			ret,
			"CAP_%s is not in the bounding set of this process: start it with it "
			"(docker run --cap-add %s, CapabilityBoundingSet= of a unit)",
			name_of(capability), name_of(capability));
	} else if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1) {
		frec__probe_advise(
			ret, "no_new_privs is set, so file capabilities have no effect: run it "
			     "without (NoNewPrivileges= of a unit)");
	} else if (capability == CAP_SYS_ADMIN && *quoted) {
		// A tool with CAP_SYS_ADMIN that everybody may run would make everybody root, so
		// setcap is not suggested here.
		frec__probe_advise(
			ret, "only root may; root can record for others, who name the socket");
		frec__probe_fix(ret, "sudo %s record --listen /run/flightrec.socket", quoted);
	} else if (*quoted) {
		frec__probe_fix(ret, "%ssetcap cap_bpf,cap_perfmon+ep %s", frec__probe_sudo(),
				quoted);
	}
}

void frec__probe_refused(struct frec_probe_result *ret, int r, const char *what,
			 enum frec_probe_right right, const char *configuration)
{
	frec__probe_found(ret, FREC_PROBE_MISSING, "%s: %s", what, strerror(-r));
	if (r == -EPERM || r == -EACCES)
		fix_rights(ret, right);
	else
		frec__probe_advise(ret, "boot a kernel built with %s", configuration);
}

const char *frec__probe_sudo(void)
{
	return geteuid() ? "sudo " : "";
}

void frec__probe_quote(const char *word, char *ret, size_t size)
{
	size_t used = 0;

	if (*word &&
	    !word[strspn(word,
			 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+")]) {
		*ret = 0;
		if (strlen(word) < size)
			memcpy(ret, word, strlen(word) + 1);
		return;
	}
	*ret = 0;
	for (const char *c = word; *c; c++) {
		// There must be room for a quote on both sides, a character as '\'', and the NUL.
		if (used + 7 > size) {
			*ret = 0;
			return;
		}
		if (c == word)
			ret[used++] = '\'';
		if (*c == '\'')
			used += (size_t)sprintf(ret + used, "'\\''");
		else
			ret[used++] = *c;
	}
	if (used)
		memcpy(ret + used, "'", 2);
}

void frec__probe_read_line(const char *path, char *ret, size_t size)
{
	FREC_FREE char *text = frec__read_file_at(AT_FDCWD, path, 4096);

	snprintf(ret, size, "%.*s", text ? (int)strcspn(text, "\n") : 0, text ? text : "");
}
