# The page of -f html: readable files, which embed.cmake turns into two arrays.
set(html_scripts model.js elements.js spans.js report.js stacks.js search.js detail.js events.js
	timeline_lanes.js timeline.js timeline_input.js flamegraph.js page.js)
list(TRANSFORM html_scripts PREPEND ${CMAKE_CURRENT_LIST_DIR}/ OUTPUT_VARIABLE html_files)
list(JOIN html_scripts "," html_scripts)
add_custom_command(OUTPUT html_pieces.c
	COMMAND ${CMAKE_COMMAND} -DSOURCE=${CMAKE_CURRENT_LIST_DIR} -DSCRIPTS=${html_scripts}
		-DOUTPUT=${CMAKE_CURRENT_BINARY_DIR}/html_pieces.c
		-P ${CMAKE_CURRENT_LIST_DIR}/embed.cmake
	DEPENDS ${CMAKE_CURRENT_LIST_DIR}/embed.cmake ${CMAKE_CURRENT_LIST_DIR}/page.html
		${CMAKE_CURRENT_LIST_DIR}/page.css ${html_files}
	COMMENT "Putting the HTML page together" VERBATIM)
target_sources(flightrec_export PRIVATE html/html.c html/html_page.c
	${CMAKE_CURRENT_BINARY_DIR}/html_pieces.c)
