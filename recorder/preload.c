// SPDX-License-Identifier: MIT
// Registering the user events of a program that is about to start.
#include "recorder/preload.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/report.h"
#include "recorder/declared/declared_files.h"
#include "recorder/declared/declared_kinds.h"
#include "recorder/service/data_file.h"

// The enable word of each event. The kernel writes these words, but nobody reads them, because this
// process emits nothing. The kernel keeps the addresses until the process ends, so the words are
// never freed.
static uint32_t enabled[FREC_SOURCES_MAX];

void frec__preload_init(struct frec_preload *preload)
{
	preload->events_fd = -1;
}

void frec__preload_deinit(struct frec_preload *preload)
{
	if (preload->events_fd >= 0)
		close(preload->events_fd);
	preload->events_fd = -1;
}

static int register_events(int fd, const struct frec_source_set *sources, struct frec_error *reterr)
{
	const struct frec_declarations *declarations = sources->declarations;

	for (size_t i = 0; i < declarations->count && i < FREC_SOURCES_MAX; i++) {
		const struct frec_declared *event = &declarations->event[i];
		FREC_FREE char *registration = NULL;
		uint32_t index;
		int r;

		if (!frec__selections_match(sources->selections, event))
			continue;
		registration = frec__declared_registration(event);
		if (!registration)
			return frec__error(reterr, -ENOMEM, "out of memory");
		r = frec__data_file_register(fd, registration, &enabled[i], FREC__USER_EVENTS_BIT,
					     &index);
		if (r)
			frec__report(LOG_WARNING,
				     "%s:%s cannot be registered before its program starts: %s",
				     event->provider, event->name, strerror(-r));
	}
	return 0;
}

int frec__preload_file(struct frec_preload *preload, struct frec_source_set *sources,
		       const char *path, struct frec_error *reterr)
{
	int r = frec__declarations_add_file(sources->declarations, path, true);

	if (r)
		return frec__error(reterr, r, "%s: %s", path, strerror(-r));
	if (!sources->user_events)
		return 0;
	if (preload->events_fd < 0)
		preload->events_fd =
			openat(sources->tracefs, "user_events_data", O_WRONLY | O_CLOEXEC);
	if (preload->events_fd < 0)
		return frec__error(reterr, -errno,
				   "user_events_data: %s: 'flightrec doctor' tells more",
				   strerror(errno));
	r = register_events(preload->events_fd, sources, reterr);
	if (!r)
		r = frec__source_set_find(sources, true, reterr);
	return r ? r : frec__source_set_reserve(sources, reterr);
}
