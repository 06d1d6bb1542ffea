// SPDX-License-Identifier: MIT
// Throws, and catches, as often as it is told: the C++ library has USDT probes for that.
#include <cstdlib>

int main(int, char **argv)
{
	for (int i = 0; i < std::atoi(argv[1]); i++) {
		try {
			throw i;
		} catch (int) {
		}
	}
	return 0;
}
