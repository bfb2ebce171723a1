"""What a set of runs says."""
