/* SPDX-License-Identifier: MIT */
/*
 * Makes the kernel hand core dumps to `flightrec core`, and remembers which pattern was set before.
 *
 * One file of sysctl.d(5) has both our pattern and the previous one, so that the two cannot
 * disagree. The file sets our pattern after a reboot, and has the previous pattern in a comment. If
 * the file is in /run, it is gone after a reboot, and so is the setting.
 */
#ifndef FREC_RECORDER_CORE_INSTALL_H
#define FREC_RECORDER_CORE_INSTALL_H

#include "recorder/core/pattern.h"

struct frec_core_installed {
	const char *file;		      /* NULL: `flightrec core` is not installed */
	char ours[FREC_CORE_PATTERN_MAX];     /* the pattern that was installed */
	char previous[FREC_CORE_PATTERN_MAX]; /* the pattern for passing core dumps on */
	char current[FREC_CORE_PATTERN_MAX];  /* kernel.core_pattern as it is now */
};

/* Reads the file and the kernel's setting. Returns 0, or a negative errno if the setting cannot be
 * read. A kernel that writes no core dumps does not have the setting. */
int frec__core_installed(struct frec_core_installed *ret);

/*
 * Makes the kernel run `tool core` with `settings` from now on, or only until the next reboot. If
 * `flightrec core` is already installed, everything but the previous pattern is replaced. If
 * somebody has set another pattern since then, that pattern becomes the previous one. Returns 0 or
 * a negative errno.
 */
int frec__core_install(const char *tool, const char *settings, bool until_reboot,
		       struct frec_error *reterr);

/*
 * Restores the previous pattern and removes the file. If somebody has set another pattern since the
 * installation, that pattern stays set, and `ret_kept` becomes true. Returns 0 or a negative errno.
 */
int frec__core_remove(bool *ret_kept, struct frec_error *reterr);

#endif
