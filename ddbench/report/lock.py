"""The lock file of an export: the versions that made its results, from their records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from ddbench.record import Environment, Measurement, Provenance

LOCK: Final = "lock.txt"
_HEAD: Final = "# Versions that made these results, one list for each environment. ddbench writes it from the records."
_SHOWN: Final = 12


def lock_text(measured: Iterable[Measurement]) -> str:
    """Return the versions of all environments as lists that pip reads, with the rest as comments."""
    groups: dict[str, list[Measurement]] = {}
    for one in {(one.action_key, one.fingerprint): one for one in measured}.values():
        groups.setdefault(one.fingerprint, []).append(one)
    lines = [_HEAD]
    for fingerprint, group in sorted(groups.items()):
        count = f"{len(group)} result{'s' if len(group) > 1 else ''}"
        lines += ["", f"# environment {fingerprint}: {count}", *_environment(group[0].environment), *_packages(group)]
    return "\n".join(lines) + "\n"


def _environment(env: Environment) -> Iterator[str]:
    threads = "unknown threads" if env.threads is None else f"{env.threads} thread{'s' if env.threads > 1 else ''}"
    known = (env.device_model, env.cpu_capability, threads, env.os, env.numerics)
    yield f"# {', '.join(text for text in known if text)}"
    if env.gpu is not None:
        yield f"# driver {env.gpu.driver}, CUDA {env.gpu.cuda}, cuDNN {env.gpu.cudnn}"
    yield f"# python {env.versions.get('python', 'of unknown version')}"
    yield from (f"{name}=={version}" for name, version in sorted(env.versions.items()) if name != "python")


def _packages(group: Sequence[Measurement]) -> Iterator[str]:
    """Yield the packages of components, and the commits of those that are checkouts."""
    lineages = {id(one.lineage): one.lineage for one in group}.values()
    origins = {_package(origin): origin for lineage in lineages for origin in lineage if origin.package is not None}
    named = group[0].environment.versions
    for text, origin in sorted(origins.items()):
        if origin.package not in named:
            yield text.partition(" ")[0]
        if origin.commit is not None:
            yield f"# {text}"
    unknown = Counter(origin.code_hash is None for lineage in lineages for origin in lineage)[True]
    if unknown:
        yield "# the code of some components is not in the records"


def _package(origin: Provenance) -> str:
    changed = " with changes" if origin.dirty else ""
    commit = "" if origin.commit is None else f" at commit {origin.commit[:_SHOWN]}{changed}"
    return f"{origin.package}=={origin.package_version}{commit}"
