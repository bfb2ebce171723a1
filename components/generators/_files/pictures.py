"""Make a pool from pictures of any size: square PNG files of the data set's size."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from ddbench import DataError, Dataset, Progress
from ddbench.toolkit import ImportedPictures

from ..._image_files import SUFFIXES, image_names
from ..._image_reader import decode, is_turned
from ..._paths import printable
from .class_folders import class_folders, match_classes, natural
from .content import readable


def import_pictures(root: Path, dataset: Dataset, target: Path, progress: Progress) -> ImportedPictures:
    """Write each picture of the classes as ``TARGET/<class>/<n>.png``, in natural order of the names.

    EXIF data turn a picture upright. Its shorter side is resized to the size of the data set's images, and the centre
    square is kept, as in the data set ``image-folder``.

    Args:
        root: the folder of the pictures, with one folder per class.
        dataset: the data set, which has the classes and the size.
        target: an empty folder.
        progress: called after each picture.

    Raises:
        DataError: a class has no folder or two, or no pictures.
        OSError: the target cannot be written.
    """
    folders, problems, jobs = match_classes(root, dataset), list[str](), list[tuple[Path, Path]]()
    for folder in folders:
        with readable(folder):
            names = image_names(
                folder, SUFFIXES, "a picture that ddbench reads", lambda problem: problems.append(str(problem))
            )
        if not names:
            raise DataError("holds no pictures", where=str(folder), hint="add pictures of the class")
        own = target / folder.name
        own.mkdir()
        jobs += [(folder / name, own / f"{n}.png") for n, name in enumerate(sorted(names, key=natural))]
    turned = 0
    with ThreadPoolExecutor() as pool:
        for done, found in enumerate(pool.map(lambda job: _convert(job[0], job[1], dataset.image_size), jobs), start=1):
            progress("pictures", done, len(jobs))
            if isinstance(found, str):
                problems.append(found)
            else:
                turned += found
    counts = {printable(folder.name): len(list((target / folder.name).iterdir())) for folder in folders}
    ignored = tuple(printable(folder.name) for folder in class_folders(root) if folder not in folders)
    return ImportedPictures(counts, turned, ignored, tuple(problems))


def _convert(source: Path, target: Path, size: int) -> bool | str:
    """Write one picture of the pool. Return whether it was turned, or the line that refuses it."""
    try:
        with readable(source):
            turned, pixels = is_turned(source), decode(source, size, upright=True)
    except DataError as error:
        return str(error)
    Image.fromarray(pixels).save(target)
    return turned
