"""Content-addressed artifacts and results."""
