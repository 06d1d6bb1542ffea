// SPDX-License-Identifier: MIT
// Waiting for a dying process, but not for too long.
#include "recorder/deaths.h"

#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proto/clocks.h"
#include "proto/share.h"
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

static void remove_at(struct frec_deaths *deaths, size_t at)
{
	if (deaths->death[at].pidfd >= 0)
		close(deaths->death[at].pidfd);
	deaths->count--;
	memmove(&deaths->death[at], &deaths->death[at + 1],
		(deaths->count - at) * sizeof(deaths->death[0]));
}

// Returns whether user `uid` may take a place, if the death at the index `but` had none.
static bool has_room(const struct frec_deaths *deaths, uint32_t uid, size_t but)
{
	struct frec_share share = {.uid = uid};

	for (size_t i = 0; i < deaths->count; i++)
		frec__share_count(&share, deaths->death[i].uid, i != but);
	return frec__share_has_room(&share, 1, FREC_DEATHS_MAX);
}

// Makes room for the death of a process that emitted events, by giving up the latest death of a
// process that is not known to have done so. Returns false if that does not help.
static bool make_room(struct frec_deaths *deaths, uint32_t uid)
{
	for (size_t i = deaths->count; i-- > 0;) {
		const struct frec_death *death = &deaths->death[i];

		if (death->watched || death->cooling || death->mentioned ||
		    !has_room(deaths, uid, i))
			continue;
		remove_at(deaths, i);
		deaths->missed++;
		return true;
	}
	return false;
}

// Returns the turn of a user. A user with no death waiting counts as just served, so that a user
// whose deaths come one at a time does not always come first.
static uint64_t turn_of(const struct frec_deaths *deaths, uint32_t uid)
{
	for (size_t i = 0; i < deaths->count; i++) {
		if (deaths->death[i].uid == uid)
			return deaths->death[i].turn;
	}
	return deaths->turns;
}

void frec__deaths_record(struct frec_deaths *deaths, const struct frec_alert *alert,
			 const struct frec_victim *victim, uint64_t written)
{
	struct frec_death *death = find(deaths, victim->pid);
	bool known = victim->watched || victim->emitted;

	if (!death || death->reason.life != victim->life) {
		uint64_t turn = turn_of(deaths, victim->uid);

		if (!has_room(deaths, victim->uid, SIZE_MAX) &&
		    !(known && make_room(deaths, victim->uid))) {
			deaths->missed++;
			return;
		}
		death = &deaths->death[deaths->count++];
		*death = (struct frec_death){.reason = {.pid = victim->pid, .life = victim->life},
					     .only_uid = victim->only_uid,
					     .uid = victim->uid,
					     .turn = turn,
					     .watched = victim->watched,
					     .searched = victim->emitted,
					     .mentioned = victim->emitted,
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

static bool is_gone(const struct frec_death *death)
{
	return death->pidfd < 0 || frec__pidfd_is_over(death->pidfd);
}

static bool is_over(const struct frec_death *death, uint64_t now)
{
	if (death->held)
		return now >= death->held;
	return is_gone(death) || now - death->since >= death->wait;
}

static bool is_due(const struct frec_deaths *deaths, const struct frec_death *death,
		   const struct frec_cooldown *cooldown, uint64_t now, bool overwritten)
{
	if (death->cooling)
		return deaths->hurry ||
		       frec__cooldown_is_over(cooldown, death->cooling, now, overwritten);
	return deaths->at_once || overwritten || is_over(death, now);
}

// Returns whether the snapshot of `a` is to be written before that of `b`.
static bool is_before(const struct frec_death *a, const struct frec_death *b)
{
	bool a_stranger = frec__is_stranger(a->uid), b_stranger = frec__is_stranger(b->uid);

	if (a_stranger != b_stranger)
		return b_stranger;
	if (a_stranger && a->turn != b->turn)
		return a->turn < b->turn;
	return a->reason.time < b->reason.time;
}

// Returns the index of the first death that is due, or the number of deaths.
static size_t first_due(const struct frec_deaths *deaths, const struct frec_cooldown *cooldown,
			const struct frec_pace *pace, uint64_t written, uint64_t ring_size)
{
	uint64_t now = frec__monotonic();
	size_t first = deaths->count;

	for (size_t i = 0; i < deaths->count; i++) {
		const struct frec_death *death = &deaths->death[i];

		if (frec__pace_rests(pace, death->uid, now) ||
		    !is_due(deaths, death, cooldown, now,
			    (int64_t)(written - death->written) >= (int64_t)(ring_size / 4)))
			continue;
		if (first == deaths->count || is_before(death, &deaths->death[first]))
			first = i;
	}
	return first;
}

bool frec__deaths_trusted_due(const struct frec_deaths *deaths,
			      const struct frec_cooldown *cooldown, uint64_t written,
			      uint64_t ring_size)
{
	static const struct frec_pace trusted = {.mode = FREC_PACE_TRUSTED};

	return first_due(deaths, cooldown, &trusted, written, ring_size) < deaths->count;
}

bool frec__deaths_due(struct frec_deaths *deaths, const struct frec_cooldown *cooldown,
		      const struct frec_pace *pace, uint64_t written, uint64_t ring_size,
		      struct frec_death *ret)
{
	size_t first = first_due(deaths, cooldown, pace, written, ring_size);

	if (first == deaths->count)
		return false;
	*ret = deaths->death[first];
	remove_at(deaths, first);
	ret->pidfd = -1;
	deaths->turns++;
	for (size_t i = 0; i < deaths->count; i++) {
		if (deaths->death[i].uid == ret->uid)
			deaths->death[i].turn = deaths->turns;
	}
	return true;
}

void frec__deaths_note_gone(struct frec_deaths *deaths)
{
	for (size_t i = 0; i < deaths->count; i++)
		deaths->death[i].gone = is_gone(&deaths->death[i]);
}

void frec__deaths_search(struct frec_deaths *deaths,
			 bool (*emitted)(void *context, const struct frec_reason *reason),
			 void *context)
{
	for (size_t i = 0; i < deaths->count; i++) {
		struct frec_death *death = &deaths->death[i];

		if (death->watched || death->cooling || death->searched)
			continue;
		death->mentioned = emitted(context, &death->reason);
		death->searched = death->mentioned || death->gone;
	}
}

void frec__deaths_drop_silent(struct frec_deaths *deaths,
			      void (*dropped)(void *context, const struct frec_reason *reason),
			      void *context)
{
	for (size_t i = deaths->count; i-- > 0;) {
		const struct frec_death *death = &deaths->death[i];

		if (!death->searched || death->mentioned)
			continue;
		dropped(context, &death->reason);
		remove_at(deaths, i);
	}
}

bool frec__deaths_has_user(const struct frec_deaths *deaths, uint32_t uid)
{
	for (size_t i = 0; i < deaths->count; i++) {
		if (deaths->death[i].uid == uid)
			return true;
	}
	return false;
}

size_t frec__deaths_count(const struct frec_deaths *deaths, const struct frec_pace *pace)
{
	uint64_t now = frec__monotonic();
	size_t count = 0;

	for (size_t i = 0; i < deaths->count; i++)
		count += !frec__pace_rests(pace, deaths->death[i].uid, now);
	return count;
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

bool frec__deaths_are_urgent(const struct frec_deaths *deaths, const struct frec_pace *pace)
{
	uint64_t now = frec__monotonic();

	for (size_t i = 0; i < deaths->count; i++) {
		if (!deaths->death[i].cooling && !frec__pace_rests(pace, deaths->death[i].uid, now))
			return true;
	}
	return false;
}

size_t frec__deaths_poll(const struct frec_deaths *deaths, const struct frec_pace *pace,
			 struct pollfd *fds, size_t room)
{
	uint64_t now = frec__monotonic();
	size_t count = 0;

	for (size_t i = 0; i < deaths->count && count < room; i++) {
		const struct frec_death *death = &deaths->death[i];

		// The pidfd of a process that is over stays readable. Polling it while its user
		// rests would keep the loop spinning.
		if (death->pidfd >= 0 && !frec__pace_rests(pace, death->uid, now))
			fds[count++] = (struct pollfd){.fd = death->pidfd, .events = POLLIN};
	}
	return count;
}

void frec__deaths_deinit(struct frec_deaths *deaths)
{
	for (size_t i = 0; i < deaths->count; i++) {
		if (deaths->death[i].pidfd >= 0)
			close(deaths->death[i].pidfd);
	}
	deaths->count = 0;
}
