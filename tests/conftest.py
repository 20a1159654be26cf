"""Settings that every test shares."""

import os

from hypothesis import HealthCheck, settings

# A shared machine may be slow; how long a case takes is not what these tests judge.
_PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

# "ordinary" draws the same cases on every run, so that a red run can be repeated anywhere;
# "nightly" looks for new ones and prints how to repeat a failure.
settings.register_profile("ordinary", _PATIENT, derandomize=True)
settings.register_profile("nightly", _PATIENT, max_examples=5_000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ordinary"))

# The texts that tests match are English unless a test asks for Vietnamese.
os.environ.pop("CAPALLOC_LANG", None)
