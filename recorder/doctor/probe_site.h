/* SPDX-License-Identifier: MIT */
/* A probe of our own program, laid out as a USDT probe is, for doctor to attach to. */
#ifndef FREC_RECORDER_DOCTOR_PROBE_SITE_H
#define FREC_RECORDER_DOCTOR_PROBE_SITE_H

#include <stdint.h>

/* Passes the two sites below. */
void frec__probe_site_pass(void);

/* A nop of one byte, and the one of five bytes that kernels of x86_64 can replace by a call. */
extern const uint8_t frec__probe_site[], frec__probe_site_wide[];

/* What the kernel counts attached uprobes in, if told to. Lies in the program's file, as it
 * must. */
extern volatile uint16_t frec__probe_site_semaphore;

#endif
