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

frec_vm_test(test_run $<TARGET_FILE:emitter>)
