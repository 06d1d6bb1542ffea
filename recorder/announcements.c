// SPDX-License-Identifier: MIT
// Opens what wakes a recorder, and empties it.
#include "recorder/announcements.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "recorder/sources/registrations.h"

// The kernel's messages; those of udev are in another group.
#define KERNEL_GROUP 1
// A date in the year 2262.
#define NEVER (INT64_MAX / 1000000000)

// Lets only messages "online@..." and "offline@..." through: of CPUs, and of blocks of memory,
// which are as rare. A machine that starts containers sends many others.
static int filter_uevents(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x6f6e6c69, 1, 0), // "onli"
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x6f66666c, 0, 1), // "offl"
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

static int open_cpus(void)
{
	const struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP};
	int fd =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);

	if (fd < 0)
		return -errno;
	if (filter_uevents(fd) || bind(fd, (const struct sockaddr *)&address, sizeof(address))) {
		int error = errno;

		close(fd);
		return -error;
	}
	return fd;
}

static int open_time(void)
{
	const struct itimerspec never = {.it_value.tv_sec = NEVER};
	int fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd < 0)
		return -errno;
	if (timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL)) {
		int error = errno;

		close(fd);
		return -error;
	}
	return fd;
}

int frec__announcements_open(struct frec_announcements *announcements, bool user_events,
			     struct frec_error *reterr)
{
	int r = 0, cpus = open_cpus(), time = open_time();

	*announcements = FREC_ANNOUNCEMENTS_NONE;
	if (cpus < 0)
		r = frec__error(reterr, cpus, "no uevents of CPUs: %s", strerror(-cpus));
	else
		announcements->cpus = cpus;
	if (time < 0)
		r = frec__error(reterr, time, "no timer for the time: %s", strerror(-time));
	else
		announcements->time = time;
	if (user_events) {
		int events = frec__registrations_open(&announcements->events, reterr);

		r = events ? events : r;
	}
	return r;
}

void frec__announcements_close(struct frec_announcements *announcements)
{
	if (announcements->cpus >= 0)
		close(announcements->cpus);
	if (announcements->time >= 0)
		close(announcements->time);
	frec__registrations_close(announcements->events);
	*announcements = FREC_ANNOUNCEMENTS_NONE;
}

size_t frec__announcements_poll(const struct frec_announcements *announcements, struct pollfd *fds,
				size_t room)
{
	const int all[FREC_ANNOUNCEMENTS_MAX] = {
		announcements->cpus, announcements->time,
		announcements->events ? frec__registrations_fd(announcements->events) : -1};
	size_t count = 0;

	for (size_t i = 0; i < FREC_ANNOUNCEMENTS_MAX && count < room; i++) {
		if (all[i] >= 0)
			fds[count++] = (struct pollfd){.fd = all[i], .events = POLLIN};
	}
	return count;
}

bool frec__announcements_take(struct frec_announcements *announcements)
{
	bool cpus = false;
	uint64_t expired;
	char message;

	// ENOBUFS means that messages were lost. The kernel reports it once.
	while (announcements->cpus >= 0 && (recv(announcements->cpus, &message, 1, 0) >= 0 ||
					    errno == ENOBUFS || errno == EINTR))
		cpus = true;
	if (announcements->time >= 0 &&
	    (read(announcements->time, &expired, sizeof(expired)) >= 0 || errno == ECANCELED))
		cpus = true;
	if (announcements->events)
		frec__registrations_take(announcements->events);
	return cpus;
}
