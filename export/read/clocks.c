// SPDX-License-Identifier: MIT
// Converts times of CLOCK_MONOTONIC to other clocks. Between two readings the machine may have
// slept, or somebody may have set the time. Nobody can tell when, so the last reading before a time
// counts, as in Perfetto's readers.
#include "export/read/clocks.h"

static const Flightrec__Clocks *clocks_at(const struct frec_snapshot *snapshot, uint64_t monotonic)
{
	const Flightrec__Clocks *best = NULL;

	for (size_t i = 0; i < snapshot->clocks_count; i++) {
		const Flightrec__Clocks *clocks = snapshot->clocks[i];

		if (!best ||
		    (clocks->monotonic <= monotonic &&
		     (clocks->monotonic >= best->monotonic || best->monotonic > monotonic)) ||
		    (best->monotonic > monotonic && clocks->monotonic < best->monotonic))
			best = clocks;
	}
	return best;
}

uint64_t frec__snapshot_boottime(const struct frec_snapshot *snapshot, uint64_t monotonic)
{
	const Flightrec__Clocks *clocks = clocks_at(snapshot, monotonic);

	return clocks ? monotonic + (clocks->boottime - clocks->monotonic) : monotonic;
}

uint64_t frec__snapshot_realtime(const struct frec_snapshot *snapshot, uint64_t monotonic)
{
	const Flightrec__Clocks *clocks = clocks_at(snapshot, monotonic);

	return clocks ? monotonic + (clocks->realtime - clocks->monotonic) : monotonic;
}

// Uses the reading with the latest CLOCK_REALTIME that is not after `realtime`, or, if all are
// after it, the one with the earliest.
uint64_t frec__snapshot_monotonic(const struct frec_snapshot *snapshot, uint64_t realtime)
{
	const Flightrec__Clocks *best = NULL;
	uint64_t since;

	for (size_t i = 0; i < snapshot->clocks_count; i++) {
		const Flightrec__Clocks *clocks = snapshot->clocks[i];

		if (!best || (clocks->realtime <= realtime && clocks->realtime >= best->realtime) ||
		    (best->realtime > realtime && clocks->realtime < best->realtime))
			best = clocks;
	}
	if (!best)
		return realtime;
	since = best->realtime - best->monotonic;
	return realtime > since ? realtime - since : 0;
}

uint64_t frec__snapshot_reference(const struct frec_snapshot *snapshot)
{
	uint64_t last = 0;

	if (snapshot->crash && snapshot->crash->time)
		return snapshot->crash->time;
	if (snapshot->trigger && snapshot->trigger->time)
		return snapshot->trigger->time;
	for (size_t i = 0; i < snapshot->chunk_count; i++)
		last = snapshot->chunks[i].last > last ? snapshot->chunks[i].last : last;
	return last;
}
