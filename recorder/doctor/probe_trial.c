// SPDX-License-Identifier: MIT
// Loads one program of probe.bpf.c and attaches it.
#include "recorder/doctor/probe_trial.h"

#include <errno.h>
#include <link.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "recorder/doctor/probe_site.h"
#include "recorder/sources/uprobe_multi.h"

void frec__trial_detach(struct frec_trial *trial)
{
	bpf_link__destroy(trial->link);
	if (trial->descriptor >= 0)
		close(trial->descriptor);
	trial->link = NULL;
	trial->descriptor = -1;
}

void frec__trial_close(struct frec_trial *trial)
{
	frec__trial_detach(trial);
	probe_bpf__destroy(trial->skeleton);
}

// `multi`: the program is to be attached by a multi-uprobe link.
static struct frec_trial load(const char *name, bool multi)
{
	struct frec_trial trial = {.descriptor = -1, .step = "loading a BPF program"};
	struct bpf_program *program;
	struct stat space;

	libbpf_set_print(NULL);
	trial.skeleton = probe_bpf__open();
	if (!trial.skeleton) {
		trial.r = -errno;
		return trial;
	}
	bpf_object__for_each_program(program, trial.skeleton->obj)
	{
		if (strcmp(bpf_program__name(program), name))
			bpf_program__set_autoload(program, false);
		else
			trial.program = program;
	}
	if (multi)
		bpf_program__set_expected_attach_type(
			trial.program, (enum bpf_attach_type)FREC_TRACE_UPROBE_MULTI);
	trial.skeleton->rodata->process = (uint32_t)getpid();
	if (!stat("/proc/self/ns/pid", &space)) {
		// The kernel has its own encoding of device numbers.
		trial.skeleton->rodata->space_device =
			(uint64_t)major(space.st_dev) << 20 | minor(space.st_dev);
		trial.skeleton->rodata->space_inode = space.st_ino;
	}
	trial.r = probe_bpf__load(trial.skeleton);
	return trial;
}

static void attached(struct frec_trial *trial, struct bpf_link *link, const char *step)
{
	trial->link = link;
	if (!link) {
		trial->r = -errno;
		trial->step = step;
	}
}

struct frec_trial frec__trial_open(const char *name)
{
	return load(name, false);
}

void frec__trial_attach(struct frec_trial *trial, const char *step)
{
	attached(trial, bpf_program__attach(trial->program), step);
}

struct place {
	uintptr_t address;
	uint64_t offset;
};

// Looks only at the first object, which is the program itself: the sites are in no library.
static int find_in_program(struct dl_phdr_info *object, size_t size, void *context)
{
	struct place *place = context;

	(void)size;
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
		uintptr_t start = object->dlpi_addr + segment->p_vaddr;

		if (segment->p_type == PT_LOAD && place->address - start < segment->p_filesz)
			place->offset = place->address - start + segment->p_offset;
	}
	return 1;
}

static uint64_t offset_in_file(const volatile void *address)
{
	struct place place = {.address = (uintptr_t)address};

	dl_iterate_phdr(find_in_program, &place);
	return place.offset;
}

static void attach_multi(struct frec_trial *trial, uint64_t offset, uint64_t semaphore,
			 uint64_t cookie)
{
	trial->step = "attaching to a site of this program";
	trial->descriptor = frec__uprobe_multi_attach(
		bpf_program__fd(trial->program), "/proc/self/exe", &offset, &semaphore, &cookie, 1);
	trial->r = trial->descriptor < 0 ? trial->descriptor : 0;
}

static void attach_single(struct frec_trial *trial, uint64_t offset, uint64_t semaphore,
			  uint64_t cookie)
{
	LIBBPF_OPTS(bpf_uprobe_opts, options, .bpf_cookie = cookie, .ref_ctr_offset = semaphore);

	attached(trial,
		 bpf_program__attach_uprobe_opts(trial->program, -1, "/proc/self/exe", offset,
						 &options),
		 "attaching to a site of this program");
}

struct frec_trial frec__trial_open_at(const char *name, const uint8_t *site, uint64_t cookie)
{
	uint64_t offset = offset_in_file(site);
	uint64_t semaphore = offset_in_file(&frec__probe_site_semaphore);
	struct frec_trial trial = load(name, true);

	if (!trial.r)
		attach_multi(&trial, offset, semaphore, cookie);
	if (!trial.r || trial.r == -EPERM || trial.r == -EACCES)
		return trial;
	frec__trial_close(&trial);
	trial = load(name, false);
	if (!trial.r)
		attach_single(&trial, offset, semaphore, cookie);
	return trial;
}
