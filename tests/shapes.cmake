# Tests of timelines: the shapes of events, and several snapshots in one timeline.
add_executable(pair host/pair.c)
target_link_libraries(pair PRIVATE flightrec_static Threads::Threads)
add_test(NAME host/test_timeline COMMAND Python3::Interpreter
	${CMAKE_CURRENT_SOURCE_DIR}/host/test_timeline.py
	$<TARGET_FILE:flightrec_tool> $<TARGET_FILE:make_snapshot> $<TARGET_FILE:pair>)
set_tests_properties(host/test_timeline PROPERTIES TIMEOUT 300 LABELS host)
frec_unit_test(test_shapes flightrec_export)
frec_unit_test(test_otlp_spans flightrec_export)
frec_unit_test(test_duplicates flightrec_export)
