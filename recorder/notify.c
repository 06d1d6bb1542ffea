// SPDX-License-Identifier: MIT
// The protocol of sd_notify(3), without a library.
#include "recorder/notify.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <syslog.h>
#include <unistd.h>

#include "proto/report.h"

#define MESSAGE_MAX 1024
// The longest watchdog time, in microseconds. A longer one is taken for a mistake.
#define WATCHDOG_MAX (UINT64_MAX / 1000)

// Sets the address to the socket `name`. Returns 0, or -EAFNOSUPPORT or -ENAMETOOLONG.
static int set_address(struct frec_notify *notify, const char *name)
{
	size_t length = strlen(name);

	if (*name != '/' && *name != '@')
		return -EAFNOSUPPORT;
	if (length < 2 || length >= sizeof(notify->address.sun_path))
		return -ENAMETOOLONG;
	notify->address = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(notify->address.sun_path, name, length);
	notify->size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	if (*name == '@') // an abstract name begins with a NUL and ends where the address ends
		notify->address.sun_path[0] = 0;
	else
		notify->size++;
	return 0;
}

// Returns the whole number in `text`, or 0 if that is not a number.
static uint64_t number_in(const char *text)
{
	unsigned long long number;
	char *end;

	if (!text || *text < '0' || *text > '9')
		return 0;
	errno = 0;
	number = strtoull(text, &end, 10);
	return *end || errno ? 0 : number;
}

static void open_watchdog(struct frec_notify *notify)
{
	const char *time = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	uint64_t microseconds = number_in(time), half = microseconds * 500;
	struct itimerspec every = {0};

	// The variables may have been inherited from a service that started this process. Then
	// WATCHDOG_PID names another process.
	if (!time || (pid && number_in(pid) != (uint64_t)getpid()))
		return;
	if (!microseconds || microseconds > WATCHDOG_MAX) {
		frec__report(LOG_WARNING,
			     "WATCHDOG_USEC=%s: not a number of microseconds: the "
			     "watchdog gets no answers",
			     time);
		return;
	}
	every.it_interval.tv_sec = (time_t)(half / 1000000000);
	every.it_interval.tv_nsec = (long)(half % 1000000000);
	every.it_value = every.it_interval;
	notify->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (notify->timer < 0 || timerfd_settime(notify->timer, 0, &every, NULL))
		frec__report(LOG_WARNING, "no timer for the watchdog: %s", strerror(errno));
}

void frec__notify_open(struct frec_notify *notify)
{
	const char *name = getenv("NOTIFY_SOCKET");
	const struct timeval patience = {.tv_sec = 1};
	int r;

	*notify = FREC_NOTIFY_NONE;
	if (!name || !*name)
		return;
	r = set_address(notify, name);
	if (!r) {
		notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		r = notify->fd < 0 ? -errno : 0;
	}
	if (r) {
		frec__report(LOG_WARNING,
			     "NOTIFY_SOCKET=%s: %s: the service manager is told "
			     "nothing",
			     name, strerror(-r));
		return;
	}
	setsockopt(notify->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	open_watchdog(notify);
}

void frec__notify_close(struct frec_notify *notify)
{
	if (notify->fd >= 0)
		close(notify->fd);
	if (notify->timer >= 0)
		close(notify->timer);
	*notify = FREC_NOTIFY_NONE;
}

// A manager that is gone or restarts is no reason to stop recording, so errors are ignored.
static void send_text(const struct frec_notify *notify, const char *text)
{
	(void)sendto(notify->fd, text, strlen(text), MSG_NOSIGNAL,
		     (const struct sockaddr *)&notify->address, notify->size);
}

void frec__notify(const struct frec_notify *notify, const char *state, const char *format, ...)
{
	char message[MESSAGE_MAX], status[MESSAGE_MAX - 64];
	va_list arguments;

	if (notify->fd < 0)
		return;
	va_start(arguments, format);
	vsnprintf(status, sizeof(status), format, arguments);
	va_end(arguments);
	for (char *p = status; *p; p++) {
		if (iscntrl((unsigned char)*p))
			*p = '?';
	}
	snprintf(message, sizeof(message), "%s%sSTATUS=%s", state ? state : "", state ? "\n" : "",
		 status);
	send_text(notify, message);
}

void frec__notify_alive(const struct frec_notify *notify)
{
	uint64_t expired;

	if (notify->timer >= 0 && read(notify->timer, &expired, sizeof(expired)) == sizeof(expired))
		send_text(notify, "WATCHDOG=1");
}
