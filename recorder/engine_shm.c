// SPDX-License-Identifier: MIT
// Keeping rings and sources in step with the memory that services write.
#include "recorder/engine_shm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/clocks.h"
#include "proto/report.h"
#include "recorder/engine_sources.h"
#include "recorder/rings/pid_space.h"
#include "recorder/processes/proc_poll.h"
#include "recorder/service/shm.h"
#include "recorder/rings/shm_ring.h"
#include "recorder/rings/shm_rings.h"

// Between two looks at the processes of other pid namespaces, in nanoseconds.
#define SPACES_INTERVAL UINT64_C(50000000)

struct frec_engine_shm {
	struct frec_shm_rings *rings;
	uint32_t uid, number;
	size_t events; /* that have sources */
	/* of services in another pid namespace; NULL: in the recorder's own */
	struct frec_pid_space *space;
};

// What is recorded always comes along.
static const char *const *with_own(const struct frec_engine *engine,
				   const char *ret[FREC_SELECTIONS_MAX + 2])
{
	size_t count = 0;

	for (size_t i = 0; i < engine->selections && count < FREC_SELECTIONS_MAX; i++) {
		if (engine->selection[i].kind == FREC_SELECT_EVENT)
			ret[count++] = engine->selection[i].name;
	}
	ret[count] = "flightrec:*";
	ret[count + 1] = NULL;
	return ret;
}

// All rings or none.
static int add_rings(struct frec_engine *engine, const struct frec_engine_shm *shm, uint64_t since)
{
	size_t count = frec__shm_ring_count(shm->rings), before = engine->ring_count;
	struct frec_ring *grown = reallocarray(engine->ring, before + count, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	engine->ring = grown;
	for (size_t i = 0; i < count; i++) {
		frec__shm_ring_init(&grown[before + i], shm->rings, i, engine->options.ring_size,
				    shm->number);
		grown[before + i].since = since;
		grown[before + i].uid = shm->uid;
		grown[before + i].space = shm->space;
	}
	engine->ring_count += count;
	if (!frec__engine_reserve(engine, NULL))
		return 0;
	engine->ring_count = before;
	return -ENOMEM;
}

static void stop(struct frec_engine_shm *shm)
{
	frec__shm_destroy(shm->rings);
	if (shm->space)
		frec__pid_space_deinit(shm->space);
	free(shm->space);
}

int frec__engine_shm_fd(struct frec_engine *engine, uint32_t uid, uint32_t client,
			struct frec_error *reterr)
{
	const char *selection[FREC_SELECTIONS_MAX + 2];
	struct frec_engine_shm *grown, *shm;
	uint64_t since = frec__monotonic(), key = client ? frec__pid_space_key(client) : 0;
	int r;

	for (size_t i = 0; i < engine->shm_count; i++) {
		shm = &engine->shm[i];
		if (shm->uid != uid || (shm->space ? shm->space->key : 0) != key)
			continue;
		if (shm->space)
			frec__pid_space_learn(shm->space, client);
		return frec__shm_fd(shm->rings);
	}
	if (engine->shm_count == FREC_SHM_USERS_MAX)
		return frec__error(reterr, -EDQUOT,
				   "the recorder has memory for %d users, which are others",
				   FREC_SHM_USERS_MAX);
	grown = reallocarray(engine->shm, engine->shm_count + 1, sizeof(*grown));
	if (!grown)
		return frec__error(reterr, -ENOMEM, "out of memory");
	engine->shm = grown;
	shm = &grown[engine->shm_count];
	*shm = (struct frec_engine_shm){.uid = uid, .number = (uint32_t)engine->shm_count + 1};
	if (key) {
		shm->space = calloc(1, sizeof(*shm->space));
		if (!shm->space)
			return frec__error(reterr, -ENOMEM, "out of memory");
		shm->space->key = key;
		frec__pid_space_learn(shm->space, client);
	}
	r = frec__shm_create(&shm->rings, engine->options.ring_size, with_own(engine, selection),
			     engine->options.guard ? FREC_SHM_GUARD : 0, reterr);
	if (r) {
		stop(shm);
		return r;
	}
	if (add_rings(engine, shm, since)) {
		stop(shm);
		return frec__error(reterr, -ENOMEM,
				   "no memory for copies of the rings: use a smaller --ring-size");
	}
	engine->shm_count++;
	return frec__shm_fd(shm->rings);
}

static void add_source(struct frec_engine *engine, const struct frec_engine_shm *shm, size_t number)
{
	const struct frec_shm_event *event = frec__shm_event(shm->rings, number);
	struct frec_declarations declarations = {0};
	struct frec_source source;
	struct frec_error error = {.message = "out of memory"};
	int r = frec__declarations_read(&declarations, event->declaration, event->declaration_size);

	if (!r && declarations.count == 1)
		r = frec__source_init_declared(&source, &declarations.event[0],
					       FLIGHTREC__TRANSPORT__TRANSPORT_SHM, NULL, 0);
	else
		r = r ? r : -EBADMSG;
	frec__declarations_deinit(&declarations);
	if (!r) {
		source.stack_missing = frec__stack_any(frec__engine_stack(engine, &source.listed));
		source.shm = shm->rings;
		source.shm_number = shm->number;
		source.shm_event = number;
		r = frec__engine_open_source(engine, &source, &error);
	}
	if (r)
		frec__report(LOG_WARNING, "%s:%s is not recorded: %s", event->provider, event->name,
			     error.message);
}

static void learn_pids(void *context, const struct frec_process *process)
{
	struct frec_engine *engine = context;
	uint64_t key;

	if (!frec__engine_find_watched(engine, process->pid))
		return;
	key = frec__pid_space_key(process->pid);
	for (size_t i = 0; i < engine->shm_count; i++) {
		if (engine->shm[i].space && engine->shm[i].space->key == key)
			frec__pid_space_learn(engine->shm[i].space, process->pid);
	}
}

// Who came since, in other pid namespaces.
static void look_into_spaces(struct frec_engine *engine)
{
	uint64_t now = frec__monotonic();
	bool any = false;

	for (size_t i = 0; i < engine->shm_count; i++)
		any |= engine->shm[i].space != NULL;
	if (!any || now < engine->next_spaces)
		return;
	frec__process_table_each(&engine->processes, learn_pids, engine);
	engine->next_spaces = frec__process_table_next_poll(now, SPACES_INTERVAL);
}

void frec__engine_look_shm(struct frec_engine *engine)
{
	size_t before = engine->source_count;
	struct frec_error error;

	look_into_spaces(engine);
	for (size_t i = 0; i < engine->shm_count; i++) {
		struct frec_engine_shm *shm = &engine->shm[i];
		size_t events = frec__shm_refresh(shm->rings);

		while (shm->events < events)
			add_source(engine, shm, shm->events++);
	}
	if (engine->source_count != before && frec__engine_reserve(engine, &error))
		frec__report(LOG_ERR, "%s", error.message);
}

void frec__engine_stop_shm(struct frec_engine *engine)
{
	for (size_t i = 0; i < engine->shm_count; i++)
		stop(&engine->shm[i]);
	free(engine->shm);
	engine->shm = NULL;
	engine->shm_count = 0;
}
