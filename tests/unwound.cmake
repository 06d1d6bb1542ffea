# Stacks that the recorder unwinds while it writes a file.
frec_unit_test(test_unwound frec_engine frec_make_elf)
frec_unit_test(test_snapshot_stacks frec_pipeline frec_engine frec_make_elf PkgConfig::ZSTD)
set_tests_properties(unit/test_unwound unit/test_snapshot_stacks PROPERTIES SKIP_RETURN_CODE 77)
