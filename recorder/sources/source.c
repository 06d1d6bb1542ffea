// SPDX-License-Identifier: MIT
// Opens a source on the rings and counts its records.
#include "recorder/sources/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "proto/grow.h"
#include "proto/read_file.h"
#include "recorder/declared/declared_kinds.h"
#include "recorder/rings/registers.h"
#include "recorder/rings/shm_ring.h"
#include "recorder/rings/shm_rings.h"

_Static_assert(FREC_BPF_COMMON_SIZE == FREC_COMMON_SIZE, "BPF programs cannot see format.h");

#define FORMAT_MAX (256u << 10)

int frec__source_init(struct frec_source *source, int tracefs, const struct frec_listed *listed,
		      const char *filter, struct frec_error *reterr)
{
	char path[1200];
	int r;

	*source = (struct frec_source){.listed = *listed, .filter = filter};
	if (listed->kind != FLIGHTREC__SOURCE_KIND__SOURCE_TRACEPOINT)
		source->transport = FLIGHTREC__TRANSPORT__TRANSPORT_USER_EVENTS;
	snprintf(path, sizeof(path), "events/%s/%s/format", listed->group, listed->kernel_name);
	source->format_text = frec__read_file_at(tracefs, path, FORMAT_MAX);
	if (!source->format_text && errno == EMFILE)
		return frec__error(reterr, -EMFILE, FREC_TOO_MANY_FILES);
	if (!source->format_text)
		return frec__error(reterr, -errno, "%s:%s: %s: %s", listed->system, listed->name,
				   path, strerror(errno));
	r = frec__format_parse(&source->format, source->format_text,
			       listed->kind == FLIGHTREC__SOURCE_KIND__SOURCE_EVENT, reterr);
	if (r) {
		frec__source_deinit(source);
		return r;
	}
	source->sample_type = FREC_SAMPLE_TYPE | PERF_SAMPLE_RAW;
	// For these events the kernel counts nanoseconds and not occurrences (__perf_count() in
	// include/trace/events/sched.h). If samples contain the period, the kernel writes one
	// record per occurrence, with the nanoseconds as its period.
	if (!strcmp(listed->group, "sched") && !strncmp(listed->kernel_name, "sched_stat_", 11))
		source->sample_type |= PERF_SAMPLE_PERIOD;
	return 0;
}

void frec__source_set_stack(struct frec_source *source, const struct frec_stack_choice *stack)
{
	source->stack = *stack;
	source->sample_type |= frec__stack_sample_type(stack);
	source->sample_regs_user = stack->bytes ? frec__perf_user_registers : 0;
}

bool frec__source_is_crash(const struct frec_source *source)
{
	return source->filter != NULL;
}

int frec__source_init_declared(struct frec_source *source, const struct frec_declared *event,
			       Flightrec__Transport transport, const struct frec_bpf_output *output,
			       uint32_t slot)
{
	*source = (struct frec_source){.listed = {.kind = FLIGHTREC__SOURCE_KIND__SOURCE_EVENT},
				       .transport = transport,
				       .sample_type = FREC_SAMPLE_TYPE | PERF_SAMPLE_RAW,
				       .output = output,
				       .slot = slot};
	snprintf(source->listed.system, sizeof(source->listed.system), "%s", event->provider);
	snprintf(source->listed.name, sizeof(source->listed.name), "%s", event->name);
	snprintf(source->listed.group, sizeof(source->listed.group), "%s", event->provider);
	snprintf(source->listed.kernel_name, sizeof(source->listed.kernel_name), "%s", event->name);
	return frec__declared_format(event, &source->format);
}

int frec__source_open_event(const struct frec_source *source, int cpu, int output_fd, bool backward,
			    struct frec_error *reterr)
{
	struct perf_event_attr attr;
	int fd, r = 0;

	if (source->output)
		frec__perf_attr_init(&attr, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_BPF_OUTPUT);
	else
		frec__perf_attr_init(&attr, PERF_TYPE_TRACEPOINT, source->format.id);
	attr.sample_period = 1;
	attr.sample_type = source->sample_type;
	frec__stack_attr(&source->stack, &attr);
	attr.write_backward = backward;
	fd = frec__perf_open(&attr, cpu, reterr);
	if (fd < 0)
		return fd;
	if (ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, output_fd) ||
	    (source->filter && ioctl(fd, PERF_EVENT_IOC_SET_FILTER, source->filter)) ||
	    ioctl(fd, PERF_EVENT_IOC_ENABLE, 0))
		r = -errno;
	else if (source->output)
		r = frec__bpf_output_connect(source->output, source->slot, cpu, fd);
	if (r) {
		close(fd);
		return frec__error(reterr, r, "%s:%s cannot be recorded on CPU %d: %s",
				   source->listed.system, source->listed.name, cpu, strerror(-r));
	}
	return fd;
}

static bool add_ring(struct frec_source *source)
{
	size_t count = source->opened;

	if (!frec__grow(&source->fd, count, sizeof(*source->fd)) ||
	    !frec__grow(&source->perf_id, count, sizeof(*source->perf_id)) ||
	    !frec__grow(&source->counted, count, sizeof(*source->counted)))
		return false;
	source->fd[count] = -1;
	source->perf_id[count] = 0;
	source->counted[count] = (struct frec_bpf_counts){0};
	source->opened++;
	return true;
}

int frec__source_open(struct frec_source *source, size_t at, const struct frec_ring *ring,
		      struct frec_error *reterr)
{
	int fd;

	// Earlier rings may have been skipped after a failure.
	while (source->opened <= at) {
		if (!add_ring(source))
			return frec__error(reterr, -ENOMEM, "out of memory");
	}
	if (source->fd[at] >= 0)
		close(source->fd[at]);
	source->fd[at] = -1;
	source->perf_id[at] = 0;
	if (source->shm && source->shm == ring->shm)
		source->perf_id[at] = frec__shm_ring_id(
			source->shm_number, frec__shm_event(source->shm, source->shm_event)->id);
	if (ring->offline || source->shm || ring->shm)
		return 0;
	if (source->output)
		frec__bpf_output_count(source->output, source->slot, ring->cpu,
				       &source->counted[at]);
	fd = frec__source_open_event(source, ring->cpu, ring->fd, true, reterr);
	if (fd < 0)
		return fd;
	source->fd[at] = fd;
	if (ioctl(fd, PERF_EVENT_IOC_ID, &source->perf_id[at]))
		return frec__error(reterr, -errno, "PERF_EVENT_IOC_ID: %s", strerror(errno));
	return 0;
}

void frec__source_remove_rings(struct frec_source *source, size_t first, size_t count)
{
	size_t after = first + count;

	if (source->opened <= first)
		return;
	if (after > source->opened)
		after = source->opened;
	memmove(&source->fd[first], &source->fd[after],
		(source->opened - after) * sizeof(*source->fd));
	memmove(&source->perf_id[first], &source->perf_id[after],
		(source->opened - after) * sizeof(*source->perf_id));
	memmove(&source->counted[first], &source->counted[after],
		(source->opened - after) * sizeof(*source->counted));
	source->opened -= after - first;
}

void frec__source_count(const struct frec_source *source, size_t at, const struct frec_ring *ring,
			bool begun, struct frec_count *ret)
{
	struct frec_bpf_counts counts;

	*ret = (struct frec_count){0};
	if (source->shm && source->shm == ring->shm)
		ret->value = frec__shm_emitted(source->shm, source->shm_event, ring->index);
	if (at >= source->opened || source->fd[at] < 0)
		return;
	if (!source->output) {
		(void)frec__perf_count(source->fd[at], ret);
		return;
	}
	// perf does not count the records that BPF programs write.
	frec__bpf_output_count(source->output, source->slot, ring->cpu, &counts);
	ret->lost = counts.lost - source->counted[at].lost;
	// Both values are relative to the number of records that were complete when the source was
	// opened. If the number of records begun at that time were subtracted from `begun`, the
	// result could be less than the number of complete records.
	ret->value = (begun ? counts.begun : counts.written + counts.lost) -
		     (source->counted[at].written + source->counted[at].lost);
}

void frec__source_deinit(struct frec_source *source)
{
	for (size_t i = 0; i < source->opened; i++) {
		if (source->fd[i] >= 0)
			close(source->fd[i]);
	}
	free(source->fd);
	free(source->perf_id);
	free(source->counted);
	free(source->format_text);
	frec__format_deinit(&source->format);
	*source = (struct frec_source){0};
}

size_t frec__source_largest(const struct frec_source *source)
{
	size_t size = sizeof(struct frec_sample) + sizeof(uint64_t) + FREC_BPF_RECORD_MAX +
		      frec__stack_size(&source->stack);

	// The size of a record is a 16-bit number, so the kernel shortens the stack if necessary.
	return size < UINT16_MAX ? size : UINT16_MAX;
}
