// SPDX-License-Identifier: MIT
// Groups files by host, joins the tables of each host's files, and aligns the clocks of the hosts.
#include "export/timeline/hosts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export/read/text.h"
#include "proto/cleanup.h"

// Returns the boot id of the file's host. If a file has no boot id, returns "", and the file counts
// as a separate host.
static const char *boot_id(const struct frec_snapshot *file)
{
	return file->header->host ? file->header->host->boot_id : "";
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

// Sets *ret_zero to the CLOCK_REALTIME at which CLOCK_MONOTONIC was 0, according to the host's last
// reading of both. Somebody may have set CLOCK_REALTIME between two readings, so host->uncertainty
// becomes the largest difference between any reading and *ret_zero, plus the uncertainty of that
// reading. Returns false if the host has no readings.
static bool find_zero(struct frec_host *host, uint64_t *ret_zero)
{
	const struct frec_snapshot *snapshot = host->snapshot;
	const Flightrec__Clocks *last = NULL;

	for (size_t i = 0; i < snapshot->clocks_count; i++) {
		if (!last || snapshot->clocks[i]->monotonic >= last->monotonic)
			last = snapshot->clocks[i];
	}
	if (!last)
		return false;
	*ret_zero = last->realtime - last->monotonic;
	for (size_t i = 0; i < snapshot->clocks_count; i++) {
		const Flightrec__Clocks *clocks = snapshot->clocks[i];
		uint64_t off = distance(clocks->realtime - clocks->monotonic, *ret_zero);

		off += clocks->uncertainty;
		if (off > host->uncertainty)
			host->uncertainty = off;
	}
	return true;
}

// A packed source without those members, such as its id, that can differ from file to file. Sources
// with equal signatures are one source to writers.
struct signature {
	uint8_t *data;
	size_t size, file, index;
};

static bool sign(struct signature *signature, const Flightrec__Source *source)
{
	Flightrec__Source copy = *source;

	copy.id = copy.tracepoint_id = copy.crc32c = 0;
	copy.since = 0;
	copy.kernel_name = copy.format = copy.filter = (char *)"";
	signature->size = flightrec__source__get_packed_size(&copy);
	signature->data = malloc(signature->size + 1);
	if (!signature->data)
		return false;
	flightrec__source__pack(&copy, signature->data);
	return true;
}

static int compare_bytes(const struct signature *x, const struct signature *y)
{
	if (x->size != y->size)
		return (x->size > y->size) - (x->size < y->size);
	return memcmp(x->data, y->data, x->size);
}

static int by_bytes(const void *a, const void *b)
{
	const struct signature *x = a, *y = b;
	int order = compare_bytes(x, y);

	if (order)
		return order;
	if (x->file != y->file)
		return (x->file > y->file) - (x->file < y->file);
	return (x->index > y->index) - (x->index < y->index);
}

static int by_place(const void *a, const void *b)
{
	const struct signature *const *x = a, *const *y = b;

	if ((*x)->file != (*y)->file)
		return ((*x)->file > (*y)->file) - ((*x)->file < (*y)->file);
	return ((*x)->index > (*y)->index) - ((*x)->index < (*y)->index);
}

// Joins the sources of the host's files. Equal sources become one. The order is that in which they
// first occur. Returns false if memory runs out.
static bool join_sources(struct frec_hosts *hosts, struct frec_host *host,
			 struct frec_snapshot *const *files, struct signature *signatures,
			 size_t count)
{
	Flightrec__Source **sources = calloc(count + 1, sizeof(*sources));
	FREC_FREE struct signature **firsts = calloc(count + 1, sizeof(struct signature *));
	size_t kinds = 0;

	host->tables.sources = sources;
	if (!sources || !firsts)
		return false;
	qsort(signatures, count, sizeof(*signatures), by_bytes);
	for (size_t i = 0; i < count; i++) {
		if (!i || compare_bytes(&signatures[i - 1], &signatures[i]))
			firsts[kinds++] = &signatures[i];
	}
	qsort(firsts, kinds, sizeof(struct signature *), by_place);
	for (size_t i = 0; i < kinds; i++) {
		struct signature *end = signatures + count;

		sources[i] = files[firsts[i]->file]->sources[firsts[i]->index];
		for (struct signature *s = firsts[i]; s < end && !compare_bytes(s, firsts[i]); s++)
			hosts->sources[s->file][s->index] = i;
	}
	host->tables.source_count = kinds;
	return true;
}

static bool join_all_sources(struct frec_hosts *hosts, struct frec_host *host,
			     struct frec_snapshot *const *files)
{
	struct signature *signatures;
	size_t count = 0, signed_count = 0;
	bool done = true;

	for (size_t f = 0; f < hosts->file_count; f++)
		count += hosts->host_of[f] == host->index ? files[f]->source_count : 0;
	signatures = calloc(count + 1, sizeof(*signatures));
	for (size_t f = 0; signatures && f < hosts->file_count && done; f++) {
		if (hosts->host_of[f] != host->index)
			continue;
		for (size_t i = 0; i < files[f]->source_count && done; i++) {
			struct signature *signature = &signatures[signed_count++];

			*signature = (struct signature){.file = f, .index = i};
			done = sign(signature, files[f]->sources[i]);
		}
	}
	done = signatures && done && join_sources(hosts, host, files, signatures, count);
	while (signatures && signed_count)
		free(signatures[--signed_count].data);
	free(signatures);
	return done;
}

// Appends the list `more` to `list`, which is reallocated. Returns the new list, or NULL if memory
// runs out.
static void *append(const void *list, size_t *count, const void *more, size_t more_count,
		    size_t size)
{
	uint8_t *grown = reallocarray((void *)list, *count + more_count + 1, size);

	if (!grown)
		return NULL;
	if (more_count)
		memcpy(grown + *count * size, more, more_count * size);
	*count += more_count;
	return grown;
}

#define JOIN(list, number) \
	do { \
		void *grown = append(tables->list, &tables->number, file->list, file->number, \
				     sizeof(*file->list)); \
		if (!grown) \
			return false; \
		tables->list = grown; \
	} while (0)

static bool join_file(struct frec_snapshot *tables, const struct frec_snapshot *file)
{
	JOIN(processes, process_count);
	JOIN(cpus, cpu_count);
	JOIN(clocks, clocks_count);
	JOIN(thread_stacks, thread_stack_count);
	JOIN(kernel_symbols, kernel_symbols_count);
	JOIN(chunks, chunk_count);
	return true;
}

static int by_time(const void *a, const void *b)
{
	const Flightrec__Clocks *const *x = a, *const *y = b;

	return ((*x)->monotonic > (*y)->monotonic) - ((*x)->monotonic < (*y)->monotonic);
}

// Joins the tables of the host's files, except their losses, which cannot be added up if the files
// overlap. Returns false if memory runs out.
static bool join(struct frec_hosts *hosts, struct frec_host *host,
		 struct frec_snapshot *const *files)
{
	for (size_t f = 0; f < hosts->file_count; f++) {
		if (hosts->host_of[f] != host->index)
			continue;
		if (!host->tables.header) {
			host->tables.header = files[f]->header;
			host->tables.name = files[f]->name;
			host->tables.trigger = files[f]->trigger;
		}
		if (!host->tables.crash)
			host->tables.crash = files[f]->crash;
		if (!join_file(&host->tables, files[f]))
			return false;
	}
	// Code that reads the tables expects the clocks in order of time.
	qsort((void *)host->tables.clocks, host->tables.clocks_count, sizeof(*host->tables.clocks),
	      by_time);
	host->snapshot = &host->tables;
	return join_all_sources(hosts, host, files);
}

static void free_tables(struct frec_snapshot *tables)
{
	free((void *)tables->sources);
	free((void *)tables->processes);
	free((void *)tables->cpus);
	free((void *)tables->clocks);
	free((void *)tables->thread_stacks);
	free((void *)tables->kernel_symbols);
	free(tables->chunks);
}

static bool name_host(struct frec_hosts *hosts, struct frec_host *host)
{
	const Flightrec__Host *from = host->snapshot->header->host;
	struct frec_text name = {0};
	size_t same = 1;

	if (from && from->hostname.len)
		frec__text_utf8(&name, from->hostname.data, from->hostname.len);
	else
		frec__text_puts(&name, "unknown host");
	for (size_t i = 0; i < host->index && !name.failed; i++) {
		const char *other = hosts->hosts[i].name;

		same += !strncmp(other, name.data, name.size) &&
			(!other[name.size] || other[name.size] == ' ');
	}
	if (same > 1)
		frec__text_printf(&name, " (%zu)", same);
	if (name.failed) {
		frec__text_free(&name);
		return false;
	}
	host->name = name.data;
	return true;
}

// Numbers the hosts in the order of the files. Returns false if memory runs out.
static bool number(struct frec_hosts *hosts, struct frec_snapshot *const *files)
{
	for (size_t f = 0; f < hosts->file_count; f++) {
		size_t other = 0;

		while (other < f &&
		       (!*boot_id(files[f]) || strcmp(boot_id(files[other]), boot_id(files[f]))))
			other++;
		hosts->host_of[f] = other < f ? hosts->host_of[other] : hosts->count++;
		hosts->sources[f] = calloc(files[f]->source_count + 1, sizeof(**hosts->sources));
		if (!hosts->sources[f])
			return false;
		for (size_t i = 0; i < files[f]->source_count; i++)
			hosts->sources[f][i] = i;
	}
	hosts->hosts = calloc(hosts->count + 1, sizeof(*hosts->hosts));
	return hosts->hosts;
}

// Makes the timeline use the clock of the host that booted first, so that no time is negative.
// Returns 0, or -EINVAL if a host has no reading of its clocks.
static int align(struct frec_hosts *hosts, struct frec_error *reterr)
{
	uint64_t first = UINT64_MAX;

	for (size_t i = 0; i < hosts->count; i++) {
		struct frec_host *host = &hosts->hosts[i];

		if (!find_zero(host, &host->shift))
			return frec__error(
				reterr, -EINVAL,
				"%s: has no reading of its clocks, so it cannot be aligned with "
				"files of another boot: export it alone",
				host->snapshot->name);
		if (host->shift < first) {
			first = host->shift;
			hosts->base = i;
		}
	}
	for (size_t i = 0; i < hosts->count; i++)
		hosts->hosts[i].shift -= first;
	return 0;
}

static int fill(struct frec_hosts *hosts, struct frec_snapshot *const *files,
		const struct frec_filter_options *options, struct frec_error *reterr)
{
	FREC_FREE size_t *counts = calloc(hosts->count + 1, sizeof(*counts));
	int r = counts ? 0 : -ENOMEM;

	for (size_t f = 0; f < hosts->file_count && !r; f++) {
		struct frec_host *host = &hosts->hosts[hosts->host_of[f]];

		host->index = hosts->host_of[f];
		host->snapshot = files[f];
		counts[host->index]++;
	}
	for (size_t i = 0; i < hosts->count && !r; i++) {
		struct frec_host *host = &hosts->hosts[i];

		if (counts[i] > 1 && !join(hosts, host, files))
			r = -ENOMEM;
		if (!r)
			r = frec__processes_init(&host->processes, host->snapshot);
		if (!r && !name_host(hosts, host))
			r = -ENOMEM;
		if (!r) {
			r = frec__filter_init(&host->filter, host->snapshot, options, reterr);
			if (r)
				return r;
		}
	}
	return r ? frec__error(reterr, r, "out of memory") : 0;
}

int frec__hosts_init(struct frec_hosts *hosts, struct frec_snapshot *const *files, size_t count,
		     const struct frec_filter_options *options, struct frec_error *reterr)
{
	int r;

	*hosts = (struct frec_hosts){
		.file_count = count,
		.host_of = calloc(count + 1, sizeof(*hosts->host_of)),
		.sources = calloc(count + 1, sizeof(*hosts->sources)),
	};
	if (hosts->host_of && hosts->sources && number(hosts, files))
		r = fill(hosts, files, options, reterr);
	else
		r = frec__error(reterr, -ENOMEM, "out of memory");
	if (!r && hosts->count > 1)
		r = align(hosts, reterr);
	if (r)
		frec__hosts_deinit(hosts);
	return r;
}

void frec__hosts_deinit(struct frec_hosts *hosts)
{
	for (size_t i = 0; hosts->hosts && i < hosts->count; i++) {
		struct frec_host *host = &hosts->hosts[i];

		frec__filter_deinit(&host->filter);
		frec__processes_deinit(&host->processes);
		free_tables(&host->tables);
		free(host->name);
	}
	for (size_t f = 0; hosts->sources && f < hosts->file_count; f++)
		free(hosts->sources[f]);
	free(hosts->hosts);
	free(hosts->host_of);
	free(hosts->sources);
	*hosts = (struct frec_hosts){0};
}

// This is more than any pid, because pids are below 2^22, and is easy to recognize in decimal.
#define NUMBERS 10000000

int64_t frec__host_number(const struct frec_host *host, uint32_t pid)
{
	return (int64_t)host->index * NUMBERS + (int32_t)pid;
}

void frec__host_suffix(struct frec_text *text, const struct frec_hosts *hosts,
		       const struct frec_host *host)
{
	if (hosts->count > 1)
		frec__text_printf(text, " (%s)", host->name);
}
