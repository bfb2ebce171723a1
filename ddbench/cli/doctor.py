"""``ddbench doctor``: check that this machine can run suites."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import typer

from ddbench.cli.options import AsJson, StoreFolder, store_root
from ddbench.errors import DdbenchError, StoreError
from ddbench.text import counted

if TYPE_CHECKING:
    from ddbench.api import Dataset
    from ddbench.cli.json_types import DoctorRow

Mark = Literal["ok", "--", "!!"]


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Attributes:
        what: the thing that was checked.
        found: its state.
        mark: ``ok``; ``--`` for something optional that is missing; ``!!`` for an error.
    """

    what: str
    found: str
    mark: Mark = "ok"


def doctor(store: StoreFolder = None, json: AsJson = False) -> None:
    """Check the environment, the plug-ins, the data and the store. Exit with 1 if there is an error.

    Marks: ok; -- for something optional that is missing or incomplete; !! for an error.
    """
    from ddbench.cli.output import print_json, print_table

    findings = [*_environment(), *_plugins(), *_data(), *_store(store)]
    if json:
        output: list[DoctorRow] = [{"what": f.what, "found": f.found, "mark": f.mark} for f in findings]
        print_json(output)
    else:
        print_table(["", "what", "found"], [[f.mark, f.what, f.found] for f in findings])
    if any(finding.mark == "!!" for finding in findings):
        raise typer.Exit(1)


def _environment() -> list[Finding]:
    from ddbench.registry.libraries import absent_libraries, remedy
    from ddbench.toolkit.cores import usable_cores
    from ddbench.toolkit.environment import versions
    from ddbench.toolkit.gpus import gpu_models
    from ddbench.toolkit.hardware import cpu_model

    absent = absent_libraries()
    message = f"missing: {', '.join(absent)}; {remedy(absent)}"
    return [
        Finding("versions", ", ".join(f"{name} {version}" for name, version in versions().items())),
        Finding("packages", message, "!!") if absent else Finding("packages", "all installed"),
        Finding("processor", f"{cpu_model()}, {counted(usable_cores(), 'core')} usable"),
        Finding("GPUs", ", ".join(gpu_models()) or "none"),
    ]


def _plugins() -> list[Finding]:
    from ddbench.registry import catalogue
    from ddbench.registry.libraries import needed_by

    whole = (plugin for plugin in catalogue().plugins.values() if not (plugin.error or plugin.is_empty))
    findings = [Finding(f"plug-in {p.name}", f"{p.package} {p.deferred or ''}".strip()) for p in whole]
    findings += [Finding("plug-in", line, "!!") for line in catalogue().problems()]
    findings += [Finding("plug-in", line, "--") for line in catalogue().empty()]
    findings += [Finding("module", line, "!!") for line in catalogue().left_out()]
    for library, users in needed_by(catalogue().components()).items():
        findings.append(Finding(f"without {library}", f"cannot be used: {', '.join(users)}", "--"))
    return findings


def _data() -> list[Finding]:
    from ddbench.registry import catalogue

    datasets = (cast("type[Dataset]", cls) for cls in catalogue().components("dataset"))
    return [finding for cls in datasets for finding in _data_set(cls)]


def _data_set(cls: type[Dataset]) -> list[Finding]:
    """Return the state of a data set; nothing for one with required parameters."""
    from ddbench.registry.blame import describe

    what = f"data set {cls.info.name}"
    try:
        if any(field.is_required() for field in cls.Params.model_fields.values()):
            return []
        missing = cls().missing()
    except DdbenchError as error:
        missing = str(error)
    except Exception as error:
        return [Finding(what, describe(error, {cls.__module__.partition(".")[0]}), "!!")]
    return [Finding(what, "complete") if missing is None else Finding(what, str(missing), "--")]


def _store(option: Path | None) -> list[Finding]:
    from ddbench.store import Store

    try:
        root = store_root(option)
    except DdbenchError as error:
        return [Finding("store", str(error), "!!")]
    nearest = next(folder for folder in (root, *root.parents) if folder.exists())
    free = shutil.disk_usage(nearest).free / 2**30
    finding = Finding("store", f"{root}, {free:.1f} GiB free")
    if root.exists():
        try:
            Store.open(root)
        except StoreError as error:
            finding = Finding("store", str(error), "!!")
    return [finding]
