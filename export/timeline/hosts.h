/* SPDX-License-Identifier: MIT */
/*
 * Hosts: a host is a machine between one boot and the next. Files of one host share CLOCK_MONOTONIC
 * and the numbers of processes, threads and CPUs. Files of different hosts share nothing, and are
 * aligned by CLOCK_REALTIME.
 *
 * Writers see hosts, not files. A host's `snapshot` is its file or, if it has several, a snapshot
 * of their joined tables: all sources (equal ones once), processes and clocks. No records can be
 * read from it.
 */
#ifndef FREC_EXPORT_TIMELINE_HOSTS_H
#define FREC_EXPORT_TIMELINE_HOSTS_H

#include "export/read/processes.h"
#include "export/read/snapshot.h"
#include "export/read/text.h"
#include "export/timeline/filter.h"

struct frec_host {
	size_t index;
	char *name; /* of the machine, in UTF-8; "name (2)" for the second with a name, and so on */
	struct frec_snapshot *snapshot;
	struct frec_processes processes; /* of the snapshot */
	struct frec_filter filter;	 /* which of the snapshot's sources are written */
	/* Added to its CLOCK_MONOTONIC to get the time of the timeline. 0 for the host that booted
	 * first. */
	uint64_t shift;
	/* How far CLOCK_REALTIME may be off, by its readings of the clocks, in ns. How far the
	 * clocks of two hosts differed is not known. */
	uint64_t uncertainty;
	struct frec_snapshot tables; /* `snapshot` points to it if there are several files */
};

struct frec_hosts {
	struct frec_host *hosts; /* in the order of the files */
	size_t count;
	size_t base;	 /* index of the host that booted first: its clock is the timeline's */
	size_t *host_of; /* of each file: index in hosts */
	/* for each file: for each of its sources the index in its host's snapshot */
	size_t **sources;
	size_t file_count;
};

/*
 * Groups the files by host. The files must outlive the hosts. Returns 0; -EINVAL if one of several
 * hosts has no readings of its clocks, so that it cannot be aligned with the others; or -ENOMEM.
 */
int frec__hosts_init(struct frec_hosts *hosts, struct frec_snapshot *const *files, size_t count,
		     const struct frec_filter_options *options, struct frec_error *reterr);
void frec__hosts_deinit(struct frec_hosts *hosts);

/* For formats that know only one machine. The number of a process or thread is prefixed with the
 * index of its host, except on the first (pid 123 of the second is 10000123). If there are several
 * hosts, the suffix for the name of a process is the name of its host. */
int64_t frec__host_number(const struct frec_host *host, uint32_t pid);
void frec__host_suffix(struct frec_text *text, const struct frec_hosts *hosts,
		       const struct frec_host *host);

#endif
