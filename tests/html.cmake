# The page of -f html, clicked through in headless Chromium.
add_test(NAME host/test_html COMMAND Python3::Interpreter ${CMAKE_CURRENT_SOURCE_DIR}/host/test_html.py
	$<TARGET_FILE:flightrec_tool> $<TARGET_FILE:make_snapshot>)
set_tests_properties(host/test_html PROPERTIES TIMEOUT 600 LABELS host SKIP_RETURN_CODE 77)
