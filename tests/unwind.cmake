# Tests of unwinding, on stacks that the kernel copies from programs that are compiled here,
# compared with libdwfl and libunwind.
add_library(frec_recording STATIC unwind/recording.c unwind/crash.c unwind/other_dwfl.c)
target_link_libraries(frec_recording PUBLIC flightrec_unwind PkgConfig::LIBDW PkgConfig::LIBELF)

add_library(frec_make_elf STATIC unwind/make_elf.c)
target_include_directories(frec_make_elf PUBLIC ${PROJECT_SOURCE_DIR})

frec_unit_test(test_unwind_expression flightrec_unwind)
frec_unit_test(test_unwind_demangle flightrec_unwind)
frec_unit_test(test_unwind_memory flightrec_unwind)
frec_unit_test(test_unwind_recorded frec_recording)
target_compile_definitions(test_unwind_recorded PRIVATE
	FREC_TEST_RECORDED="${CMAKE_CURRENT_SOURCE_DIR}/unwind/aarch64")
add_test(NAME unwind/compile_aarch64
	COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/unwind/compile-aarch64 ${PROJECT_SOURCE_DIR})
set_tests_properties(unwind/compile_aarch64 PROPERTIES SKIP_RETURN_CODE 77)
frec_unit_test(test_unwind_rows flightrec_unwind frec_make_elf)
frec_unit_test(test_epochs flightrec_unwind)
frec_unit_test(test_kept_programs flightrec_unwind)
# Its names have to be found without a build-id.
target_link_options(test_kept_programs PRIVATE -Wl,--build-id=none)
frec_unit_test(test_unwind flightrec_unwind frec_make_elf)

add_executable(unwind_crash unwind/unwind_crash.c)
target_link_libraries(unwind_crash PRIVATE frec_recording)

find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_test(NAME host/test_unwind
	COMMAND Python3::Interpreter ${CMAKE_CURRENT_SOURCE_DIR}/host/test_unwind.py
	$<TARGET_FILE:unwind_crash> ${CMAKE_CURRENT_SOURCE_DIR}/unwind)
set_tests_properties(host/test_unwind PROPERTIES TIMEOUT 600 LABELS host SKIP_RETURN_CODE 77)

# The same crashes under a recorder.
if(TARGET flightrec_tool AND NOT FREC_SANITIZE)
	set(test_crash_report
		${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/host/test_crash_report.py
		$<TARGET_FILE:flightrec_tool> ${CMAKE_CURRENT_SOURCE_DIR}/unwind
		${CMAKE_CURRENT_SOURCE_DIR}/vm)
	add_test(NAME host/test_crash_report
		COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/host/as-root ${test_crash_report} usdt)
	set_tests_properties(host/test_crash_report PROPERTIES
		TIMEOUT 300 LABELS host SKIP_RETURN_CODE 77
		RESOURCE_LOCK recorder ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
	add_test(NAME vm/test_crash_report
		COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/vm/on-kernel -t 400 --
		env PYTHONDONTWRITEBYTECODE=1 FREC_REQUIRE_KERNEL=1
		${test_crash_report} user_events handler rebuilt)
	set_tests_properties(vm/test_crash_report PROPERTIES
		TIMEOUT 500 LABELS vm SKIP_RETURN_CODE 77)
endif()

# Programs whose files are not where they were.
if(TARGET flightrec_tool AND NOT FREC_SANITIZE)
	add_executable(moved unwind/moved.c)
	target_compile_definitions(moved PRIVATE MOVED_EMITS)
	target_compile_options(moved PRIVATE -O1 -g -w -fno-optimize-sibling-calls)
	target_link_libraries(moved PRIVATE flightrec_static ${CMAKE_DL_LIBS})
	set(test_moved ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/host/test_moved.py
		$<TARGET_FILE:flightrec_tool> $<TARGET_FILE:moved>
		${CMAKE_CURRENT_SOURCE_DIR}/unwind ${CMAKE_CURRENT_SOURCE_DIR}/vm)
	foreach(transport usdt shm)
		add_test(NAME host/test_moved_${transport}
			COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/host/as-root ${test_moved} ${transport})
		set_tests_properties(host/test_moved_${transport} PROPERTIES
			TIMEOUT 300 LABELS host SKIP_RETURN_CODE 77
			RESOURCE_LOCK recorder ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
	endforeach()
	add_test(NAME vm/test_moved
		COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/vm/run -t 500 --
		env PYTHONDONTWRITEBYTECODE=1 FREC_REQUIRE_KERNEL=1
		${test_moved} user_events core)
	set_tests_properties(vm/test_moved PROPERTIES TIMEOUT 600 LABELS vm SKIP_RETURN_CODE 77)
endif()

# The benchmark also needs libunwind. It is no test.
pkg_check_modules(LIBUNWIND IMPORTED_TARGET libunwind-generic)
if(LIBUNWIND_FOUND)
	add_executable(bench_unwind EXCLUDE_FROM_ALL
		bench/bench_unwind.c unwind/other_libunwind.c unwind/perf_data.c)
	target_link_libraries(bench_unwind PRIVATE frec_recording PkgConfig::LIBUNWIND)
endif()
