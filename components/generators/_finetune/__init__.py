"""Fine-tuning of a DiT: training, loss terms, adapters, authors' checkpoints."""
