/* SPDX-License-Identifier: MIT */
/*
 * Loops for the preprocessor, which has none: <flightrec/event.h> applies a macro to each field of
 * an event and to each enumerator of a field. There are two families because a macro cannot expand
 * within itself, and enumerators are expanded within fields. The loops are unrolled because a
 * recursive form, although shorter, gives error messages that nobody can read. Programs do not use
 * these macros.
 */
#ifndef FLIGHTREC_EACH_H
#define FLIGHTREC_EACH_H

#define FREC__CAT(a, b) FREC__CAT_(a, b)
#define FREC__CAT_(a, b) a##b
#define FREC__COMMA() ,
#define FREC__NOTHING()

/* The number of fields in a list that begins with the event's name; 41 if there are 41 to 127
 * fields, which check.h reports as too many. */
/* clang-format off */
#define FREC__FIELDS(...) \
	FREC__FIELDS_(__VA_ARGS__, \
	41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, \
	41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, \
	41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, \
	41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 40, \
	39, 38, 37, 36, 35, 34, 33, 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, \
	17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, ~)
#define FREC__FIELDS_( \
	_0, _1, _2, _3, _4, _5, _6, _7, _8, _9, _10, _11, _12, _13, _14, _15, _16, _17, _18, \
	_19, _20, _21, _22, _23, _24, _25, _26, _27, _28, _29, _30, _31, _32, _33, _34, _35, \
	_36, _37, _38, _39, _40, _41, _42, _43, _44, _45, _46, _47, _48, _49, _50, _51, _52, \
	_53, _54, _55, _56, _57, _58, _59, _60, _61, _62, _63, _64, _65, _66, _67, _68, _69, \
	_70, _71, _72, _73, _74, _75, _76, _77, _78, _79, _80, _81, _82, _83, _84, _85, _86, \
	_87, _88, _89, _90, _91, _92, _93, _94, _95, _96, _97, _98, _99, _100, _101, _102, \
	_103, _104, _105, _106, _107, _108, _109, _110, _111, _112, _113, _114, _115, _116, \
	_117, _118, _119, _120, _121, _122, _123, _124, _125, _126, _127, n, ...) n
/* clang-format on */

/*
 * FREC__EACH(m, s, z, name, field...) expands to m(field) s() m(field) ..., or to z if there is no
 * field.
 */
#define FREC__EACH(m, s, z, ...) \
	FREC__CAT(FREC__EACH_, FREC__FIELDS(__VA_ARGS__))(m, s, z, __VA_ARGS__)
#define FREC__EACH_0(m, s, z, n) z
#define FREC__EACH_1(m, s, z, n, f) m(f)
#define FREC__EACH_2(m, s, z, n, f, ...) m(f) s() FREC__EACH_1(m, s, z, n, __VA_ARGS__)
#define FREC__EACH_3(m, s, z, n, f, ...) m(f) s() FREC__EACH_2(m, s, z, n, __VA_ARGS__)
#define FREC__EACH_4(m, s, z, n, f, ...) m(f) s() FREC__EACH_3(m, s, z, n, __VA_ARGS__)
#define FREC__EACH_5(m, s, z, n, f, ...) m(f) s() FREC__EACH_4(m, s, z, n, __VA_ARGS__)
#define FREC__EACH_6(m, s, z, n, f, ...) m(f) s() FREC__EACH_5(m, s, z, n, __VA_ARGS__)
#define FREC__EACH_7(m, s, z, n, f, ...) m(f) s() FREC__EACH_6(m, s, z, n, __VA_ARGS__)
#define FREC__EACH_8(m, s, z, n, f, ...) m(f) s() FREC__EACH_7(m, s, z, n, __VA_ARGS__)
#define FREC__EACH_9(m, s, z, n, f, ...) m(f) s() FREC__EACH_8(m, s, z, n, __VA_ARGS__)
#define FREC__EACH_10(m, s, z, n, f, ...) m(f) s() FREC__EACH_9(m, s, z, n, __VA_ARGS__)
#define FREC__EACH_11(m, s, z, n, f, ...) m(f) s() FREC__EACH_10(m, s, z, n, __VA_ARGS__)
#define FREC__EACH_12(m, s, z, n, f, ...) m(f) s() FREC__EACH_11(m, s, z, n, __VA_ARGS__)
#define FREC__EACH_13(m, s, z, n, f, ...) m(f) s() FREC__EACH_12(m, s, z, n, __VA_ARGS__)
#define FREC__EACH_14(m, s, z, n, f, ...) m(f) s() FREC__EACH_13(m, s, z, n, __VA_ARGS__)
#define FREC__EACH_15(m, s, z, n, f, ...) m(f) s() FREC__EACH_14(m, s, z, n, __VA_ARGS__)
#define FREC__EACH_16(m, s, z, n, f, ...) m(f) s() FREC__EACH_15(m, s, z, n, __VA_ARGS__)
#define FREC__EACH_17(m, s, z, n, f, ...) m(f) s() FREC__EACH_16(m, s, z, n, __VA_ARGS__)
#define FREC__EACH_18(m, s, z, n, f, ...) m(f) s() FREC__EACH_17(m, s, z, n, __VA_ARGS__)
#define FREC__EACH_19(m, s, z, n, f, ...) m(f) s() FREC__EACH_18(m, s, z, n, __VA_ARGS__)
#define FREC__EACH_20(m, s, z, n, f, ...) m(f) s() FREC__EACH_19(m, s, z, n, __VA_ARGS__)
#define FREC__EACH_21(m, s, z, n, f, ...) m(f) s() FREC__EACH_20(m, s, z, n, __VA_ARGS__)
#define FREC__EACH_22(m, s, z, n, f, ...) m(f) s() FREC__EACH_21(m, s, z, n, __VA_ARGS__)
#define FREC__EACH_23(m, s, z, n, f, ...) m(f) s() FREC__EACH_22(m, s, z, n, __VA_ARGS__)
#define FREC__EACH_24(m, s, z, n, f, ...) m(f) s() FREC__EACH_23(m, s, z, n, __VA_ARGS__)
#define FREC__EACH_25(m, s, z, n, f, ...) m(f) s() FREC__EACH_24(m, s, z, n, __VA_ARGS__)
#define FREC__EACH_26(m, s, z, n, f, ...) m(f) s() FREC__EACH_25(m, s, z, n, __VA_ARGS__)
#define FREC__EACH_27(m, s, z, n, f, ...) m(f) s() FREC__EACH_26(m, s, z, n, __VA_ARGS__)
#define FREC__EACH_28(m, s, z, n, f, ...) m(f) s() FREC__EACH_27(m, s, z, n, __VA_ARGS__)
#define FREC__EACH_29(m, s, z, n, f, ...) m(f) s() FREC__EACH_28(m, s, z, n, __VA_ARGS__)
#define FREC__EACH_30(m, s, z, n, f, ...) m(f) s() FREC__EACH_29(m, s, z, n, __VA_ARGS__)
#define FREC__EACH_31(m, s, z, n, f, ...) m(f) s() FREC__EACH_30(m, s, z, n, __VA_ARGS__)
#define FREC__EACH_32(m, s, z, n, f, ...) m(f) s() FREC__EACH_31(m, s, z, n, __VA_ARGS__)
#define FREC__EACH_33(m, s, z, n, f, ...) m(f) s() FREC__EACH_32(m, s, z, n, __VA_ARGS__)
#define FREC__EACH_34(m, s, z, n, f, ...) m(f) s() FREC__EACH_33(m, s, z, n, __VA_ARGS__)
#define FREC__EACH_35(m, s, z, n, f, ...) m(f) s() FREC__EACH_34(m, s, z, n, __VA_ARGS__)
#define FREC__EACH_36(m, s, z, n, f, ...) m(f) s() FREC__EACH_35(m, s, z, n, __VA_ARGS__)
#define FREC__EACH_37(m, s, z, n, f, ...) m(f) s() FREC__EACH_36(m, s, z, n, __VA_ARGS__)
#define FREC__EACH_38(m, s, z, n, f, ...) m(f) s() FREC__EACH_37(m, s, z, n, __VA_ARGS__)
#define FREC__EACH_39(m, s, z, n, f, ...) m(f) s() FREC__EACH_38(m, s, z, n, __VA_ARGS__)
#define FREC__EACH_40(m, s, z, n, f, ...) m(f) s() FREC__EACH_39(m, s, z, n, __VA_ARGS__)
#define FREC__EACH_41(m, s, z, ...) z

/* The number of enumerators in a list whose first element is not an enumerator; 41 if there are 41
 * to 127 of them. */
/* clang-format off */
#define FREC__ENUMERATORS(...) \
	FREC__ENUMERATORS_(__VA_ARGS__, \
	41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, \
	41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, \
	41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, \
	41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 40, \
	39, 38, 37, 36, 35, 34, 33, 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, \
	17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, ~)
#define FREC__ENUMERATORS_( \
	_0, _1, _2, _3, _4, _5, _6, _7, _8, _9, _10, _11, _12, _13, _14, _15, _16, _17, _18, \
	_19, _20, _21, _22, _23, _24, _25, _26, _27, _28, _29, _30, _31, _32, _33, _34, _35, \
	_36, _37, _38, _39, _40, _41, _42, _43, _44, _45, _46, _47, _48, _49, _50, _51, _52, \
	_53, _54, _55, _56, _57, _58, _59, _60, _61, _62, _63, _64, _65, _66, _67, _68, _69, \
	_70, _71, _72, _73, _74, _75, _76, _77, _78, _79, _80, _81, _82, _83, _84, _85, _86, \
	_87, _88, _89, _90, _91, _92, _93, _94, _95, _96, _97, _98, _99, _100, _101, _102, \
	_103, _104, _105, _106, _107, _108, _109, _110, _111, _112, _113, _114, _115, _116, \
	_117, _118, _119, _120, _121, _122, _123, _124, _125, _126, _127, n, ...) n
/* clang-format on */

/* FREC__LIST(m, _, enumerator...) expands to m(enumerator) m(enumerator) ... */
#define FREC__LIST(m, ...) FREC__LIST_CAT(FREC__ENUMERATORS(__VA_ARGS__))(m, __VA_ARGS__)
#define FREC__LIST_CAT(n) FREC__LIST_CAT_(n)
#define FREC__LIST_CAT_(n) FREC__LIST_##n
#define FREC__LIST_1(m, _, e) m(e)
#define FREC__LIST_2(m, _, e, ...) m(e) FREC__LIST_1(m, _, __VA_ARGS__)
#define FREC__LIST_3(m, _, e, ...) m(e) FREC__LIST_2(m, _, __VA_ARGS__)
#define FREC__LIST_4(m, _, e, ...) m(e) FREC__LIST_3(m, _, __VA_ARGS__)
#define FREC__LIST_5(m, _, e, ...) m(e) FREC__LIST_4(m, _, __VA_ARGS__)
#define FREC__LIST_6(m, _, e, ...) m(e) FREC__LIST_5(m, _, __VA_ARGS__)
#define FREC__LIST_7(m, _, e, ...) m(e) FREC__LIST_6(m, _, __VA_ARGS__)
#define FREC__LIST_8(m, _, e, ...) m(e) FREC__LIST_7(m, _, __VA_ARGS__)
#define FREC__LIST_9(m, _, e, ...) m(e) FREC__LIST_8(m, _, __VA_ARGS__)
#define FREC__LIST_10(m, _, e, ...) m(e) FREC__LIST_9(m, _, __VA_ARGS__)
#define FREC__LIST_11(m, _, e, ...) m(e) FREC__LIST_10(m, _, __VA_ARGS__)
#define FREC__LIST_12(m, _, e, ...) m(e) FREC__LIST_11(m, _, __VA_ARGS__)
#define FREC__LIST_13(m, _, e, ...) m(e) FREC__LIST_12(m, _, __VA_ARGS__)
#define FREC__LIST_14(m, _, e, ...) m(e) FREC__LIST_13(m, _, __VA_ARGS__)
#define FREC__LIST_15(m, _, e, ...) m(e) FREC__LIST_14(m, _, __VA_ARGS__)
#define FREC__LIST_16(m, _, e, ...) m(e) FREC__LIST_15(m, _, __VA_ARGS__)
#define FREC__LIST_17(m, _, e, ...) m(e) FREC__LIST_16(m, _, __VA_ARGS__)
#define FREC__LIST_18(m, _, e, ...) m(e) FREC__LIST_17(m, _, __VA_ARGS__)
#define FREC__LIST_19(m, _, e, ...) m(e) FREC__LIST_18(m, _, __VA_ARGS__)
#define FREC__LIST_20(m, _, e, ...) m(e) FREC__LIST_19(m, _, __VA_ARGS__)
#define FREC__LIST_21(m, _, e, ...) m(e) FREC__LIST_20(m, _, __VA_ARGS__)
#define FREC__LIST_22(m, _, e, ...) m(e) FREC__LIST_21(m, _, __VA_ARGS__)
#define FREC__LIST_23(m, _, e, ...) m(e) FREC__LIST_22(m, _, __VA_ARGS__)
#define FREC__LIST_24(m, _, e, ...) m(e) FREC__LIST_23(m, _, __VA_ARGS__)
#define FREC__LIST_25(m, _, e, ...) m(e) FREC__LIST_24(m, _, __VA_ARGS__)
#define FREC__LIST_26(m, _, e, ...) m(e) FREC__LIST_25(m, _, __VA_ARGS__)
#define FREC__LIST_27(m, _, e, ...) m(e) FREC__LIST_26(m, _, __VA_ARGS__)
#define FREC__LIST_28(m, _, e, ...) m(e) FREC__LIST_27(m, _, __VA_ARGS__)
#define FREC__LIST_29(m, _, e, ...) m(e) FREC__LIST_28(m, _, __VA_ARGS__)
#define FREC__LIST_30(m, _, e, ...) m(e) FREC__LIST_29(m, _, __VA_ARGS__)
#define FREC__LIST_31(m, _, e, ...) m(e) FREC__LIST_30(m, _, __VA_ARGS__)
#define FREC__LIST_32(m, _, e, ...) m(e) FREC__LIST_31(m, _, __VA_ARGS__)
#define FREC__LIST_33(m, _, e, ...) m(e) FREC__LIST_32(m, _, __VA_ARGS__)
#define FREC__LIST_34(m, _, e, ...) m(e) FREC__LIST_33(m, _, __VA_ARGS__)
#define FREC__LIST_35(m, _, e, ...) m(e) FREC__LIST_34(m, _, __VA_ARGS__)
#define FREC__LIST_36(m, _, e, ...) m(e) FREC__LIST_35(m, _, __VA_ARGS__)
#define FREC__LIST_37(m, _, e, ...) m(e) FREC__LIST_36(m, _, __VA_ARGS__)
#define FREC__LIST_38(m, _, e, ...) m(e) FREC__LIST_37(m, _, __VA_ARGS__)
#define FREC__LIST_39(m, _, e, ...) m(e) FREC__LIST_38(m, _, __VA_ARGS__)
#define FREC__LIST_40(m, _, e, ...) m(e) FREC__LIST_39(m, _, __VA_ARGS__)
#define FREC__LIST_41(m, _, ...)

#endif
