/* SPDX-License-Identifier: MIT */
/* For probes: reporting results, and shell commands for fixes. */
#ifndef FREC_RECORDER_DOCTOR_PROBE_H
#define FREC_RECORDER_DOCTOR_PROBE_H

#include "recorder/doctor/probes.h"

/* Sets the state and what was found. */
__attribute__((format(printf, 3, 4))) void frec__probe_found(struct frec_probe_result *ret,
							     enum frec_probe_state state,
							     const char *format, ...);

/*
 * Sets the command that would fix it. Quote every outside string in it with frec__probe_quote().
 * Inside a user namespace no command helps, so the advice to record from outside is set instead.
 */
__attribute__((format(printf, 2, 3))) void frec__probe_fix(struct frec_probe_result *ret,
							   const char *format, ...);

/* Sets advice in words, for what no single command can fix. */
__attribute__((format(printf, 2, 3))) void frec__probe_advise(struct frec_probe_result *ret,
							      const char *format, ...);

/* The rights that the kernel requires for something. */
enum frec_probe_right {
	FREC_PROBE_RIGHT_PERFMON,
	FREC_PROBE_RIGHT_BPF,
	FREC_PROBE_RIGHT_BPF_PERFMON,
	FREC_PROBE_RIGHT_UPROBE,
};

/*
 * Reports a failure: `what` was tried and returned the negative errno `r`. The fix is how to get
 * the right, if it is lacking, and otherwise the kernel configuration.
 */
void frec__probe_refused(struct frec_probe_result *ret, int r, const char *what,
			 enum frec_probe_right right, const char *configuration);

/* Whether this is the initial user namespace, whose rights count for the machine. */
bool frec__probe_first_user_namespace(void);

/* "sudo " in front of a command for root, or "" if this is root. */
const char *frec__probe_sudo(void);

/* The path of this program, empty if it is unknown. */
void frec__probe_tool(char *ret, size_t size);

/* Quotes `word` as one word of a shell. Empty if it does not fit. */
void frec__probe_quote(const char *word, char *ret, size_t size);

/* The first line of a small file, empty if it cannot be read. */
void frec__probe_read_line(const char *path, char *ret, size_t size);

#endif
