"""The student trainer: batched augmentation, losses, one seeded training."""
