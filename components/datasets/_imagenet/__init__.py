"""Subsets of ImageNet-1k: classes, official folders, fastai's archives."""
