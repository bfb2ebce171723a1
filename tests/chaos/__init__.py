"""Runs under kills, damage and a full disk, for as long as you like: ``python -m tests.chaos --minutes 30 --seed 7``."""
