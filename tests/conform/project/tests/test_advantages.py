from advantages import my_gae

from rlcalc.testing import conformance_suite

test_gae = conformance_suite(my_gae, formula="gae")
