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
		$<TARGET_FILE:flightrec_tool> $<TARGET_FILE:core_crash>
		${CMAKE_CURRENT_SOURCE_DIR}/unwind/crashes.c)
	set_tests_properties(host/test_core PROPERTIES TIMEOUT 600 LABELS host SKIP_RETURN_CODE 77
		RESOURCE_LOCK "recorder;core_pattern")
endif()
