/* SPDX-License-Identifier: MIT */
/*
 * The types of parameters, and the conversions of arguments, of the functions that FREC_EVENT
 * makes. C++ needs other casts than C, and gets types for text and for enumerators here. Programs
 * do not use these names.
 */
#ifndef FLIGHTREC_ARGUMENTS_H
#define FLIGHTREC_ARGUMENTS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define FREC__STATIC_CAST(type, value) static_cast<type>(value)
#define FREC__ADDRESS(pointer) reinterpret_cast<uintptr_t>(pointer)
#define FREC__UNCONST(pointer) const_cast<void *>(pointer)
#define FREC__NUMBER(member, value) frec__number(value)
#define FREC__NULL nullptr
#define FREC__ENUM frec__enumeration

/* A program may include this file within extern "C", where templates are not allowed. */
extern "C++" {

/* The number that is recorded for a value: the value itself, or a pointer's address. There is no
 * cast, because -Wuseless-cast would warn of it wherever both types are the same. */
template <typename frec__type> inline frec__type frec__number(frec__type value)
{
	return value;
}

inline uint64_t frec__number(const void *value)
{
	return FREC__ADDRESS(value);
}

/* frec__enum<T>::type exists if T is an enumeration, frec__class<T>::type if it is a class. */
template <bool frec__condition> class frec__if
{
};
template <> class frec__if<true>
{
      public:
	typedef int type;
};
template <typename frec__type> class frec__enum : public frec__if<__is_enum(frec__type)>
{
};
template <typename frec__type> class frec__class : public frec__if<__is_class(frec__type)>
{
};

/* An int whose type depends on a template's parameter: a compiler finds out that it is an int only
 * when the template is used. */
template <typename frec__type> class frec__int
{
      public:
	typedef int type;
};

/*
 * The parameter for a FREC_ENUM: an int, an enumerator, also of an enum class, or an object that
 * converts to int. Enumerators are passed by value, and objects by reference, so that objects that
 * cannot be copied are accepted too.
 */
class frec__enumeration
{
      public:
	constexpr frec__enumeration(int number) : number_(number)
	{
	}
	template <typename frec__type>
	constexpr frec__enumeration(frec__type enumerator,
				    typename frec__enum<frec__type>::type = 0)
	    : number_(static_cast<int>(enumerator))
	{
	}
	template <typename frec__type>
	constexpr frec__enumeration(const frec__type &object,
				    typename frec__class<frec__type>::type = 0)
	    : number_(object)
	{
	}
	constexpr operator int() const
	{
		return number_;
	}

      private:
	int number_;
};

/* Text as one argument: a std::string_view, a std::string or another object with data() and size()
 * in bytes; a string that ends in NUL; or a pointer and a length within braces. */
class frec__view
{
      public:
	constexpr frec__view(const void *start, size_t length) : data(start), size(length)
	{
	}
	frec__view(const char *string) : data(string), size(string ? __builtin_strlen(string) : 0)
	{
	}
	template <typename frec__type>
	constexpr frec__view(const frec__type &text, typename frec__class<frec__type>::type = 0)
	    : data(text.data()), size(text.size())
	{
		static_assert(sizeof(*text.data()) == 1,
			      "FREC_TEXT takes text of bytes, not of wide characters");
	}

	const void *const data;
	const size_t size;
};

} // extern "C++"

#else
#define FREC__STATIC_CAST(type, value) ((type)(value))
#define FREC__ADDRESS(pointer) ((uintptr_t)(pointer))
#define FREC__UNCONST(pointer) ((void *)(uintptr_t)(pointer))
#define FREC__NUMBER(member, value) ((member)(value))
#define FREC__NULL NULL
#define FREC__ENUM int
#endif

#endif
