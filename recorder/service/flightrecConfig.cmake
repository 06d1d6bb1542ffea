# find_package(flightrec): the library needs libc alone, so there is nothing else to find.
include("${CMAKE_CURRENT_LIST_DIR}/flightrecTargets.cmake")
