/* SPDX-License-Identifier: MIT */
/* Sites in our own program, laid out like those of USDT probes, to which doctor attaches. */
#ifndef FREC_RECORDER_DOCTOR_PROBE_SITE_H
#define FREC_RECORDER_DOCTOR_PROBE_SITE_H

#include <stdint.h>

/* Executes the two sites below. */
void frec__probe_site_pass(void);

/* The first site is a short nop. On x86_64 the second is a nop of five bytes, which newer kernels
 * can replace with a call. */
extern const uint8_t frec__probe_site[], frec__probe_site_wide[];

/* The kernel counts attached uprobes here, if it is told where in the program's file this variable
 * is. So the file must contain the variable: .bss would not do. */
extern volatile uint16_t frec__probe_site_semaphore;

#endif
