# Tests of timelines: the shapes of events, and several snapshots in one timeline.
add_executable(pair host/pair.c)
target_link_libraries(pair PRIVATE flightrec_static Threads::Threads)
add_test(NAME host/test_timeline COMMAND Python3::Interpreter
	${CMAKE_CURRENT_SOURCE_DIR}/host/test_timeline.py
	$<TARGET_FILE:flightrec_tool> $<TARGET_FILE:make_snapshot> $<TARGET_FILE:pair>)
set_tests_properties(host/test_timeline PROPERTIES TIMEOUT 300 LABELS host)
if(TARGET shopd AND NOT FREC_SANITIZE)
	add_test(NAME host/test_trace_processor COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/host/as-root
		${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/host/test_trace_processor.py
		$<TARGET_FILE:flightrec_tool> $<TARGET_FILE:make_snapshot> $<TARGET_FILE:pair>
		$<TARGET_FILE:shopd>)
	set_tests_properties(host/test_trace_processor PROPERTIES TIMEOUT 300 LABELS host
		SKIP_RETURN_CODE 77)
endif()
frec_unit_test(test_shapes flightrec_export)
frec_unit_test(test_otlp_spans flightrec_export)
frec_unit_test(test_duplicates flightrec_export)
