# Tests of unwinding: on stacks that the kernel copies from programs that are compiled here, beside libdwfl and libunwind.
add_library(frec_recording STATIC unwind/recording.c unwind/other_dwfl.c)
target_link_libraries(frec_recording PUBLIC flightrec_unwind PkgConfig::LIBDW PkgConfig::LIBELF)

frec_unit_test(test_unwind_expression flightrec_unwind)

# The benchmark needs libunwind as well; it is no test.
pkg_check_modules(LIBUNWIND IMPORTED_TARGET libunwind-generic)
if(LIBUNWIND_FOUND)
	add_executable(bench_unwind EXCLUDE_FROM_ALL unwind/bench_unwind.c unwind/other_libunwind.c)
	target_link_libraries(bench_unwind PRIVATE frec_recording PkgConfig::LIBUNWIND)
endif()
