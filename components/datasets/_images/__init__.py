"""Image files on disk: listing, digests, decoding."""
