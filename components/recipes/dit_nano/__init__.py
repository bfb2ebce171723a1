"""The recipe of the weights of ``dit-nano``. Sampling does not need it."""
