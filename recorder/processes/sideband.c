// SPDX-License-Identifier: MIT
// Opens the sideband rings and drains them in order of time.
#include "recorder/processes/sideband.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/clocks.h"
#include "proto/grow.h"
#include "proto/perf_sample.h"
#include "proto/read_file.h"
#include "recorder/processes/build_ids.h"
#include "recorder/processes/proc_scan.h"
#include "recorder/rings/perf.h"

#define SIDEBAND_SIZE (256u << 10)
// The kernel reports a change of its clock source only in its log.
#define CLOCK_FILTER "msg ~ \"*clocksource*\""
#define ALERT_SAMPLE_TYPE (FREC_SAMPLE_TYPE | PERF_SAMPLE_RAW)

static const struct {
	const char *group, *name, *filter;
} alerts[FREC_ALERT_COUNT] = {
	[FREC_ALERT_FATAL] = {"signal", "signal_deliver", FREC_CRASH_FILTER},
	[FREC_ALERT_KILL] = {"signal", "signal_generate", "sig==9&&result==0"},
	[FREC_ALERT_OOM] = {"oom", "mark_victim", NULL},
	[FREC_ALERT_EXEC] = {"sched", "sched_process_exec", NULL},
	[FREC_ALERT_CLOCK] = {"printk", "console", CLOCK_FILTER},
};

int frec__sideband_init(struct frec_sideband *sideband, int tracefs,
			struct frec_process_table *processes, struct frec_error *reterr)
{
	*sideband = (struct frec_sideband){.processes = processes};
	for (int kind = 0; kind < FREC_ALERT_COUNT; kind++) {
		char path[128];
		FREC_FREE char *text = NULL;

		snprintf(path, sizeof(path), "events/%s/%s/format", alerts[kind].group,
			 alerts[kind].name);
		text = frec__read_file_at(tracefs, path, 64 << 10);
		// An old kernel may not have this tracepoint. This kind of alert is then never
		// raised. Recording needs only FREC_ALERT_FATAL, which is checked below.
		if (!text)
			continue;
		if (frec__format_parse(&sideband->format[kind], text, false, reterr))
			return reterr ? reterr->code : -EBADMSG;
		sideband->available[kind] = true;
	}
	if (!sideband->available[FREC_ALERT_FATAL])
		return frec__error(reterr, -ENOENT,
				   "this kernel has no tracepoint signal:signal_deliver, without "
				   "which crashes cannot be seen");
	return 0;
}

static int open_alert(struct frec_sideband *sideband, struct frec_sideband_cpu *cpu, int kind,
		      struct frec_error *reterr)
{
	struct perf_event_attr attr;
	int fd;

	frec__perf_attr_init(&attr, PERF_TYPE_TRACEPOINT, sideband->format[kind].id);
	attr.sample_type = ALERT_SAMPLE_TYPE;
	attr.sample_period = 1;
	attr.wakeup_events = 1;
	fd = frec__perf_open(&attr, cpu->cpu, reterr);
	if (fd < 0)
		return fd;
	cpu->alert_fd[kind] = fd;
	if (ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, cpu->fd) ||
	    (alerts[kind].filter && ioctl(fd, PERF_EVENT_IOC_SET_FILTER, alerts[kind].filter)) ||
	    ioctl(fd, PERF_EVENT_IOC_ID, &cpu->alert_id[kind]) ||
	    ioctl(fd, PERF_EVENT_IOC_ENABLE, 0))
		return frec__error(reterr, -errno, "%s:%s on CPU %d: %s", alerts[kind].group,
				   alerts[kind].name, cpu->cpu, strerror(errno));
	return 0;
}

static size_t bell_size(void)
{
	return 2 * (size_t)sysconf(_SC_PAGESIZE);
}

static void close_cpu(struct frec_sideband_cpu *cpu)
{
	for (int kind = 0; kind < FREC_ALERT_COUNT; kind++) {
		if (cpu->alert_fd[kind] >= 0)
			close(cpu->alert_fd[kind]);
	}
	frec__forward_ring_unmap(&cpu->ring);
	if (cpu->fd >= 0)
		close(cpu->fd);
	if (cpu->bell)
		munmap(cpu->bell, bell_size());
	if (cpu->bell_fd >= 0)
		close(cpu->bell_fd);
}

// Opens the ring with the alerts. Returns 0 or a negative errno.
static int open_ring(struct frec_sideband *sideband, struct frec_sideband_cpu *cpu,
		     struct frec_error *reterr)
{
	struct perf_event_attr attr;
	int r;

	frec__perf_attr_init(&attr, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_DUMMY);
	attr.mmap = attr.mmap2 = attr.comm = attr.comm_exec = attr.task = attr.build_id = 1;
	attr.watermark = 1;
	attr.wakeup_watermark = SIDEBAND_SIZE / 4;
	cpu->fd = frec__perf_open(&attr, cpu->cpu, reterr);
	if (cpu->fd == -EINVAL) { // Linux before 5.12
		attr.build_id = 0;
		cpu->fd = frec__perf_open(&attr, cpu->cpu, reterr);
	}
	if (cpu->fd < 0)
		return cpu->fd;
	r = frec__forward_ring_map(&cpu->ring, cpu->fd, SIDEBAND_SIZE);
	if (r)
		return frec__error(reterr, r, "no sideband ring for CPU %d: %s", cpu->cpu,
				   strerror(-r));
	for (int kind = 0; kind < FREC_ALERT_COUNT && !r; kind++) {
		if (!sideband->available[kind])
			continue;
		r = open_alert(sideband, cpu, kind, reterr);
		if (r && kind == FREC_ALERT_CLOCK) { // not worth a recording
			sideband->available[kind] = false;
			r = 0;
		}
	}
	if (!r && ioctl(cpu->fd, PERF_EVENT_IOC_ENABLE, 0))
		r = frec__error(reterr, -errno, "sideband of CPU %d: %s", cpu->cpu,
				strerror(errno));
	return r;
}

// Opens the doorbell. It is mapped read-only, so that the kernel goes on writing to it although
// nobody reads it. Returns 0 or a negative errno.
static int open_bell(struct frec_sideband_cpu *cpu, struct frec_error *reterr)
{
	struct perf_event_attr attr;

	frec__perf_attr_init(&attr, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_DUMMY);
	attr.mmap = attr.task = 1;
	attr.watermark = 1;
	attr.wakeup_watermark = 1;
	attr.disabled = 0;
	cpu->bell_fd = frec__perf_open(&attr, cpu->cpu, reterr);
	if (cpu->bell_fd < 0)
		return cpu->bell_fd;
	cpu->bell = mmap(NULL, bell_size(), PROT_READ, MAP_SHARED, cpu->bell_fd, 0);
	if (cpu->bell != MAP_FAILED)
		return 0;
	cpu->bell = NULL;
	return frec__error(reterr, -errno, "no sideband ring for CPU %d: %s", cpu->cpu,
			   strerror(errno));
}

int frec__sideband_open(struct frec_sideband *sideband, int cpu, struct frec_error *reterr)
{
	struct frec_sideband_cpu opened = {.cpu = cpu, .fd = -1, .bell_fd = -1};
	int r;

	for (int kind = 0; kind < FREC_ALERT_COUNT; kind++)
		opened.alert_fd[kind] = -1;
	if (!frec__grow(&sideband->cpu, sideband->count, sizeof(*sideband->cpu)))
		return frec__error(reterr, -ENOMEM, "out of memory");
	r = open_ring(sideband, &opened, reterr);
	if (!r)
		r = open_bell(&opened, reterr);
	if (r) {
		close_cpu(&opened);
		return r;
	}
	sideband->cpu[sideband->count++] = opened;
	return 0;
}

void frec__sideband_listen(struct frec_sideband *sideband, bool on)
{
	if (sideband->deaf == !on)
		return;
	sideband->deaf = !on;
	for (size_t i = 0; i < sideband->count; i++)
		(void)ioctl(sideband->cpu[i].bell_fd, PERF_EVENT_IOC_PAUSE_OUTPUT, !on);
}

size_t frec__sideband_poll(const struct frec_sideband *sideband, enum frec_sideband_fds which,
			   struct pollfd *fds, size_t room)
{
	size_t count = 0;

	for (size_t i = 0; i < sideband->count && count < room; i++) {
		const struct frec_sideband_cpu *cpu = &sideband->cpu[i];
		int fd = which == FREC_SIDEBAND_ALERTS ? cpu->fd : cpu->bell_fd;

		fds[count++] = (struct pollfd){.fd = fd, .events = POLLIN};
	}
	return count;
}

void frec__sideband_close(struct frec_sideband *sideband, int cpu)
{
	frec__sideband_drain(sideband);
	for (size_t i = 0; i < sideband->count; i++) {
		if (sideband->cpu[i].cpu == cpu) {
			close_cpu(&sideband->cpu[i]);
			sideband->cpu[i] = sideband->cpu[--sideband->count];
			return;
		}
	}
}

void frec__sideband_deinit(struct frec_sideband *sideband)
{
	for (size_t i = 0; i < sideband->count; i++)
		close_cpu(&sideband->cpu[i]);
	free(sideband->cpu);
	for (int kind = 0; kind < FREC_ALERT_COUNT; kind++)
		frec__format_deinit(&sideband->format[kind]);
	*sideband = (struct frec_sideband){0};
}

static uint64_t field(const struct frec_sideband *sideband, int kind, const char *name,
		      const struct frec_perf_sample *sample)
{
	return frec__field_value(frec__format_find(&sideband->format[kind], name), sample->raw,
				 sample->raw_size);
}

// Returns the kind of alert that the event with the kernel's id `id` raises, or -1 if it raises
// none.
static int alert_kind(const struct frec_sideband *sideband, uint64_t id)
{
	for (size_t i = 0; i < sideband->count; i++) {
		for (int kind = 0; kind < FREC_ALERT_COUNT; kind++) {
			if (sideband->available[kind] && sideband->cpu[i].alert_id[kind] == id)
				return kind;
		}
	}
	return -1;
}

static void handle_sample(struct frec_sideband *sideband, const void *body, size_t size)
{
	const struct perf_event_attr attr = {.sample_type = ALERT_SAMPLE_TYPE};
	struct frec_perf_sample sample;
	struct frec_alert alert;
	int kind;

	if (frec__perf_sample_read(&attr, body, size, &sample))
		return;
	kind = alert_kind(sideband, sample.id);
	if (kind < 0 || !sideband->alert)
		return;
	alert = (struct frec_alert){.time = sample.time};
	alert.kind = (enum frec_alert_kind)kind;
	switch (alert.kind) {
	case FREC_ALERT_CLOCK:
		return;
	case FREC_ALERT_FATAL:
		alert.pid = sample.pid;
		alert.tid = sample.tid;
		alert.signal = (int)field(sideband, kind, "sig", &sample);
		alert.code = (int)field(sideband, kind, "code", &sample);
		break;
	case FREC_ALERT_KILL:
		alert.tid = (uint32_t)field(sideband, kind, "pid", &sample);
		alert.signal = SIGKILL;
		alert.code = (int)field(sideband, kind, "code", &sample);
		// The sample is from the sending process. Signals with codes above 0, such as
		// SI_KERNEL, have no sender.
		alert.sender = alert.code <= 0 ? sample.pid : 0;
		break;
	case FREC_ALERT_EXEC:
		alert.pid = alert.tid = sample.pid;
		frec__process_table_refresh(sideband->processes, alert.pid);
		break;
	default:
		alert.tid = (uint32_t)field(sideband, kind, "pid", &sample);
		alert.signal = SIGKILL;
		break;
	}
	sideband->alert(sideband->context, &alert);
}

// The bodies of records, as in perf_event_open(2).
struct task_body {
	uint32_t pid, ppid, tid, ptid;
	uint64_t time;
} __attribute__((packed));
struct comm_body {
	uint32_t pid, tid;
	char name[];
} __attribute__((packed));
struct map_body {
	uint32_t pid, tid;
	uint64_t address, length, offset;
	union {
		struct {
			uint8_t build_id_size, reserved[3];
			uint8_t build_id[20];
		};
		struct {
			uint32_t major, minor;
			uint64_t inode, generation;
		};
	};
	uint32_t protection, flags;
	char path[];
} __attribute__((packed));

static void handle_map(struct frec_sideband *sideband, const struct perf_event_header *header,
		       const struct map_body *body, uint64_t time)
{
	struct frec_mapping map = {.start = body->address,
				   .end = body->address + body->length,
				   .offset = body->offset,
				   .since = time,
				   .path = (char *)body->path};

	if (header->misc & PERF_RECORD_MISC_MMAP_BUILD_ID && body->build_id_size <= 20) {
		map.build_id_size = body->build_id_size;
		memcpy(map.build_id, body->build_id, body->build_id_size);
	} else if (*map.path == '/') {
		// The record has no build-id: the page with it was not in memory, or the kernel is
		// older than 5.12.
		FREC_CLOSE int proc = -1;
		char path[32];

		snprintf(path, sizeof(path), "/proc/%u", body->pid);
		proc = open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
		frec__build_ids_find(&sideband->processes->build_ids, proc,
				     makedev(body->major, body->minor), body->inode, &map);
	}
	frec__process_table_map(sideband->processes, body->pid, &map);
	if (sideband->mapped && *map.path == '/')
		sideband->mapped(sideband->context, body->pid, &map);
}

// To a recorder in a pid namespace, the kernel reports processes outside with pid 0, and dead ones
// with pid -1. Such records are ignored, because the table would take all processes with one of
// these pids for the same process.
static bool is_outside(uint32_t pid)
{
	return !pid || pid == UINT32_MAX;
}

static void handle(struct frec_sideband *sideband, const struct perf_event_header *header,
		   uint64_t time)
{
	const void *body = header + 1;
	const struct task_body *task = body;
	const struct comm_body *comm = body;

	// All records about a process begin with its pid.
	if (header->type != PERF_RECORD_LOST && header->type != PERF_RECORD_SAMPLE &&
	    is_outside(comm->pid))
		return;
	switch (header->type) {
	case PERF_RECORD_FORK:
		frec__process_table_fork(sideband->processes, task->pid, task->ppid, task->tid,
					 time);
		break;
	case PERF_RECORD_EXIT:
		frec__process_table_exit(sideband->processes, task->pid, task->tid, time);
		break;
	case PERF_RECORD_COMM:
		frec__process_table_comm(sideband->processes, comm->pid, comm->tid, comm->name,
					 header->misc & PERF_RECORD_MISC_COMM_EXEC, time);
		break;
	case PERF_RECORD_MMAP2:
		handle_map(sideband, header, body, time);
		break;
	case PERF_RECORD_LOST:
		sideband->lost += ((const uint64_t *)body)[1];
		break;
	case PERF_RECORD_SAMPLE:
		handle_sample(sideband, body, header->size - sizeof(*header));
		break;
	}
}

// A record that was copied from its ring.
struct copied {
	uint64_t time;
	uint64_t order; /* decides between records of equal time */
	struct perf_event_header *record;
};

static int by_time(const void *a, const void *b)
{
	const struct copied *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

struct batch {
	size_t count;
	struct copied *copied;
};

// Takes ownership of `record` and returns true, or returns false if memory runs out.
static bool add(struct batch *batch, struct perf_event_header *record, uint64_t time)
{
	if (!frec__grow(&batch->copied, batch->count, sizeof(*batch->copied)))
		return false;
	batch->copied[batch->count] =
		(struct copied){.time = time, .order = batch->count, .record = record};
	batch->count++;
	return true;
}

static uint64_t record_time(const struct perf_event_header *record)
{
	if (record->type == PERF_RECORD_SAMPLE)
		return ((const struct frec_sample *)record)->time;
	if (record->size < sizeof(*record) + sizeof(struct frec_sample_id))
		return 0;
	return ((const struct frec_sample_id *)((const char *)record + record->size -
						sizeof(struct frec_sample_id)))
		->time;
}

// Copies the records of one CPU up to time `until`. Younger records stay in the ring, because
// there can be older ones of other CPUs that have not been copied yet and must be handled first.
static void copy_cpu(const struct frec_sideband_cpu *cpu, uint64_t until, struct batch *batch)
{
	struct frec_forward_reader reader = frec__forward_begin(&cpu->ring);
	size_t size;

	while ((size = frec__forward_size(&reader))) {
		struct perf_event_header *record = malloc(size);

		if (!record)
			break;
		frec__forward_copy(&reader, record);
		if (record_time(record) > until || !add(batch, record, record_time(record))) {
			free(record);
			break;
		}
		reader.tail += size;
	}
	frec__forward_end(&reader);
}

void frec__sideband_drain(struct frec_sideband *sideband)
{
	struct batch batch = {0};
	uint64_t until = frec__monotonic();

	for (size_t i = 0; i < sideband->count; i++)
		copy_cpu(&sideband->cpu[i], until, &batch);
	sideband->handled += batch.count;
	if (batch.count)
		qsort(batch.copied, batch.count, sizeof(*batch.copied), by_time);
	for (size_t i = 0; i < batch.count; i++) {
		handle(sideband, batch.copied[i].record, batch.copied[i].time);
		free(batch.copied[i].record);
	}
	free(batch.copied);
}
