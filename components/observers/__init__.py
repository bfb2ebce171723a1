"""The built-in observers of runs."""
