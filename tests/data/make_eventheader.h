/* SPDX-License-Identifier: MIT */
/* Builds payloads that carry their own description, as LinuxTracepoints emits them, and .frec files
 * of them. */
#ifndef FREC_TESTS_MAKE_EVENTHEADER_H
#define FREC_TESTS_MAKE_EVENTHEADER_H

#include "export/read/eventheader_layout.h"
#include "tests/data/make_snapshot.h"

#define EH_RAW_NAME "Test_Provider_L4K2aGgroup"

/* Flags of a header. */
#define EH_POINTER64 1
#define EH_LITTLE 2
#define EH_EXTENSION 4

/* Of a header: what the event is among others. */
enum { EH_INFO, EH_START, EH_STOP };

/* A payload in the making: description and data, put together at the end. */
struct eh_payload {
	bool big;
	uint8_t metadata[65536], data[65536];
	size_t metadata_size, data_size;
};

/* To the description or to the data. */
void eh_number(struct eh_payload *payload, bool metadata, uint64_t value, size_t size);
void eh_name(struct eh_payload *payload, const char *name); /* of the event first */
void eh_bytes(struct eh_payload *payload, const void *data, size_t size);

/* `encoding` with its flags for arrays; `length` of a fixed array. */
void eh_field(struct eh_payload *payload, const char *name, uint8_t encoding, uint8_t format,
	      uint16_t length);

/* The payload as a tracepoint has it; `activities`: none, one of 16 bytes, or that and the one it
 * is part of. Returns its size. */
size_t eh_finish(struct eh_payload *payload, uint8_t opcode, uint16_t id, uint16_t tag,
		 const uint8_t *activities, size_t activities_size, uint8_t *ret);

/* A file with one tracepoint of this kind and these payloads, at 1000 ns and so on, of process 42
 * and these threads (NULL: its main one). */
void make_eventheader(struct made_file *ret, const uint8_t *const *payloads, const size_t *sizes,
		      const uint32_t *tids, uint32_t count);

/* Activities: requests /pay, which a thread begins and another ends, with a query in it, and /left,
 * which stays open; a step that has no id; and the stop of one whose start is not there. */
void make_activities(struct made_file *ret);

/* Events with a field of each encoding and with most formats, in both byte orders. */
void make_eventheader_fields(struct made_file *ret);

#endif
