"""Settings shared by all tests: hypothesis draws the same examples on every run and sets no deadline."""

import os

# Before torch loads: threads that spin while they wait make small networks very slow on a busy machine.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from hypothesis import settings

settings.register_profile("slth", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("slth")
