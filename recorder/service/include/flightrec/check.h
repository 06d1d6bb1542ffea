/* SPDX-License-Identifier: MIT */
/*
 * Says in words what is wrong with a FREC_EVENT. Without this, the compiler's messages would be
 * about the code that FREC_EVENT expands to. FREC__CHECK is the first thing that FREC_EVENT expands
 * to, so the first error that a compiler prints is one of these. Programs do not use these macros.
 *
 * To find names that are macros, a name as the source spells it is compared, as a string, with what
 * the preprocessor expands it to. ISO C has no constant expressions over strings, but gcc and clang
 * evaluate builtins such as __builtin_strcmp(). clang accepts an address as part of a constant
 * expression only within a builtin that returns an integer, and its messages quote the whole
 * operand of && that is false; therefore each condition is within a __builtin_expect of its own.
 * Each condition takes time to compile, so in C all names of an event are searched together for
 * characters that cannot be in an identifier.
 */
#ifndef FLIGHTREC_CHECK_H
#define FLIGHTREC_CHECK_H

#include <flightrec/each.h>

#ifdef __cplusplus
#define FREC__ASSERT(condition, message) static_assert(condition, message)
/* Makes a structure local to its file, because another file may have a different structure of the
 * same name. */
#define FREC__LOCAL(...) \
	namespace \
	{ \
	__VA_ARGS__ \
	}
#else
#define FREC__ASSERT(condition, message) _Static_assert(condition, message)
#define FREC__LOCAL(...) __VA_ARGS__
#endif

/* clang-format off */
#define FREC__CHECK(provider, provider_raw, all_raw, name, ...) \
	__extension__ FREC__ASSERT(FREC__SAME(provider_raw, #provider), \
		"FREC_EVENT: the provider " provider_raw FREC__IS_MACRO); \
	__extension__ FREC__ASSERT( \
		__builtin_expect(__builtin_strncmp(all_raw ",", #name ",", sizeof(#name)) == 0 || \
				 __builtin_strncmp(all_raw, #name " ", sizeof(#name)) == 0, 1), \
		"FREC_EVENT: the event's name, which becomes " #name "," FREC__IS_MACRO); \
	__extension__ FREC__ASSERT(FREC__IDENTIFIER(#provider), \
		"FREC_EVENT: the provider '" #provider "'" FREC__NO_IDENTIFIER); \
	__extension__ FREC__ASSERT(FREC__IDENTIFIER(#name), \
		"FREC_EVENT: the event's name '" #name "'" FREC__NO_IDENTIFIER); \
	FREC__ASSERT(FREC__FIELDS(__VA_ARGS__) <= 40, \
		"FREC_EVENT: " #provider ":" #name " has too many fields: at most 40"); \
	FREC__EACH(FREC__CHECK_FIELD, FREC__NOTHING, , __VA_ARGS__)

/* g++ expands all macros of a file before it compiles the first line, so its error about a failed
 * ## comes first. If the event's name is a string or a macro for an expression, that error quotes
 * the name of this structure, which says what is wrong. */
#define FREC__CHECK_SANE(provider, name, ...) \
	FREC__CHECK_IDENTIFIERS(#provider "," #name \
		FREC__EACH(FREC__CHECK_RAW, FREC__NOTHING, "", __VA_ARGS__)) \
	struct frec__event_name_must_be_an_identifier_and_no_macro_##provider##_##name; \
	enum { frec__length_of_##provider##_##name = sizeof(#provider "__" #name \
		FREC__EACH(FREC__KERNEL, FREC__SEMICOLON, "", __VA_ARGS__)) }; \
	FREC__ASSERT(frec__length_of_##provider##_##name <= 512, \
		"FREC_EVENT: the names of " #provider ":" #name " and of its fields are too " \
		"long: the kernel takes 511 characters for all of them and their types"); \
	FREC__LOCAL( \
		struct frec__fields_of_##provider##_##name { \
			char frec__any; \
			FREC__EACH(FREC__CHECK_TWICE, FREC__NOTHING, , __VA_ARGS__) \
		};)
/* clang-format on */

#define FREC__IS_MACRO " is also a macro, which the preprocessor replaces: choose another name"
#define FREC__NO_IDENTIFIER \
	" is no identifier: use letters, digits and _, not beginning with a digit"

/* True if the preprocessor leaves a name as it is. */
#define FREC__SAME(raw, expanded) __builtin_expect(__builtin_strcmp(raw, expanded) == 0, 1)

#ifdef __cplusplus
extern "C++" {
/* Compilers limit the depth of a recursion, so only the first 400 characters are checked. */
constexpr bool frec__is_identifier(const char *text, int at = 0)
{
	return !*text || at == 400 ? at > 0
	       : (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') || *text == '_' ||
			       (at && *text >= '0' && *text <= '9')
		       ? frec__is_identifier(text + 1, at + 1)
		       : false;
}
}
#define FREC__IDENTIFIER(text) frec__is_identifier(text)
#define FREC__CHECK_IDENTIFIERS(all)
#else
/* True if a text begins with a character after '9', as every identifier does. */
#define FREC__IDENTIFIER(text) __builtin_expect(__builtin_strncmp(text, "9", 1) > 0, 1)
/* clang-format off */
#define FREC__CHECK_IDENTIFIERS(all) \
	__extension__ FREC__ASSERT( \
		FREC__NOT(all, '!') && FREC__NOT(all, '"') && FREC__NOT(all, '#') && \
		FREC__NOT(all, '$') && FREC__NOT(all, '%') && FREC__NOT(all, '&') && \
		FREC__NOT(all, '\'') && FREC__NOT(all, '(') && FREC__NOT(all, '*') && \
		FREC__NOT(all, '+') && FREC__NOT(all, '-') && FREC__NOT(all, '.') && \
		FREC__NOT(all, '/') && FREC__NOT(all, ':') && FREC__NOT(all, ';') && \
		FREC__NOT(all, '<') && FREC__NOT(all, '=') && FREC__NOT(all, '>') && \
		FREC__NOT(all, '?') && FREC__NOT(all, '[') && FREC__NOT(all, '\\') && \
		FREC__NOT(all, '^') && FREC__NOT(all, '{') && FREC__NOT(all, '|') && \
		FREC__NOT(all, '~') && FREC__NOT(all, ' '), \
		"FREC_EVENT: a name among '" all "'" FREC__NO_IDENTIFIER);
/* clang-format on */
#define FREC__NOT(text, character) __builtin_expect(!__builtin_strchr(text, character), 1)
#endif

/* 1 if a field is a tuple, which only the macros of flightrec/event.h expand to, else 0. */
#define FREC__IS_TUPLE(field) FREC__SECOND(FREC__TUPLE field, 0, ~)
#define FREC__TUPLE(...) ~, 1
#define FREC__SECOND(...) FREC__SECOND_(__VA_ARGS__)
#define FREC__SECOND_(first, second, ...) second

/* These macros are used within FREC__EACH, where FREC__CAT does not expand a second time. */
#define FREC__CHECK_CAT(a, b) FREC__CHECK_CAT_(a, b)
#define FREC__CHECK_CAT_(a, b) a##b

#define FREC__CHECK_FIELD(field) FREC__CHECK_CAT(FREC__CHECK_FIELD_, FREC__IS_TUPLE(field))(field)
#define FREC__CHECK_FIELD_0(field) \
	FREC__ASSERT(0, "FREC_EVENT: '" #field \
			"' is no kind of field: see flightrec/event.h for FREC_U64, FREC_STR, " \
			"FREC_TEXT and the others");
#define FREC__CHECK_FIELD_1(field) FREC__CHECK_NAME field
/* clang-format off */
#define FREC__CHECK_NAME(kind, raw, twice, ...) \
	FREC__CHECK_NAMED(raw, FREC__FIRST(__VA_ARGS__, ~)) \
	FREC__ASSERT(!FREC__SECOND(FREC__IS_KEYWORD_##twice, 0, ~), \
		"FREC_EVENT: the name of the field " raw " is a keyword: choose another name"); \
	FREC__CHECK_##kind(__VA_ARGS__)
#define FREC__CHECK_NAMED(raw, name) FREC__CHECK_NAMED_(raw, name)
#define FREC__CHECK_NAMED_(raw, name) \
	__extension__ FREC__ASSERT(FREC__SAME(raw, #name), \
		"FREC_EVENT: the name of the field " raw FREC__IS_MACRO); \
	__extension__ FREC__ASSERT(FREC__IDENTIFIER(raw), \
		"FREC_EVENT: the name of the field '" raw "'" FREC__NO_IDENTIFIER);
/* clang-format on */
#define FREC__CHECK_frec_scalar(...)
#define FREC__CHECK_frec_string(...)
#define FREC__CHECK_frec_bytes(...)
#define FREC__CHECK_frec_text(...)
#define FREC__CHECK_frec_chars(name, n) \
	FREC__ASSERT((n) >= 1 && (n) <= 1024, \
		     "FREC_EVENT: the size of FREC_CHARS(" #name ") must be from 1 to 1024");
#define FREC__CHECK_frec_enum(name, text, ...) \
	FREC__ASSERT(FREC__ENUMERATORS(~, __VA_ARGS__) <= 40, \
		     "FREC_EVENT: FREC_ENUM(" #name ") has too many enumerators: at most 40");

/* A comma and the field, or a FREC_U8 in place of something that is no field. */
#define FREC__THEN_SANE(field) , FREC__CHECK_CAT(FREC__SANE_, FREC__IS_TUPLE(field))(field)
#define FREC__SANE_0(field) FREC_U8(frec__no_field)
#define FREC__SANE_1(field) field

/* A member of a structure that nothing uses. Two fields of the same name make two members of the
 * same name, which compilers report clearly. The parameter for a size has a member too, because its
 * name must not occur twice either. */
#define FREC__CHECK_TWICE(field) FREC__CHECK_TWICE_ field
#define FREC__CHECK_TWICE_(kind, raw, twice, ...) \
	char twice; \
	FREC__CHECK_TWICE_##kind(__VA_ARGS__)
#define FREC__CHECK_TWICE_frec_scalar(...)
#define FREC__CHECK_TWICE_frec_string(...)
#define FREC__CHECK_TWICE_frec_chars(...)
#define FREC__CHECK_TWICE_frec_enum(...)
#define FREC__CHECK_TWICE_frec_bytes(name, name_size) char name_size##_named_twice_or_no_identifier;
#define FREC__CHECK_TWICE_frec_text(name, name_size) char name_size##_named_twice_or_no_identifier;

/* The names of the fields, each after a comma. */
#define FREC__CHECK_RAW(field) FREC__CHECK_RAW_ field
#define FREC__CHECK_RAW_(kind, raw, ...) "," raw

/* Keywords. A field's tuple contains the field's name with this suffix, so that the preprocessor
 * does not expand the name even if it is a macro. */
#define FREC__IS_KEYWORD_auto_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_break_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_case_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_char_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_const_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_continue_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_default_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_do_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_double_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_else_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_enum_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_extern_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_float_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_for_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_goto_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_if_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_inline_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_int_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_long_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_register_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_return_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_short_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_signed_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_sizeof_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_static_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_struct_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_switch_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_typedef_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_union_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_unsigned_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_void_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_volatile_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_while_named_twice_or_no_identifier ~, 1
#ifdef __cplusplus
#define FREC__IS_KEYWORD_alignas_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_alignof_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_and_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_and_eq_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_asm_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_bitand_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_bitor_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_bool_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_catch_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_char16_t_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_char32_t_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_class_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_compl_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_const_cast_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_constexpr_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_decltype_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_delete_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_dynamic_cast_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_explicit_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_export_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_false_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_friend_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_mutable_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_namespace_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_new_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_noexcept_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_not_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_not_eq_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_nullptr_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_operator_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_or_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_or_eq_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_private_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_protected_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_public_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_reinterpret_cast_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_static_assert_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_static_cast_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_template_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_this_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_thread_local_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_throw_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_true_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_try_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_typeid_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_typename_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_using_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_virtual_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_wchar_t_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_xor_named_twice_or_no_identifier ~, 1
#define FREC__IS_KEYWORD_xor_eq_named_twice_or_no_identifier ~, 1
#else
#define FREC__IS_KEYWORD_restrict_named_twice_or_no_identifier ~, 1
#endif

#endif
