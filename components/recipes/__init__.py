"""Recipes of data files that are part of ddbench. They are not installed."""
