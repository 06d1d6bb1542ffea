/* SPDX-License-Identifier: MIT */
/*
 * Which capabilities each process of flightrec may hold, and giving up the others.
 *
 * SECURITY.md has a table of these sets with the reason for each capability, and host/attack_rights
 * compares the table with running processes.
 */
#ifndef FREC_PROTO_RIGHTS_H
#define FREC_PROTO_RIGHTS_H

#include <linux/capability.h>
#include <stdint.h>

#define FREC_RIGHT(capability) (UINT64_C(1) << (capability))
#define FREC_RIGHTS_NONE UINT64_C(0)

/* What watching other processes and the kernel takes: reading /proc and program files of all users,
 * and making rings, breakpoints and BPF programs. */
#define FREC_RIGHTS_TO_WATCH \
	(FREC_RIGHT(CAP_SYS_PTRACE) | FREC_RIGHT(CAP_DAC_READ_SEARCH) | \
	 FREC_RIGHT(CAP_CHECKPOINT_RESTORE) | FREC_RIGHT(CAP_SYSLOG) | FREC_RIGHT(CAP_PERFMON) | \
	 FREC_RIGHT(CAP_BPF) | FREC_RIGHT(CAP_SYS_ADMIN) | FREC_RIGHT(CAP_IPC_LOCK) | \
	 FREC_RIGHT(CAP_SYS_RESOURCE))

/* What starting and ending a child takes that has no rights: see recorder/worker/sandbox.h. */
#define FREC_RIGHTS_TO_START_CHILDREN \
	(FREC_RIGHT(CAP_SETUID) | FREC_RIGHT(CAP_SETGID) | FREC_RIGHT(CAP_KILL))

/* What a recorder has from the moment at which it records. */
#define FREC_RIGHTS_OF_RECORDER \
	(FREC_RIGHTS_TO_WATCH | FREC_RIGHTS_TO_START_CHILDREN | FREC_RIGHT(CAP_CHOWN) | \
	 FREC_RIGHT(CAP_FOWNER) | FREC_RIGHT(CAP_DAC_OVERRIDE))

/* What the process has that reads /proc about a dying process and talks to the recorders. */
#define FREC_RIGHTS_OF_CORE \
	(FREC_RIGHT(CAP_SYS_PTRACE) | FREC_RIGHT(CAP_DAC_READ_SEARCH) | \
	 FREC_RIGHT(CAP_DAC_OVERRIDE) | FREC_RIGHT(CAP_CHECKPOINT_RESTORE) | \
	 FREC_RIGHTS_TO_START_CHILDREN)

/* What `flightrec doctor` has, which tries what a recorder would do. */
#define FREC_RIGHTS_OF_DOCTOR FREC_RIGHTS_TO_WATCH

/* What a process has that opens program files for a child without rights: those of all users, and
 * what is mapped into other processes. */
#define FREC_RIGHTS_OF_OPENER \
	(FREC_RIGHT(CAP_SYS_PTRACE) | FREC_RIGHT(CAP_DAC_READ_SEARCH) | \
	 FREC_RIGHT(CAP_CHECKPOINT_RESTORE))

/*
 * Gives up all capabilities that are not in `kept`, for good if the process may change its bounding
 * set (CAP_SETPCAP): then not even a program that it executes gets them back. The process must have
 * one thread. Returns 0, or a negative errno if the kernel refused: the process should then end.
 */
int frec__rights_keep(uint64_t kept);

#endif
