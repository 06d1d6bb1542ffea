// SPDX-License-Identifier: MIT
// Starting and ending a recorder.
#include "recorder/session.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <syslog.h>
#include <unistd.h>

#include "proto/report.h"
#include "proto/rights.h"
#include "recorder/answers.h"
#include "recorder/control_listen.h"
#include "recorder/engine_start.h"
#include "recorder/lineage.h"
#include "recorder/notices.h"
#include "recorder/own_process.h"
#include "recorder/processes/process_end.h"
#include "recorder/service/control.h"

// After each attempt to write a snapshot, sends notices to the clients that asked for them. Reports
// a snapshot that was written on stderr and in the journal, where the person on call looks.
static void report_written(void *context, const struct frec_snapshot_job *job, const char *path,
			   int code)
{
	struct frec_session *session = context;
	const struct frec_reason *reason = job->reason;
	char more[80] = "";

	frec__notices_send(&session->server.clients, job, path, code);
	if (!path)
		return;
	frec__notify(&session->server.notify, NULL, "Recording; the last snapshot is %s", path);
	if (reason->coalesced)
		snprintf(more, sizeof(more), " (also for %" PRIu64 " %s before it)",
			 reason->coalesced, reason->pid ? "such deaths" : "such triggers");
	if (reason->pid)
		frec__report(LOG_NOTICE, "%s of process %u: snapshot %s%s", reason->name,
			     reason->pid, path, more);
	else
		frec__report(LOG_NOTICE, "trigger %s: snapshot %s%s", reason->name, path, more);
}

// Where $XDG_RUNTIME_DIR of this user usually is: for services, which do not have the variable, and
// for a program that uses none. Returns whether there is such a folder.
static bool usual_runtime_folder(char *ret, size_t size)
{
	struct stat status;

	snprintf(ret, size, "/run/user/%u", geteuid());
	return !lstat(ret, &status) && S_ISDIR(status.st_mode) && status.st_uid == geteuid();
}

void frec__control_folder(char *ret, size_t size)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	char usual[40];

	// Root in a user namespace is not necessarily the machine's root, hence the check of /run.
	if (geteuid() == 0 && !faccessat(AT_FDCWD, "/run", W_OK, AT_EACCESS))
		snprintf(ret, size, "%s", FREC_CONTROL_FOLDER);
	else if (runtime && *runtime)
		snprintf(ret, size, "%s/flightrec", runtime);
	else if (usual_runtime_folder(usual, sizeof(usual)))
		snprintf(ret, size, "%s/flightrec", usual);
	else
		snprintf(ret, size, "/tmp/flightrec-%u", geteuid());
}

static int listen_by_default(struct frec_server *server, struct frec_error *reterr)
{
	char folder[100], path[160];
	struct stat status;

	frec__control_folder(folder, sizeof(folder));
	if (mkdir(folder, 0700) && errno != EEXIST)
		return frec__error(reterr, -errno,
				   "%s: cannot make the folder of control sockets: %s", folder,
				   strerror(errno));
	if (lstat(folder, &status) || !S_ISDIR(status.st_mode) || status.st_uid != geteuid())
		return frec__error(reterr, -EPERM,
				   "%s: the folder of control sockets belongs to somebody else",
				   folder);
	frec__control_sweep(folder);
	snprintf(path, sizeof(path), "%s/%d.sock", folder, getpid());
	return frec__server_listen(server, path, 0600, reterr);
}

static int start_server(struct frec_session *session, const struct frec_session_options *options,
			struct frec_error *reterr)
{
	struct frec_server *server = &session->server;
	const struct frec_folder *folder = &session->engine.store.folder;
	int r = frec__server_init(server, &session->engine, reterr);

	if (r)
		return r;
	// Clients open their own snapshots at the path in the reply; they cannot list the folder. A
	// folder that existed before keeps its mode.
	if (options->listen && folder->made)
		(void)chmod(folder->path, 0711);
	if (options->listen)
		r = frec__server_listen(server, options->listen, 0666, reterr);
	if (r)
		return r;
	// This socket comes last, so that scripts can wait until it is there: from then on services
	// get in, too.
	r = options->control ? frec__server_listen(server, options->control, 0600, reterr)
			     : listen_by_default(server, reterr);
	if (r && options->control_optional) {
		frec__report(
			LOG_NOTICE,
			"recording goes on without a control socket, so 'flightrec status' and "
			"'flightrec trigger' do not find this recorder: %s",
			reterr->message);
		r = 0;
	}
	return r;
}

static void tell_manager(struct frec_session *session)
{
	const struct frec_engine *engine = &session->engine;

	frec__notify_open(&session->server.notify);
	frec__notify(&session->server.notify, "READY=1",
		     "Recording %zu sources into %zu rings of %llu KiB", engine->sources.count,
		     engine->rings.count, (unsigned long long)engine->rings.size >> 10);
}

int frec__session_start(struct frec_session *session, const struct frec_session_options *options,
			struct frec_error *reterr)
{
	int r;

	// When the next line is printed, a terminal or pipe that is gone must not end the recording
	// (SIGPIPE), and a terminal that stops background processes that write to it must not stop
	// the recording (SIGTTOU).
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTTOU, SIG_IGN);
	r = frec__rights_keep(FREC_RIGHTS_OF_RECORDER);
	if (r)
		return frec__error(reterr, r, "cannot give up capabilities: %s", strerror(-r));
	r = frec__engine_start(&session->engine, &options->engine, reterr);
	if (r)
		return r;
	session->engine.store.on_written = report_written;
	session->engine.store.context = session;
	r = start_server(session, options, reterr);
	if (r) {
		frec__session_end(session);
		return r;
	}
	if (options->notifies)
		tell_manager(session);
	return 0;
}

void frec__session_end(struct frec_session *session)
{
	frec__server_deinit(&session->server);
	frec__engine_stop(&session->engine);
}

// Records until the service has ended: the process that started the recorder, and what it forked. A
// signal that ends the service is often sent to all its processes, so signals do not end the
// recorder.
static void follow(struct frec_session *session)
{
	struct frec_server *server = &session->server;

	for (;;) {
		server->interrupted = 0;
		frec__server_run(server);
		if (server->stop)
			return;
		if (frec__pidfd_is_over(server->until)) {
			close(server->until);
			server->until = -1;
			// Whoever started the service may wait until nobody writes to its stderr
			// any more, for example a shell on another machine.
			frec__own_stderr();
		} else if (!server->interrupted) {
			return;
		}
	}
}

static int keep(struct frec_session *session, uint32_t pid, int socket)
{
	struct frec_server *server = &session->server;
	int r = frec__engine_watch(&session->engine, frec__engine_process(&session->engine, pid),
				   -1, true);

	server->until = (int)syscall(SYS_pidfd_open, pid, 0);
	if (!r && server->until < 0)
		r = -errno;
	if (!r)
		r = frec__server_adopt(server, socket, true);
	session->engine.ends.life_line = &socket;
	session->engine.ends.first = pid;
	// The path of the snapshots' folder is absolute by now, and no other path is relative.
	// Leave the working folder, so that its file system can be unmounted.
	(void)chdir("/");
	if (!r)
		r = frec__answer_ready(socket, &session->engine,
				       frec__engine_memory(&session->engine));
	if (r)
		return r;
	follow(session);
	session->engine.ends.life_line = NULL;
	return 0;
}

int frec__session_keep(const struct frec_session_options *options, uint32_t pid, int socket)
{
	struct frec_session session;
	struct frec_error error;
	int r = frec__session_start(&session, options, &error);

	if (r) {
		(void)frec__answer_error(socket, error.message);
		return r;
	}
	r = keep(&session, pid, socket);
	frec__session_end(&session);
	return r;
}
