// SPDX-License-Identifier: MIT
// Writes the packets that come before the events: clocks, system, processes and threads.
#include "export/perfetto/meta.h"

#include <errno.h>

#include "export/read/clocks.h"

// Perfetto's ids of clocks, and its flags for missing data.
enum { CLOCK_ID_REALTIME = 1, CLOCK_ID_MONOTONIC = 3, CLOCK_ID_BOOTTIME = 6 };
enum { LOSS_PRESENT = 1, LOSS_OVERWRITE = 64 };

static uint32_t dropped_in(const struct frec_snapshot *snapshot)
{
	uint32_t reasons = 0;

	for (size_t i = 0; i < snapshot->cpu_count; i++) {
		if (snapshot->cpus[i]->wrapped)
			reasons |= LOSS_PRESENT | LOSS_OVERWRITE;
	}
	for (size_t i = 0; i < snapshot->loss_count; i++) {
		if (snapshot->losses[i]->overwritten)
			reasons |= LOSS_PRESENT | LOSS_OVERWRITE;
		if (snapshot->losses[i]->lost)
			reasons |= LOSS_PRESENT;
	}
	return reasons;
}

// Returns the flags for the data that is missing in any file of the current host.
static uint32_t dropped_before(const struct frec_perfetto *perfetto)
{
	const struct frec_timeline *timeline = perfetto->context->timeline;
	uint32_t reasons = 0;

	for (size_t i = 0; i < timeline->file_count; i++) {
		if (timeline->files[i].host == perfetto->host)
			reasons |= dropped_in(timeline->snapshots[i]);
	}
	return reasons;
}

static int write_clocks(struct frec_perfetto *perfetto, const Flightrec__Clocks *from, bool first,
			struct frec_error *reterr)
{
	Perfetto__Protos__TracePacket packet = PERFETTO__PROTOS__TRACE_PACKET__INIT;
	Perfetto__Protos__TracePacketDefaults defaults =
		PERFETTO__PROTOS__TRACE_PACKET_DEFAULTS__INIT;
	Perfetto__Protos__ClockSnapshot clocks = PERFETTO__PROTOS__CLOCK_SNAPSHOT__INIT;
	Perfetto__Protos__ClockSnapshot__Clock clock[3];
	Perfetto__Protos__ClockSnapshot__Clock *pointers[] = {&clock[0], &clock[1], &clock[2]};
	const uint32_t ids[] = {CLOCK_ID_MONOTONIC, CLOCK_ID_BOOTTIME, CLOCK_ID_REALTIME};
	const uint64_t times[] = {from->monotonic, from->boottime, from->realtime};

	for (size_t i = 0; i < 3; i++) {
		perfetto__protos__clock_snapshot__clock__init(&clock[i]);
		clock[i].has_clock_id = clock[i].has_timestamp = true;
		clock[i].clock_id = ids[i];
		clock[i].timestamp = times[i];
	}
	clocks.clocks = pointers;
	clocks.n_clocks = 3;
	clocks.has_primary_trace_clock = true;
	clocks.primary_trace_clock = CLOCK_ID_BOOTTIME;
	packet.clock_snapshot = &clocks;
	if (first) {
		packet.has_sequence_flags = packet.has_first_packet_on_sequence = true;
		packet.sequence_flags = 1; // clears the reader's state
		packet.first_packet_on_sequence = true;
		packet.previous_packet_dropped = dropped_before(perfetto);
		packet.has_previous_packet_dropped = packet.previous_packet_dropped != 0;
		defaults.has_timestamp_clock_id = true;
		defaults.timestamp_clock_id = CLOCK_ID_MONOTONIC;
		packet.trace_packet_defaults = &defaults;
	}
	return frec__perfetto_write(perfetto, &packet, reterr);
}

int frec__perfetto_write_clocks(struct frec_perfetto *perfetto, struct frec_error *reterr)
{
	// A torn file may lack its clocks. A packet of clocks with zeroes is then written, because
	// without such a packet readers would drop every event.
	const Flightrec__Clocks none = FLIGHTREC__CLOCKS__INIT;
	const struct frec_snapshot *snapshot = perfetto->context->snapshot;
	int r = 0;

	if (!snapshot->clocks_count)
		return write_clocks(perfetto, &none, true, reterr);
	for (size_t i = 0; i < snapshot->clocks_count && !r; i++)
		r = write_clocks(perfetto, snapshot->clocks[i], !i, reterr);
	return r;
}

static char **command_line(struct frec_arena *arena, const Flightrec__Process *process,
			   size_t *ret_count)
{
	char **arguments = frec__arena_array(arena, process->n_cmdline + 1, sizeof(*arguments));

	*ret_count = 0;
	if (!arguments)
		return NULL;
	for (size_t i = 0; i < process->n_cmdline; i++)
		arguments[i] = frec__arena_utf8(arena, process->cmdline[i].data,
						process->cmdline[i].len, "");
	*ret_count = process->n_cmdline;
	if (!process->n_cmdline && process->name.len) {
		arguments[0] = frec__arena_utf8(arena, process->name.data, process->name.len, "");
		*ret_count = 1;
	}
	return arguments;
}

// Writes a process and its threads as an entry of the trace's process table, the only place from
// which readers take command lines.
static int write_process_tree(struct frec_perfetto *perfetto, const Flightrec__Process *from,
			      struct frec_error *reterr)
{
	Perfetto__Protos__TracePacket packet = PERFETTO__PROTOS__TRACE_PACKET__INIT;
	Perfetto__Protos__ProcessTree tree = PERFETTO__PROTOS__PROCESS_TREE__INIT;
	Perfetto__Protos__ProcessTree__Process process =
		PERFETTO__PROTOS__PROCESS_TREE__PROCESS__INIT;
	Perfetto__Protos__ProcessTree__Process *processes[] = {&process};
	struct frec_arena *arena = &perfetto->arena;
	Perfetto__Protos__ProcessTree__Thread *threads =
		frec__arena_array(arena, from->n_thread, sizeof(*threads));
	Perfetto__Protos__ProcessTree__Thread **pointers =
		frec__arena_array(arena, from->n_thread, sizeof(*pointers));

	process.has_pid = process.has_ppid = true;
	process.pid = (int32_t)from->pid;
	process.ppid = (int32_t)from->ppid;
	process.cmdline = command_line(arena, from, &process.n_cmdline);
	process.has_cmdline_is_comm = process.cmdline_is_comm = !from->n_cmdline;
	process.has_is_kthread = process.is_kthread = from->kernel;
	process.has_uid = from->owner_case == FLIGHTREC__PROCESS__OWNER_UID;
	process.uid = process.has_uid ? (int32_t)from->uid : 0;
	process.has_process_start_from_boot = from->start != 0;
	if (from->start)
		process.process_start_from_boot = frec__snapshot_boottime(
			perfetto->context->snapshot, from->start + perfetto->host->shift);
	for (size_t i = 0; threads && pointers && i < from->n_thread; i++) {
		perfetto__protos__process_tree__thread__init(&threads[i]);
		threads[i].has_tid = threads[i].has_tgid = true;
		threads[i].tid = (int32_t)from->thread[i]->tid;
		threads[i].tgid = (int32_t)from->pid;
		if (from->thread[i]->name.len)
			threads[i].name = frec__arena_utf8(arena, from->thread[i]->name.data,
							   from->thread[i]->name.len, "");
		pointers[i] = &threads[i];
		tree.n_threads = i + 1;
	}
	tree.processes = processes;
	tree.n_processes = 1;
	tree.threads = pointers;
	packet.process_tree = &tree;
	return frec__perfetto_write(perfetto, &packet, reterr);
}

static int write_process_track(struct frec_perfetto *perfetto, const Flightrec__Process *from,
			       struct frec_error *reterr)
{
	Perfetto__Protos__TracePacket packet = PERFETTO__PROTOS__TRACE_PACKET__INIT;
	Perfetto__Protos__TrackDescriptor track = PERFETTO__PROTOS__TRACK_DESCRIPTOR__INIT;
	Perfetto__Protos__ProcessDescriptor process = PERFETTO__PROTOS__PROCESS_DESCRIPTOR__INIT;

	process.has_pid = true;
	process.pid = (int32_t)from->pid;
	process.cmdline = command_line(&perfetto->arena, from, &process.n_cmdline);
	if (from->name.len)
		process.process_name =
			frec__arena_utf8(&perfetto->arena, from->name.data, from->name.len, "");
	track.has_uuid = true;
	track.uuid = frec__perfetto_uuid(perfetto->host, FREC_PERFETTO_PROCESS, from->pid);
	if (frec__perfetto_is_new(perfetto, track.uuid) < 0)
		return frec__error(reterr, -ENOMEM, "out of memory");
	track.process = &process;
	packet.track_descriptor = &track;
	return frec__perfetto_write(perfetto, &packet, reterr);
}

int frec__perfetto_write_system(struct frec_perfetto *perfetto, struct frec_error *reterr)
{
	const Flightrec__Header *header = perfetto->host->snapshot->header;
	Perfetto__Protos__TracePacket packet = PERFETTO__PROTOS__TRACE_PACKET__INIT;
	Perfetto__Protos__SystemInfo system = PERFETTO__PROTOS__SYSTEM_INFO__INIT;
	Perfetto__Protos__Utsname name = PERFETTO__PROTOS__UTSNAME__INIT;

	if (!header->host)
		return 0;
	name.sysname = (char *)"Linux";
	name.version = frec__arena_string(&perfetto->arena, header->host->kernel_version);
	name.release = frec__arena_string(&perfetto->arena, header->host->kernel_release);
	name.machine = frec__arena_string(&perfetto->arena, header->machine);
	system.utsname = &name;
	packet.system_info = &system;
	return frec__perfetto_write(perfetto, &packet, reterr);
}

// Puts the index of the last process of each pid into `last`. Programs that read traces know one
// process for each pid and would mix several, so only the last one is written. If several files
// have the same process, the entry of the last file counts as the later one. Returns false if
// memory runs out.
static bool find_last(const struct frec_snapshot *snapshot, struct frec_table *last)
{
	for (size_t i = 0; i < snapshot->process_count; i++) {
		const Flightrec__Process *process = snapshot->processes[i];
		bool is_new;
		uint32_t *index = frec__table_put(last, process->pid, &is_new);

		if (!index)
			return false;
		if (is_new || process->start >= snapshot->processes[*index]->start)
			*index = (uint32_t)i;
	}
	return true;
}

int frec__perfetto_write_processes(struct frec_perfetto *perfetto, struct frec_error *reterr)
{
	const struct frec_snapshot *snapshot = perfetto->host->snapshot;
	const struct frec_processes *table = &perfetto->host->processes;
	struct frec_table last = {0};
	int r = 0;

	if (!find_last(snapshot, &last))
		r = frec__error(reterr, -ENOMEM, "out of memory");
	for (size_t i = 0; i < snapshot->process_count && !r; i++) {
		if (*frec__table_get(&last, snapshot->processes[i]->pid) != i)
			continue;
		r = write_process_tree(perfetto, snapshot->processes[i], reterr);
		if (!r)
			r = write_process_track(perfetto, snapshot->processes[i], reterr);
	}
	frec__table_free(&last);
	for (size_t i = 0; i < table->count && !r; i++) {
		const struct frec_process_entry *entry = &table->entries[i];
		uint64_t uuid;

		// If a tid was reused, only its last owner is written.
		if (i + 1 < table->count && table->entries[i + 1].tid == entry->tid)
			continue;
		r = frec__perfetto_track(perfetto, entry->process->pid, entry->tid, entry, &uuid,
					 reterr);
	}
	return r;
}
