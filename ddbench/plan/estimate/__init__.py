"""Estimate what a plan costs before it runs: images, operations, hours, memory and disk."""
