/* SPDX-License-Identifier: MIT */
/* Sites of USDT probes that are written by hand, so that each argument is where a test wants it. */
#ifndef FREC_TESTS_HOST_PROBED_H
#define FREC_TESTS_HOST_PROBED_H

// A no-op and the note that describes it, like those of <sys/sdt.h>: address, base (none),
// semaphore, names, arguments.
#define SITE(semaphore, name, arguments) \
	"990:	nop\n" \
	"	.pushsection .note.stapsdt, \"\", \"note\"\n" \
	"	.balign 4\n" \
	"	.4byte 992f - 991f, 994f - 993f, 3\n" \
	"991:	.asciz \"stapsdt\"\n" \
	"992:	.balign 4\n" \
	"993:	.8byte 990b, 0, " semaphore "\n" \
	"	.asciz \"probed\"\n" \
	"	.asciz \"" name "\"\n" \
	"	.asciz \"" arguments "\"\n" \
	"994:	.balign 4\n" \
	"	.popsection\n"

/* In probed_twin.c. */
void fire_other_twins(void);

#endif
