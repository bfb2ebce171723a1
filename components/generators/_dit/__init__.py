"""Latent DiT pipelines: weights, sampling, the denoising loss, costs."""
