// SPDX-License-Identifier: MIT
// Spells out the type, the number and the modifiers of an event.
#include "recorder/import/event_name.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const hardware[] = {
	[PERF_COUNT_HW_CPU_CYCLES] = "cycles",
	[PERF_COUNT_HW_INSTRUCTIONS] = "instructions",
	[PERF_COUNT_HW_CACHE_REFERENCES] = "cache-references",
	[PERF_COUNT_HW_CACHE_MISSES] = "cache-misses",
	[PERF_COUNT_HW_BRANCH_INSTRUCTIONS] = "branches",
	[PERF_COUNT_HW_BRANCH_MISSES] = "branch-misses",
	[PERF_COUNT_HW_BUS_CYCLES] = "bus-cycles",
	[PERF_COUNT_HW_STALLED_CYCLES_FRONTEND] = "stalled-cycles-frontend",
	[PERF_COUNT_HW_STALLED_CYCLES_BACKEND] = "stalled-cycles-backend",
	[PERF_COUNT_HW_REF_CPU_CYCLES] = "ref-cycles",
};

static const char *const software[] = {
	[PERF_COUNT_SW_CPU_CLOCK] = "cpu-clock",
	[PERF_COUNT_SW_TASK_CLOCK] = "task-clock",
	[PERF_COUNT_SW_PAGE_FAULTS] = "page-faults",
	[PERF_COUNT_SW_CONTEXT_SWITCHES] = "context-switches",
	[PERF_COUNT_SW_CPU_MIGRATIONS] = "cpu-migrations",
	[PERF_COUNT_SW_PAGE_FAULTS_MIN] = "minor-faults",
	[PERF_COUNT_SW_PAGE_FAULTS_MAJ] = "major-faults",
	[PERF_COUNT_SW_ALIGNMENT_FAULTS] = "alignment-faults",
	[PERF_COUNT_SW_EMULATION_FAULTS] = "emulation-faults",
	[PERF_COUNT_SW_DUMMY] = "dummy",
	[PERF_COUNT_SW_BPF_OUTPUT] = "bpf-output",
	[PERF_COUNT_SW_CGROUP_SWITCHES] = "cgroup-switches",
};

static const char *const caches[] = {"L1-dcache", "L1-icache", "LLC", "dTLB",
				     "iTLB",	  "branch",    "node"};
static const char *const uses[][2] = {{"-loads", "-load-misses"},
				      {"-stores", "-store-misses"},
				      {"-prefetches", "-prefetch-misses"}};

// Returns the name at `number`, or NULL if the table has none there.
static const char *name_at(const char *const *names, size_t count, __u64 number)
{
	return number < count ? names[number] : NULL;
}

static void name_cache(char *ret, size_t size, __u64 config)
{
	size_t cache = config & 0xff, use = config >> 8 & 0xff, misses = config >> 16;

	if (cache < COUNT(caches) && use < COUNT(uses) && misses < 2)
		snprintf(ret, size, "%s%s", caches[cache], uses[use][misses]);
}

// Adds the modifiers, after a colon.
static void add_modifiers(char *name, size_t size, const struct perf_event_attr *attr)
{
	char modifiers[8] = ":";
	size_t count = 1;

	if (attr->exclude_kernel && !attr->exclude_user)
		modifiers[count++] = 'u';
	if (attr->exclude_user && !attr->exclude_kernel)
		modifiers[count++] = 'k';
	for (unsigned int i = 0; i < attr->precise_ip; i++)
		modifiers[count++] = 'p';
	modifiers[count] = 0;
	if (count > 1)
		strncat(name, modifiers, size - strlen(name) - 1);
}

void frec__event_name(char *ret, size_t size, const struct perf_event_attr *attr)
{
	const char *name = NULL;

	*ret = 0;
	if (attr->type == PERF_TYPE_HARDWARE)
		// A processor with two kinds of cores has the kind in the upper half.
		name = name_at(hardware, COUNT(hardware), attr->config & UINT32_MAX);
	else if (attr->type == PERF_TYPE_SOFTWARE)
		name = name_at(software, COUNT(software), attr->config);
	else if (attr->type == PERF_TYPE_HW_CACHE)
		name_cache(ret, size, attr->config & UINT32_MAX);
	else if (attr->type == PERF_TYPE_RAW)
		snprintf(ret, size, "r%llx", (unsigned long long)attr->config);
	else if (attr->type == PERF_TYPE_BREAKPOINT)
		snprintf(ret, size, "mem:0x%llx", (unsigned long long)attr->bp_addr);
	if (name)
		snprintf(ret, size, "%s", name);
	if (!*ret)
		snprintf(ret, size, "type-%u-0x%llx", attr->type, (unsigned long long)attr->config);
	add_modifiers(ret, size, attr);
}
