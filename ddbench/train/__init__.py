"""The student trainer: protocols as data, batched augmentation, one seeded training."""
