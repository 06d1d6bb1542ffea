// SPDX-License-Identifier: MIT
// Loads usdt.bpf.c and sets breakpoints.
#include "recorder/sources/usdt.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/grow.h"
#include "recorder/sources/uprobe_multi.h"
#include "usdt.skel.h"

// The maximum number of sources in one recorder. For each of them and each CPU, the maps have a
// perf event and counts.
#define SLOTS_MAX 1024

// The long no-op comes after the one-byte no-op of a site: see flightrec/site.h.
#define LONG_NOP_OFFSET 1

struct frec_usdt {
	struct usdt_bpf *skeleton;
	struct frec_bpf_output output;
	bool optimised;
	size_t links, descriptors;
	struct bpf_link **link; // one for each breakpoint, if they are set one by one
	int *descriptor;	// descriptors of links, each for all breakpoints of a file
};

static int load(struct frec_usdt *usdt, bool one_by_one)
{
	int r;

	usdt->skeleton = usdt_bpf__open();
	if (!usdt->skeleton)
		return -errno;
	bpf_program__set_autoload(usdt->skeleton->progs.site, one_by_one);
	bpf_program__set_autoload(usdt->skeleton->progs.sites, !one_by_one);
	bpf_program__set_expected_attach_type(usdt->skeleton->progs.sites,
					      (enum bpf_attach_type)FREC_TRACE_UPROBE_MULTI);
	r = frec__bpf_output_size(usdt->skeleton->obj, SLOTS_MAX,
				  &usdt->skeleton->rodata->frec_cpus);
	if (!r)
		r = usdt_bpf__load(usdt->skeleton);
	if (!r)
		r = frec__bpf_output_open(&usdt->output, usdt->skeleton->obj);
	return r;
}

static void unload(struct frec_usdt *usdt)
{
	for (size_t i = 0; i < usdt->descriptors; i++)
		close(usdt->descriptor[i]);
	for (size_t i = 0; i < usdt->links; i++)
		bpf_link__destroy(usdt->link[i]);
	frec__bpf_output_close(&usdt->output);
	usdt_bpf__destroy(usdt->skeleton);
	free(usdt->descriptor);
	free(usdt->link);
	*usdt = (struct frec_usdt){0};
}

static int attach_one(struct frec_usdt *usdt, const char *path,
		      const struct frec_usdt_target *target)
{
	LIBBPF_OPTS(bpf_uprobe_opts, options, .ref_ctr_offset = target->enable,
		    .bpf_cookie = target->slot);
	struct bpf_link *link;

	if (!frec__grow(&usdt->link, usdt->links, sizeof(struct bpf_link *)))
		return -ENOMEM;
	link = bpf_program__attach_uprobe_opts(usdt->skeleton->progs.site, -1, path, target->offset,
					       &options);
	if (!link)
		return -errno;
	usdt->link[usdt->links++] = link;
	return 0;
}

static int attach_all(struct frec_usdt *usdt, const char *path,
		      const struct frec_usdt_target *targets, size_t count)
{
	FREC_FREE uint64_t *numbers = calloc(3 * count + 1, sizeof(*numbers));
	int fd;

	if (!numbers ||
	    !frec__grow(&usdt->descriptor, usdt->descriptors, sizeof(*usdt->descriptor)))
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		numbers[i] = targets[i].offset;
		numbers[count + i] = targets[i].enable;
		numbers[2 * count + i] = targets[i].slot;
	}
	fd = frec__uprobe_multi_attach(bpf_program__fd(usdt->skeleton->progs.sites), path, numbers,
				       numbers + count, numbers + 2 * count, count);
	if (fd < 0)
		return fd;
	usdt->descriptor[usdt->descriptors++] = fd;
	return 0;
}

static int attach(struct frec_usdt *usdt, int fd, const struct frec_usdt_target *targets,
		  size_t count)
{
	bool at_once = bpf_program__fd(usdt->skeleton->progs.sites) >= 0;
	char path[32];
	int r = 0;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (at_once)
		return attach_all(usdt, path, targets, count);
	for (size_t i = 0; i < count && !r; i++)
		r = attach_one(usdt, path, &targets[i]);
	return r;
}

#ifdef __x86_64__
// A site in this program, to find out what the kernel does with a breakpoint at a site.
__attribute__((naked, noinline)) static void own_site(void)
{
	__asm__ volatile("nop\n.byte 0x0f, 0x1f, 0x44, 0x00, 0x00\nret\n");
}

#define OWN_ENABLE 1
static uint32_t own_enable = OWN_ENABLE; // not 0, so that the file contains it

#define CALL_OPCODE 0xe8
#define HITS 16 // the kernel may replace the instruction only after a few hits

struct own_mapping {
	uint64_t address, offset;
	bool found;
};

static void find_own(struct own_mapping *mapping)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];

	while (maps && !mapping->found && fgets(line, sizeof(line), maps)) {
		unsigned long start, end, offset;

		if (sscanf(line, "%lx-%lx %*s %lx", &start, &end, &offset) == 3 &&
		    mapping->address >= start && mapping->address < end) {
			mapping->offset = mapping->address - start + offset;
			mapping->found = true;
		}
	}
	if (maps)
		fclose(maps);
}

static void exit_child(int number)
{
	(void)number;
	_exit(1);
}

// An optimised breakpoint is a call to a page that the kernel maps into the process. On Linux 6.18
// a forked child inherits the call but not the page, so it dies at its first event. This tries the
// site in a child of the recorder. Breakpoints are set on the long no-op only if that child
// survives.
static bool child_survives(void)
{
	pid_t child = fork();
	int status = 1;

	if (!child) {
		signal(SIGSEGV, exit_child);
		own_site();
		_exit(0);
	}
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return !status;
}

// Tries the program on a site of this process. Setting the breakpoint must change the site's enable
// word. Returns 0 or a negative errno.
static int try(struct frec_usdt *usdt)
{
	struct own_mapping site = {.address = (uintptr_t)own_site + LONG_NOP_OFFSET};
	struct own_mapping enable = {.address = (uintptr_t)&own_enable};
	FREC_CLOSE int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct frec_usdt_target target = {.slot = SLOTS_MAX};
	int r;

	find_own(&site);
	find_own(&enable);
	if (fd < 0 || !site.found || !enable.found)
		return -ENOENT;
	target.offset = site.offset;
	target.enable = enable.offset;
	// The slot does not exist, so the program does nothing.
	r = attach(usdt, fd, &target, 1);
	if (r)
		return r;
	// The kernel increments the word only once, even if several recorders listen at the site.
	// Another recorder may have caused the increment before, so the word is compared with its
	// value in the file.
	if (*(volatile uint16_t *)&own_enable == OWN_ENABLE)
		return -ENOTSUP;
	for (int i = 0; i < HITS; i++)
		own_site();
	usdt->optimised =
		*(volatile uint8_t *)(uintptr_t)site.address == CALL_OPCODE && child_survives();
	return 0;
}
#else
static int try(struct frec_usdt *usdt)
{
	(void)usdt;
	return 0;
}
#endif

int frec__usdt_create(struct frec_usdt **ret, bool one_by_one, struct frec_error *reterr)
{
	struct frec_usdt *usdt = calloc(1, sizeof(*usdt));
	int r;

	if (!usdt)
		return frec__error(reterr, -ENOMEM, "out of memory");
	libbpf_set_print(NULL);
	r = load(usdt, one_by_one);
	if (!r)
		r = try(usdt);
	if (r && !one_by_one) {
		unload(usdt);
		r = load(usdt, true);
		if (!r)
			r = try(usdt);
	}
	if (r) {
		frec__usdt_destroy(usdt);
		return frec__error(
			reterr, r,
			"no breakpoints at the sites of events: %s: they need root, or CAP_BPF and "
			"CAP_PERFMON, and Linux 5.15 with CONFIG_UPROBES and CONFIG_BPF_EVENTS",
			strerror(-r));
	}
	*ret = usdt;
	return 0;
}

void frec__usdt_destroy(struct frec_usdt *usdt)
{
	if (!usdt)
		return;
	unload(usdt);
	free(usdt);
}

struct frec_bpf_output *frec__usdt_output(struct frec_usdt *usdt)
{
	return &usdt->output;
}

bool frec__usdt_optimised(const struct frec_usdt *usdt)
{
	return usdt->optimised;
}

int frec__usdt_attach(struct frec_usdt *usdt, int fd, const struct frec_usdt_target *targets,
		      size_t count, struct frec_error *reterr)
{
	FREC_FREE struct frec_usdt_target *moved = calloc(count + 1, sizeof(*moved));
	int r = moved ? 0 : -ENOMEM;

	for (size_t i = 0; i < count && moved; i++) {
		moved[i] = targets[i];
		moved[i].offset += usdt->optimised ? LONG_NOP_OFFSET : 0;
	}
	if (!r)
		r = attach(usdt, fd, moved, count);
	return r ? frec__error(reterr, r, "breakpoints at %zu sites: %s", count, strerror(-r)) : 0;
}
