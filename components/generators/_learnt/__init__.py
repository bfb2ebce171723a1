"""Generators of learnt pixels: their parameters and training."""
