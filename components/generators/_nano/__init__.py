"""The making of a small latent DiT of CIFAR-10's classes; nothing here is needed to sample from it."""
