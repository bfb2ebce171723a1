"""Tools for component authors beside the base classes: whole writes, checkpoints, compiled loops, the data folder."""
