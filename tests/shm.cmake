# The shm transport: its two ends, and what it costs.

frec_unit_test(test_shm frec_engine flightrec_static)
frec_unit_test(test_memories frec_engine flightrec_static)
frec_unit_test(test_shm_emit frec_engine flightrec_static Threads::Threads)
frec_unit_test(test_shm_line frec_engine flightrec_static Threads::Threads)
foreach(test test_shm test_shm_emit test_shm_line)
	target_include_directories(${test} PRIVATE ${PROJECT_SOURCE_DIR})
endforeach()
target_link_options(test_shm_line PRIVATE -Wl,--wrap=clock_gettime)
# A sanitizer makes system calls of its own, and calls functions of its own between ours.
if(NOT FREC_SANITIZE)
	frec_unit_test(test_shm_stack frec_engine flightrec_static Threads::Threads)
	target_compile_options(test_shm_stack PRIVATE -fno-omit-frame-pointer
		-fno-optimize-sibling-calls)
	target_include_directories(test_shm_stack PRIVATE ${PROJECT_SOURCE_DIR})
	frec_unit_test(test_shm_locked frec_engine flightrec_static Threads::Threads)
	target_include_directories(test_shm_locked PRIVATE ${PROJECT_SOURCE_DIR})
endif()

# A benchmark that prints a table; not a test. It compares with LTTng-UST if that is installed.
pkg_check_modules(LTTNG_UST IMPORTED_TARGET lttng-ust)
add_executable(bench_emit bench/bench_emit.c)
target_link_libraries(bench_emit PRIVATE frec_engine flightrec_static Threads::Threads)
target_include_directories(bench_emit PRIVATE ${PROJECT_SOURCE_DIR})
if(LTTNG_UST_FOUND)
	add_executable(bench_lttng bench/bench_lttng.c)
	target_link_libraries(bench_lttng PRIVATE PkgConfig::LTTNG_UST Threads::Threads
		${CMAKE_DL_LIBS})
	target_include_directories(bench_lttng PRIVATE ${PROJECT_SOURCE_DIR})
	# LTTng-UST's macros cause warnings.
	target_compile_options(bench_lttng PRIVATE -w)
	set(bench_lttng $<TARGET_FILE:bench_lttng>)
endif()
add_custom_target(bench-emit
	COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/bench/bench-emit $<TARGET_FILE:bench_emit>
	${bench_lttng}
	VERBATIM USES_TERMINAL)

# The memory that the library adds to a service.
add_executable(memory_without host/memory.c)
add_executable(memory_with host/memory.c)
target_compile_definitions(memory_with PRIVATE WITH_FLIGHTREC)
target_link_libraries(memory_with PRIVATE flightrec_static)
if(NOT FREC_SANITIZE)
	add_test(NAME host/test_memory COMMAND ${Python3_EXECUTABLE}
		${CMAKE_CURRENT_SOURCE_DIR}/host/test_memory.py
		$<TARGET_FILE:flightrec_tool> $<TARGET_FILE:memory_without>
		$<TARGET_FILE:memory_with>)
	set_tests_properties(host/test_memory PROPERTIES TIMEOUT 120 LABELS host
		RESOURCE_LOCK recorder)
endif()
