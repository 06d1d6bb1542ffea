/* SPDX-License-Identifier: MIT */
/* Tries one program of probe.bpf.c. */
#ifndef FREC_RECORDER_DOCTOR_PROBE_TRIAL_H
#define FREC_RECORDER_DOCTOR_PROBE_TRIAL_H

#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stdint.h>

#include "probe.skel.h"

#define FREC_KERNEL_WITH_UPROBES "CONFIG_BPF_SYSCALL=y, CONFIG_UPROBES=y and CONFIG_BPF_EVENTS=y"

struct frec_trial {
	struct probe_bpf *skeleton;
	struct bpf_program *program;
	struct bpf_link *link;
	int descriptor;	  /* descriptor of the link, if `link` is NULL; or -1 */
	int r;		  /* 0, or a negative errno */
	const char *step; /* the step that failed, if `r` is not 0 */
};

/* Loads the program `name`. The caller must close the trial even if this failed, which FREC_TRIAL
 * does. */
struct frec_trial frec__trial_open(const char *name);
void frec__trial_close(struct frec_trial *trial);
#define FREC_TRIAL __attribute__((cleanup(frec__trial_close))) struct frec_trial

/* Attaches the program to the target that its section name gives. If this fails, trial->step
 * becomes `step`. */
void frec__trial_attach(struct frec_trial *trial, const char *step);
void frec__trial_detach(struct frec_trial *trial);

/*
 * Loads the BPF program `name` and attaches it to a site of our own executable. Like a recorder, it
 * attaches to the file and thereby to every process that runs the file, with a multi-uprobe link if
 * the kernel supports that. The semaphore is always used: another doctor may be running, and the
 * kernel refuses uprobes with and without a semaphore at the same site.
 */
struct frec_trial frec__trial_open_at(const char *name, const uint8_t *site, uint64_t cookie);

#endif
