// SPDX-License-Identifier: MIT
// Keeping rings and sources in step with the memory that services write.
#include "recorder/memories.h"

#include <errno.h>
#include <stdlib.h>
#include <syslog.h>
#include <unistd.h>

#include "proto/clocks.h"
#include "proto/grow.h"
#include "proto/report.h"
#include "recorder/processes/proc_poll.h"
#include "recorder/rings/shm_rings.h"
#include "recorder/service/shm.h"

// Nanoseconds between two searches for processes in other pid namespaces.
#define SPACES_INTERVAL UINT64_C(50000000)

struct frec_memory {
	struct frec_shm_rings *rings;
	uint32_t uid, number;
	size_t events;	/* the number of events that have sources */
	uint32_t space; /* the pid namespace of the services; 0: the recorder's own */
};

// Fills `ret` with the globs of the selected events and returns it. libflightrec's own events are
// always among them.
static const char *const *event_names(const struct frec_selections *selections,
				      const char *ret[FREC_SELECTIONS_MAX + 2])
{
	size_t count = 0;

	for (size_t i = 0; i < selections->count && count < FREC_SELECTIONS_MAX; i++) {
		if (selections->selection[i].kind == FREC_SELECT_EVENT)
			ret[count++] = selections->selection[i].name;
	}
	ret[count] = "flightrec:*";
	ret[count + 1] = NULL;
	return ret;
}

static int create(struct frec_memories *memories, struct frec_memory *memory,
		  struct frec_error *reterr)
{
	const char *names[FREC_SELECTIONS_MAX + 2];
	struct frec_source_set *sources = memories->sources;
	struct frec_service_memory service = {.uid = memory->uid, .number = memory->number};
	uint64_t since = frec__monotonic();
	int r;

	r = frec__shm_create(&memory->rings, sources->rings->size,
			     event_names(sources->selections, names),
			     memories->guard ? FREC_SHM_GUARD : 0, reterr);
	if (r)
		return r;
	frec__shm_set_clock(memory->rings, frec__clock_probe(&memories->clock));
	service.rings = memory->rings;
	service.space = memory->space;
	service.spaces = &memories->spaces;
	return frec__ring_set_add_memory(sources->rings, &service, since, sources->count, reterr);
}

int frec__memories_fd(struct frec_memories *memories, uint32_t uid, uint32_t client,
		      struct frec_error *reterr)
{
	uint32_t space = client ? frec__pid_space_of(&memories->spaces, client) : 0;
	struct frec_memory *memory;
	int r;

	if (space)
		frec__pid_spaces_learn(&memories->spaces, client);
	for (size_t i = 0; i < memories->count; i++) {
		memory = &memories->memory[i];
		if (memory->uid == uid && memory->space == space)
			return frec__shm_fd(memory->rings);
	}
	if (memories->count == FREC_MEMORIES_MAX)
		return frec__error(reterr, -EDQUOT,
				   "the recorder has memory for %d users, which are others",
				   FREC_MEMORIES_MAX);
	if (!frec__grow(&memories->memory, memories->count, sizeof(*memories->memory)))
		return frec__error(reterr, -ENOMEM, "out of memory");
	memory = &memories->memory[memories->count];
	*memory = (struct frec_memory){
		.uid = uid, .space = space, .number = (uint32_t)memories->count + 1};
	r = create(memories, memory, reterr);
	if (r) {
		frec__shm_destroy(memory->rings);
		return r;
	}
	memories->count++;
	return frec__shm_fd(memory->rings);
}

static int declared_source(const struct frec_shm_event *event, struct frec_source *ret)
{
	struct frec_declarations declarations = {0};
	int r = frec__declarations_read(&declarations, event->declaration, event->declaration_size);

	if (!r)
		r = declarations.count == 1
			    ? frec__source_init_declared(ret, &declarations.event[0],
							 FLIGHTREC__TRANSPORT__TRANSPORT_SHM, NULL,
							 0)
			    : -EBADMSG;
	frec__declarations_deinit(&declarations);
	return r;
}

static void add_source(struct frec_source_set *sources, const struct frec_memory *memory,
		       size_t number)
{
	const struct frec_shm_event *event = frec__shm_event(memory->rings, number);
	struct frec_error error = {.message = "out of memory"};
	struct frec_source source;
	int r = declared_source(event, &source);

	if (!r) {
		source.stack_missing = frec__stack_any(
			frec__selections_stack(sources->selections, &source.listed));
		source.shm = memory->rings;
		source.shm_number = memory->number;
		source.shm_event = number;
		r = frec__source_set_add(sources, &source, &error);
	}
	if (r)
		frec__report(LOG_WARNING, "%s:%s is not recorded: %s", event->provider, event->name,
			     error.message);
}

void frec__memories_meet(struct frec_memories *memories, uint32_t pid)
{
	struct frec_process *process = frec__process_table_find(memories->processes, pid);

	if (!memories->count || (process && process->own_pid_space) ||
	    !frec__watchlist_find(memories->watchlist, process))
		return;
	if (!frec__pid_spaces_learn(&memories->spaces, pid) && process)
		process->own_pid_space = true;
}

static void meet(void *context, const struct frec_process *process)
{
	frec__memories_meet(context, process->pid);
}

static void refresh_spaces(struct frec_memories *memories)
{
	uint64_t now = frec__monotonic();

	memories->spaces_due = now < memories->next_spaces;
	if (memories->spaces_due)
		return;
	frec__process_table_each(memories->processes, meet, memories);
	memories->next_spaces = frec__process_table_next_poll(now, SPACES_INTERVAL);
}

void frec__memories_refresh(struct frec_memories *memories)
{
	struct frec_source_set *sources = memories->sources;
	struct frec_error error;
	size_t before;
	enum frec_clock_way way;

	if (!memories->count)
		return;
	before = sources->count;
	way = frec__clock_probe(&memories->clock);
	refresh_spaces(memories);
	for (size_t i = 0; i < memories->count; i++) {
		struct frec_memory *memory = &memories->memory[i];
		size_t events = frec__shm_refresh(memory->rings);

		frec__shm_set_clock(memory->rings, way);
		while (memory->events < events)
			add_source(sources, memory, memory->events++);
	}
	if (sources->count != before && frec__source_set_reserve(sources, &error))
		frec__report(LOG_ERR, "%s", error.message);
}

bool frec__memories_next_birth(struct frec_memories *memories, struct frec_shm_birth *ret)
{
	for (size_t i = 0; i < memories->count; i++) {
		struct frec_memory *memory = &memories->memory[i];

		if (memory->uid == geteuid() && !memory->space &&
		    frec__shm_next_birth(memory->rings, ret))
			return true;
	}
	return false;
}

void frec__memories_deinit(struct frec_memories *memories)
{
	for (size_t i = 0; i < memories->count; i++)
		frec__shm_destroy(memories->memory[i].rings);
	free(memories->memory);
	frec__pid_spaces_deinit(&memories->spaces);
	*memories = (struct frec_memories){0};
}
