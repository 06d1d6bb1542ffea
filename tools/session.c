// SPDX-License-Identifier: MIT
// Starting and ending a recorder.
#include "tools/session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "proto/report.h"

// What happened goes to stderr and the journal as it happens: the person on call reads it there.
static void written(void *context, const struct frec_reason *reason, const char *path)
{
	(void)context;
	if (!path)
		return;
	if (reason->pid)
		frec__report(LOG_NOTICE, "%s of process %u: snapshot %s", reason->name, reason->pid,
			     path);
	else
		frec__report(LOG_NOTICE, "trigger %s: snapshot %s", reason->name, path);
}

int frec__session_start(struct frec_session *session, const struct frec_record_options *options,
			struct frec_error *reterr)
{
	char folder[100], path[160];
	struct stat status;
	int r;

	session->server.signals = session->server.until = -1;
	r = frec__engine_start(&session->engine, &options->engine, reterr);
	if (r)
		return r;
	session->engine.written = written;
	r = frec__server_init(&session->server, &session->engine, reterr);
	if (!r && options->control) {
		r = frec__server_listen(&session->server, options->control, 0600, reterr);
	} else if (!r) {
		frec__control_folder(folder, sizeof(folder));
		if (mkdir(folder, 0700) && errno != EEXIST)
			r = frec__error(reterr, -errno,
					"%s: cannot make the folder of control sockets: %s", folder,
					strerror(errno));
		else if (lstat(folder, &status) || !S_ISDIR(status.st_mode) ||
			 status.st_uid != geteuid())
			r = frec__error(
				reterr, -EPERM,
				"%s: the folder of control sockets belongs to somebody else",
				folder);
		snprintf(path, sizeof(path), "%s/%d.sock", folder, getpid());
		if (!r)
			r = frec__server_listen(&session->server, path, 0600, reterr);
	}
	if (!r && options->listen)
		r = frec__server_listen(&session->server, options->listen, 0666, reterr);
	if (r)
		frec__session_end(session);
	return r;
}

void frec__session_end(struct frec_session *session)
{
	frec__server_deinit(&session->server);
	frec__engine_stop(&session->engine);
}
