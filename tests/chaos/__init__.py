"""Runs under kills, damage and a full disk: ``python -m tests.chaos --minutes 30 --seed 7``."""
