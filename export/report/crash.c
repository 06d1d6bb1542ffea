// SPDX-License-Identifier: MIT
// Describes deaths, triggers and losses in words.
#include "export/report/crash.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>

// Values of si_code. Each belongs to one signal or, if `signal` is 0, to all signals. The numbers
// are those of the kernel's <asm-generic/siginfo.h>, and the words follow sigaction(2).
static const struct {
	int signal, code;
	const char *name, *words;
} codes[] = {
	{SIGSEGV, 1, "SEGV_MAPERR", "address not mapped"},
	{SIGSEGV, 2, "SEGV_ACCERR", "no permission for this address"},
	{SIGSEGV, 3, "SEGV_BNDERR", "address out of bounds"},
	{SIGSEGV, 4, "SEGV_PKUERR", "memory protection key forbids it"},
	{SIGBUS, 1, "BUS_ADRALN", "address not aligned"},
	{SIGBUS, 2, "BUS_ADRERR", "nothing behind this address"},
	{SIGBUS, 3, "BUS_OBJERR", "hardware error"},
	{SIGBUS, 4, "BUS_MCEERR_AR", "memory error, hit"},
	{SIGBUS, 5, "BUS_MCEERR_AO", "memory error, found"},
	{SIGILL, 1, "ILL_ILLOPC", "illegal instruction"},
	{SIGILL, 2, "ILL_ILLOPN", "illegal operand"},
	{SIGILL, 3, "ILL_ILLADR", "illegal addressing mode"},
	{SIGILL, 4, "ILL_ILLTRP", "illegal trap"},
	{SIGILL, 5, "ILL_PRVOPC", "privileged instruction"},
	{SIGILL, 6, "ILL_PRVREG", "privileged register"},
	{SIGFPE, 1, "FPE_INTDIV", "integer division by zero"},
	{SIGFPE, 2, "FPE_INTOVF", "integer overflow"},
	{SIGFPE, 3, "FPE_FLTDIV", "floating-point division by zero"},
	{SIGFPE, 4, "FPE_FLTOVF", "floating-point overflow"},
	{SIGFPE, 5, "FPE_FLTUND", "floating-point underflow"},
	{SIGFPE, 6, "FPE_FLTRES", "floating-point inexact result"},
	{SIGFPE, 7, "FPE_FLTINV", "floating-point invalid operation"},
	{SIGTRAP, 1, "TRAP_BRKPT", "breakpoint"},
	{SIGTRAP, 2, "TRAP_TRACE", "single step"},
	{SIGSYS, 1, "SYS_SECCOMP", "system call forbidden by seccomp"},
	{0, 0, "SI_USER", "sent by a process"},
	{0, 0x80, "SI_KERNEL", "sent by the kernel"},
	{0, -1, "SI_QUEUE", "sent by a process with sigqueue"},
	{0, -2, "SI_TIMER", "a timer ran out"},
	{0, -6, "SI_TKILL", "sent by a process to this thread"},
};

static size_t find_code(const Flightrec__Crash *crash)
{
	size_t i = 0;

	if (crash->how_case != FLIGHTREC__CRASH__HOW_CODE)
		return sizeof(codes) / sizeof(codes[0]);
	while (i < sizeof(codes) / sizeof(codes[0]) &&
	       (codes[i].code != crash->code ||
		(codes[i].signal && codes[i].signal != crash->signal)))
		i++;
	return i;
}

void frec__crash_signal(struct frec_text *text, const Flightrec__Crash *crash)
{
	const char *name = sigabbrev_np(crash->signal);

	if (name)
		frec__text_printf(text, "SIG%s", name);
	else
		frec__text_printf(text, "signal %" PRId32, crash->signal);
}

void frec__crash_code(struct frec_text *text, const Flightrec__Crash *crash)
{
	size_t i = find_code(crash);

	if (i < sizeof(codes) / sizeof(codes[0]))
		frec__text_puts(text, codes[i].name);
	else if (crash->how_case != FLIGHTREC__CRASH__HOW_CODE)
		frec__text_puts(text, "unknown");
	else
		frec__text_printf(text, "%" PRId32, crash->code);
}

const char *frec__crash_code_words(const Flightrec__Crash *crash)
{
	size_t i = find_code(crash);

	return i < sizeof(codes) / sizeof(codes[0]) ? codes[i].words : NULL;
}

void frec__crash_headline(struct frec_text *text, const Flightrec__Crash *crash)
{
	const char *words = frec__crash_code_words(crash);

	frec__text_plain(text, crash->process_name.data, crash->process_name.len);
	frec__text_printf(text, "[%" PRIu32 "] ", crash->pid);
	if (!crash->signal && crash->end_case != FLIGHTREC__CRASH__END_EXIT_STATUS) {
		frec__text_puts(text, "is gone, and how it ended is not known");
		return;
	}
	if (!crash->signal) {
		frec__text_printf(text, "exited with status %" PRId32, crash->exit_status);
		return;
	}
	frec__text_puts(text, "died of ");
	frec__crash_signal(text, crash);
	if (words)
		frec__text_printf(text, " (%s)", words);
	if (crash->fault_case == FLIGHTREC__CRASH__FAULT_ADDRESS)
		frec__text_printf(text, " at 0x%" PRIx64, crash->address);
	if (crash->tid) {
		frec__text_puts(text, ", thread ");
		frec__text_plain(text, crash->thread_name.data, crash->thread_name.len);
		frec__text_printf(text, "[%" PRIu32 "]", crash->tid);
	}
}

void frec__crash_command_line(struct frec_text *text, const Flightrec__Crash *crash)
{
	for (size_t i = 0; i < crash->n_cmdline; i++) {
		const ProtobufCBinaryData *argument = &crash->cmdline[i];
		bool quote = !argument->len || memchr(argument->data, ' ', argument->len);

		frec__text_puts(text, i ? " " : "");
		frec__text_puts(text, quote ? "'" : "");
		frec__text_plain(text, argument->data, argument->len);
		frec__text_puts(text, quote ? "'" : "");
	}
}

const char *frec__trigger_kind(const Flightrec__Trigger *trigger)
{
	static const char *const kinds[] = {"unknown", "request",	"SIGUSR2",     "crash",
					    "killed",  "out of memory", "exit status", "gone"};

	return trigger->kind >= 0 && (size_t)trigger->kind < sizeof(kinds) / sizeof(kinds[0])
		       ? kinds[trigger->kind]
		       : kinds[0];
}

const ProtobufCBinaryData *frec__trigger_process_name(const struct frec_snapshot *snapshot)
{
	const ProtobufCBinaryData *name = NULL;

	for (size_t i = 0; i < snapshot->process_count; i++) {
		const Flightrec__Process *process = snapshot->processes[i];

		// A process that ended before the trigger only had the same pid earlier.
		if (process->pid == snapshot->trigger->requested_by_pid && process->name.len &&
		    (!process->exit || process->exit >= snapshot->trigger->time))
			name = &process->name;
	}
	return name;
}

bool frec__kernel_watched(const struct frec_snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->cpu_count; i++) {
		if (snapshot->cpus[i]->transport != FLIGHTREC__TRANSPORT__TRANSPORT_SHM)
			return true;
	}
	return !snapshot->cpu_count;
}

const char *frec__transport_name(Flightrec__Transport transport)
{
	static const char *const names[] = {"kernel", "user_events", "usdt", "shm"};

	return transport >= 0 && (size_t)transport < sizeof(names) / sizeof(names[0])
		       ? names[transport]
		       : "unknown";
}

size_t frec__transport_sources(const struct frec_snapshot *snapshot, Flightrec__Transport transport)
{
	size_t count = 0;

	for (size_t i = 0; i < snapshot->source_count; i++)
		count += snapshot->sources[i]->transport == transport;
	return count;
}

static void add_loss(struct frec_loss_sum *sum, const Flightrec__Loss *loss)
{
	sum->parts++;
	sum->emitted += loss->emitted_before;
	sum->in_file += loss->in_file;
	sum->filtered += loss->filtered;
	sum->overwritten += loss->overwritten;
	sum->lost += loss->lost;
	sum->destroyed += loss->ring ? loss->lost : 0;
}

void frec__loss_sum(const struct frec_snapshot *snapshot, const Flightrec__Source *source,
		    struct frec_loss_sum *ret)
{
	*ret = (struct frec_loss_sum){0};
	if (source) {
		for (size_t i = frec__snapshot_loss(snapshot, source->id);
		     i < snapshot->loss_count &&
		     snapshot->losses[snapshot->loss_order[i]]->source == source->id;
		     i++)
			add_loss(ret, snapshot->losses[snapshot->loss_order[i]]);
		return;
	}
	for (size_t i = 0; i < snapshot->loss_count; i++)
		add_loss(ret, snapshot->losses[i]);
}
