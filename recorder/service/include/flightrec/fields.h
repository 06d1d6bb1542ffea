/* SPDX-License-Identifier: MIT */
/*
 * The expansion of FREC_EVENT. Programs do not use these macros. A field is a tuple of its kind,
 * its name and whatever else the kind needs. FREC__PARAM and similar macros each expand a field to
 * one piece of code: they append the field's kind to their own name, which selects a variant.
 *
 * The section `frec_declarations` has the declaration of each event, for tools that read ELF files
 * without running them. The size of a declaration is a multiple of 8 bytes. It has no pointers, so
 * that no relocation has to be applied.
 *
 *	u32	magic, FREC__DECLARATION_MAGIC
 *	u32	size of the declaration
 *	u16	version, 1
 *	u16	number of enumerators
 *	u32	size of the text
 *	s64	value of each enumerator, in the order in which the text names them
 *	text	strings that end in NUL: the provider; the event's name; for each field, its kind, a
 *		space and its name, as in "u64 order_id"; an empty string. Kinds are u8 u16 u32 u64
 *		i8 i16 i32 i64 bool f32 f64 ptr str bytes chars enum. After the name, chars has
 *		its size ("chars tag:16"), and enum has its enumerators as the source spells them
 *		("enum state:IDLE, BUSY").
 *
 * Numbers have the byte order of the machine. Linkers may put zeroes between two declarations, in
 * multiples of 8 bytes.
 */
#ifndef FLIGHTREC_FIELDS_H
#define FLIGHTREC_FIELDS_H

#define FREC__DECLARATION_MAGIC 0x43454446u /* "FDEC" */

#define FREC__FIRST(first, ...) first
#define FREC__STRING(x) #x

/* The parameters of the emit function. FREC__PARAM_THEN is for a list with a further parameter
 * after the fields. */
#define FREC__PARAM(field) FREC__PARAM_ field
#define FREC__PARAM_(kind, ...) FREC__PARAM_##kind(__VA_ARGS__)
#define FREC__PARAM_frec_scalar(name, type, member, kernel, tail, text, spec) type name
#define FREC__PARAM_frec_string(name) const char *name
#define FREC__PARAM_frec_chars(name, n) const char *name
#define FREC__PARAM_frec_bytes(name) const void *name, size_t name##_size
#define FREC__PARAM_frec_enum(name, text, ...) int name
#define FREC__PARAM_THEN(field) FREC__PARAM_ field,

/* The arguments with which the emit function passes its parameters on. */
#define FREC__ARG(field) FREC__ARG_ field
#define FREC__ARG_(kind, ...) FREC__ARG_##kind(__VA_ARGS__)
#define FREC__ARG_frec_scalar(name, type, member, kernel, tail, text, spec) name
#define FREC__ARG_frec_string(name) name
#define FREC__ARG_frec_chars(name, n) name
#define FREC__ARG_frec_bytes(name) name, name##_size
#define FREC__ARG_frec_enum(name, text, ...) name

/* The members of the fixed part of the payload. The member of a string or byte array is a locator,
 * a u32. */
#define FREC__MEMBER(field) FREC__MEMBER_ field
#define FREC__MEMBER_(kind, ...) FREC__MEMBER_##kind(__VA_ARGS__)
#define FREC__MEMBER_frec_scalar(name, type, member, kernel, tail, text, spec) member name;
#define FREC__MEMBER_frec_string(name) uint32_t name;
#define FREC__MEMBER_frec_chars(name, n) char name[n];
#define FREC__MEMBER_frec_bytes(name) uint32_t name;
#define FREC__MEMBER_frec_enum(name, text, ...) int32_t name;

/*
 * The first pass stores what the caller gave: numbers into the payload, pointers and sizes into the
 * vector. The second pass calls functions: it measures strings, writes locators and copies
 * characters. In this order no parameter but the pointers of FREC_CHARS has to survive a call.
 */
#define FREC__FILL(field) FREC__FILL_ field
#define FREC__FILL_(kind, ...) FREC__FILL_##kind(__VA_ARGS__)
#define FREC__FILL_frec_scalar(name, type, member, kernel, tail, text, spec) \
	frec__payload.name = (member)name;
#define FREC__FILL_frec_string(name) (frec__next++)->iov_base = (void *)(uintptr_t)name;
#define FREC__FILL_frec_chars(name, n)
#define FREC__FILL_frec_bytes(name) \
	frec__next->iov_base = (void *)(uintptr_t)name; \
	(frec__next++)->iov_len = name##_size;
#define FREC__FILL_frec_enum(name, text, ...) frec__payload.name = name;

#define FREC__FINISH(field) FREC__FINISH_ field
#define FREC__FINISH_(kind, ...) FREC__FINISH_##kind(__VA_ARGS__)
#define FREC__FINISH_frec_scalar(name, type, member, kernel, tail, text, spec)
#define FREC__FINISH_frec_string(name) \
	frec__payload.name = \
		frec__string(frec__next++, &frec__size, offsetof(struct frec__payload, name));
#define FREC__FINISH_frec_chars(name, n) \
	frec__fault |= !frec__copy_chars(frec__payload.name, name, n);
#define FREC__FINISH_frec_bytes(name) \
	frec__payload.name = \
		frec__bytes(frec__next++, &frec__size, offsetof(struct frec__payload, name));
#define FREC__FINISH_frec_enum(name, text, ...)

/* The offsets of the locators, and their number. */
#define FREC__PLACE(field) FREC__PLACE_ field
#define FREC__PLACE_(kind, ...) FREC__PLACE_##kind(__VA_ARGS__)
#define FREC__PLACE_frec_scalar(name, type, member, kernel, tail, text, spec)
#define FREC__PLACE_frec_string(name) offsetof(struct frec__payload, name),
#define FREC__PLACE_frec_chars(name, n)
#define FREC__PLACE_frec_bytes(name) offsetof(struct frec__payload, name) | FREC__BYTES_FLAG,
#define FREC__PLACE_frec_enum(name, text, ...)

#define FREC__PLACES(field) FREC__PLACES_ field
#define FREC__PLACES_(kind, ...) FREC__PLACES_##kind
#define FREC__PLACES_frec_scalar +0
#define FREC__PLACES_frec_string +1
#define FREC__PLACES_frec_chars +0
#define FREC__PLACES_frec_bytes +1
#define FREC__PLACES_frec_enum +0

/*
 * The declaration for the kernel. The kernel takes the size of an array as part of the type's name,
 * `char[16] tag`; spelled as in C it would be a single char named "tag[16]". The kernel has no
 * floating-point types, so floats and doubles are declared as structs, which need their size at the
 * end. The format file shows the types as spelled here. Fields are packed, in the order of the
 * declaration.
 */
#define FREC__KERNEL(field) FREC__KERNEL_ field
#define FREC__KERNEL_(kind, ...) FREC__KERNEL_##kind(__VA_ARGS__)
#define FREC__KERNEL_frec_scalar(name, type, member, kernel, tail, text, spec) \
	" " kernel " " #name tail
#define FREC__KERNEL_frec_string(name) " __rel_loc char[] " #name
#define FREC__KERNEL_frec_chars(name, n) " char[" FREC__STRING(n) "] " #name
#define FREC__KERNEL_frec_bytes(name) " __rel_loc u8[] " #name
#define FREC__KERNEL_frec_enum(name, text, ...) " s32 " #name
#define FREC__SEMICOLON() ";"

/* The declaration for tools. */
#define FREC__TEXT(field) FREC__TEXT_ field
#define FREC__TEXT_(kind, ...) FREC__TEXT_##kind(__VA_ARGS__)
#define FREC__TEXT_frec_scalar(name, type, member, kernel, tail, text, spec) text " " #name "\0"
#define FREC__TEXT_frec_string(name) "str " #name "\0"
#define FREC__TEXT_frec_chars(name, n) "chars " #name ":" FREC__STRING(n) "\0"
#define FREC__TEXT_frec_bytes(name) "bytes " #name "\0"
#define FREC__TEXT_frec_enum(name, text, ...) "enum " #name ":" text "\0"

#define FREC__VALUES(field) FREC__VALUES_ field
#define FREC__VALUES_(kind, ...) FREC__VALUES_##kind(__VA_ARGS__)
#define FREC__VALUES_frec_scalar(name, type, member, kernel, tail, text, spec)
#define FREC__VALUES_frec_string(name)
#define FREC__VALUES_frec_chars(name, n)
#define FREC__VALUES_frec_bytes(name)
#define FREC__VALUES_frec_enum(name, text, ...) FREC__LIST(FREC__VALUE, ~, __VA_ARGS__)
#define FREC__VALUE(enumerator) (int64_t)(enumerator),

#define FREC__VALUE_COUNT(field) FREC__VALUE_COUNT_ field
#define FREC__VALUE_COUNT_(kind, ...) FREC__VALUE_COUNT_##kind(__VA_ARGS__)
#define FREC__VALUE_COUNT_frec_scalar(name, type, member, kernel, tail, text, spec) +0
#define FREC__VALUE_COUNT_frec_string(name) +0
#define FREC__VALUE_COUNT_frec_chars(name, n) +0
#define FREC__VALUE_COUNT_frec_bytes(name) +0
#define FREC__VALUE_COUNT_frec_enum(name, text, ...) +FREC__ENUMERATORS(~, __VA_ARGS__)

/*
 * These two return the locator of a piece of data that begins after *size bytes of payload, and add
 * the piece to *size. `at` is the locator's place behind the index. A piece that is too large, or a
 * string that is NULL, makes *size exceed FREC_PAYLOAD_MAX, and the library replaces the locators.
 */
static inline __attribute__((unused, always_inline)) uint32_t frec__string(struct iovec *piece,
									   size_t *size, size_t at)
{
	size_t length = frec__text_length((const char *)piece->iov_base) + 1, begin = *size;

	piece->iov_len = length;
	*size = begin + length;
	return (uint32_t)(length << 16 | (begin - at));
}

static inline __attribute__((unused, always_inline)) uint32_t frec__bytes(const struct iovec *piece,
									  size_t *size, size_t at)
{
	size_t length = piece->iov_len, begin = *size;

	if (length > FREC_PAYLOAD_MAX)
		length = FREC_PAYLOAD_MAX + 1;
	*size = begin + length;
	return (uint32_t)(length << 16 | (begin - at));
}

static inline __attribute__((unused, always_inline)) bool frec__at_site(
	const struct frec__event *event)
{
	return __atomic_load_n(&event->enabled, __ATOMIC_RELAXED) & FREC__USDT_MASK;
}

/*
 * `...` is the name and the fields. The name is part of `...`, because ISO C does not allow `...`
 * to be empty. frec__send_..., which emits, is out of line and cold. frec__emit_... exists for
 * FREC_EMIT, whose list of arguments may be empty as well: it takes one more argument.
 */
#define FREC__EVENT(provider, ...) FREC__DEFINE(provider, __VA_ARGS__)
#define FREC__DEFINE(provider, name, ...) \
	FREC__ASSERT(sizeof(#provider "__" #name FREC__EACH(FREC__KERNEL, FREC__SEMICOLON, "", \
							    __VA_ARGS__)) <= 512, \
		     "The names of the event and its fields are too long: the kernel takes 511 " \
		     "characters"); \
	__extension__ static const struct { \
		uint32_t magic, size; \
		uint16_t version, enumerators; \
		uint32_t text_size; \
		int64_t value[FREC__EACH(FREC__VALUE_COUNT, FREC__NOTHING, 0, __VA_ARGS__)]; \
		char text[sizeof(FREC__DECLARATION(provider, name, __VA_ARGS__))]; \
	} frec__declaration_##provider##_##name FREC__KEEP("frec_declarations") = { \
		FREC__DECLARATION_MAGIC, \
		sizeof(frec__declaration_##provider##_##name), \
		1, \
		FREC__EACH(FREC__VALUE_COUNT, FREC__NOTHING, 0, __VA_ARGS__), \
		sizeof(FREC__DECLARATION(provider, name, __VA_ARGS__)), \
		{FREC__EACH(FREC__VALUES, FREC__NOTHING, , __VA_ARGS__)}, \
		FREC__DECLARATION(provider, name, __VA_ARGS__), \
	}; \
	static struct frec__event frec__event_##provider##_##name FREC__SEMAPHORES = { \
		0, \
		sizeof(struct frec__event), \
		FREC__NO_INDEX, \
		0, \
		#provider ":" #name, \
		#provider "__" #name FREC__EACH(FREC__KERNEL, FREC__SEMICOLON, "", __VA_ARGS__), \
		0, \
		&frec__declaration_##provider##_##name, \
		FREC__NO_INDEX, \
		0, \
	}; \
	FREC__SITE(provider, name, __VA_ARGS__) \
	static __attribute__((noinline, unused, cold)) int frec__send_##provider##_##name( \
		FREC__EACH(FREC__PARAM, FREC__COMMA, void, __VA_ARGS__)) \
	{ \
		struct __attribute__((packed)) frec__payload { \
			uint32_t frec__index; \
			FREC__EACH(FREC__MEMBER, FREC__NOTHING, , __VA_ARGS__) \
		} frec__payload; \
		enum { frec__count = FREC__EACH(FREC__PLACES, FREC__NOTHING, 0, __VA_ARGS__) }; \
		static const uint16_t frec__shape[] = { \
			1 + frec__count, FREC__EACH(FREC__PLACE, FREC__NOTHING, , __VA_ARGS__) 0}; \
		struct iovec frec__room[1 + 2 * frec__count]; \
		struct iovec *frec__vector = frec__room + frec__count; \
		struct iovec *frec__next = frec__vector + 1; \
		size_t frec__size = sizeof(frec__payload) - sizeof(uint32_t); \
		bool frec__fault = false; \
		FREC__ASSERT(sizeof(frec__payload) - 4 <= FREC_PAYLOAD_MAX, \
			     "The fields of the event take more than FREC_PAYLOAD_MAX bytes"); \
		FREC__EACH(FREC__FILL, FREC__NOTHING, , __VA_ARGS__) \
		frec__next = frec__vector + 1; \
		FREC__EACH(FREC__FINISH, FREC__NOTHING, , __VA_ARGS__) \
		if (frec__fault) \
			return frec__refuse(&frec__event_##provider##_##name, -14 /* EFAULT */); \
		if (frec__count == 0 && !frec__at_site(&frec__event_##provider##_##name)) \
			return frec__emit_fixed(&frec__event_##provider##_##name, &frec__payload, \
						sizeof(frec__payload)); \
		frec__vector->iov_base = &frec__payload; \
		frec__vector->iov_len = sizeof(frec__payload); \
		if (frec__count > 0 && !frec__at_site(&frec__event_##provider##_##name)) \
			return frec__emit_vector(&frec__event_##provider##_##name, frec__vector, \
						 frec__shape, frec__size); \
		uint64_t frec__args[12] = {0}; \
		frec__next = frec__vector + 1; \
		FREC__TWELVE(FREC__VALUES_OF, __VA_ARGS__) \
		(void)frec__next; \
		return frec__emit_site(&frec__event_##provider##_##name, frec__vector, \
				       frec__shape, frec__size, FREC__SITE_OF(provider, name), \
				       frec__args); \
	} \
	static inline __attribute__((unused)) bool frec_##provider##_##name##_enabled(void) \
	{ \
		return __builtin_expect(__atomic_load_n(&frec__event_##provider##_##name.enabled, \
							__ATOMIC_RELAXED) != 0, \
					0); \
	} \
	static inline __attribute__((unused)) int frec_##provider##_##name( \
		FREC__EACH(FREC__PARAM, FREC__COMMA, void, __VA_ARGS__)) \
	{ \
		if (!frec_##provider##_##name##_enabled()) \
			return 0; \
		return frec__send_##provider##_##name( \
			FREC__EACH(FREC__ARG, FREC__COMMA, , __VA_ARGS__)); \
	} \
	static inline __attribute__((unused)) int frec__emit_##provider##_##name( \
		FREC__EACH(FREC__PARAM_THEN, FREC__NOTHING, , __VA_ARGS__) int frec__end) \
	{ \
		(void)frec__end; \
		return frec__send_##provider##_##name( \
			FREC__EACH(FREC__ARG, FREC__COMMA, , __VA_ARGS__)); \
	} \
	static struct frec__event *frec__pointer_##provider##_##name FREC__KEEP("frec_events") = \
		&frec__event_##provider##_##name

#define FREC__DECLARATION(provider, name, ...) \
#provider "\0" #name "\0" FREC__EACH(FREC__TEXT, FREC__NOTHING, "", __VA_ARGS__)

/* FREC_EMIT adds an argument at the end, so that the list is never empty. */
#define FREC__EMIT(provider, name, ...) \
	(frec_##provider##_##name##_enabled() ? frec__emit_##provider##_##name(__VA_ARGS__) \
					      : frec__off())

#endif
