"""Estimate the cost of a plan before it runs: images, operations, hours, memory and disk."""
