// SPDX-License-Identifier: MIT
// Probes of what the usdt transport needs. BPF programs are attached to a site of our own, which is
// then executed to see whether they run.
#include <stdint.h>

#include "recorder/doctor/probe_site.h"
#include "recorder/doctor/probe_trial.h"
#include "recorder/doctor/probes_internal.h"
#include "recorder/sources/usdt.h"

/* The kernel replaces the nop of a site after it was hit, though not always after the
 * first time. */
#define PASSES 8
/* If another doctor attaches at the same time, the count changes too, so this is tried again. */
#define TRIES 3
#define COOKIE UINT64_C(0x0123456789abcdef)

static void site_refused(struct frec_probe_result *ret, const struct frec_trial *trial)
{
	frec__probe_refused(ret, trial->r, trial->step, FREC_PROBE_RIGHT_UPROBE,
			    FREC_KERNEL_WITH_UPROBES);
}

void frec__probe_uprobe(struct frec_probe_result *ret)
{
	FREC_TRIAL trial = frec__trial_open_at("site", frec__probe_site, 0);

	if (trial.r) {
		site_refused(ret, &trial);
		return;
	}
	frec__probe_site_pass();
	if (trial.skeleton->bss->runs == 1)
		frec__probe_found(ret, FREC_PROBE_OK,
				  "a BPF program ran at a site of this program, set %s",
				  trial.link ? "one by one" : "all at once");
	else
		frec__probe_found(ret, FREC_PROBE_MISSING,
				  "a BPF program was attached and did not run");
}

void frec__probe_semaphore(struct frec_probe_result *ret)
{
	uint16_t before = 0, during = 0, after = 0;

	for (int i = 0; i < TRIES; i++) {
		before = frec__probe_site_semaphore;

		FREC_TRIAL trial = frec__trial_open_at("site", frec__probe_site, 0);

		if (trial.r) {
			site_refused(ret, &trial);
			return;
		}
		during = frec__probe_site_semaphore;
		frec__trial_detach(&trial);
		after = frec__probe_site_semaphore;
		if (during == before + 1 && after == before) {
			frec__probe_found(ret, FREC_PROBE_OK,
					  "incremented by attaching, decremented by detaching");
			return;
		}
	}
	frec__probe_found(ret, FREC_PROBE_MISSING, "%u before attaching, %u during, %u after",
			  before, during, after);
}

void frec__probe_cookie(struct frec_probe_result *ret)
{
	FREC_TRIAL trial = frec__trial_open_at("site_with_cookie", frec__probe_site, COOKIE);

	if (trial.r) {
		frec__probe_refused(ret, trial.r, trial.step, FREC_PROBE_RIGHT_UPROBE,
				    "bpf_get_attach_cookie(), as Linux has had since 5.15");
		return;
	}
	frec__probe_site_pass();
	if (trial.skeleton->bss->cookie == COOKIE)
		frec__probe_found(ret, FREC_PROBE_OK,
				  "the program received the cookie of its probe");
	else
		frec__probe_found(ret, FREC_PROBE_MISSING,
				  "the program did not receive the cookie of its probe");
}

// The recorder's program needs more than the small programs of doctor: atomic operations and larger
// maps.
void frec__probe_usdt_program(struct frec_probe_result *ret)
{
	struct frec_error error;
	struct frec_usdt *usdt;
	int r = frec__usdt_create(&usdt, false, &error);

	if (r) {
		frec__probe_refused(ret, r, "loading the recorder's program",
				    FREC_PROBE_RIGHT_BPF_PERFMON, FREC_KERNEL_WITH_UPROBES);
		return;
	}
	frec__usdt_destroy(usdt);
	frec__probe_found(ret, FREC_PROBE_OK, "the recorder's program was loaded");
}

void frec__probe_fast_uprobe(struct frec_probe_result *ret)
{
	FREC_TRIAL trial = frec__trial_open_at("site", frec__probe_site_wide, 0);
	uint8_t opcode;

	if (trial.r) {
		frec__probe_found(ret, FREC_PROBE_MISSING, "needs uprobes");
		return;
	}
	for (int i = 0; i < PASSES; i++)
		frec__probe_site_pass();
	opcode = *(const volatile uint8_t *)frec__probe_site_wide;
	if (opcode == 0xe8 || opcode == 0xe9)
		frec__probe_found(ret, FREC_PROBE_OK,
				  "the site's nop became a call after it was hit");
	else
		frec__probe_found(ret, FREC_PROBE_LIMITED,
				  "the site stays a breakpoint, which costs more");
}
