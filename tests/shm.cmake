# The shm transport: its two ends, and what it costs.

frec_unit_test(test_shm frec_engine flightrec_static)
frec_unit_test(test_shm_emit frec_engine flightrec_static Threads::Threads)
foreach(test test_shm test_shm_emit)
	target_include_directories(${test} PRIVATE ${PROJECT_SOURCE_DIR})
endforeach()

if(FREC_FUZZ)
	add_executable(fuzz_shm fuzz/fuzz_shm.c)
	target_link_libraries(fuzz_shm PRIVATE frec_engine flightrec_static)
	target_include_directories(fuzz_shm PRIVATE ${PROJECT_SOURCE_DIR})
	target_link_options(fuzz_shm PRIVATE -fsanitize=fuzzer)
	add_test(NAME fuzz/fuzz_shm COMMAND fuzz_shm -max_total_time=10 -max_len=2048
		${CMAKE_CURRENT_BINARY_DIR}/fuzz_shm_corpus)
	file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/fuzz_shm_corpus)
	set_tests_properties(fuzz/fuzz_shm PROPERTIES TIMEOUT 120 LABELS fuzz)
endif()
