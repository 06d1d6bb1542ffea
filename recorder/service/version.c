// SPDX-License-Identifier: MIT
// The version of the library, and the check that its header names the version of the project.
#include "flightrec/version.h"

#define TEXT(number) TEXT_(number)
#define TEXT_(number) #number

_Static_assert(FREC_VERSION_MAJOR == PROJECT_MAJOR && FREC_VERSION_MINOR == PROJECT_MINOR &&
		       FREC_VERSION_PATCH == PROJECT_PATCH,
	       "flightrec/version.h and CMakeLists.txt name different versions");

const char *frec_version(void)
{
	return TEXT(FREC_VERSION_MAJOR) "." TEXT(FREC_VERSION_MINOR) "." TEXT(FREC_VERSION_PATCH);
}

int frec_version_number(void)
{
	return FREC_VERSION_NUMBER;
}
