/* SPDX-License-Identifier: MIT */
/* Trying one program of probe.bpf.c by itself. */
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
	int descriptor;	  /* of a link that libbpf does not know; -1 */
	int r;		  /* 0 or the errno of ... */
	const char *step; /* ... what did not work */
};

/* Loads the program. Whatever came of it, the caller closes the trial, for which this guard is. */
struct frec_trial frec__trial_open(const char *name);
void frec__trial_close(struct frec_trial *trial);
#define FREC_TRIAL __attribute__((cleanup(frec__trial_close))) struct frec_trial

/* Attaches it where its section says. */
void frec__trial_attach(struct frec_trial *trial, const char *step);
void frec__trial_detach(struct frec_trial *trial);

/*
 * Loads a program for uprobes and attaches it to a site of this program as the recorder does: by
 * the file, for every process that runs it; as one of many sites where the kernel can do that, else
 * by itself. Always with the semaphore: the kernel refuses two ways at one site, and another doctor
 * may run.
 */
struct frec_trial frec__trial_open_at(const char *name, const uint8_t *site, uint64_t cookie);

#endif
