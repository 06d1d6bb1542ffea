# The page of -f html, clicked through in headless Chromium. A sanitizer sees how a page is written,
# not what a browser does with it.
if(FREC_SANITIZE)
	set(html_checks data)
endif()
add_test(NAME host/test_html COMMAND Python3::Interpreter
	${CMAKE_CURRENT_SOURCE_DIR}/host/test_html.py $<TARGET_FILE:flightrec_tool>
	$<TARGET_FILE:make_snapshot> ${html_checks})
set_tests_properties(host/test_html PROPERTIES TIMEOUT 600 LABELS host SKIP_RETURN_CODE 77)
