/* SPDX-License-Identifier: MIT */
#ifndef FREC_RECORDER_PRIORITY_H
#define FREC_RECORDER_PRIORITY_H

/* Puts the calling process before programs with the usual nice value, so that a machine on which
 * many programs run does not delay the recorder until the rings have been overwritten. What it
 * starts from then on has the usual value again. Leaves a nice value that somebody has chosen.
 * Needs CAP_SYS_NICE; without it, does nothing. */
void frec__priority_raise(void);

#endif
