/* SPDX-License-Identifier: MIT */
/* What probes have in common: reporting results, and shell commands for fixes. */
#ifndef FREC_RECORDER_DOCTOR_PROBE_H
#define FREC_RECORDER_DOCTOR_PROBE_H

#include "recorder/doctor/probes.h"

/* Sets the state and the text that says what was found. */
__attribute__((format(printf, 3, 4))) void frec__probe_found(struct frec_probe_result *ret,
							     enum frec_probe_state state,
							     const char *format, ...);

/*
 * Sets the command that would fix the problem. A string from outside, such as a path, must be
 * quoted with frec__probe_quote() before it becomes part of the command. Inside a user namespace no
 * command helps, so this sets the advice to record from outside instead.
 */
__attribute__((format(printf, 2, 3))) void frec__probe_fix(struct frec_probe_result *ret,
							   const char *format, ...);

/* Sets advice in words, for a problem that no single command can fix. */
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
 * Reports that `what` was tried and failed with the negative errno `r`. If this is -EPERM or
 * -EACCES, `ret` says how to get `right`; otherwise it advises to boot a kernel built with
 * `configuration`.
 */
void frec__probe_refused(struct frec_probe_result *ret, int r, const char *what,
			 enum frec_probe_right right, const char *configuration);

/* Returns whether this process is in the first user namespace, whose rights count for the
 * machine. */
bool frec__probe_first_user_namespace(void);

/* Returns what precedes a command for root: "sudo ", or "" if this process is root. */
const char *frec__probe_sudo(void);

/* Returns the path of this program, empty if it is unknown. */
void frec__probe_tool(char *ret, size_t size);

/* Quotes `word` so that a shell reads it as one word. `ret` is empty if it is too small. */
void frec__probe_quote(const char *word, char *ret, size_t size);

/* Returns the first line of a small file, empty if the file cannot be read. */
void frec__probe_read_line(const char *path, char *ret, size_t size);

#endif
