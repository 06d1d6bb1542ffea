/* SPDX-License-Identifier: MIT */
/*
 * The version of flightrec. The macros give the version of the headers that a program was compiled
 * with, the functions the version of the library that it runs with.
 */
#ifndef FLIGHTREC_VERSION_H
#define FLIGHTREC_VERSION_H

/* The build fails if these differ from the version in CMakeLists.txt. */
#define FREC_VERSION_MAJOR 0
#define FREC_VERSION_MINOR 1
#define FREC_VERSION_PATCH 0

/* For comparisons: `#if FREC_VERSION_NUMBER >= FREC_VERSION_NUMBER_OF(0, 2, 0)`. */
#define FREC_VERSION_NUMBER_OF(major, minor, patch) ((major)*1000000 + (minor)*1000 + (patch))
#define FREC_VERSION_NUMBER \
	FREC_VERSION_NUMBER_OF(FREC_VERSION_MAJOR, FREC_VERSION_MINOR, FREC_VERSION_PATCH)

/* Marks the functions that the library exports. All others are hidden. */
#define FREC_PUBLIC __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library as text, "0.1.0", and as FREC_VERSION_NUMBER. Any thread and any
 * signal handler may call these functions. */
FREC_PUBLIC const char *frec_version(void);
FREC_PUBLIC int frec_version_number(void);

#ifdef __cplusplus
}
#endif

#endif
