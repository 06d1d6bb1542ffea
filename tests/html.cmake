# Tests the page of -f html in headless Chromium. With a sanitizer only the writing of the page is
# tested, because nothing of the page in a browser is sanitized.
if(FREC_SANITIZE)
	set(html_checks data)
endif()
add_test(NAME host/test_html COMMAND Python3::Interpreter
	${CMAKE_CURRENT_SOURCE_DIR}/host/test_html.py $<TARGET_FILE:flightrec_tool>
	$<TARGET_FILE:make_snapshot> ${html_checks})
set_tests_properties(host/test_html PROPERTIES TIMEOUT 600 LABELS host SKIP_RETURN_CODE 77)
