// SPDX-License-Identifier: MIT
// Remembers what runs on each CPU, and packs the switches that were not recorded.
#include "export/perfetto/switches.h"

#include <stdlib.h>
#include <string.h>

#include "export/perfetto/ftrace.h"
#include "export/perfetto/packet.h"
#include "proto/grow.h"

// In the order of the fields of SchedSwitch.
enum { PREV_COMM, PREV_PID, PREV_PRIO, PREV_STATE, NEXT_COMM, NEXT_PID, NEXT_PRIO };

// Values of prev_state.
enum { STATE_RUNS = 0, STATE_SLEEPS = 1 };

// Returns what runs on the event's CPU, or NULL if memory runs out. It is zeroed if no switch was
// seen there.
static struct frec_perfetto_running *running_on(struct frec_perfetto_switches *switches,
						const struct frec_event *event)
{
	uint64_t key = (uint64_t)event->host->index << 32 | event->record->cpu;
	bool is_new;
	uint32_t *index = frec__table_put(&switches->cpus, key, &is_new);

	if (!index || (is_new && !frec__grow(&switches->running, switches->count,
					     sizeof(*switches->running))))
		return NULL;
	if (is_new) {
		*index = (uint32_t)switches->count++;
		switches->running[*index] = (struct frec_perfetto_running){0};
	}
	return &switches->running[*index];
}

static uint8_t *pack_comm(struct frec_perfetto *perfetto, uint8_t *p, uint32_t field,
			  const void *comm, size_t size)
{
	return frec__packet_text(perfetto, p, field, comm,
				 size < FREC_COMM_SIZE ? size : FREC_COMM_SIZE, "");
}

static uint8_t *pack_switch(struct frec_perfetto *perfetto, uint8_t *p,
			    const struct frec_perfetto_running *from,
			    const struct frec_value *const *values)
{
	uint8_t *start = frec__pack_begin(p, FREC_FTRACE_SCHED_SWITCH);

	p = pack_comm(perfetto, start, PREV_COMM + 1, from->comm, from->comm_size);
	p = frec__pack_number(p, PREV_PID + 1, (uint64_t)from->pid);
	p = frec__pack_number(p, PREV_PRIO + 1, (uint64_t)from->prio);
	// The idle task never sleeps.
	p = frec__pack_number(p, PREV_STATE + 1, from->pid ? STATE_SLEEPS : STATE_RUNS);
	p = pack_comm(perfetto, p, NEXT_COMM + 1, values[PREV_COMM]->data, values[PREV_COMM]->size);
	p = frec__pack_number(p, NEXT_PID + 1, (uint64_t)(int32_t)values[PREV_PID]->i);
	p = frec__pack_number(p, NEXT_PRIO + 1, (uint64_t)(int32_t)values[PREV_PRIO]->i);
	return frec__pack_end(start, p);
}

uint8_t *frec__perfetto_fill_gap(struct frec_perfetto *perfetto, uint8_t *p,
				 const struct frec_event *event,
				 const struct frec_value *const *values)
{
	struct frec_perfetto_running *running = running_on(&perfetto->switches, event);
	const struct frec_value *comm = values[NEXT_COMM];

	if (!running)
		return NULL;
	if (running->known && running->pid != (int32_t)values[PREV_PID]->i) {
		uint8_t *start = frec__pack_begin(p, FREC_BUNDLE_EVENT);

		p = frec__perfetto_ftrace_head(perfetto, start, event, (uint32_t)running->pid);
		p = frec__pack_end(start, pack_switch(perfetto, p, running, values));
	}
	running->known = true;
	running->pid = (int32_t)values[NEXT_PID]->i;
	running->prio = (int32_t)values[NEXT_PRIO]->i;
	running->comm_size =
		comm->size < sizeof(running->comm) ? comm->size : sizeof(running->comm);
	memcpy(running->comm, comm->data, running->comm_size);
	return p;
}

void frec__perfetto_switches_deinit(struct frec_perfetto_switches *switches)
{
	frec__table_free(&switches->cpus);
	free(switches->running);
}
