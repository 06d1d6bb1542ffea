# Tests of unwinding: on stacks that the kernel copies from programs that are compiled here, beside libdwfl and libunwind.
add_library(frec_recording STATIC unwind/recording.c unwind/crash.c unwind/other_dwfl.c)
target_link_libraries(frec_recording PUBLIC flightrec_unwind PkgConfig::LIBDW PkgConfig::LIBELF)

frec_unit_test(test_unwind_expression flightrec_unwind)

add_executable(unwind_crash unwind/unwind_crash.c)
target_link_libraries(unwind_crash PRIVATE frec_recording)

find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_test(NAME host/test_unwind COMMAND Python3::Interpreter ${CMAKE_CURRENT_SOURCE_DIR}/host/test_unwind.py
	$<TARGET_FILE:unwind_crash> ${CMAKE_CURRENT_SOURCE_DIR}/unwind)
set_tests_properties(host/test_unwind PROPERTIES TIMEOUT 600 LABELS host SKIP_RETURN_CODE 77)

# The benchmark needs libunwind as well; it is no test.
pkg_check_modules(LIBUNWIND IMPORTED_TARGET libunwind-generic)
if(LIBUNWIND_FOUND)
	add_executable(bench_unwind EXCLUDE_FROM_ALL unwind/bench_unwind.c unwind/other_libunwind.c)
	target_link_libraries(bench_unwind PRIVATE frec_recording PkgConfig::LIBUNWIND)
endif()
