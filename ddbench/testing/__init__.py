"""Conformance checks for components."""
