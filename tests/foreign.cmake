# Foreign sources: USDT probes of unmodified programs, and kernel tracepoints by their arguments.
foreach(test selection stapsdt)
	frec_unit_test(test_${test} frec_engine)
endforeach()

if(CMAKE_SYSTEM_PROCESSOR STREQUAL x86_64) # its probes use registers of x86_64
	add_executable(probed host/probed.c host/probed_twin.c)
	# One symbol is still known after strip(1).
	target_link_options(probed PRIVATE LINKER:--export-dynamic-symbol=probed_global)
	target_link_libraries(probed PRIVATE Threads::Threads)
	add_executable(throw host/throw.cc)
	add_test(NAME host/test_foreign COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/host/as-root
		${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/host/test_foreign.py
		$<TARGET_FILE:flightrec_tool> $<TARGET_FILE:probed> $<TARGET_FILE:throw>
		${CMAKE_CURRENT_SOURCE_DIR}/vm)
	set_tests_properties(host/test_foreign PROPERTIES TIMEOUT 300 LABELS host
		SKIP_RETURN_CODE 77
		ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
	# The VM's kernel has another version of the BPF verifier.
	add_test(NAME vm/foreign COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/vm/run -t 400 --
		env PYTHONDONTWRITEBYTECODE=1 FREC_REQUIRE_KERNEL=1
		${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/host/test_foreign.py
		$<TARGET_FILE:flightrec_tool> $<TARGET_FILE:probed> $<TARGET_FILE:throw>
		${CMAKE_CURRENT_SOURCE_DIR}/vm)
	set_tests_properties(vm/foreign PROPERTIES TIMEOUT 500 LABELS vm SKIP_RETURN_CODE 77)

	# A benchmark that prints a table; not a test.
	add_executable(bench_foreign bench/bench_foreign.c ${bench_usdt_skeleton})
	target_link_libraries(bench_foreign PRIVATE frec_engine PkgConfig::LIBBPF)
	target_include_directories(bench_foreign PRIVATE ${PROJECT_SOURCE_DIR}
		${CMAKE_CURRENT_BINARY_DIR})
	add_custom_target(bench-foreign COMMAND bench_foreign VERBATIM USES_TERMINAL)
endif()

# The PostgreSQL of the distribution. Skipped if it is not installed.
add_test(NAME host/test_postgres COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/host/as-root
	${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/host/test_postgres.py
	$<TARGET_FILE:flightrec_tool> ${CMAKE_CURRENT_SOURCE_DIR}/vm)
set_tests_properties(host/test_postgres PROPERTIES TIMEOUT 300 LABELS host SKIP_RETURN_CODE 77
	ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
