/* SPDX-License-Identifier: MIT */
/* Lists of CPUs as the kernel writes them in sysfs, for example "0-3,8". */
#ifndef FREC_RECORDER_CPU_LIST_H
#define FREC_RECORDER_CPU_LIST_H

/* Calls `visit` for each number of a list until a call returns non-zero. Returns what the last call
 * returned, or -EBADMSG. */
int frec__each_cpu(const char *list, int (*visit)(void *context, int cpu), void *context);

#endif
