"""Built-in scorers, one file each."""
