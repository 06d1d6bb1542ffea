// SPDX-License-Identifier: MIT
// A crash deep inside functions that were inlined into each other. Tests expect these line numbers.
#include <string>
#include <vector>

namespace shop
{
template <typename T> struct basket {
	std::vector<T> items;
	inline T price(const T *item) const
	{
		return *const_cast<const volatile T *>(item); // line 12: the crash
	}
	inline T total(const T *bad) const
	{
		return price(bad) + T(items.size()); // line 16
	}
};

__attribute__((noinline)) int checkout(const std::string &name, const int *bad)
{
	basket<int> basket;

	basket.items.push_back(int(name.size()));
	return basket.total(bad) + 1; // line 25
}
} // namespace shop

int main(int argc, char **argv)
{
	return shop::checkout(argv[0], reinterpret_cast<const int *>(long(argc - 1))); // line 31
}
