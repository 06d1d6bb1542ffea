# What the machine can do: doctor, and recording where tracefs is mounted nowhere. 77 is a skip.
add_test(NAME host/test_detached COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/host/test_detached.py
	$<TARGET_FILE:flightrec_tool>)
set_tests_properties(host/test_detached PROPERTIES TIMEOUT 120 LABELS host SKIP_RETURN_CODE 77)
