/* SPDX-License-Identifier: MIT */
/*
 * The site of an event: the instructions on which a recorder, bpftrace, perf or SystemTap sets a
 * breakpoint. Each event that the program emits has a site, which is a USDT probe with the event's
 * enable word as its semaphore. Programs do not use these macros.
 *
 * On x86_64 the site is a no-op of one byte and one of five bytes, and a recorder chooses between
 * them: every kernel emulates the first, and newer kernels optimise a breakpoint on the second by
 * replacing it with a call. That call writes below the stack pointer. A function may keep data
 * there (in the red zone), but not while it calls another function. So the site is a function of
 * its own, which does nothing. This also makes its call frame information right.
 *
 * `args` are for tools that find the probe through its notes: the first 12 fields, 8 bytes each; a
 * string, text, characters or bytes are given by their address. `payload` and `size` are for our
 * own recorder.
 *
 * A site that nothing calls is not compiled. A site that was compiled has the attribute `retain`,
 * so that a linker that collects unused sections keeps it: its notes stay in any case, and some
 * linkers refuse a note about a section that is gone.
 *
 * A source file that calls frec_..._enabled() has a second site, frec__asked_..., which nothing
 * calls: a recorder counts up the enable word that this file reads only if there is a site with
 * that word. The second site has no note for other tools. bpftrace and bcc count up only one of the
 * semaphores that an ELF file has for a name, and with such a note this could be another than that
 * of the source file that emits.
 *
 * The notes are in sections that are not loaded. `.note.stapsdt` is what SystemTap documents under
 * "User space probe implementation": three addresses (probe, base, semaphore), then provider, name
 * and arguments. `.note.flightrec`, of type 1, has three 64-bit addresses as the linker set them:
 * the site, the event's declaration (see fields.h) and its enable word. Only these addresses
 * distinguish two events of the same name in one ELF file.
 */
#ifndef FLIGHTREC_SITE_H
#define FLIGHTREC_SITE_H

#if defined(__x86_64__)
#define FREC__SITE_NOP "990: nop\n.byte 0x0f, 0x1f, 0x44, 0x00, 0x00\nret\n"
#define FREC__SITE_AT(offset) #offset "(%%rdi)"
#define FREC__SITE_SYMBOL "i"
#ifdef __clang__
#define FREC__SITE_ATTRIBUTES naked, noinline, unused, no_instrument_function
#else
#define FREC__SITE_ATTRIBUTES \
	naked, noinline, noclone, noipa, unused, no_instrument_function, \
		no_profile_instrument_function
#endif
#define FREC__SITE_OPERANDS(args, payload, size)
#define FREC__SITE_ENTER(args, payload, size)
#elif defined(__aarch64__)
#define FREC__SITE_NOP "990: nop\n"
#define FREC__SITE_AT(offset) "[x0, " #offset "]"
#define FREC__SITE_SYMBOL "S"
#ifdef __clang__
#define FREC__SITE_ATTRIBUTES noinline, unused, no_instrument_function
#else
#define FREC__SITE_ATTRIBUTES noinline, noclone, noipa, unused, no_instrument_function
#endif
/* aarch64 has no red zone, so the site is an ordinary function, whose arguments have to be in the
 * registers of a call. */
#define FREC__SITE_ENTER(args, payload, size) \
	register const uint64_t *frec__x0 __asm__("x0") = args; \
	register const void *frec__x1 __asm__("x1") = payload; \
	register uint64_t frec__x2 __asm__("x2") = size;
#define FREC__SITE_OPERANDS(args, payload, size) , "r"(frec__x0), "r"(frec__x1), "r"(frec__x2)
#endif

/*
 * The section in which SystemTap puts semaphores. bpftrace, bcc and perf compute the place of a
 * semaphore in the file from this section. In a file without a section of this name they leave
 * semaphores alone, and the probe never fires.
 */
#define FREC__SEMAPHORES __attribute__((section(".probes")))

/* The description of a field in the notes: its size in bytes, negative if signed, and its place. */
#define FREC__SPEC(field, ...) FREC__SPEC_EXPANDED(__VA_ARGS__, FREC__SPEC_INSIDE field)
#define FREC__SPEC_INSIDE(...) __VA_ARGS__
#define FREC__SPEC_EXPANDED(...) FREC__SPEC_(__VA_ARGS__)
#define FREC__SPEC_(gap, offset, kind, raw, twice, ...) FREC__SPEC_##kind(gap, offset, __VA_ARGS__)
#define FREC__SPEC_frec_none(gap, offset, none)
#define FREC__SPEC_frec_scalar(gap, offset, name, type, member, kernel, tail, text, spec) \
	gap spec "@" FREC__SITE_AT(offset)
#define FREC__SPEC_frec_string(gap, offset, name) gap "8@" FREC__SITE_AT(offset)
#define FREC__SPEC_frec_chars(gap, offset, name, n) gap "8@" FREC__SITE_AT(offset)
#define FREC__SPEC_frec_bytes(gap, offset, name, name_size) gap "8@" FREC__SITE_AT(offset)
#define FREC__SPEC_frec_text(gap, offset, name, name_size) gap "8@" FREC__SITE_AT(offset)
#define FREC__SPEC_frec_enum(gap, offset, name, text, ...) gap "-4@" FREC__SITE_AT(offset)

/* Stores the value of a field in frec__args, at the place and in the size that the notes give.
 * Values that are in the payload or the vector are copied from there, so that the compiler does not
 * have to keep the parameters for the site. */
#define FREC__VALUE_OF(field, ...) FREC__VALUE_OF_EXPANDED(__VA_ARGS__, FREC__SPEC_INSIDE field)
#define FREC__VALUE_OF_EXPANDED(...) FREC__VALUE_OF_(__VA_ARGS__)
#define FREC__VALUE_OF_(index, kind, raw, twice, ...) FREC__VALUE_OF_##kind(index, __VA_ARGS__)
#define FREC__VALUE_OF_frec_none(index, none)
#define FREC__VALUE_OF_frec_scalar(index, name, ...) \
	__builtin_memcpy(&frec__args[index], &frec__payload.name, sizeof(frec__payload.name));
#define FREC__VALUE_OF_frec_string(index, name) \
	frec__args[index] = FREC__ADDRESS((frec__next++)->iov_base);
#define FREC__VALUE_OF_frec_chars(index, name, n) frec__args[index] = FREC__ADDRESS(name);
#define FREC__VALUE_OF_frec_bytes(index, name, name_size) \
	frec__args[index] = FREC__ADDRESS((frec__next++)->iov_base);
#define FREC__VALUE_OF_frec_text(index, name, name_size) \
	frec__args[index] = FREC__ADDRESS(frec__next->iov_base); \
	frec__next += 2;
#define FREC__VALUE_OF_frec_enum(index, name, ...) \
	__builtin_memcpy(&frec__args[index], &frec__payload.name, sizeof(frec__payload.name));

/* Applies `m` to the first twelve fields of an event. If there are fewer, FREC__NONE is in place of
 * the others. */
#define FREC__TWELVE(m, ...) \
	FREC__TWELVE_(m, __VA_ARGS__, FREC__NONE, FREC__NONE, FREC__NONE, FREC__NONE, FREC__NONE, \
		      FREC__NONE, FREC__NONE, FREC__NONE, FREC__NONE, FREC__NONE, FREC__NONE, \
		      FREC__NONE, ~)
#define FREC__NONE (frec_none, ~, ~, ~)
#define FREC__TWELVE_(m, name, a, b, c, d, e, f, g, h, i, j, k, l, ...) \
	m(a, b, c, d, e, f, g, h, i, j, k, l)
/* clang-format off */
#define FREC__SPECS(a, b, c, d, e, f, g, h, i, j, k, l) \
	FREC__SPEC(a, "", 0) \
	FREC__SPEC(b, " ", 8) \
	FREC__SPEC(c, " ", 16) \
	FREC__SPEC(d, " ", 24) \
	FREC__SPEC(e, " ", 32) \
	FREC__SPEC(f, " ", 40) \
	FREC__SPEC(g, " ", 48) \
	FREC__SPEC(h, " ", 56) \
	FREC__SPEC(i, " ", 64) \
	FREC__SPEC(j, " ", 72) \
	FREC__SPEC(k, " ", 80) \
	FREC__SPEC(l, " ", 88)
#define FREC__VALUES_OF(a, b, c, d, e, f, g, h, i, j, k, l) \
	FREC__VALUE_OF(a, 0) \
	FREC__VALUE_OF(b, 1) \
	FREC__VALUE_OF(c, 2) \
	FREC__VALUE_OF(d, 3) \
	FREC__VALUE_OF(e, 4) \
	FREC__VALUE_OF(f, 5) \
	FREC__VALUE_OF(g, 6) \
	FREC__VALUE_OF(h, 7) \
	FREC__VALUE_OF(i, 8) \
	FREC__VALUE_OF(j, 9) \
	FREC__VALUE_OF(k, 10) \
	FREC__VALUE_OF(l, 11)
/* clang-format on */

#define FREC__SITE_NOTE(section, owner, type, description) \
	".pushsection " section ",\"\",%%note\n" \
	".balign 4\n" \
	".4byte 992f - 991f, 994f - 993f, " type "\n" \
	"991: .asciz \"" owner "\"\n" \
	"992: .balign 4\n" \
	"993: " description "994: .balign 4\n" \
	".popsection\n"

/* The note for our own recorder. FREC__SITE says what %c0 and %c1 are. */
#define FREC__SITE_NOTE_OWN \
	FREC__SITE_NOTE(".note.flightrec", "flightrec", "1", ".8byte 990b, %c1, %c0\n")

#ifdef FREC__SITE_NOP
/* %c0 is the event, %c1 its declaration. The weak byte is the note's `base`, whose address shows
 * tools how far prelink(8) has moved the program. */
/* clang-format off */
#define FREC__SITE(provider, name, ...) \
	static __attribute__((FREC__SITE_ATTRIBUTES FREC__RETAIN)) void \
	frec__site_##provider##_##name(const uint64_t *frec__args __attribute__((unused)), \
				       const void *frec__data __attribute__((unused)), \
				       uint64_t frec__size __attribute__((unused))) \
	{ \
		FREC__SITE_ENTER(frec__args, frec__data, frec__size) \
		__asm__ volatile( \
			FREC__SITE_NOP \
			FREC__SITE_NOTE(".note.stapsdt", "stapsdt", "3", \
				".8byte 990b, _.stapsdt.base, %c0\n" \
				".asciz \"" #provider "\", \"" #name "\"\n" \
				".asciz \"" FREC__TWELVE(FREC__SPECS, __VA_ARGS__) "\"\n") \
			FREC__SITE_NOTE_OWN \
			".ifndef _.stapsdt.base\n" \
			".pushsection .stapsdt.base, \"aG\", %%progbits, .stapsdt.base, comdat\n" \
			".weak _.stapsdt.base\n" \
			".hidden _.stapsdt.base\n" \
			"_.stapsdt.base: .space 1\n" \
			".size _.stapsdt.base, 1\n" \
			".popsection\n" \
			".endif\n" \
			: \
			: FREC__SITE_SYMBOL(&frec__event_##provider##_##name), \
			  FREC__SITE_SYMBOL(&frec__declaration_##provider##_##name) \
			  FREC__SITE_OPERANDS(frec__args, frec__data, frec__size)); \
	} \
	static __attribute__((FREC__SITE_ATTRIBUTES FREC__RETAIN)) void \
	frec__asked_##provider##_##name(void) \
	{ \
		__asm__ volatile( \
			FREC__SITE_NOP \
			FREC__SITE_NOTE_OWN \
			: \
			: FREC__SITE_SYMBOL(&frec__event_##provider##_##name), \
			  FREC__SITE_SYMBOL(&frec__declaration_##provider##_##name)); \
	}
/* clang-format on */
#define FREC__SITE_OF(provider, name) frec__site_##provider##_##name
/* Refers to the second site without an instruction, so that a source file that calls
 * frec_..._enabled() keeps that site. */
#define FREC__SITE_NEEDED(provider, name) \
	__asm__ volatile("" : : FREC__SITE_SYMBOL(&frec__asked_##provider##_##name));
#else
#define FREC__SITE(provider, name, ...)
#define FREC__SITE_OF(provider, name) FREC__NULL
#define FREC__SITE_NEEDED(provider, name)
#endif

#endif
