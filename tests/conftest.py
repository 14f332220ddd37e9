"""Settings shared by all tests: hypothesis draws the same examples on every run and sets no deadline."""

from hypothesis import settings

settings.register_profile("slth", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("slth")
