// SPDX-License-Identifier: MIT
// Writes a .frec file. A first walk over all records finds which processes appear, what time is
// covered and which records the crash left. Then the parts are written in order.
#include "recorder/snapshot/snapshot.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/new_file.h"
#include "proto/part.h"
#include "recorder/snapshot/chunk.h"
#include "recorder/snapshot/records.h"
#include "recorder/snapshot/stacks.h"

static bool is_user_event(const struct frec_source *source)
{
	return source->listed.kind == FLIGHTREC__SOURCE_KIND__SOURCE_EVENT ||
	       source->listed.kind == FLIGHTREC__SOURCE_KIND__SOURCE_USER_EVENT ||
	       source->listed.kind == FLIGHTREC__SOURCE_KIND__SOURCE_USDT;
}

// What the first walk finds in one ring.
struct coverage {
	uint64_t from, kept, records;
	uint64_t for_file, for_file_size; /* records that the file gets, and their bytes */
	uint64_t *in_file, *claimed;	  /* per source; in_file does not count claimed */
};

// This bit is set in the header of a copied record to leave the record out of the file. It is
// PERF_RECORD_MISC_EXT_RESERVED, which the kernel does not set.
#define LEFT_OUT (1 << 15)
// This one is set in the header of a record of shared memory that names a process of another user
// than that of the memory. There the recorder accepts no other bits than PERF_RECORD_MISC_USER.
#define CLAIMED (1 << 14)

// Returns whether somebody else than its process can have written a record: it comes from the
// memory of one user, and names a process that is known to belong to another one. The memory of the
// recorder's own user is not judged, because services inherit it that then change their user.
static bool is_claim(const struct frec_snapshot_job *snapshot, const struct frec_ring *ring,
		     const struct perf_event_header *record)
{
	const struct frec_process *process;

	if (!ring->shm || ring->ours)
		return false;
	process = frec__process_table_find_at(snapshot->processes, frec__record_pid(record),
					      frec__record_time(record));
	return process && frec__owner_is_other(&process->owner, ring->uid);
}

// Decides in the first walk whether the file gets the record, and marks the copied record if not.
// The second walk must not decide anew, because the process table has changed by then.
static bool keep_record(const struct frec_snapshot_job *snapshot, const struct frec_ring *ring,
			struct perf_event_header *record)
{
	bool belongs = true;

	// A record in shared memory belongs to the owner of the memory, whatever process the record
	// names.
	if (snapshot->only_uid >= 0 && ring->shm)
		belongs = ring->uid == (uint32_t)snapshot->only_uid;
	else
		belongs = frec__process_table_shows(snapshot->processes, frec__record_pid(record),
						    frec__record_time(record), snapshot->only_uid);
	if (!belongs)
		record->misc |= LEFT_OUT;
	else if (is_claim(snapshot, ring, record))
		record->misc |= CLAIMED;
	return !(record->misc & LEFT_OUT);
}

static const struct perf_event_header *record_at(const struct frec_ring_copy *copy, uint32_t offset)
{
	return (const void *)(copy->data + offset);
}

// Nested interrupts can place a younger record before an older one. Coverage therefore starts at
// the latest time among this many of the oldest records.
#define OLDEST 4

// Returns how much a record adds to the count of its event: 1, except for events that count
// nanoseconds, see frec__source_init().
static uint64_t weight(const struct frec_source *source, const struct perf_event_header *record)
{
	uint64_t period = 1;

	if (source->sample_type & PERF_SAMPLE_PERIOD)
		memcpy(&period, (const char *)record + offsetof(struct frec_sample, raw_size),
		       sizeof(period));
	return period;
}

static uint32_t tid_of(const struct perf_event_header *record)
{
	return ((const struct frec_sample *)record)->tid;
}

// Adds the thread `tid`, which comes from a record in shared memory. If the memory does not belong
// to the recorder's user, the thread is added only if its process belongs to the owner of the
// memory.
static void add_thread(const struct frec_snapshot_job *snapshot, const struct frec_ring *ring,
		       uint32_t pid, uint32_t tid)
{
	const struct frec_process *process = frec__process_table_find(snapshot->processes, pid);

	if (process && (ring->ours || (process->owner.known && process->owner.uid == ring->uid)))
		frec__process_table_add_thread(snapshot->processes, pid, tid);
}

static void scan_ring(const struct frec_snapshot_job *snapshot, const struct frec_id_map *ids,
		      size_t ring, struct coverage *coverage, struct frec_crash_finder *finder)
{
	struct frec_capture *capture = snapshot->capture;
	const struct frec_ring_copy *copy = &capture->copy[ring];
	size_t count = frec__records_find(copy, capture->offset,
					  snapshot->rings[ring].size / FREC_RECORD_SIZE_MIN);
	uint32_t last_pid = UINT32_MAX, last_tid = 0;

	coverage->from = snapshot->rings[ring].since > snapshot->recording_since
				 ? snapshot->rings[ring].since
				 : snapshot->recording_since;
	for (size_t i = 0; i < count; i++) {
		struct perf_event_header *record = (void *)(copy->data + capture->offset[i]);
		int source = frec__id_map_find(ids, frec__record_id(record));
		uint32_t pid = frec__record_pid(record);
		uint64_t time = frec__record_time(record);
		bool kept = keep_record(snapshot, &snapshot->rings[ring], record);

		coverage->kept += record->size;
		coverage->records++;
		coverage->for_file += kept;
		coverage->for_file_size += kept ? record->size : 0;
		if (copy->wrapped && i + OLDEST >= count && time > coverage->from)
			coverage->from = time;
		if (source < 0 || record->type != PERF_RECORD_SAMPLE || !kept)
			continue;
		if (snapshot->rings[ring].shm && record->misc & CLAIMED) {
			coverage->claimed[source]++;
			continue;
		}
		coverage->in_file[source] += weight(&snapshot->sources[source], record);
		if (pid != last_pid)
			frec__crash_finder_mention(finder, pid);
		// If there is no sideband, a thread that lived only briefly may be known from its
		// records alone.
		if (snapshot->rings[ring].shm && (pid != last_pid || tid_of(record) != last_tid))
			add_thread(snapshot, &snapshot->rings[ring], pid, tid_of(record));
		last_pid = pid;
		last_tid = tid_of(record);
		frec__crash_finder_record(finder, &snapshot->sources[source], record);
	}
	if (copy->wrapped && !count)
		coverage->from = capture->complete_until;
}

// If the rings have no record of the same kind, uses a record that was set aside.
static void add_copy(const struct frec_snapshot_job *snapshot, struct frec_crash_finder *finder,
		     const struct frec_source *source, const struct perf_event_header *record)
{
	if (record && frec__process_table_shows(snapshot->processes, frec__record_pid(record),
						frec__record_time(record), snapshot->only_uid))
		frec__crash_finder_record(finder, source, record);
}

// Returns Source.id of a source. Its claimed records have a source of their own.
static uint32_t file_id(const struct frec_snapshot_job *snapshot, int source, bool claimed)
{
	return (uint32_t)(source + 1 + (claimed ? (int)snapshot->source_count : 0));
}

// Lets the caller do other work, after which the file may be given up.
static void make_progress(const struct frec_snapshot_job *snapshot, struct frec_parts *parts)
{
	if (snapshot->on_progress)
		snapshot->on_progress(snapshot->context);
	if (snapshot->cancelled && *snapshot->cancelled)
		parts->error.code = -ECANCELED;
}

// Writes the records of one ring, oldest first, with our ids in place of the kernel's.
static int write_records(const struct frec_snapshot_job *snapshot, struct frec_parts *parts,
			 const struct frec_id_map *ids, size_t ring,
			 struct frec_snapshot_stacks *stacks, struct frec_chunk *chunk)
{
	struct frec_capture *capture = snapshot->capture;
	const struct frec_ring_copy *copy = &capture->copy[ring];
	FREC_FREE uint8_t *copied = malloc(FREC_RECORD_SIZE_MAX);
	size_t count = frec__records_find(copy, capture->offset,
					  snapshot->rings[ring].size / FREC_RECORD_SIZE_MIN);
	Flightrec__Records *records = &chunk->records;
	int r = 0;

	if (!copied)
		return frec__error(&parts->error, -ENOMEM, "%s: out of memory", parts->file.path);
	records->cpu = (uint32_t)snapshot->rings[ring].cpu;
	records->ring = snapshot->rings[ring].number;
	while (count-- > 0 && !r) {
		const struct perf_event_header *record = record_at(copy, capture->offset[count]);
		int source = frec__id_map_find(ids, frec__record_id(record));
		bool claimed = snapshot->rings[ring].shm && record->misc & CLAIMED;
		uint64_t time = frec__record_time(record);
		struct perf_event_header *to;
		size_t size;

		if (record->misc & LEFT_OUT)
			continue;
		size = frec__snapshot_stacks_copy(
			stacks, source < 0 ? NULL : &snapshot->sources[source], record, copied);
		if (records->size + size > FREC_CHUNK_SIZE) {
			make_progress(snapshot, parts);
			r = frec__chunk_flush(chunk, parts);
		}
		to = memcpy(chunk->plain + records->size, copied, size);
		frec__record_set_id(to, source < 0 ? 0 : file_id(snapshot, source, claimed));
		if (claimed)
			to->misc &= (uint16_t)~CLAIMED;
		if (record->type == PERF_RECORD_SAMPLE) {
			records->first =
				!records->last || time < records->first ? time : records->first;
			records->last = time > records->last ? time : records->last;
		}
		records->count++;
		records->size += (uint32_t)size;
	}
	return frec__chunk_flush(chunk, parts);
}

// Returns whether a file for one user must not say how much was written into a ring: how often
// others emit an event is their business. A user's own memory has that user's records alone.
static bool hides_counts(const struct frec_snapshot_job *snapshot, const struct frec_ring *ring)
{
	return snapshot->only_uid >= 0 && !ring->shm;
}

// Returns whether the file may know of a ring.
static bool shows_ring(const struct frec_snapshot_job *snapshot, const struct frec_ring *ring)
{
	return snapshot->only_uid < 0 || !ring->shm || ring->uid == (uint32_t)snapshot->only_uid;
}

// Returns whether the file may know of a source. A user may know of events that were emitted for
// him, but not which other events exist.
static bool shows_source(const struct frec_snapshot_job *snapshot, const struct coverage *coverage,
			 size_t index)
{
	const struct frec_source *source = &snapshot->sources[index];

	if (snapshot->only_uid < 0)
		return true;
	for (size_t i = 0; i < snapshot->capture->rings; i++) {
		if (coverage[i].in_file[index] ||
		    (source->shm && source->shm == snapshot->rings[i].shm &&
		     shows_ring(snapshot, &snapshot->rings[i])))
			return true;
	}
	return false;
}

// Returns the user whose memory has claimed records of a source, or -1 if there are none.
static int64_t claimed_by(const struct frec_snapshot_job *snapshot, const struct coverage *coverage,
			  size_t index)
{
	for (size_t i = 0; i < snapshot->capture->rings; i++) {
		if (coverage[i].claimed[index])
			return snapshot->rings[i].uid;
	}
	return -1;
}

static void write_sources(const struct frec_snapshot_job *snapshot, struct frec_parts *parts,
			  const struct coverage *coverage)
{
	for (size_t i = 0; i < snapshot->source_count; i++) {
		if (shows_source(snapshot, coverage, i))
			frec__parts_write_source(
				parts, &snapshot->sources[i], file_id(snapshot, (int)i, false),
				frec__snapshot_unwinds(snapshot, &snapshot->sources[i]), -1);
	}
	for (size_t i = 0; i < snapshot->source_count; i++) {
		int64_t by = claimed_by(snapshot, coverage, i);

		if (by >= 0)
			frec__parts_write_source(parts, &snapshot->sources[i],
						 file_id(snapshot, (int)i, true), false, by);
	}
}

static void write_coverage(const struct frec_snapshot_job *snapshot, struct frec_parts *parts,
			   size_t number, const struct coverage *coverage)
{
	const struct frec_ring *ring = &snapshot->rings[number];
	const struct frec_capture *capture = snapshot->capture;
	const struct frec_ring_copy *copy = &capture->copy[number];
	Flightrec__CpuCoverage cpu = FLIGHTREC__CPU_COVERAGE__INIT;

	cpu.cpu = (uint32_t)ring->cpu;
	cpu.from = coverage->from;
	// A ring that is overwritten in less than a grace period covers no time at all.
	cpu.until = capture->complete_until > cpu.from ? capture->complete_until : cpu.from;
	cpu.ring_size = ring->size;
	if (hides_counts(snapshot, ring)) {
		cpu.bytes_written = cpu.bytes_kept = coverage->for_file_size;
		cpu.records_kept = coverage->for_file;
	} else {
		cpu.bytes_written = copy->written;
		cpu.bytes_kept = coverage->kept;
		cpu.bytes_during_copy = copy->during;
		cpu.records_kept = coverage->records;
	}
	cpu.wrapped = copy->wrapped;
	cpu.offline = ring->offline;
	cpu.damaged = copy->damaged;
	cpu.ring = ring->number;
	if (ring->shm)
		cpu.transport = FLIGHTREC__TRANSPORT__TRANSPORT_SHM;
	frec__parts_write(parts, FREC_PART_CPU, &cpu.base);
}

// Accounts for everything that one source emitted into one ring.
static void write_loss(const struct frec_snapshot_job *snapshot, struct frec_parts *parts,
		       size_t number, size_t index, const struct coverage *coverage)
{
	const struct frec_source *source = &snapshot->sources[index];
	const struct frec_ring *ring = &snapshot->rings[number];
	const struct frec_capture *capture = snapshot->capture;
	const size_t at = index * capture->rings + number;
	const struct frec_count *before = &capture->before[at], *after = &capture->after[at];
	Flightrec__Loss loss = FLIGHTREC__LOSS__INIT;
	const uint64_t claimed = coverage->claimed[index];
	uint64_t known, missing;

	loss.cpu = (uint32_t)ring->cpu;
	loss.ring = ring->number;
	if (claimed) {
		loss.source = file_id(snapshot, (int)index, true);
		loss.emitted_before = loss.emitted_after = loss.in_file = claimed;
		frec__parts_write(parts, FREC_PART_LOSS, &loss.base);
	}
	loss.source = file_id(snapshot, (int)index, false);
	loss.in_file = coverage->in_file[index];
	loss.lost = before->lost;
	if (hides_counts(snapshot, ring)) {
		loss.emitted_before = loss.emitted_after = loss.in_file + loss.lost;
		if (loss.in_file)
			frec__parts_write(parts, FREC_PART_LOSS, &loss.base);
		return;
	}
	loss.emitted_before = before->value > claimed ? before->value - claimed : 0;
	loss.emitted_after = after->value > claimed ? after->value - claimed : 0;
	known = loss.in_file + loss.lost;
	missing = loss.emitted_before > known ? loss.emitted_before - known : 0;
	// In a ring that never wrapped, nothing was overwritten, so the missing events are lost.
	// Some kernels count tracepoint hits that they neither write nor count as lost (seen on
	// 6.18, in the idle task). If services write the ring, one of them destroyed records.
	if (!capture->copy[number].wrapped &&
	    (ring->shm || source->transport == FLIGHTREC__TRANSPORT__TRANSPORT_KERNEL))
		loss.lost += missing;
	else
		loss.overwritten = missing;
	// A service that died between writing a record and counting it left one record more than it
	// counted.
	if (ring->shm && loss.emitted_after < known)
		loss.emitted_after = known;
	if (loss.emitted_after || known)
		frec__parts_write(parts, FREC_PART_LOSS, &loss.base);
}

static void write_arithmetic(const struct frec_snapshot_job *snapshot, struct frec_parts *parts,
			     size_t number, const struct coverage *coverage)
{
	write_coverage(snapshot, parts, number, coverage);
	for (size_t i = 0; i < snapshot->capture->sources; i++) {
		// A source in shared memory writes only into rings of the same memory.
		if (snapshot->sources[i].shm == snapshot->rings[number].shm)
			write_loss(snapshot, parts, number, i, coverage);
	}
}

static int write_parts(const struct frec_snapshot_job *snapshot, struct frec_parts *parts,
		       const struct frec_id_map *ids, struct coverage *coverage,
		       struct frec_crash_finder *finder)
{
	Flightrec__End end = FLIGHTREC__END__INIT;
	struct frec_snapshot_stacks stacks;
	struct frec_crash_state crash;
	uint64_t oldest = UINT64_MAX, records = 0;
	struct frec_chunk chunk;

	if (frec__chunk_init(&chunk)) {
		frec__chunk_deinit(&chunk);
		return frec__error(&parts->error, -ENOMEM, "%s: out of memory", parts->file.path);
	}
	for (size_t i = 0; i < snapshot->capture->rings; i++) {
		scan_ring(snapshot, ids, i, &coverage[i], finder);
		if (coverage[i].from < oldest)
			oldest = coverage[i].from;
		records += coverage[i].for_file;
	}
	add_copy(snapshot, finder, snapshot->crash.sample_source, snapshot->crash.sample);
	add_copy(snapshot, finder, snapshot->crash.details_source, snapshot->crash.details);
	frec__crash_state(finder, &crash);
	frec__parts_write_header(parts, snapshot);
	frec__parts_write_summary(parts, snapshot, &crash, records);
	frec__parts_write_clocks(parts, snapshot);
	frec__parts_write_trigger(parts, snapshot);
	frec__parts_write_crash(parts, snapshot, &crash);
	write_sources(snapshot, parts, coverage);
	frec__snapshot_stacks_init(&stacks, snapshot);
	frec__parts_write_processes(parts, snapshot, finder, oldest);
	frec__snapshot_stacks_write_threads(&stacks, parts, &crash);
	make_progress(snapshot, parts);
	for (size_t i = 0; i < snapshot->capture->rings && !parts->error.code; i++)
		write_records(snapshot, parts, ids, i, &stacks, &chunk);
	frec__snapshot_stacks_write_programs(&stacks, parts);
	frec__snapshot_stacks_write_names(&stacks, parts);
	frec__snapshot_stacks_deinit(&stacks);
	for (size_t i = 0; i < snapshot->capture->rings; i++) {
		if (shows_ring(snapshot, &snapshot->rings[i]))
			write_arithmetic(snapshot, parts, i, &coverage[i]);
	}
	frec__chunk_deinit(&chunk);
	end.parts = parts->count;
	end.records = parts->records;
	end.sideband_lost = snapshot->sideband_lost;
	return frec__parts_write(parts, FREC_PART_END, &end.base);
}

int frec__snapshot_write(const struct frec_snapshot_job *snapshot, const char *path, int64_t owner,
			 struct frec_error *reterr)
{
	size_t rings = snapshot->capture->rings, sources = snapshot->source_count;
	FREC_FREE struct coverage *coverage = calloc(rings + 1, sizeof(*coverage));
	FREC_FREE uint64_t *counts = calloc(2 * rings * sources + 1, sizeof(*counts));
	struct frec_crash_finder finder;
	struct frec_parts parts = {.count = 0};
	FREC_ID_MAP struct frec_id_map ids = {0};
	int r;

	if (!coverage || !counts || frec__id_map_init(&ids, snapshot->sources, sources))
		return frec__error(reterr, -ENOMEM, "%s: out of memory", path);
	for (size_t i = 0; i < rings; i++) {
		coverage[i].in_file = counts + 2 * i * sources;
		coverage[i].claimed = coverage[i].in_file + sources;
	}
	r = frec__new_file_create(&parts.file, path, reterr);
	if (r)
		return r;
	frec__crash_finder_init(&finder, snapshot);
	write_parts(snapshot, &parts, &ids, coverage, &finder);
	frec__crash_finder_deinit(&finder);
	if (!parts.error.code && owner >= 0 && fchown(parts.file.fd, (uid_t)owner, (gid_t)-1))
		frec__error(&parts.error, -errno, "%s: cannot give it to user %lld", path,
			    (long long)owner);
	if (!parts.error.code)
		frec__new_file_commit(&parts.file, &parts.error);
	frec__new_file_discard(&parts.file);
	if (parts.error.code && reterr)
		*reterr = parts.error;
	return parts.error.code;
}

const struct frec_process *frec__reason_process(const struct frec_process_table *processes,
						const struct frec_reason *reason)
{
	return reason->life ? frec__process_table_life(processes, reason->pid, reason->life)
			    : frec__process_table_find(processes, reason->pid);
}

const struct frec_process *frec__snapshot_victim(const struct frec_snapshot_job *snapshot)
{
	return frec__reason_process(snapshot->processes, snapshot->reason);
}

int frec__snapshot_emitters(const struct frec_snapshot_job *snapshot,
			    void (*visit)(void *context, uint32_t pid, uint64_t time),
			    void *context)
{
	struct frec_capture *capture = snapshot->capture;
	FREC_ID_MAP struct frec_id_map ids;

	if (frec__id_map_init(&ids, snapshot->sources, snapshot->source_count))
		return -ENOMEM;
	for (size_t ring = 0; ring < capture->rings; ring++) {
		const struct frec_ring_copy *copy = &capture->copy[ring];
		size_t count = frec__records_find(
			copy, capture->offset, snapshot->rings[ring].size / FREC_RECORD_SIZE_MIN);
		uint32_t last = UINT32_MAX;

		for (size_t i = 0; i < count; i++) {
			const struct perf_event_header *record =
				record_at(copy, capture->offset[i]);
			uint32_t pid;
			int source;

			if (record->type != PERF_RECORD_SAMPLE)
				continue;
			pid = frec__record_pid(record);
			source =
				pid != last ? frec__id_map_find(&ids, frec__record_id(record)) : -1;
			if (source < 0 || !is_user_event(&snapshot->sources[source]) ||
			    is_claim(snapshot, &snapshot->rings[ring], record))
				continue;
			last = pid;
			visit(context, pid, frec__record_time(record));
		}
	}
	return 0;
}
