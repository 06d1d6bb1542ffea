// SPDX-License-Identifier: MIT
// Probes whether core dumps give the stacks of all threads of a dying process.
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "recorder/core/install.h"
#include "recorder/doctor/probes_internal.h"

static void offer_installation(struct frec_probe_result *ret, const char *previous)
{
	char path[PATH_MAX], quoted[400], pattern[FREC_CORE_PATTERN_MAX];
	char receiver[FREC_CORE_PATTERN_MAX];
	struct frec_error error;

	frec__probe_tool(path, sizeof(path));
	frec__probe_quote(path, quoted, sizeof(quoted));
	frec__core_pattern_receiver("", previous, receiver);
	if (frec__core_pattern_make(path, "", receiver, pattern, &error))
		frec__probe_advise(ret, "%.250s", error.message);
	else if (*quoted)
		frec__probe_fix(ret, "%s%s core --install", frec__probe_sudo(), quoted);
}

// Returns whether the tool in the pattern exists and can be run.
static bool is_there(const char *pattern)
{
	char path[FREC_CORE_PATTERN_MAX];

	memcpy(path, pattern + 1, sizeof(path) - 1);
	path[strcspn(path, " ")] = 0;
	return !access(path, X_OK);
}

void frec__probe_all_threads(struct frec_probe_result *ret)
{
	struct frec_core_installed installed;
	int r = frec__core_installed(&installed);

	if (r) {
		frec__probe_found(ret, FREC_PROBE_MISSING, "no kernel.core_pattern: %s",
				  strerror(-r));
		frec__probe_advise(ret, "boot a kernel built with CONFIG_COREDUMP=y");
	} else if (!installed.file || strcmp(installed.current, installed.ours) != 0) {
		frec__probe_found(
			ret, FREC_PROBE_LIMITED, "only the thread that crashed: core dumps go %s",
			installed.file ? "elsewhere now, although flightrec core was installed"
				       : "not through flightrec core");
		offer_installation(ret, installed.current);
	} else if (!is_there(installed.ours)) {
		frec__probe_found(
			ret, FREC_PROBE_LIMITED,
			"core dumps are lost: the tool in kernel.core_pattern does not exist");
		offer_installation(ret, installed.previous);
	} else {
		frec__probe_found(ret, FREC_PROBE_OK,
				  "flightrec core, which passes on to \"%s\" (flightrec core "
				  "--remove restores it)",
				  installed.previous);
	}
}

// A daemon that was started as root and dropped its rights counts as a program with special rights,
// so fs.suid_dumpable decides about its core dumps.
void frec__probe_suid_dumps(struct frec_probe_result *ret)
{
	char value[16] = "";

	frec__probe_read_line("/proc/sys/fs/suid_dumpable", value, sizeof(value));
	if (*value == '1' || *value == '2') {
		frec__probe_found(ret, FREC_PROBE_OK, "fs.suid_dumpable is %s", value);
		return;
	}
	frec__probe_found(ret, FREC_PROBE_LIMITED,
			  "fs.suid_dumpable is %s: they leave no core dump, so only the thread "
			  "that crashed is known",
			  *value ? value : "unknown");
	frec__probe_fix(ret, "%ssysctl -w fs.suid_dumpable=2", frec__probe_sudo());
}
