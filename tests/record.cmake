# The recorder, on a kernel with user_events.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_executable(emitter vm/emitter.c)
target_link_libraries(emitter PRIVATE flightrec_static Threads::Threads)

# A kernel test: vm/NAME.py and its arguments, as root on this kernel or in the test VM.
function(frec_vm_test name)
	add_test(NAME vm/${name} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/vm/on-kernel -t 540 --
		env FREC_TOOL=$<TARGET_FILE:flightrec_tool> PYTHONDONTWRITEBYTECODE=1
		${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/vm/${name}.py ${ARGN})
	set_tests_properties(vm/${name} PROPERTIES TIMEOUT 600 LABELS vm SKIP_RETURN_CODE 77)
endfunction()

frec_vm_test(test_run $<TARGET_FILE:emitter> ${CMAKE_CURRENT_SOURCE_DIR}/data/check_perfetto.py)
add_executable(embedder vm/embedder.c)
target_link_libraries(embedder PRIVATE flightrec_static)
frec_vm_test(test_embed $<TARGET_FILE:embedder>)
frec_vm_test(test_record $<TARGET_FILE:emitter> $<TARGET_FILE:shopd>)

add_executable(stress vm/stress.c vm/stress_check.c)
target_link_libraries(stress PRIVATE frec_engine flightrec_export)
function(frec_stress_test name)
	add_test(NAME vm/${name} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/vm/on-kernel -t 1800 --
		$<TARGET_FILE:stress> $<TARGET_FILE:emitter> /tmp/stress ${ARGN})
	set_tests_properties(vm/${name} PROPERTIES TIMEOUT 1900 LABELS vm SKIP_RETURN_CODE 77)
endfunction()
frec_stress_test(stress_small_records 200 512 0 0)
frec_stress_test(stress_large_records 1000 512 65000 0)
frec_stress_test(stress_overlap 60 512 0 300)
