/* SPDX-License-Identifier: MIT */
/* Memory that services write their events into themselves: an engine's, one for each user that it
 * serves. */
#ifndef FREC_RECORDER_ENGINE_SHM_H
#define FREC_RECORDER_ENGINE_SHM_H

#include "recorder/engine.h"

/* Users, and pid namespaces of users, that a recorder has memory for: each takes as much as its
 * own, twice the rings of all CPUs. */
#define FREC_SHM_USERS_MAX 8

/*
 * The memfd of a user's services, made when it is asked for first; stays the engine's. `client` is
 * the process that asks, 0 for one of the recorder's own pid namespace: those of other namespaces
 * have memory of their own, because what they call themselves in it means somebody else here. The
 * calling thread is the one whose end tells services to stop writing. Returns a negative errno with
 * words; -EDQUOT when there are too many users.
 */
int frec__engine_shm_fd(struct frec_engine *engine, uint32_t uid, uint32_t client,
			struct frec_error *reterr);

/* Opens the sources of the events that services have registered since the last look, and learns
 * what new ones call themselves. */
void frec__engine_look_shm(struct frec_engine *engine);

void frec__engine_stop_shm(struct frec_engine *engine);

#endif
