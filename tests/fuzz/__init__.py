"""Fuzzers of everything that is read from outside. Run one for as long as you like: ``python -m tests.fuzz.suites``."""
