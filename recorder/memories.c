// SPDX-License-Identifier: MIT
// Keeping rings and sources in step with the memory that services write.
#include "recorder/memories.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "proto/clocks.h"
#include "proto/grow.h"
#include "proto/report.h"
#include "proto/share.h"
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
	bool own;	/* the recorder has asked for it, so it is kept */
	bool full;	/* a report has said that its user has too many events */
	/* frec_process.life of the processes that have attached, one for each connection */
	size_t clients;
	uint64_t *client;
	/* since when the memory is known to be idle, in nanoseconds of CLOCK_MONOTONIC; 0: it is in
	 * use */
	uint64_t idle;
	bool lingers; /* after that time it was still in use, by a process without a connection */
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

static char letter_of(const struct frec_stack_choice *stack)
{
	if (!frec__stack_by_service(stack))
		return FREC_SHM_STACK_NONE;
	return stack->self ? FREC_SHM_STACK_SELF : FREC_SHM_STACK_FRAMES;
}

// Asks services for the stacks that are selected, and that they can take.
static int ask_stacks(const struct frec_selections *selections, struct frec_shm_rings *rings,
		      struct frec_error *reterr)
{
	char *stacks[FREC_SELECTIONS_MAX + 1] = {NULL};
	size_t count = 0;
	int r = 0;

	for (size_t i = 0; i < selections->count && count < FREC_SELECTIONS_MAX && !r; i++) {
		const struct frec_selection *selection = &selections->selection[i];

		if (selection->kind != FREC_SELECT_EVENT || !selection->stack.is_set)
			continue;
		if (asprintf(&stacks[count], "%c%s", letter_of(&selection->stack),
			     selection->name) < 0)
			r = frec__error(reterr, -ENOMEM, "shared rings: out of memory");
		else
			count++;
	}
	stacks[count] = NULL;
	if (!r)
		r = frec__shm_ask_stacks(rings, (const char *const *)stacks, reterr);
	while (count)
		free(stacks[--count]);
	return r;
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
	r = ask_stacks(sources->selections, memory->rings, reterr);
	if (r)
		return r;
	frec__shm_set_clock(memory->rings, frec__clock_probe(&memories->clock));
	service.rings = memory->rings;
	service.space = memory->space;
	service.spaces = &memories->spaces;
	return frec__ring_set_add_memory(sources->rings, &service, since, sources->count, reterr);
}

struct living {
	uint32_t uid;
	bool found;
};

static void look_for_client(void *context, const struct frec_process *process)
{
	struct living *living = context;

	living->found |= process->kept && process->owner.uid == living->uid;
}

// Returns whether nobody needs the memory. A service that has closed its connection may still
// write, so its processes are looked for, too.
static bool is_idle(const struct frec_memories *memories, const struct frec_memory *memory)
{
	struct living living = {.uid = memory->uid};

	if (memory->own || memory->clients || memories->awaited(memories->context, memory->uid))
		return false;
	frec__process_table_each(memories->processes, look_for_client, &living);
	return !living.found;
}

static void give_back(struct frec_memories *memories, size_t at)
{
	struct frec_memory memory = memories->memory[at];

	frec__source_set_remove_memory(memories->sources, memory.rings);
	frec__shm_destroy(memory.rings);
	free(memory.client);
	memories->count--;
	memmove(&memories->memory[at], &memories->memory[at + 1],
		(memories->count - at) * sizeof(memory));
}

void frec__memories_give_back(struct frec_memories *memories)
{
	uint64_t now = frec__monotonic();

	for (size_t i = memories->count; i-- > 0;) {
		struct frec_memory *memory = &memories->memory[i];

		if (!memory->idle || now - memory->idle < memories->patience)
			continue;
		if (is_idle(memories, memory)) {
			give_back(memories, i);
			continue;
		}
		memory->idle = memory->clients ? 0 : now; // look again later
		memory->lingers = true;
	}
}

uint64_t frec__memories_idle_until(const struct frec_memories *memories)
{
	uint64_t next = 0;

	for (size_t i = 0; i < memories->count; i++) {
		const struct frec_memory *memory = &memories->memory[i];
		uint64_t until = memory->idle + memories->patience;

		if (until < memory->idle)
			until = UINT64_MAX; // a cool-down of centuries
		// The end of the last process wakes the recorder, which then looks.
		if (memory->idle && !memory->own && !memory->lingers && (!next || until < next))
			next = until;
	}
	return next;
}

// Returns whether user `uid` may have one more memory, if there is none at the index `but`.
static bool has_room(const struct frec_memories *memories, uint32_t uid, size_t but)
{
	struct frec_share share = {.uid = uid};

	for (size_t i = 0; i < memories->count; i++)
		frec__share_count(&share, memories->memory[i].uid, i != but);
	return frec__share_has_room(&share, 1, FREC_MEMORIES_MAX);
}

// Makes room for another memory of a user, if necessary by giving back one that is idle. Returns
// false if there is none.
static bool make_room(struct frec_memories *memories, uint32_t uid)
{
	if (has_room(memories, uid, SIZE_MAX))
		return true;
	for (size_t i = 0; i < memories->count; i++) {
		if (!has_room(memories, uid, i) || !is_idle(memories, &memories->memory[i]))
			continue;
		give_back(memories, i);
		return true;
	}
	return false;
}

static uint32_t unused_number(const struct frec_memories *memories)
{
	uint32_t number = 1;

	for (size_t i = 0; i < memories->count; i++) {
		if (memories->memory[i].number == number) {
			number++;
			i = SIZE_MAX; // begin again
		}
	}
	return number;
}

static struct frec_memory *find(const struct frec_memories *memories, uint32_t uid, uint32_t space)
{
	for (size_t i = 0; i < memories->count; i++) {
		if (memories->memory[i].uid == uid && memories->memory[i].space == space)
			return &memories->memory[i];
	}
	return NULL;
}

static int add(struct frec_memories *memories, uint32_t uid, uint32_t space,
	       struct frec_memory **ret, struct frec_error *reterr)
{
	struct frec_memory *memory;
	int r;

	if (!make_room(memories, uid))
		return frec__error(reterr, -EDQUOT,
				   "the recorder has memory for %d users, and at most %d for one "
				   "user other than root, and all of it is in use",
				   FREC_MEMORIES_MAX, FREC_MEMORIES_MAX / 4);
	if (!frec__grow(&memories->memory, memories->count, sizeof(*memories->memory)))
		return frec__error(reterr, -ENOMEM, "out of memory");
	memory = &memories->memory[memories->count];
	*memory = (struct frec_memory){.uid = uid,
				       .space = space,
				       .number = unused_number(memories),
				       .idle = frec__monotonic()};
	r = create(memories, memory, reterr);
	if (r) {
		frec__shm_destroy(memory->rings);
		return r;
	}
	memories->count++;
	*ret = memory;
	return 0;
}

int frec__memories_fd(struct frec_memories *memories, uint32_t uid, uint32_t client,
		      struct frec_error *reterr)
{
	uint32_t space = client ? frec__pid_space_of(&memories->spaces, client) : 0;
	struct frec_memory *memory = find(memories, uid, space);
	int r = 0;

	if (space)
		frec__pid_spaces_learn(&memories->spaces, client);
	if (!memory)
		r = add(memories, uid, space, &memory, reterr);
	if (!memory)
		return r;
	memory->own |= !client;
	return frec__shm_fd(memory->rings);
}

int frec__memories_enter(struct frec_memories *memories, uint32_t uid,
			 const struct frec_watched *client)
{
	struct frec_memory *memory =
		find(memories, uid, frec__pid_space_of(&memories->spaces, client->pid));

	if (!memory)
		return 0;
	if (!frec__grow(&memory->client, memory->clients, sizeof(*memory->client)))
		return -ENOMEM;
	memory->client[memory->clients++] = client->life;
	memory->idle = 0;
	return 0;
}

void frec__memories_leave(struct frec_memories *memories, uint64_t life)
{
	for (size_t i = 0; i < memories->count; i++) {
		struct frec_memory *memory = &memories->memory[i];

		for (size_t at = 0; at < memory->clients; at++) {
			if (memory->client[at] != life)
				continue;
			memory->client[at] = memory->client[--memory->clients];
			if (memory->clients)
				return;
			memory->idle = frec__monotonic();
			memory->lingers = false;
			return;
		}
	}
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

static void add_source(struct frec_source_set *sources, struct frec_memory *memory, size_t number)
{
	const struct frec_shm_event *event = frec__shm_event(memory->rings, number);
	struct frec_error error = {.message = "out of memory"};
	struct frec_source source;
	int r = declared_source(event, &source);

	if (!r) {
		const struct frec_stack_choice *stack =
			frec__selections_stack(sources->selections, &source.listed);

		source.stack_missing = frec__stack_by_kernel_only(stack);
		if (frec__stack_by_service(stack)) {
			frec__source_set_stack(&source, stack);
			frec__shm_keep_stacks(memory->rings, number);
		}
		source.shm = memory->rings;
		source.shm_number = memory->number;
		source.shm_event = number;
		source.uid = memory->uid;
		r = frec__source_set_add(sources, &source, &error);
	}
	// Of thousands of events that are too many, one report is enough.
	if (r && !(r == -E2BIG && memory->full))
		frec__report(LOG_WARNING, "%s:%s is not recorded: %s", event->provider, event->name,
			     error.message);
	memory->full |= r == -E2BIG;
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
	for (size_t i = 0; i < memories->count; i++) {
		frec__shm_destroy(memories->memory[i].rings);
		free(memories->memory[i].client);
	}
	free(memories->memory);
	frec__pid_spaces_deinit(&memories->spaces);
	*memories = (struct frec_memories){0};
}
