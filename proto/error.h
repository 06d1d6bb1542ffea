/* SPDX-License-Identifier: MIT */
/* One failure, told in one sentence: what, where, what to do. */
#ifndef FREC_PROTO_ERROR_H
#define FREC_PROTO_ERROR_H

struct frec_error {
	int code;	   /* negative errno; 0: nothing has failed */
	char message[512]; /* no newline at the end */
};

/* Fills `reterr` (may be NULL) and returns `code`. Never allocates; a message too long is cut. */
__attribute__((format(printf, 3, 4))) int frec__error(struct frec_error *reterr, int code,
						      const char *format, ...);

#endif
