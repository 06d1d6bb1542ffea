/* SPDX-License-Identifier: MIT */
/* A probe in our own program, laid out as a USDT probe, to which doctor attaches. */
#ifndef FREC_RECORDER_DOCTOR_PROBE_SITE_H
#define FREC_RECORDER_DOCTOR_PROBE_SITE_H

#include <stdint.h>

/* Executes the two sites below. */
void frec__probe_site_pass(void);

/* A nop of one byte, and one of five bytes, which newer x86_64 kernels can replace by a call. */
extern const uint8_t frec__probe_site[], frec__probe_site_wide[];

/* The kernel counts attached uprobes here, if asked to. It must be part of the program's file. */
extern volatile uint16_t frec__probe_site_semaphore;

#endif
