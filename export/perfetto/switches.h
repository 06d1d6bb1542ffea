/* SPDX-License-Identifier: MIT */
/* Fills the gaps between task switches. */
#ifndef FREC_EXPORT_PERFETTO_SWITCHES_H
#define FREC_EXPORT_PERFETTO_SWITCHES_H

#include "export/perfetto/trace.h"

/* The most bytes that frec__perfetto_fill_gap() packs. */
#define FREC_PERFETTO_GAP_MAX 512

/*
 * Packs, at `p`, a switch between the thread that the last switch on this CPU led to and the thread
 * that `event`, a sched_switch, leads away from, if these are not the same: a switch between the
 * two was not recorded. Without it, trace_processor would leave the first thread running for ever
 * and call the trace broken. When that switch was, and what the first thread did then, is not
 * known: the switch gets the time of `event`, and the thread sleeps from there on. `values` has the
 * event's values in the order of the message SchedSwitch. Returns where to continue, or NULL if
 * memory runs out.
 */
uint8_t *frec__perfetto_fill_gap(struct frec_perfetto *perfetto, uint8_t *p,
				 const struct frec_event *event,
				 const struct frec_value *const *values);

void frec__perfetto_switches_deinit(struct frec_perfetto_switches *switches);

#endif
