# What a keeper can inherit from its service.
frec_unit_test(test_limits frec_engine)
