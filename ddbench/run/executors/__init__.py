"""Executors, which run nodes."""
