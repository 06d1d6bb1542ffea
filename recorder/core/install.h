/* SPDX-License-Identifier: MIT */
/*
 * Whether the kernel hands core dumps to `flightrec core`, and what came before it.
 *
 * All of it stands in one file, so that it is there or not: a file of sysctl.d(5), by which the
 * setting survives a reboot, and in it, as a comment, the pattern to pass core dumps on to. One in
 * /run is gone with the next boot, as the setting is.
 */
#ifndef FREC_RECORDER_CORE_INSTALL_H
#define FREC_RECORDER_CORE_INSTALL_H

#include "recorder/core/pattern.h"

struct frec_core_installed {
	const char *file;		      /* NULL: it is not installed */
	char ours[FREC_CORE_PATTERN_MAX];     /* the pattern that was installed */
	char previous[FREC_CORE_PATTERN_MAX]; /* where core dumps go on to */
	char current[FREC_CORE_PATTERN_MAX];  /* kernel.core_pattern as it is now */
};

/* Reads the file and the kernel's setting. 0, or -errno of the setting: this kernel takes no core
 * dumps. */
int frec__core_installed(struct frec_core_installed *ret);

/*
 * Has the kernel run `tool core` with `settings` from now on; with `until_reboot` not longer than
 * that. Installed again, it keeps what is passed on to and replaces the rest.
 */
int frec__core_install(const char *tool, const char *settings, bool until_reboot,
		       struct frec_error *reterr);

/* Restores what was there. `ret_kept` tells that somebody has set another pattern since, which was
 * left alone. */
int frec__core_remove(bool *ret_kept, struct frec_error *reterr);

#endif
