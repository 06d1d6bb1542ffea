// SPDX-License-Identifier: MIT
// Probes of BPF programs at places in the kernel, and of their records in a ring.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "recorder/doctor/probe_trial.h"
#include "recorder/doctor/probes_internal.h"
#include "recorder/rings/perf.h"
#include "recorder/rings/perf_ring.h"

#define BTF_MAGIC 0xEB9F

// A thread that sets its name, even to the name that it has, reaches task_rename before the call
// returns. A sleep might not reach sched_switch: on a busy machine the sleep can end before the
// thread has been switched out.
void frec__probe_raw_tracepoint(struct frec_probe_result *ret)
{
	FREC_TRIAL trial = frec__trial_open("raw_tracepoint");
	char name[16];

	if (!trial.r)
		frec__trial_attach(&trial, "attaching to task_rename");
	if (trial.r) {
		frec__probe_refused(ret, trial.r, trial.step, FREC_PROBE_RIGHT_BPF_PERFMON,
				    "CONFIG_BPF_SYSCALL=y and CONFIG_BPF_EVENTS=y");
		return;
	}
	if (!prctl(PR_GET_NAME, name) && !prctl(PR_SET_NAME, name) && trial.skeleton->bss->runs)
		frec__probe_found(ret, FREC_PROBE_OK, "a BPF program ran at task_rename");
	else
		frec__probe_found(ret, FREC_PROBE_MISSING,
				  "a BPF program at task_rename did not run");
}

void frec__probe_fentry(struct frec_probe_result *ret)
{
	FREC_CLOSE int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	FREC_TRIAL trial = frec__trial_open("function_entry");
	char byte;

	if (!trial.r)
		frec__trial_attach(&trial, "attaching to vfs_read");
	if (trial.r) {
		frec__probe_refused(ret, trial.r, trial.step, FREC_PROBE_RIGHT_BPF_PERFMON,
				    "CONFIG_DEBUG_INFO_BTF=y and CONFIG_FUNCTION_TRACER=y");
		return;
	}
	if (read(file, &byte, 1) == 1 && trial.skeleton->bss->runs)
		frec__probe_found(ret, FREC_PROBE_OK, "a BPF program ran at the entry of vfs_read");
	else
		frec__probe_found(ret, FREC_PROBE_MISSING, "a BPF program at vfs_read did not run");
}

void frec__probe_btf(struct frec_probe_result *ret)
{
	FREC_CLOSE int fd = open("/sys/kernel/btf/vmlinux", O_RDONLY | O_CLOEXEC);
	uint16_t magic = 0;

	if (fd >= 0 && read(fd, &magic, sizeof(magic)) == sizeof(magic) && magic == BTF_MAGIC) {
		frec__probe_found(ret, FREC_PROBE_OK, "/sys/kernel/btf/vmlinux");
		return;
	}
	frec__probe_found(ret, FREC_PROBE_MISSING, "/sys/kernel/btf/vmlinux: %s",
			  fd < 0 ? strerror(errno) : "not BTF");
	frec__probe_advise(ret, "boot a kernel built with CONFIG_DEBUG_INFO_BTF=y");
}

// Opens the event that the BPF program writes to, redirects the event into the ring, and runs the
// program on the ring's CPU.
static int write_into(struct frec_trial *trial, const struct frec_ring *ring)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .flags = BPF_F_TEST_RUN_ON_CPU,
		    .cpu = (uint32_t)ring->cpu);
	struct perf_event_attr attr;
	struct frec_error error;

	frec__perf_attr_init(&attr, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_BPF_OUTPUT);
	attr.sample_type |= PERF_SAMPLE_RAW;
	attr.write_backward = 1;
	attr.disabled = 0;
	attr.sample_period = 1;
	trial->step = "opening an event for BPF's records";

	FREC_CLOSE int fd = frec__perf_open(&attr, ring->cpu, &error);

	if (fd < 0)
		return fd;
	trial->step = "redirecting it into a ring";
	if (ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, ring->fd))
		return -errno;
	if (bpf_map_update_elem(bpf_map__fd(trial->skeleton->maps.rings), &ring->cpu, &fd, BPF_ANY))
		return -errno;
	trial->step = "running a BPF program";
	if (bpf_prog_test_run_opts(bpf_program__fd(trial->program), &options))
		return -errno;
	trial->step = "writing a record";
	return options.retval || !frec__ring_written(ring) ? -ENODATA : 0;
}

void frec__probe_bpf_output(struct frec_probe_result *ret)
{
	FREC_TRIAL trial = frec__trial_open("output");
	struct frec_error error;
	struct frec_ring ring;

	if (!trial.r) {
		trial.step = "opening a ring";
		trial.r = frec__perf_ring_open(&ring, sched_getcpu(), FREC_RING_SIZE_MIN, &error);
		if (!trial.r) {
			trial.r = write_into(&trial, &ring);
			frec__ring_close(&ring);
		}
	}
	if (trial.r)
		frec__probe_refused(
			ret, trial.r, trial.step, FREC_PROBE_RIGHT_BPF_PERFMON,
			"CONFIG_BPF_SYSCALL=y, CONFIG_BPF_EVENTS=y and CONFIG_PERF_EVENTS=y");
	else
		frec__probe_found(ret, FREC_PROBE_OK, "a BPF program's record arrived in a ring");
}
