// SPDX-License-Identifier: MIT
// Types that only C++ has, compiled with every warning that people turn on. test_headers.py also
// runs this program and compares what it emits with what a recorder gets.
#include <atomic>
#include <string>
#if __cplusplus >= 201703L
#include <string_view>
#endif

extern "C" {
#include <flightrec/event.h>

FREC_EVENT(cxx, within, FREC_TEXT(key), FREC_U64(number)); // as if it were in a header for C
}

namespace app
{
enum class State : short { idle = -1, busy = 4 };
enum Old { old = 2 };

FREC_EVENT(cxx, mode, FREC_ENUM(state, State::idle, app::State::busy), FREC_ENUM(old, old),
	   FREC_TEXT(first), FREC_TEXT(second));
} // namespace app
FREC_EVENT(cxx, none);

class piece
{
      public:
	explicit piece(const char *text) : text_(text)
	{
	}
	const char *data() const
	{
		return text_;
	}
	unsigned int size() const
	{
		return 2;
	}

      private:
	const char *text_;
};

int main()
{
	const std::string text("string\0!", 8);
	const unsigned char bytes[] = {'b', 'y', 't', 'e', 's'};
	std::atomic<int> number(4);
	const char *const pointer = "pointer";

	frec_cxx_within(text, 1);
	frec_cxx_within("literal", 2);
	frec_cxx_within(pointer, 3);
	frec_cxx_within(pointer, 5, 4);
	frec_cxx_within(bytes, sizeof(bytes), 5);
	frec_cxx_within({bytes, 4}, 6);
	frec_cxx_within(piece("piece"), 7);
	frec_cxx_within(std::string(), 8);
	FREC_EMIT(cxx, within, text, 9);
	FREC_EMIT(cxx, within, pointer, 3, 10);
#if __cplusplus >= 201703L
	frec_cxx_within(std::string_view(text).substr(1, 3), 11);
	FREC_EMIT(cxx, within, std::string_view(), 12);
#else
	frec_cxx_within("tri", 11);
	FREC_EMIT(cxx, within, "", 12);
#endif
	app::frec_cxx_mode(app::State::busy, app::old, text, "second");
	app::frec_cxx_mode(number, 3, pointer, 2, pointer, 3);
	app::frec_cxx_mode(app::State::idle, true, {pointer, 3}, text);
	frec_cxx_none();
	FREC_EMIT(cxx, none);
	return 3;
}
