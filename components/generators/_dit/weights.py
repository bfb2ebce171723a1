"""The parts of a DiT pipeline: their places on this machine, their digests, and their download."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ddbench import ComponentError, Progress
from ddbench.toolkit import sha256_json

from ..._hub import Repository, cached_file, fetched_folder, is_complete, local_folder_hint, shards
from .._files.content import content_digest

# The pipeline that comes with ddbench, and its folder.
SHIPPED: Final = "ddbench/dit-nano"
_SHIPPED_FOLDER: Final = Path(__file__).parents[1] / "_dit_nano"

# The licences of published parts, by source. Those of other sources are unknown.
_LICENCES: Final = {
    SHIPPED: "Apache-2.0",
    "facebook/DiT-XL-2-256": "CC-BY-NC-4.0",
    "stabilityai/sd-vae-ft-ema": "MIT",
    "stabilityai/sd-vae-ft-mse": "MIT",
}

# The file that makes a folder of parts a pipeline.
PIPELINE_INDEX: Final = "model_index.json"
_WEIGHTS: Final = ("diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin")


def is_folder(source: str) -> bool:
    """Return whether a source is written as a folder."""
    return source.startswith(("/", "./", "../", "~"))


def is_name(source: str) -> bool:
    """Return whether a source is a valid ``owner/name`` on the Hugging Face Hub."""
    one = r"\w([\w.-]{,94}\w)?"
    named = re.fullmatch(f"{one}/{one}", source, re.ASCII) is not None
    return named and "--" not in source and ".." not in source and not source.endswith(".git")


@dataclass(frozen=True)
class Part:
    """The transformer, the VAE or the scheduler of a pipeline, as diffusers saves it.

    A part on the Hugging Face Hub is identified by its name. It is looked up in ``weights/<name>`` in the data folder,
    then in the Hugging Face cache. A part in a folder, or in the shipped pipeline, is identified by its content.

    Attributes:
        kind: ``transformer``, ``vae`` or ``scheduler``.
        source: a name on the Hugging Face Hub (``owner/name``), or a folder.
        inside: the part's folder in the source; empty if the source holds this part alone.
        parameter: the parameter that names the source.
        wanted_by: the component that needs the part, for messages.
    """

    kind: str
    source: str
    inside: str
    parameter: str
    wanted_by: str

    @property
    def folder(self) -> Path | None:
        """Return the part's folder if the source is a folder, or None for a name on the Hub."""
        if self.source == SHIPPED:
            return _SHIPPED_FOLDER / self.inside
        return Path(self.source).expanduser().absolute() / self.inside if is_folder(self.source) else None

    def fingerprint(self) -> str:
        """Return the name, or the digest of the folder's files. Raise ComponentError if one of them is missing."""
        if self.folder is None:
            return f"{self.source}/{self.inside}".rstrip("/")
        return sha256_json({path.name: content_digest(path) for path in self._files(self.find())})

    def find(self) -> Path:
        """Return the first folder with all of the part's files. Raise ComponentError with a hint if there is none."""
        found = self.look()
        if isinstance(found, Path):
            return found
        gap, hint = found
        raise ComponentError(f"{self.wanted_by} finds {gap}", hint=hint)

    def look(self) -> Path | tuple[str, str]:
        """Return the first folder with complete files of the part, or a message about the missing file and a hint."""
        gaps = []
        for place in self._places():
            index = place.parent / PIPELINE_INDEX
            files = [*self._files(place), *([index] if self.inside and index.is_file() else [])]
            gap = next((path for path in files if not is_complete(path)), None)
            if gap is None:
                return place
            gaps.append(f"{gap} is cut off or damaged" if gap.is_file() else f"{place} has no {gap.name}")
        if self.folder is not None:
            hint = f"give the parameter '{self.parameter}' a folder written by diffusers' save_pretrained"
            return f"no {self.kind}: {gaps[0]}", hint
        if len(gaps) == 1:
            gaps.append(f"the Hugging Face cache has no {self.source}")
        hint = local_folder_hint(self.source) or f"name a folder in the parameter '{self.parameter}'"
        hint = f"run `ddbench fetch SUITE`, or {hint}"
        return f"no {self.kind} of {self.source}: {' and '.join(gaps)}", hint

    def fetch(self, repository: Repository, progress: Progress) -> None:
        """Fetch the part's files. Raise ComponentError if the repository lacks one, or it cannot be fetched."""

        def get(name: str) -> Path:
            return repository.fetch(self._inside(name), progress)

        get(self._config)
        if self.kind == "scheduler":
            return
        names = [form for name in _WEIGHTS for form in (name, f"{name}.index.json")]
        first = get(next((name for name in names if self._inside(name) in repository.files), _WEIGHTS[0]))
        for shard in shards(first):
            get(shard)

    def _places(self) -> list[Path]:
        if self.folder is not None:
            return [self.folder]
        cached = cached_file(self.source, self._inside(self._config))
        fetched = fetched_folder(self.source) / self.inside
        return [fetched] if cached is None else [fetched, cached.parent]

    def _inside(self, name: str) -> str:
        """Return the name of one of the part's files in its source."""
        return f"{self.inside}/{name}" if self.inside else name

    @property
    def _config(self) -> str:
        return "scheduler_config.json" if self.kind == "scheduler" else "config.json"

    def _files(self, place: Path) -> list[Path]:
        """Return the files of the part in a folder."""
        return [place / self._config, *([] if self.kind == "scheduler" else weights(place))]


def missing_parts(parts: Sequence[Part]) -> str | None:
    """Return one sentence about the parts that are incomplete on this machine, or None.

    It does not name the generator, since several generators may want the same parts.
    """
    gaps: dict[str, list[str]] = {}
    for part in parts:
        found = part.look()
        if isinstance(found, tuple):
            gap, hint = found
            gaps.setdefault(hint, []).append(gap)
    return "; ".join("; ".join([*same, hint]) for hint, same in gaps.items()) or None


def licences(parts: Sequence[Part]) -> str:
    """Return the licence of each source of the parts. Folders are not named."""
    sources = dict.fromkeys("a folder" if part.folder and part.source != SHIPPED else part.source for part in parts)
    return ", ".join(f"{_LICENCES.get(source, 'unknown')} ({source})" for source in sources)


def fetch_missing(parts: Sequence[Part], progress: Progress) -> None:
    """Fetch the parts that are incomplete on this machine, from each source that can be reached.

    Raises:
        ComponentError: one source is a folder, or one of its files cannot be fetched.
        ExceptionGroup: the same for several sources.
    """
    missing: dict[str, list[Part]] = {}
    for part in parts:
        if not isinstance(part.look(), Path):
            missing.setdefault(part.source, []).append(part)
    problems = []
    for of_source in missing.values():
        try:
            _fetch_from_source(of_source, progress)
        except ComponentError as error:
            problems.append(error)
    if len(problems) > 1:
        raise ExceptionGroup(f"{parts[0].wanted_by}: several parts cannot be fetched", problems)
    if problems:
        raise problems[0]


def _fetch_from_source(parts: Sequence[Part], progress: Progress) -> None:
    """Fetch parts of one source, and the index of the pipeline where the source has one."""
    if parts[0].folder is not None:
        parts[0].find()
        return
    repository = Repository.query(parts[0].source)
    if any(part.inside for part in parts) and PIPELINE_INDEX in repository.files:
        repository.fetch(PIPELINE_INDEX, progress)
    for part in parts:
        part.fetch(repository, progress)


def scheduler_timesteps(scheduler: Part) -> int | None:
    """Return the number of timesteps of a pipeline's scheduler, or None if it is not known here."""
    found = scheduler.look()
    if not isinstance(found, Path):
        return None
    try:
        return int(json.loads((found / "scheduler_config.json").read_text(encoding="utf-8"))["num_train_timesteps"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def class_names(index: Path) -> list[str]:
    """Return the class names in a pipeline's ``model_index.json``, in order, or an empty list."""
    try:
        labels = json.loads(index.read_text(encoding="utf-8")).get("id2label") or {}
        return [labels[str(i)] for i in range(len(labels))]
    except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError):
        raise ComponentError("is not an index of a pipeline", where=str(index), hint="fetch it again") from None


def weights(folder: Path) -> list[Path]:
    """Return the expected files of a part's weights: one file, or an index and its shards."""
    forms = [folder / form for name in _WEIGHTS for form in (name, f"{name}.index.json")]
    # Complete files are preferred to truncated ones.
    candidates = [*filter(is_complete, forms), *filter(Path.is_file, forms), forms[0]]
    return [candidates[0], *(folder / shard for shard in shards(candidates[0]))]
