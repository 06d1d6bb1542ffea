/* SPDX-License-Identifier: MIT */
/*
 * Finds what an ELF file says about events, sites, probes and the libraries that it needs. The file
 * may have been written by anybody to harm its reader, so only a child in a sandbox runs this code
 * (file_reader.h). The child sends what it finds as messages.
 *
 * A message is a struct frec_finding and `size` bytes. The messages about a file end with one of
 * kind FREC_FINDING_END. No message is larger than FREC_FINDING_MAX bytes.
 */
#ifndef FREC_RECORDER_DECLARED_FILE_CONTENTS_H
#define FREC_RECORDER_DECLARED_FILE_CONTENTS_H

#include <stdint.h>

/* What to look for: bits of struct frec_question.kinds. */
#define FREC_LOOK_DECLARATIONS 1u /* section frec_declarations */
#define FREC_LOOK_SITES 2u	  /* section .note.flightrec */
#define FREC_LOOK_NEEDED 4u	  /* the libraries that the file is linked with */
#define FREC_LOOK_PROBES 8u	  /* section .note.stapsdt */

/* The message to the child; the file comes with it as a descriptor. */
struct frec_question {
	uint32_t kinds;
	/* the processor time for this file, after which the child dies of SIGPROF */
	uint32_t milliseconds;
};

enum frec_finding_kind {
	FREC_FINDING_DECLARATION, /* an entry of section frec_declarations */
	FREC_FINDING_SITE,	  /* u64 offset and u64 enable of a struct frec_site, then the
				   * entry of its declaration */
	FREC_FINDING_RUN_PATH,	  /* text, ended by NUL */
	FREC_FINDING_NEEDED,	  /* text, ended by NUL */
	FREC_FINDING_PROBE,	  /* a struct frec_probe_site, then its places, then two texts, each
				   * ended by NUL: provider and name */
	FREC_FINDING_END,	  /* u32: 0, or 1 if a limit was reached and something is missing */
	FREC_FINDING_OTHER_MACHINE, /* u32: the probes are those of a 32-bit program (32), or of
				     * another machine (64) */
};

struct frec_finding {
	uint32_t kind, size;
};

/* A site of a USDT probe. */
struct frec_probe_site {
	uint64_t offset, semaphore; /* in the file; 0 if there is no semaphore */
	uint32_t arguments;
	uint32_t places; /* how many struct frec_usdt_place follow, see usdt_place.h */
};

#define FREC_FINDING_MAX (80u << 10)

/* Answers the questions that come through `socket` until its other end is closed. Runs in the
 * child. */
void frec__file_contents_serve(void *context, int socket);

#endif
