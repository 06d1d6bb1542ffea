// SPDX-License-Identifier: MIT
// Crash rings, and the records that were read from them. The kernel writes these rings forwards and
// stops when they are full.
#include "recorder/crash_records.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/clocks.h"
#include "proto/grow.h"
#include "proto/share.h"
#include "recorder/rings/forward_ring.h"
#include "recorder/rings/perf.h"
#include "recorder/snapshot/sample_parts.h"

// If no death is known for a record after this many nanoseconds, the record is dropped. The alert
// about a death comes from another ring, a moment later than the record.
#define UNCLAIMED_MAX UINT64_C(2000000000)

// The slot through which crash.bpf.c writes into the crash rings.
#define DETAILS_SLOT 1

struct frec_crash_ring {
	int cpu, fd, signal_fd, details_fd;
	struct frec_forward_ring ring;
	uint64_t details_id;
};

size_t frec__crash_ring_size(uint64_t ring_size, bool whole_machine)
{
	uint64_t size = ring_size / 4;

	if (size < FREC_CRASH_RING_MIN)
		size = FREC_CRASH_RING_MIN;
	if (size > FREC_CRASH_RING_MAX)
		size = FREC_CRASH_RING_MAX;
	return whole_machine ? 4 * size : size;
}

void frec__crash_records_init(struct frec_crash_records *records, const struct frec_source *signal,
			      const struct frec_source *details,
			      const struct frec_stack_choice *stack, uint64_t ring_size)
{
	memset(records, 0, offsetof(struct frec_crash_records, scratch));
	records->ring_size = frec__crash_ring_size(ring_size, stack);
	records->signal = (struct frec_source){.listed = signal->listed,
					       .format.id = signal->format.id,
					       .filter = signal->filter,
					       .stack = signal->stack,
					       .sample_type = signal->sample_type,
					       .sample_regs_user = signal->sample_regs_user};
	if (stack)
		frec__source_set_stack(&records->signal, stack);
	else if (records->signal.stack.bytes > FREC_CRASH_RING_STACK)
		records->signal.stack.bytes = FREC_CRASH_RING_STACK;
	if (details)
		records->details = (struct frec_source){.listed = details->listed,
							.sample_type = details->sample_type,
							.output = details->output,
							.slot = DETAILS_SLOT};
}

static void close_ring(struct frec_crash_ring *ring)
{
	if (ring->details_fd >= 0)
		close(ring->details_fd);
	if (ring->signal_fd >= 0)
		close(ring->signal_fd);
	frec__forward_ring_unmap(&ring->ring);
	if (ring->fd >= 0)
		close(ring->fd);
}

void frec__kept_crash_deinit(struct frec_kept_crash *kept)
{
	free(kept->sample);
	free(kept->details);
	*kept = (struct frec_kept_crash){.pid = 0};
}

void frec__crash_records_deinit(struct frec_crash_records *records)
{
	for (size_t i = 0; i < records->rings; i++)
		close_ring(&records->ring[i]);
	free(records->ring);
	for (size_t i = 0; i < records->count; i++)
		frec__kept_crash_deinit(&records->kept[i]);
	memset(records, 0, offsetof(struct frec_crash_records, scratch));
}

static int open_ring(const struct frec_crash_records *records, struct frec_crash_ring *ring,
		     struct frec_error *reterr)
{
	struct perf_event_attr attr;
	int r;

	frec__perf_attr_init(&attr, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_DUMMY);
	attr.disabled = 0;
	ring->fd = frec__perf_open(&attr, ring->cpu, reterr);
	if (ring->fd < 0)
		return ring->fd;
	r = frec__forward_ring_map(&ring->ring, ring->fd, records->ring_size);
	if (r)
		return frec__error(reterr, r, "%s", strerror(-r));
	ring->signal_fd =
		frec__source_open_event(&records->signal, ring->cpu, ring->fd, false, reterr);
	if (ring->signal_fd < 0 || !records->details.output)
		return ring->signal_fd < 0 ? ring->signal_fd : 0;
	ring->details_fd =
		frec__source_open_event(&records->details, ring->cpu, ring->fd, false, reterr);
	if (ring->details_fd < 0)
		return ring->details_fd;
	return ioctl(ring->details_fd, PERF_EVENT_IOC_ID, &ring->details_id)
		       ? frec__error(reterr, -errno, "%s", strerror(errno))
		       : 0;
}

int frec__crash_records_open(struct frec_crash_records *records, int cpu, struct frec_error *reterr)
{
	struct frec_crash_ring opened = {.cpu = cpu, .fd = -1, .signal_fd = -1, .details_fd = -1};
	struct frec_error error;
	size_t at = 0;
	int r;

	if (!records->ring_size)
		return 0;
	while (at < records->rings && records->ring[at].cpu != cpu)
		at++;
	if (at == records->rings && !frec__grow(&records->ring, at, sizeof(*records->ring)))
		return frec__error(reterr, -ENOMEM, "out of memory");
	r = open_ring(records, &opened, &error);
	if (r) {
		close_ring(&opened);
		return frec__error(reterr, r, "no room is set aside for crashes on CPU %d: %s", cpu,
				   error.message);
	}
	if (at < records->rings)
		close_ring(&records->ring[at]);
	else
		records->rings++;
	records->ring[at] = opened;
	return 0;
}

// Returns a copy of a record without the part of the stack that the kernel could not read, or NULL.
static struct perf_event_header *copy_of(const struct frec_source *source,
					 const struct perf_event_header *record)
{
	size_t head = record->size, stack = 0;
	struct frec_perf_sample parts;
	struct perf_event_header *copy;
	uint64_t used;

	if (frec__sample_read(source, record, &parts))
		return NULL;
	if (parts.stack && parts.stack_used < parts.stack_size) {
		head = (size_t)(parts.stack - (const uint8_t *)record);
		stack = (parts.stack_used + 7) & ~UINT64_C(7);
	}
	copy = malloc(head + stack + sizeof(used));
	if (!copy)
		return NULL;
	memcpy(copy, record, head + stack);
	if (head == record->size)
		return copy;
	// A record has the size of the stack, then the bytes of the stack, then how many of these
	// were read. If the size is 0, the record has neither of the other two.
	used = stack;
	memcpy((uint8_t *)copy + head - sizeof(used), &used, sizeof(used));
	copy->size = (uint16_t)(head + stack);
	if (stack) {
		memcpy((uint8_t *)copy + head + stack, &parts.stack_used, sizeof(used));
		copy->size = (uint16_t)(copy->size + sizeof(used));
	}
	return copy;
}

static size_t size_of(const struct frec_kept_crash *kept)
{
	return (kept->sample ? kept->sample->size : 0) + (kept->details ? kept->details->size : 0);
}

static uint32_t user_of(const struct frec_crash_records *records, uint32_t pid, uint64_t time)
{
	const struct frec_process *process;
	struct stat status;
	char path[32];

	if (!records->processes)
		return 0;
	process = frec__process_table_alive_at(records->processes, pid, time);
	if (process)
		return process->payer;
	// The sideband has not reported the birth of this process.
	snprintf(path, sizeof(path), "/proc/%u", pid);
	return stat(path, &status) ? FREC_USER_UNKNOWN : status.st_uid;
}

static bool is_of(const struct frec_crash_records *records, const struct frec_kept_crash *kept,
		  const struct frec_reason *reason)
{
	return kept->pid == reason->pid &&
	       (!records->processes ||
		frec__process_table_is_of(records->processes, kept->pid, kept->time, reason->life));
}

// Returns whether a record of `pid` at `time` is of the process that the entry is for.
static bool is_same(const struct frec_crash_records *records, const struct frec_kept_crash *kept,
		    uint32_t pid, uint64_t time)
{
	const struct frec_process_table *table = records->processes;

	return kept->pid == pid &&
	       (!table || frec__process_table_alive_at(table, pid, kept->time) ==
				  frec__process_table_alive_at(table, pid, time));
}

// Returns the entry of a process, in which a record of `size` bytes may be kept, or NULL.
static struct frec_kept_crash *entry_of(struct frec_crash_records *records, uint32_t pid,
					uint64_t time, size_t size)
{
	struct frec_share places = {.uid = user_of(records, pid, time)}, bytes = places;
	struct frec_kept_crash *entry = NULL;

	for (size_t i = 0; i < records->count; i++) {
		struct frec_kept_crash *kept = &records->kept[i];

		frec__share_count(&places, kept->uid, 1);
		frec__share_count(&bytes, kept->uid, size_of(kept));
		if (is_same(records, kept, pid, time))
			entry = kept;
	}
	if (!frec__share_has_room(&bytes, size, FREC_CRASH_BYTES_MAX))
		return NULL;
	if (entry || !frec__share_has_room(&places, 1, FREC_DEATHS_MAX))
		return entry;
	records->kept[records->count] = (struct frec_kept_crash){.pid = pid, .uid = places.uid};
	return &records->kept[records->count++];
}

void frec__crash_records_keep(struct frec_crash_records *records,
			      const struct perf_event_header *record, bool details)
{
	const struct frec_source *source = details ? &records->details : &records->signal;
	const struct frec_sample *sample = (const void *)record;
	struct perf_event_header *copy, **place;
	struct frec_kept_crash *kept;

	if (record->size < sizeof(struct frec_sample))
		return;
	copy = copy_of(source, record);
	kept = copy ? entry_of(records, sample->pid, sample->time, copy->size) : NULL;
	if (!kept) {
		free(copy);
		records->lost++;
		return;
	}
	place = details ? &kept->details : &kept->sample;
	free(*place);
	*place = copy;
	kept->time = sample->time;
	kept->since = frec__monotonic();
}

static void handle(struct frec_crash_records *records, const struct frec_crash_ring *ring,
		   const struct perf_event_header *record)
{
	if (record->type == PERF_RECORD_LOST && record->size >= sizeof(*record) + 16) {
		uint64_t lost;

		memcpy(&lost, (const uint8_t *)(record + 1) + sizeof(lost), sizeof(lost));
		records->lost += lost;
	} else if (record->type == PERF_RECORD_SAMPLE &&
		   record->size >= sizeof(struct frec_sample)) {
		frec__crash_records_keep(records, record,
					 ring->details_id &&
						 ((const struct frec_sample *)record)->id ==
							 ring->details_id);
	}
}

static void drain_ring(struct frec_crash_records *records, const struct frec_crash_ring *ring)
{
	struct frec_forward_reader reader = frec__forward_begin(&ring->ring);
	size_t size;

	while ((size = frec__forward_size(&reader))) {
		frec__forward_copy(&reader, records->scratch);
		handle(records, ring, (const void *)records->scratch);
		reader.tail += size;
	}
	frec__forward_end(&reader);
}

void frec__crash_records_drain(struct frec_crash_records *records)
{
	for (size_t i = 0; i < records->rings; i++)
		drain_ring(records, &records->ring[i]);
}

static void remove_at(struct frec_crash_records *records, size_t at)
{
	records->kept[at] = records->kept[--records->count];
}

struct frec_kept_crash frec__crash_records_take(struct frec_crash_records *records,
						const struct frec_reason *reason)
{
	struct frec_kept_crash taken = {.pid = 0};

	for (size_t i = 0; i < records->count; i++) {
		if (!is_of(records, &records->kept[i], reason))
			continue;
		taken = records->kept[i];
		remove_at(records, i);
		break;
	}
	return taken;
}

static bool is_awaited(const struct frec_crash_records *records, const struct frec_deaths *deaths,
		       const struct frec_kept_crash *kept)
{
	for (size_t i = 0; i < deaths->count; i++) {
		if (is_of(records, kept, &deaths->death[i].reason))
			return true;
	}
	return false;
}

void frec__crash_records_sweep(struct frec_crash_records *records, const struct frec_deaths *deaths)
{
	uint64_t now = frec__monotonic();

	for (size_t i = records->count; i-- > 0;) {
		struct frec_kept_crash kept = records->kept[i];

		if (now - kept.since < UNCLAIMED_MAX || is_awaited(records, deaths, &kept))
			continue;
		remove_at(records, i);
		frec__kept_crash_deinit(&kept);
	}
}
