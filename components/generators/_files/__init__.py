"""Pools made elsewhere: image folders and tensor files. Torch is not imported here."""
