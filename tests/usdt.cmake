# Records events at their sites on this machine's kernel. Skipped without root.
if(NOT FREC_SANITIZE) # a sanitizer changes how the emitter dies
	add_test(NAME host/test_usdt_run COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/host/as-root
		env FREC_TOOL=$<TARGET_FILE:flightrec_tool> PYTHONDONTWRITEBYTECODE=1
		${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/vm/test_run.py
		$<TARGET_FILE:emitter> ${CMAKE_CURRENT_SOURCE_DIR}/data/check_perfetto.py
		--transport usdt)
	set_tests_properties(host/test_usdt_run PROPERTIES TIMEOUT 300 LABELS host
		SKIP_RETURN_CODE 77)
endif()

frec_unit_test(test_sites frec_engine flightrec_static)
target_include_directories(test_sites PRIVATE ${PROJECT_SOURCE_DIR})
add_executable(usdt_attach host/usdt_attach.c)
target_link_libraries(usdt_attach PRIVATE frec_engine flightrec_static)
add_test(NAME host/usdt_attach COMMAND usdt_attach)
set_tests_properties(host/usdt_attach PROPERTIES TIMEOUT 60 LABELS host SKIP_RETURN_CODE 77)

# A benchmark that prints a table; not a test.
set(bench_usdt_skeleton ${CMAKE_CURRENT_BINARY_DIR}/bench_usdt.skel.h)
frec_bpf_skeleton(bench/bench_usdt ${PROJECT_SOURCE_DIR}/recorder/sources/bpf_output.bpf.h
	bench/bench_usdt.h)
add_executable(bench_usdt bench/bench_usdt.c ${bench_usdt_skeleton})
target_link_libraries(bench_usdt PRIVATE frec_engine flightrec_static PkgConfig::LIBBPF)
target_include_directories(bench_usdt PRIVATE ${PROJECT_SOURCE_DIR} ${CMAKE_CURRENT_BINARY_DIR})
add_custom_target(bench-usdt COMMAND bench_usdt VERBATIM USES_TERMINAL)
