# Foreign recordings: perf.data, and events that contain their own description.
add_test(NAME host/test_import COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/host/as-root
	${Python3_EXECUTABLE}
	${CMAKE_CURRENT_SOURCE_DIR}/host/test_import.py $<TARGET_FILE:flightrec_tool>
	$<TARGET_FILE:make_snapshot>)
set_tests_properties(host/test_import PROPERTIES TIMEOUT 300 LABELS host SKIP_RETURN_CODE 77)
add_test(NAME host/test_unknown COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/host/as-root
	${Python3_EXECUTABLE}
	${CMAKE_CURRENT_SOURCE_DIR}/host/test_unknown.py $<TARGET_FILE:flightrec_tool>
	$<TARGET_FILE:make_snapshot>)
set_tests_properties(host/test_unknown PROPERTIES TIMEOUT 120 LABELS host SKIP_RETURN_CODE 77)
# Records the whole machine, in the VM because nothing else runs there.
add_test(NAME vm/import COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/vm/run -t 400 --
	env PYTHONDONTWRITEBYTECODE=1 ${Python3_EXECUTABLE}
	${CMAKE_CURRENT_SOURCE_DIR}/host/test_import.py $<TARGET_FILE:flightrec_tool>
	$<TARGET_FILE:make_snapshot>)
set_tests_properties(vm/import PROPERTIES TIMEOUT 500 LABELS vm SKIP_RETURN_CODE 77)
frec_unit_test(test_eventheader flightrec_export frec_make_snapshot)
add_library(frec_make_perf_data STATIC data/make_perf_data.c)
target_include_directories(frec_make_perf_data PUBLIC ${PROJECT_SOURCE_DIR})
target_link_libraries(frec_make_perf_data PRIVATE PkgConfig::ZSTD)
frec_unit_test(test_record_sort frec_engine)
frec_unit_test(test_import flightrec_export frec_engine frec_make_perf_data)
# It damages every byte of a recording, under sanitizers too.
set_tests_properties(unit/test_import PROPERTIES TIMEOUT 900)

if(FREC_FUZZ)
	add_executable(fuzz_perf_data fuzz/fuzz_perf_data.c)
	target_link_libraries(fuzz_perf_data PRIVATE flightrec_export frec_engine)
	target_link_options(fuzz_perf_data PRIVATE -fsanitize=fuzzer)
	add_test(NAME fuzz/fuzz_perf_data COMMAND fuzz_perf_data -max_total_time=10 -max_len=8192
		${CMAKE_CURRENT_BINARY_DIR}/fuzz_perf_data_corpus
		${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus/perf_data)
	file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/fuzz_perf_data_corpus)
	set_tests_properties(fuzz/fuzz_perf_data PROPERTIES TIMEOUT 120 LABELS fuzz)
endif()
