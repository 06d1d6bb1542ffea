/* SPDX-License-Identifier: MIT */
/*
 * Hosts: the machines, between one boot and the next, that the files of an export come from. Files
 * of one host share CLOCK_MONOTONIC and the numbers of processes, threads and CPUs; those of
 * different hosts share nothing, and are put beside each other by CLOCK_REALTIME.
 *
 * Writers see hosts, not files: a host's `snapshot` is its file, or what its files say together
 * (its tables: whose sources, processes, clocks are all there, equal sources once), and nobody can
 * read records from it.
 */
#ifndef FREC_EXPORT_TIMELINE_HOSTS_H
#define FREC_EXPORT_TIMELINE_HOSTS_H

#include "export/timeline/filter.h"
#include "export/read/processes.h"
#include "export/read/snapshot.h"
#include "export/read/text.h"

struct frec_host {
	size_t index;
	char *name; /* of the machine; of several with one name "name (2)" and so on. UTF-8 */
	struct frec_snapshot *snapshot;
	struct frec_processes processes; /* of the snapshot */
	struct frec_filter filter;	 /* which of the snapshot's sources are written */
	/* What is added to its CLOCK_MONOTONIC for the time of the timeline: 0 for the host that
	 * booted first. */
	uint64_t shift;
	/* How far its readings of the clocks let CLOCK_REALTIME be off, ns. How far the
	 * clocks of two hosts differed nobody knows. */
	uint64_t uncertainty;
	struct frec_snapshot tables; /* what `snapshot` is where there are several files */
};

struct frec_hosts {
	struct frec_host *hosts; /* in the order of the files */
	size_t count;
	size_t base;	 /* the one that booted first, whose CLOCK_MONOTONIC is the timeline's */
	size_t *host_of; /* of each file: index in hosts */
	/* of each file: for each of its sources the index in its host's snapshot */
	size_t **sources;
	size_t file_count;
};

/*
 * Sorts the files into hosts. They must outlive it. Returns 0; -EINVAL when one of several hosts
 * has no readings of its clocks, so that it cannot be put beside the others; -ENOMEM.
 */
int frec__hosts_init(struct frec_hosts *hosts, struct frec_snapshot *const *files, size_t count,
		     const struct frec_filter_options *options, struct frec_error *reterr);
void frec__hosts_deinit(struct frec_hosts *hosts);

/* For formats that know one machine alone: the number of a process or thread, which for hosts
 * behind the first has the host's in front (pid 123 of the second is 10000123), and what stands
 * behind a process's name: of several hosts its own. */
int64_t frec__host_number(const struct frec_host *host, uint32_t pid);
void frec__host_suffix(struct frec_text *text, const struct frec_hosts *hosts,
		       const struct frec_host *host);

#endif
