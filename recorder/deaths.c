// SPDX-License-Identifier: MIT
// Waiting for a dying process, but not for too long.
#include "recorder/deaths.h"

#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proto/clocks.h"
#include "recorder/processes/process_end.h"

// Returns the last death of a process with that pid, or NULL. Does not find repeats: their
// processes are gone, so `pid` may be another process by now.
static struct frec_death *find(const struct frec_deaths *deaths, uint32_t pid)
{
	for (size_t i = deaths->count; i-- > 0;) {
		if (deaths->death[i].reason.pid == pid && !deaths->death[i].cooling)
			return (struct frec_death *)&deaths->death[i];
	}
	return NULL;
}

// Returns the kind of a death, which was no crash so far, after an alert. An out-of-memory kill
// remains one when SIGKILL follows, because the OOM killer sends that signal.
static Flightrec__Trigger__Kind kind_after(const struct frec_reason *reason,
					   enum frec_alert_kind alert)
{
	switch (alert) {
	case FREC_ALERT_FATAL:
		return FLIGHTREC__TRIGGER__KIND__CRASH;
	case FREC_ALERT_OOM:
		return FLIGHTREC__TRIGGER__KIND__OUT_OF_MEMORY;
	case FREC_ALERT_GONE:
		return FLIGHTREC__TRIGGER__KIND__GONE;
	default:
		return reason->kind == FLIGHTREC__TRIGGER__KIND__OUT_OF_MEMORY
			       ? FLIGHTREC__TRIGGER__KIND__OUT_OF_MEMORY
			       : FLIGHTREC__TRIGGER__KIND__KILLED;
	}
}

static const char *name_of(Flightrec__Trigger__Kind kind)
{
	switch (kind) {
	case FLIGHTREC__TRIGGER__KIND__CRASH:
		return "crash";
	case FLIGHTREC__TRIGGER__KIND__OUT_OF_MEMORY:
		return "oom";
	case FLIGHTREC__TRIGGER__KIND__GONE:
		return "gone";
	default:
		return "killed";
	}
}

static void add_alert(struct frec_reason *reason, const struct frec_alert *alert)
{
	if (reason->kind == FLIGHTREC__TRIGGER__KIND__CRASH)
		return;
	reason->kind = kind_after(reason, alert->kind);
	reason->signal = alert->signal;
	if (reason->kind == FLIGHTREC__TRIGGER__KIND__CRASH || !reason->time)
		reason->time = alert->time;
	switch (reason->kind) {
	case FLIGHTREC__TRIGGER__KIND__CRASH:
		reason->tid = alert->tid;
		reason->code = alert->code;
		reason->code_unknown = alert->code_unknown;
		reason->sender = 0; // the sender of an earlier SIGKILL is forgotten
		break;
	case FLIGHTREC__TRIGGER__KIND__OUT_OF_MEMORY:
		reason->sender = 0;
		break;
	case FLIGHTREC__TRIGGER__KIND__KILLED:
		reason->code = alert->code;
		reason->code_unknown = alert->code_unknown;
		reason->sender = alert->sender;
		break;
	default:
		break;
	}
	snprintf(reason->name, sizeof(reason->name), "%s", name_of(reason->kind));
}

void frec__deaths_record(struct frec_deaths *deaths, const struct frec_alert *alert,
			 const struct frec_victim *victim, uint64_t written)
{
	struct frec_death *death = find(deaths, victim->pid);

	if (!death || death->reason.life != victim->life) {
		if (deaths->count == FREC_DEATHS_MAX) {
			deaths->missed++;
			return;
		}
		death = &deaths->death[deaths->count++];
		*death = (struct frec_death){.reason = {.pid = victim->pid, .life = victim->life},
					     .only_uid = victim->only_uid,
					     .watched = victim->watched,
					     .since = frec__monotonic(),
					     .written = written,
					     .wait = FREC_DEATH_WAIT_MAX * UINT64_C(1000000),
					     .pidfd = (int)syscall(SYS_pidfd_open, victim->pid, 0)};
	}
	add_alert(&death->reason, alert);
}

const struct frec_death *frec__deaths_pending(const struct frec_deaths *deaths, uint32_t pid)
{
	return find(deaths, pid);
}

void frec__deaths_wait(struct frec_deaths *deaths, uint32_t pid, unsigned int milliseconds)
{
	struct frec_death *death = find(deaths, pid);

	if (death)
		death->wait = milliseconds * UINT64_C(1000000);
}

void frec__deaths_hold(struct frec_deaths *deaths, uint32_t pid, uint64_t until)
{
	struct frec_death *death = find(deaths, pid);

	if (death)
		death->held = until;
}

static bool is_over(const struct frec_death *death, uint64_t now)
{
	if (death->held)
		return now >= death->held;
	return death->pidfd < 0 || frec__pidfd_is_over(death->pidfd) ||
	       now - death->since >= death->wait;
}

static bool is_due(const struct frec_deaths *deaths, const struct frec_death *death,
		   const struct frec_cooldown *cooldown, uint64_t now, bool overwritten)
{
	if (death->cooling)
		return deaths->hurry ||
		       frec__cooldown_is_over(cooldown, death->cooling, now, overwritten);
	return overwritten || is_over(death, now);
}

static void remove_at(struct frec_deaths *deaths, size_t at)
{
	deaths->count--;
	memmove(&deaths->death[at], &deaths->death[at + 1],
		(deaths->count - at) * sizeof(deaths->death[0]));
}

bool frec__deaths_due(struct frec_deaths *deaths, const struct frec_cooldown *cooldown,
		      uint64_t written, uint64_t ring_size, struct frec_death *ret)
{
	uint64_t now = frec__monotonic();
	size_t oldest = deaths->count;

	for (size_t i = 0; i < deaths->count; i++) {
		const struct frec_death *death = &deaths->death[i];

		if (!is_due(deaths, death, cooldown, now,
			    written - death->written >= ring_size / 4))
			continue;
		if (oldest == deaths->count ||
		    death->reason.time < deaths->death[oldest].reason.time)
			oldest = i;
	}
	if (oldest == deaths->count)
		return false;
	*ret = deaths->death[oldest];
	if (ret->pidfd >= 0)
		close(ret->pidfd);
	ret->pidfd = -1;
	remove_at(deaths, oldest);
	return true;
}

void frec__deaths_cool(struct frec_deaths *deaths, const struct frec_death *death, uint64_t until)
{
	struct frec_death repeat = *death;

	repeat.cooling = until;
	for (size_t i = 0; i < deaths->count; i++) {
		const struct frec_death *before = &deaths->death[i];

		if (!before->cooling || !frec__cause_is(&before->cause, &death->cause))
			continue;
		frec__reason_coalesce(&repeat.reason, &before->reason);
		remove_at(deaths, i);
		deaths->coalesced++;
		break;
	}
	deaths->death[deaths->count++] = repeat;
}

bool frec__deaths_has(const struct frec_deaths *deaths, uint32_t pid)
{
	for (size_t i = 0; i < deaths->count; i++) {
		if (deaths->death[i].reason.pid == pid)
			return true;
	}
	return false;
}

bool frec__deaths_are_urgent(const struct frec_deaths *deaths)
{
	for (size_t i = 0; i < deaths->count; i++) {
		if (!deaths->death[i].cooling)
			return true;
	}
	return false;
}

void frec__deaths_deinit(struct frec_deaths *deaths)
{
	for (size_t i = 0; i < deaths->count; i++) {
		if (deaths->death[i].pidfd >= 0)
			close(deaths->death[i].pidfd);
	}
	deaths->count = 0;
}
