"""CIFAR-10 and CIFAR-100: sources, file formats, stored tensors."""
