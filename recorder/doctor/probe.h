/* SPDX-License-Identifier: MIT */
/* The inside of probes.h: what probes have in common, and those that the table finds in other
 * files. */
#ifndef FREC_RECORDER_DOCTOR_PROBE_H
#define FREC_RECORDER_DOCTOR_PROBE_H

#include "recorder/doctor/probes.h"

/* What a probe found. */
__attribute__((format(printf, 3, 4))) void frec__probe_found(struct frec_probe_result *ret,
							     enum frec_probe_state state,
							     const char *format, ...);

/*
 * The command that would change it. Whatever goes into it from outside has been through
 * frec__probe_quote(). Inside a user namespace no command helps, and this becomes the advice to go
 * outside.
 */
__attribute__((format(printf, 2, 3))) void frec__probe_fix(struct frec_probe_result *ret,
							   const char *format, ...);

/* What to do where no one command does it. */
__attribute__((format(printf, 2, 3))) void frec__probe_advise(struct frec_probe_result *ret,
							      const char *format, ...);

/* What the kernel asks for before it allows something. */
enum frec_probe_right {
	FREC_PROBE_RIGHT_PERFMON,
	FREC_PROBE_RIGHT_BPF,
	FREC_PROBE_RIGHT_BPF_PERFMON,
	FREC_PROBE_RIGHT_UPROBE,
};

/*
 * Found missing, with errno `-r` when `what` was tried. Says how to get the right where that is the
 * reason, and what to build the kernel with where it is not.
 */
void frec__probe_refused(struct frec_probe_result *ret, int r, const char *what,
			 enum frec_probe_right right, const char *configuration);

/* Whether this is the user namespace whose rights count for the machine. */
bool frec__probe_first_user_namespace(void);

/* What a command begins with that only root may give. */
const char *frec__probe_sudo(void);

/* Where this program is; empty where that is unknown. */
void frec__probe_tool(char *ret, size_t size);

/* As one word of a shell. Empty where it does not fit. */
void frec__probe_quote(const char *word, char *ret, size_t size);

/* The first line of a small file; empty where it cannot be read. */
void frec__probe_read_line(const char *path, char *ret, size_t size);

#endif
