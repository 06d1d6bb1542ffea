/* SPDX-License-Identifier: MIT */
/*
 * Whether the kernel hands core dumps to `flightrec core`, and which pattern was set before.
 *
 * All of that is in one file, so that it exists as a whole or not at all: a file of sysctl.d(5),
 * which sets the pattern after a reboot, and has the previous pattern in a comment. A file in /run
 * is gone after a reboot, and so is the setting.
 */
#ifndef FREC_RECORDER_CORE_INSTALL_H
#define FREC_RECORDER_CORE_INSTALL_H

#include "recorder/core/pattern.h"

struct frec_core_installed {
	const char *file;		      /* NULL: it is not installed */
	char ours[FREC_CORE_PATTERN_MAX];     /* the pattern that was installed */
	char previous[FREC_CORE_PATTERN_MAX]; /* where core dumps are passed on to */
	char current[FREC_CORE_PATTERN_MAX];  /* kernel.core_pattern as it is now */
};

/* Reads the file and the kernel's setting. Returns 0, or a negative errno if the setting cannot be
 * read: this kernel writes no core dumps. */
int frec__core_installed(struct frec_core_installed *ret);

/*
 * Has the kernel run `tool core` with `settings` from now on, or only until the next reboot. If it
 * is already installed, the previous pattern is kept and the rest replaced. Returns 0 or a negative
 * errno.
 */
int frec__core_install(const char *tool, const char *settings, bool until_reboot,
		       struct frec_error *reterr);

/* Restores the previous pattern and removes the file. `ret_kept`: somebody has set another pattern
 * since, which was left as it is. Returns 0 or a negative errno. */
int frec__core_remove(bool *ret_kept, struct frec_error *reterr);

#endif
