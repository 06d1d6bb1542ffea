/* SPDX-License-Identifier: MIT */
/* The probes that are in probes_*.c, for the table in probes.c. */
#ifndef FREC_RECORDER_DOCTOR_PROBES_INTERNAL_H
#define FREC_RECORDER_DOCTOR_PROBES_INTERNAL_H

#include "recorder/doctor/probe.h"

/* probes_events.c */
void frec__probe_tracefs(struct frec_probe_result *ret);
void frec__probe_tracefs_rights(struct frec_probe_result *ret);
void frec__probe_user_events(struct frec_probe_result *ret);
void frec__probe_register(struct frec_probe_result *ret);
void frec__probe_layouts(struct frec_probe_result *ret);

/* probes_perf.c */
void frec__probe_tracepoint(struct frec_probe_result *ret);
void frec__probe_ring(struct frec_probe_result *ret);
void frec__probe_set_output(struct frec_probe_result *ret);
void frec__probe_lost(struct frec_probe_result *ret);
void frec__probe_build_ids(struct frec_probe_result *ret);
void frec__probe_stacks(struct frec_probe_result *ret);
void frec__probe_ring_memory(struct frec_probe_result *ret);
void frec__probe_paranoid(struct frec_probe_result *ret);
void frec__probe_descriptors(struct frec_probe_result *ret);
void frec__probe_grace_periods(struct frec_probe_result *ret);

/* probes_bpf.c */
void frec__probe_raw_tracepoint(struct frec_probe_result *ret);
void frec__probe_fentry(struct frec_probe_result *ret);
void frec__probe_btf(struct frec_probe_result *ret);
void frec__probe_bpf_output(struct frec_probe_result *ret);

/* probes_usdt.c */
void frec__probe_uprobe(struct frec_probe_result *ret);
void frec__probe_semaphore(struct frec_probe_result *ret);
void frec__probe_cookie(struct frec_probe_result *ret);
void frec__probe_usdt_program(struct frec_probe_result *ret);
void frec__probe_fast_uprobe(struct frec_probe_result *ret);

/* probes_shm.c */
void frec__probe_memfd(struct frec_probe_result *ret);
void frec__probe_robust_futex(struct frec_probe_result *ret);
void frec__probe_memory_keys(struct frec_probe_result *ret);

/* probes_idle.c */
void frec__probe_idle(struct frec_probe_result *ret);

/* probes_crash.c */
void frec__probe_deaths(struct frec_probe_result *ret);
void frec__probe_fault_address(struct frec_probe_result *ret);
void frec__probe_core_dumps(struct frec_probe_result *ret);
void frec__probe_exit_info(struct frec_probe_result *ret);

/* probes_core.c */
void frec__probe_all_threads(struct frec_probe_result *ret);
void frec__probe_suid_dumps(struct frec_probe_result *ret);

/* probes_system.c */
void frec__probe_visible(struct frec_probe_result *ret);
void frec__probe_pid_namespace(struct frec_probe_result *ret);
void frec__probe_user_namespace(struct frec_probe_result *ret);
void frec__probe_container(struct frec_probe_result *ret);
void frec__probe_cap_perfmon(struct frec_probe_result *ret);
void frec__probe_cap_bpf(struct frec_probe_result *ret);
void frec__probe_clocks(struct frec_probe_result *ret);

#endif
