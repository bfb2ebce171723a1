"""How the weights of ``dit-nano`` were made; nothing here is needed to sample from them."""
