/* SPDX-License-Identifier: MIT */
/*
 * Whether the kernel hands core dumps to `flightrec core`, and which pattern was set before.
 *
 * One file of sysctl.d(5) has both, so that they cannot disagree: it sets our pattern after a
 * reboot, and has the previous pattern in a comment. If the file is in /run, it is gone after a
 * reboot, and so is the setting.
 */
#ifndef FREC_RECORDER_CORE_INSTALL_H
#define FREC_RECORDER_CORE_INSTALL_H

#include "recorder/core/pattern.h"

struct frec_core_installed {
	const char *file;		      /* NULL: `flightrec core` is not installed */
	char ours[FREC_CORE_PATTERN_MAX];     /* the pattern that was installed */
	char previous[FREC_CORE_PATTERN_MAX]; /* where core dumps are passed on to */
	char current[FREC_CORE_PATTERN_MAX];  /* kernel.core_pattern as it is now */
};

/* Reads the file and the kernel's setting. Returns 0, or a negative errno if there is no setting to
 * read, because the kernel writes no core dumps. */
int frec__core_installed(struct frec_core_installed *ret);

/*
 * Makes the kernel run `tool core` with `settings` from now on, or only until the next reboot. If
 * it is already installed, all but the previous pattern is replaced. If somebody has set another
 * pattern since, that becomes the previous one. Returns 0 or a negative errno.
 */
int frec__core_install(const char *tool, const char *settings, bool until_reboot,
		       struct frec_error *reterr);

/* Restores the previous pattern and removes the file. If somebody has set another pattern since, it
 * is left as it is, and `ret_kept` becomes true. Returns 0 or a negative errno. */
int frec__core_remove(bool *ret_kept, struct frec_error *reterr);

#endif
