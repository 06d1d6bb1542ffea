/* SPDX-License-Identifier: MIT */
/* The memory that `flightrec run` hands down to the programs that it runs. */
#ifndef FREC_RECORDER_SERVICE_SHM_INHERIT_H
#define FREC_RECORDER_SERVICE_SHM_INHERIT_H

/*
 * Returns the number of the descriptor that FREC_SHM_VARIABLE names, or -1. frec__shm_attach()
 * checks that it is the memfd of a recorder. The descriptor stays open, for programs that this one
 * starts. Leaves errno alone.
 */
int frec__shm_inherited(void);

#endif
