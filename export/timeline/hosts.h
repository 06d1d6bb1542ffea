/* SPDX-License-Identifier: MIT */
/*
 * A host is a machine between one boot and the next. CLOCK_MONOTONIC and the numbers of processes,
 * threads and CPUs mean the same in all files of one host. In files of different hosts they do not,
 * so those files are aligned by CLOCK_REALTIME.
 *
 * Writers see hosts, not files. If a host has one file, its `snapshot` is that file. If it has
 * several, its `snapshot` holds their joined tables, such as sources (equal ones only once),
 * processes and clocks, and no records can be read from it.
 */
#ifndef FREC_EXPORT_TIMELINE_HOSTS_H
#define FREC_EXPORT_TIMELINE_HOSTS_H

#include "export/read/processes.h"
#include "export/read/snapshot.h"
#include "export/read/text.h"
#include "export/timeline/filter.h"

struct frec_host {
	size_t index;
	/* of the machine, in UTF-8; "name (2)" for the second host with that name, and so on */
	char *name;
	struct frec_snapshot *snapshot;
	struct frec_processes processes; /* of the snapshot */
	struct frec_filter filter;	 /* which of the snapshot's sources are written */
	/* Added to the host's CLOCK_MONOTONIC to get the time of the timeline. 0 for the host that
	 * booted first. */
	uint64_t shift;
	/* By how many ns the host's CLOCK_REALTIME may be off, according to the host's own readings
	 * of its clocks. How far the clocks of two hosts differed is not known. */
	uint64_t uncertainty;
	struct frec_snapshot tables; /* if the host has several files, `snapshot` points to this */
};

struct frec_hosts {
	struct frec_host *hosts; /* in the order of the files */
	size_t count;
	size_t base;	 /* index of the host that booted first: its clock is the timeline's */
	size_t *host_of; /* for each file: index of its host in `hosts` */
	/* sources[file][i] is the index in the host's snapshot of the file's source i */
	size_t **sources;
	size_t file_count;
};

/*
 * Groups the files by host. The files must outlive the hosts. Returns 0; -EINVAL if there are
 * several hosts and one cannot be aligned with the others, because it has no readings of its
 * clocks, or if `options` has a malformed time; or -ENOMEM.
 */
int frec__hosts_init(struct frec_hosts *hosts, struct frec_snapshot *const *files, size_t count,
		     const struct frec_filter_options *options, struct frec_error *reterr);
void frec__hosts_deinit(struct frec_hosts *hosts);

/* For formats that know only one machine. frec__host_number() prefixes the number of a process or
 * thread with the index of its host: pid 123 stays 123 on the first host and is 10000123 on the
 * second. If there are several hosts, frec__host_suffix() adds the host's name, to be put after the
 * name of a process. */
int64_t frec__host_number(const struct frec_host *host, uint32_t pid);
void frec__host_suffix(struct frec_text *text, const struct frec_hosts *hosts,
		       const struct frec_host *host);

#endif
