# Core dumps: what `flightrec core` does with them.
frec_unit_test(test_core frec_engine)

# The test sets the machine's kernel.core_pattern. 77 is a skip. A sanitizer would change how the
# program crashes.
add_executable(core_crash host/core_crash.c)
target_link_libraries(core_crash PRIVATE Threads::Threads)
target_compile_options(core_crash PRIVATE -O1 -g -fno-optimize-sibling-calls)
if(NOT FREC_SANITIZE)
	add_test(NAME host/test_core COMMAND ${Python3_EXECUTABLE}
		${CMAKE_CURRENT_SOURCE_DIR}/host/test_core.py
		$<TARGET_FILE:flightrec_tool> $<TARGET_FILE:core_crash>)
	set_tests_properties(host/test_core PROPERTIES TIMEOUT 300 LABELS host SKIP_RETURN_CODE 77
		RESOURCE_LOCK "recorder;core_pattern")
endif()

if(FREC_FUZZ)
	add_executable(fuzz_core fuzz/fuzz_core.c)
	target_link_libraries(fuzz_core PRIVATE frec_engine)
	target_link_options(fuzz_core PRIVATE -fsanitize=fuzzer)
	file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/fuzz_core_corpus)
	# Ten seconds only prove that a target works. To search for bugs, run it by hand for longer.
	add_test(NAME fuzz/fuzz_core COMMAND fuzz_core -max_total_time=10 -max_len=8192
		${CMAKE_CURRENT_BINARY_DIR}/fuzz_core_corpus
		${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus/core)
	set_tests_properties(fuzz/fuzz_core PROPERTIES TIMEOUT 120 LABELS fuzz)
endif()
