"""Limits on everything that is read from outside: files larger than a limit are refused with one line."""

from __future__ import annotations

from typing import Final

__all__ = [
    "ARCHIVE_BYTES",
    "ARCHIVE_MEMBERS",
    "ARCHIVE_RATIO",
    "ARCHIVE_SMALL_BYTES",
    "CELLS",
    "FILES_PER_FOLDER",
    "IMAGES_PER_CLASS",
    "JSON_BYTES",
    "JSON_DEPTH",
    "NAME_CHARACTERS",
    "NODES",
    "PICTURE_ASPECT",
    "PICTURE_BYTES",
    "PICTURE_PIXELS",
    "PIXEL_VALUES",
    "POOL_SIDES",
    "PREDICTIONS_BYTES",
    "ROWS",
    "TEXT_BYTES",
    "YAML_DEPTH",
    "YAML_DIGITS",
    "YAML_VALUES",
]

# Suites, protocols and tables of published numbers.
TEXT_BYTES: Final = 2**19
YAML_VALUES: Final = 200_000  # aliases count each time
YAML_DEPTH: Final = 32
YAML_DIGITS: Final = 100  # of a whole number
NAME_CHARACTERS: Final = 120  # of a suite, a row or a variant
ROWS: Final = 20_000
CELLS: Final = 1_000_000
NODES: Final = 2_000_000
IMAGES_PER_CLASS: Final = 100_000  # of an IPC or a pool
HASH_CACHE_BYTES: Final = 2**24  # of the file that keeps code hashes

# JSON files of stores and exports.
JSON_BYTES: Final = 2**29
JSON_DEPTH: Final = 200  # pydantic-core reads no deeper objects
PREDICTIONS_BYTES: Final = 2**26  # of one training

# Pictures.
PICTURE_BYTES: Final = 2**29
PICTURE_PIXELS: Final = 150_000_000  # Pillow refuses 179 million
PICTURE_ASPECT: Final = 50  # the longer side by the shorter
FILES_PER_FOLDER: Final = 2_000_000
PIXEL_VALUES: Final = (-8.0, 9.0)  # of float images, whose byte 255 is 1
POOL_SIDES: Final = 64  # the side of a pool's images by that of the data set's

# Archives of data sets.
ARCHIVE_MEMBERS: Final = 2_000_000
ARCHIVE_BYTES: Final = 2**35  # unpacked
ARCHIVE_RATIO: Final = 100  # unpacked bytes by bytes of the archive
ARCHIVE_SMALL_BYTES: Final = 2**28  # the ratio has no limit below this unpacked size, nor has a file of CIFAR
