// SPDX-License-Identifier: MIT
// Throws and catches as many exceptions as its argument says, which fires USDT probes of the C++
// library.
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
