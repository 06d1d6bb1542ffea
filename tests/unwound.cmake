# Stacks that the recorder unwinds while it writes a file.
frec_unit_test(test_unwound frec_engine frec_make_elf)
set_tests_properties(unit/test_unwound PROPERTIES SKIP_RETURN_CODE 77)
