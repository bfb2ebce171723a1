"""Built-in refiners, one file each."""
