// SPDX-License-Identifier: MIT
// Loads registrations.bpf.c. A BPF program on a kprobe runs on every CPU. Perf events on a kprobe
// would be needed for each CPU, and the kernel would wait for a grace period when each is closed.
#include "recorder/sources/registrations.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "registrations.skel.h"

// The functions that make the folder of an event in tracefs. Which ones a kernel has, and calls for
// this, has changed. There are no kprobes on the functions of user_events themselves, because the
// kernel does not allow them on anything in kernel/trace.
//
// The folder is made early in the registration. But user_events_status cannot be read before the
// registration has ended, because both hold the same lock.
static const char *const functions[] = {"eventfs_create_dir", "eventfs_add_dir",
					"tracefs_create_dir"};
#define FUNCTIONS (sizeof(functions) / sizeof(functions[0]))

struct frec_registrations {
	struct registrations_bpf *skeleton;
	struct bpf_link *link[FUNCTIONS];
	struct ring_buffer *ring;
};

static int ignore(void *context, void *data, size_t size)
{
	(void)context;
	(void)data;
	(void)size;
	return 0;
}

// Returns 0, or a negative errno if none of the functions can be probed.
static int attach(struct frec_registrations *registrations)
{
	int r = -ENOENT;

	for (size_t i = 0; i < FUNCTIONS; i++) {
		registrations->link[i] = bpf_program__attach_kprobe(
			registrations->skeleton->progs.registered, false, functions[i]);
		if (registrations->link[i])
			r = 0;
		else if (r && errno != ENOENT)
			r = -errno;
	}
	return r;
}

static int load(struct frec_registrations *registrations)
{
	struct registrations_bpf *skeleton;
	int r;

	libbpf_set_print(NULL);
	skeleton = registrations->skeleton = registrations_bpf__open();
	if (!skeleton)
		return -errno;
	r = bpf_map__set_max_entries(skeleton->maps.registrations, (uint32_t)sysconf(_SC_PAGESIZE));
	if (!r)
		r = registrations_bpf__load(skeleton);
	if (r)
		return r;
	registrations->ring =
		ring_buffer__new(bpf_map__fd(skeleton->maps.registrations), ignore, NULL, NULL);
	if (!registrations->ring)
		return -errno;
	return attach(registrations);
}

int frec__registrations_open(struct frec_registrations **ret, struct frec_error *reterr)
{
	struct frec_registrations *registrations = calloc(1, sizeof(*registrations));
	int r = registrations ? load(registrations) : -ENOMEM;

	if (r) {
		frec__registrations_close(registrations);
		return frec__error(reterr, r, "registrations of user_events cannot be probed: %s",
				   strerror(-r));
	}
	*ret = registrations;
	return 0;
}

int frec__registrations_fd(const struct frec_registrations *registrations)
{
	return ring_buffer__epoll_fd(registrations->ring);
}

void frec__registrations_take(struct frec_registrations *registrations)
{
	(void)ring_buffer__consume(registrations->ring);
}

void frec__registrations_close(struct frec_registrations *registrations)
{
	if (!registrations)
		return;
	for (size_t i = 0; i < FUNCTIONS; i++)
		bpf_link__destroy(registrations->link[i]);
	ring_buffer__free(registrations->ring);
	registrations_bpf__destroy(registrations->skeleton);
	free(registrations);
}
