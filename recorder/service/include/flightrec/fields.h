/* SPDX-License-Identifier: MIT */
/*
 * The expansion of FREC_EVENT. Programs do not use these macros. A field is a tuple of its kind,
 * two things for check.h, its name and whatever else the kind needs. FREC__PARAM and similar macros
 * each expand a field to one piece of code: they append the field's kind to their own name, which
 * selects a variant.
 *
 * The section `frec_declarations` has the declaration of each event, for tools that read ELF files
 * without running them. The size of a declaration is a multiple of 8 bytes. A declaration has no
 * pointers, so that no relocation has to be applied.
 *
 *	u32	magic, FREC__DECLARATION_MAGIC
 *	u32	size of the declaration
 *	u16	version, 1
 *	u16	number of enumerators
 *	u32	size of the text
 *	s64	value of each enumerator, in the order in which the text names them
 *	text	strings that end in NUL: the provider; the event's name; for each field, its kind, a
 *		space and its name, as in "u64 order_id"; an empty string. Kinds are u8 u16 u32 u64
 *		i8 i16 i32 i64 bool f32 f64 ptr str text bytes chars enum. After the name, chars
 *		has its size ("chars tag:16"), and enum has its enumerators as the source spells
 *		them ("enum state:IDLE, BUSY", "enum state:State::idle").
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
#define FREC__PARAM_(kind, raw, twice, ...) FREC__PARAM_##kind(__VA_ARGS__)
#define FREC__PARAM_frec_scalar(name, type, member, kernel, tail, text, spec) type name
#define FREC__PARAM_frec_string(name) const char *name
#define FREC__PARAM_frec_chars(name, n) const char *name
#define FREC__PARAM_frec_bytes(name, name_size) const void *name, size_t name_size
#define FREC__PARAM_frec_text(name, name_size) const void *name, size_t name_size
#define FREC__PARAM_frec_enum(name, text, ...) FREC__ENUM name
#define FREC__PARAM_THEN(field) FREC__PARAM_ field,

/* The arguments with which the emit function passes its parameters on to frec__send_.... */
#define FREC__ARG(field) FREC__ARG_ field
#define FREC__ARG_(kind, raw, twice, ...) FREC__ARG_##kind(__VA_ARGS__)
#define FREC__ARG_frec_scalar(name, type, member, kernel, tail, text, spec) name
#define FREC__ARG_frec_string(name) name
#define FREC__ARG_frec_chars(name, n) name
#define FREC__ARG_frec_bytes(name, name_size) name, name_size
#define FREC__ARG_frec_text(name, name_size) name, name_size
#define FREC__ARG_frec_enum(name, text, ...) name

/* The members of the fixed part of the payload. The member of a string, text or byte array is a
 * locator, a u32. */
#define FREC__MEMBER(field) FREC__MEMBER_ field
#define FREC__MEMBER_(kind, raw, twice, ...) FREC__MEMBER_##kind(__VA_ARGS__)
#define FREC__MEMBER_frec_scalar(name, type, member, kernel, tail, text, spec) member name;
#define FREC__MEMBER_frec_string(name) uint32_t name;
#define FREC__MEMBER_frec_chars(name, n) char name[n];
#define FREC__MEMBER_frec_bytes(name, name_size) uint32_t name;
#define FREC__MEMBER_frec_text(name, name_size) uint32_t name;
#define FREC__MEMBER_frec_enum(name, text, ...) int32_t name;

/*
 * The first pass stores what the caller gave: numbers into the payload, pointers and sizes into the
 * vector. The second pass calls functions: it measures strings, writes locators and copies
 * characters. In this order the compiler has to keep no parameter during a call except the pointers
 * of FREC_CHARS.
 */
#define FREC__FILL(field) FREC__FILL_ field
#define FREC__FILL_(kind, raw, twice, ...) FREC__FILL_##kind(__VA_ARGS__)
#define FREC__FILL_frec_scalar(name, type, member, kernel, tail, text, spec) \
	frec__payload.name = FREC__NUMBER(member, name);
#define FREC__FILL_frec_string(name) frec__point(frec__next++, name);
#define FREC__FILL_frec_chars(name, n)
#define FREC__FILL_frec_bytes(name, name_size) \
	frec__point(frec__next, name); \
	(frec__next++)->iov_len = name_size;
#define FREC__FILL_frec_text(name, name_size) \
	frec__point(frec__next, name); \
	frec__next->iov_len = name_size; \
	frec__next += 2;
#define FREC__FILL_frec_enum(name, text, ...) frec__payload.name = name;

#define FREC__FINISH(field) FREC__FINISH_ field
#define FREC__FINISH_(kind, raw, twice, ...) FREC__FINISH_##kind(__VA_ARGS__)
#define FREC__FINISH_frec_scalar(name, type, member, kernel, tail, text, spec)
#define FREC__FINISH_frec_string(name) \
	frec__payload.name = \
		frec__string(frec__next++, &frec__size, offsetof(struct frec__payload, name));
#define FREC__FINISH_frec_chars(name, n) \
	frec__fault |= !frec__copy_chars(frec__payload.name, name, n);
#define FREC__FINISH_frec_text(name, name_size) \
	frec__payload.name = \
		frec__counted(frec__next, &frec__size, offsetof(struct frec__payload, name)); \
	frec__next += 2;
#define FREC__FINISH_frec_bytes(name, name_size) \
	frec__payload.name = \
		frec__bytes(frec__next++, &frec__size, offsetof(struct frec__payload, name));
#define FREC__FINISH_frec_enum(name, text, ...)

/* The offsets of the locators, and their number. */
#define FREC__PLACE(field) FREC__PLACE_ field
#define FREC__PLACE_(kind, raw, twice, ...) FREC__PLACE_##kind(__VA_ARGS__)
#define FREC__PLACE_frec_scalar(name, type, member, kernel, tail, text, spec)
#define FREC__PLACE_frec_string(name) offsetof(struct frec__payload, name),
#define FREC__PLACE_frec_chars(name, n)
#define FREC__PLACE_frec_bytes(name, name_size) \
	offsetof(struct frec__payload, name) | FREC__BYTES_FLAG,
#define FREC__PLACE_frec_text(name, name_size) \
	offsetof(struct frec__payload, name) | FREC__TEXT_FLAG,
#define FREC__PLACE_frec_enum(name, text, ...)

#define FREC__PLACES(field) FREC__PLACES_ field
#define FREC__PLACES_(kind, ...) FREC__PLACES_##kind
#define FREC__PLACES_frec_scalar +0
#define FREC__PLACES_frec_string +1
#define FREC__PLACES_frec_chars +0
#define FREC__PLACES_frec_bytes +1
#define FREC__PLACES_frec_text +1
#define FREC__PLACES_frec_enum +0

/* The number of elements that the data of the fields takes in the vector. */
#define FREC__ELEMENTS(field) FREC__ELEMENTS_ field
#define FREC__ELEMENTS_(kind, ...) FREC__ELEMENTS_##kind
#define FREC__ELEMENTS_frec_scalar +0
#define FREC__ELEMENTS_frec_string +1
#define FREC__ELEMENTS_frec_chars +0
#define FREC__ELEMENTS_frec_bytes +1
#define FREC__ELEMENTS_frec_text +2
#define FREC__ELEMENTS_frec_enum +0

/*
 * The declaration for the kernel. The kernel takes the size of an array as part of the type's name,
 * `char[16] tag`; it would take the spelling of C for a single char named "tag[16]". The kernel has
 * no floating-point types, so floats and doubles are declared as structs, which need their size at
 * the end. The event's format file in tracefs shows the types as spelled here. Fields are packed,
 * in the order of the declaration.
 */
#define FREC__KERNEL(field) FREC__KERNEL_ field
#define FREC__KERNEL_(kind, raw, twice, ...) FREC__KERNEL_##kind(__VA_ARGS__)
#define FREC__KERNEL_frec_scalar(name, type, member, kernel, tail, text, spec) \
	" " kernel " " #name tail
#define FREC__KERNEL_frec_string(name) " __rel_loc char[] " #name
#define FREC__KERNEL_frec_chars(name, n) " char[" FREC__STRING(n) "] " #name
#define FREC__KERNEL_frec_bytes(name, name_size) " __rel_loc u8[] " #name
#define FREC__KERNEL_frec_text(name, name_size) " __rel_loc char[] " #name
#define FREC__KERNEL_frec_enum(name, text, ...) " s32 " #name
#define FREC__SEMICOLON() ";"

/* The declaration for tools. */
#define FREC__TEXT(field) FREC__TEXT_ field
#define FREC__TEXT_(kind, raw, twice, ...) FREC__TEXT_##kind(__VA_ARGS__)
#define FREC__TEXT_frec_scalar(name, type, member, kernel, tail, text, spec) text " " #name "\0"
#define FREC__TEXT_frec_string(name) "str " #name "\0"
#define FREC__TEXT_frec_chars(name, n) "chars " #name ":" FREC__STRING(n) "\0"
#define FREC__TEXT_frec_bytes(name, name_size) "bytes " #name "\0"
#define FREC__TEXT_frec_text(name, name_size) "text " #name "\0"
#define FREC__TEXT_frec_enum(name, text, ...) "enum " #name ":" text "\0"

#define FREC__VALUES(field) FREC__VALUES_ field
#define FREC__VALUES_(kind, raw, twice, ...) FREC__VALUES_##kind(__VA_ARGS__)
#define FREC__VALUES_frec_scalar(name, type, member, kernel, tail, text, spec)
#define FREC__VALUES_frec_string(name)
#define FREC__VALUES_frec_chars(name, n)
#define FREC__VALUES_frec_bytes(name, name_size)
#define FREC__VALUES_frec_text(name, name_size)
#define FREC__VALUES_frec_enum(name, text, ...) FREC__LIST(FREC__VALUE, ~, __VA_ARGS__)
#define FREC__VALUE(enumerator) FREC__STATIC_CAST(int64_t, enumerator),

#define FREC__VALUE_COUNT(field) FREC__VALUE_COUNT_ field
#define FREC__VALUE_COUNT_(kind, raw, twice, ...) FREC__VALUE_COUNT_##kind(__VA_ARGS__)
#define FREC__VALUE_COUNT_frec_scalar(name, type, member, kernel, tail, text, spec) +0
#define FREC__VALUE_COUNT_frec_string(name) +0
#define FREC__VALUE_COUNT_frec_chars(name, n) +0
#define FREC__VALUE_COUNT_frec_bytes(name, name_size) +0
#define FREC__VALUE_COUNT_frec_text(name, name_size) +0
#define FREC__VALUE_COUNT_frec_enum(name, text, ...) +FREC__ENUMERATORS(~, __VA_ARGS__)

static inline __attribute__((unused, always_inline)) void frec__point(struct iovec *piece,
								      const void *data)
{
	piece->iov_base = FREC__UNCONST(data);
}

/*
 * These three functions return the locator of a piece of data that begins after *size bytes of
 * payload, and add the size of the piece to *size. `at` is the locator's offset in the fixed part,
 * which begins with the index, while *size does not count the index. A piece that is too large, or
 * a string that is NULL, makes *size exceed FREC_PAYLOAD_MAX, and then the library replaces the
 * locators.
 */
static inline __attribute__((unused, always_inline)) uint32_t frec__string(struct iovec *piece,
									   size_t *size, size_t at)
{
	size_t length = frec__text_length(FREC__STATIC_CAST(const char *, piece->iov_base)) + 1,
	       begin = *size;

	piece->iov_len = length;
	*size = begin + length;
	return FREC__STATIC_CAST(uint32_t, length << 16 | (begin - at));
}

static inline __attribute__((unused, always_inline)) uint32_t frec__counted(struct iovec *pieces,
									    size_t *size, size_t at)
{
	static const char nul[1] = "";
	size_t length = frec__counted_size(pieces[0].iov_base, pieces[0].iov_len), begin = *size;

	frec__point(&pieces[1], nul);
	pieces[1].iov_len = 1;
	*size = begin + length;
	return FREC__STATIC_CAST(uint32_t, length << 16 | (begin - at));
}

static inline __attribute__((unused, always_inline)) uint32_t frec__bytes(const struct iovec *piece,
									  size_t *size, size_t at)
{
	size_t length = piece->iov_len, begin = *size;

	if (length > FREC_PAYLOAD_MAX)
		length = FREC_PAYLOAD_MAX + 1;
	*size = begin + length;
	return FREC__STATIC_CAST(uint32_t, length << 16 | (begin - at));
}

static inline __attribute__((unused, always_inline)) bool frec__at_site(
	const struct frec__event *event)
{
	return __atomic_load_n(&event->enabled, __ATOMIC_RELAXED) & FREC__USDT_MASK;
}

/*
 * `...` is the name and the fields. The name is part of `...`, because ISO C does not allow `...`
 * to be empty. frec__send_..., which emits, is out of line and cold. frec__emit_... exists for
 * FREC_EMIT, whose list of arguments may be empty as well: frec__emit_... therefore takes one more
 * argument.
 */
#define FREC__EVENT(provider, provider_raw, all_raw, name, ...) \
	FREC__CHECK(provider, provider_raw, all_raw, name, __VA_ARGS__) \
	FREC__CHECKED(provider, name, \
		      name FREC__EACH(FREC__THEN_SANE, FREC__NOTHING, , __VA_ARGS__))
#define FREC__CHECKED(provider, name, ...) \
	FREC__CHECK_SANE(provider, name, __VA_ARGS__) \
	FREC__DEFINE(provider, name, __VA_ARGS__)
#define FREC__DEFINE(provider, name, ...) \
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
		enum { \
			frec__elements = FREC__EACH(FREC__ELEMENTS, FREC__NOTHING, 0, __VA_ARGS__) \
		}; \
		static const uint16_t frec__shape[] = { \
			1 + frec__elements, \
			FREC__EACH(FREC__PLACE, FREC__NOTHING, , __VA_ARGS__) 0}; \
		struct iovec frec__room[1 + frec__count + frec__elements]; \
		struct iovec *frec__vector = frec__room + frec__count; \
		struct iovec *frec__next = frec__vector + 1; \
		size_t frec__size = sizeof(frec__payload) - sizeof(uint32_t); \
		bool frec__fault = false; \
		uint64_t frec__args[12]; \
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
		__builtin_memset(frec__args, 0, sizeof(frec__args)); \
		frec__next = frec__vector + 1; \
		FREC__TWELVE(FREC__VALUES_OF, __VA_ARGS__) \
		(void)frec__next; \
		return frec__emit_site(&frec__event_##provider##_##name, frec__vector, \
				       frec__shape, frec__size, FREC__SITE_OF(provider, name), \
				       frec__args); \
	} \
	static inline __attribute__((unused)) bool frec__on_##provider##_##name(void) \
	{ \
		return __builtin_expect(__atomic_load_n(&frec__event_##provider##_##name.enabled, \
							__ATOMIC_RELAXED) != 0, \
					0); \
	} \
	static inline __attribute__((unused)) bool frec_##provider##_##name##_enabled(void) \
	{ \
		FREC__SITE_NEEDED(provider, name) \
		return frec__on_##provider##_##name() && \
		       frec__listens(&frec__event_##provider##_##name); \
	} \
	static inline __attribute__((unused)) int frec_##provider##_##name( \
		FREC__EACH(FREC__PARAM, FREC__COMMA, void, __VA_ARGS__)) \
	{ \
		if (!frec__on_##provider##_##name()) \
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
	FREC__CXX_FUNCTIONS(provider, name, __VA_ARGS__) \
	static struct frec__event *frec__pointer_##provider##_##name FREC__KEEP("frec_events") = \
		&frec__event_##provider##_##name

/*
 * The same functions for C++, with one parameter for each text. They are templates, so that for an
 * event without texts C++ selects the functions above, which have the same parameters. The type of
 * the last argument depends on the template's parameter, so that g++ does not count the functions
 * above as used, and keep their sites, in each file that has the declaration.
 */
#ifdef __cplusplus
#define FREC__CXX_FUNCTIONS(provider, name, ...) \
	extern "C++" { \
	template <typename frec__unused = void> \
	static inline int frec_##provider##_##name(FREC__EACH(FREC__VIEW, FREC__COMMA, void, \
							      __VA_ARGS__)) \
	{ \
		return frec__on_##provider##_##name() \
			       ? frec__emit_##provider##_##name(FREC__EACH( \
					 FREC__VIEW_ARG_THEN, FREC__NOTHING, , \
					 __VA_ARGS__) typename frec__int<frec__unused>::type()) \
			       : 0; \
	} \
	template <typename frec__unused = void> \
	static inline int frec__emit_##provider##_##name(FREC__EACH(FREC__VIEW_THEN, \
								    FREC__NOTHING, , \
								    __VA_ARGS__) int frec__end) \
	{ \
		(void)frec__end; \
		return frec__emit_##provider##_##name( \
			FREC__EACH(FREC__VIEW_ARG_THEN, FREC__NOTHING, , __VA_ARGS__) \
				typename frec__int<frec__unused>::type()); \
	} \
	}
#define FREC__VIEW(field) FREC__VIEW_ field
#define FREC__VIEW_(kind, raw, twice, ...) FREC__VIEW_##kind(__VA_ARGS__)
#define FREC__VIEW_frec_scalar FREC__PARAM_frec_scalar
#define FREC__VIEW_frec_string FREC__PARAM_frec_string
#define FREC__VIEW_frec_chars FREC__PARAM_frec_chars
#define FREC__VIEW_frec_bytes FREC__PARAM_frec_bytes
#define FREC__VIEW_frec_text(name, name_size) frec__view name
#define FREC__VIEW_frec_enum FREC__PARAM_frec_enum
#define FREC__VIEW_THEN(field) FREC__VIEW_ field,
#define FREC__VIEW_ARG_(kind, raw, twice, ...) FREC__VIEW_ARG_##kind(__VA_ARGS__)
#define FREC__VIEW_ARG_frec_scalar FREC__ARG_frec_scalar
#define FREC__VIEW_ARG_frec_string FREC__ARG_frec_string
#define FREC__VIEW_ARG_frec_chars FREC__ARG_frec_chars
#define FREC__VIEW_ARG_frec_bytes FREC__ARG_frec_bytes
#define FREC__VIEW_ARG_frec_text(name, name_size) name.data, name.size
#define FREC__VIEW_ARG_frec_enum FREC__ARG_frec_enum
#define FREC__VIEW_ARG_THEN(field) FREC__VIEW_ARG_ field,
#else
#define FREC__CXX_FUNCTIONS(provider, name, ...)
#endif

#define FREC__DECLARATION(provider, name, ...) \
#provider "\0" #name "\0" FREC__EACH(FREC__TEXT, FREC__NOTHING, "", __VA_ARGS__)

/* FREC_EMIT adds an argument at the end, so that the list is never empty. */
#define FREC__EMIT(provider, name, ...) \
	(frec__on_##provider##_##name() ? frec__emit_##provider##_##name(__VA_ARGS__) : frec__off())

#endif
