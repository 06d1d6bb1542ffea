# Recordings of others: perf.data, and events with a description of their own.
add_test(NAME host/test_import COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/host/as-root ${Python3_EXECUTABLE}
	${CMAKE_CURRENT_SOURCE_DIR}/host/test_import.py $<TARGET_FILE:flightrec_tool> $<TARGET_FILE:make_snapshot>)
set_tests_properties(host/test_import PROPERTIES TIMEOUT 300 LABELS host SKIP_RETURN_CODE 77)
frec_unit_test(test_eventheader flightrec_export)
