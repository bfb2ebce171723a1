"""Recipes that made the files that ship with ddbench. Nothing here is installed."""
