"""Build configured components from the names and parameters in a suite. Errors name their place in the file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from pydantic import ValidationError

from ddbench.api.canonical import sha256_json
from ddbench.api.component import explain
from ddbench.errors import ComponentError, SuiteError, first_mistake
from ddbench.suite.cells import Choice
from ddbench.suite.fields import ComponentUse
from ddbench.suite.model import SuiteModel
from ddbench.suite.protocols import Protocols
from ddbench.text import counted, one_line
from ddbench.yaml_source import KeyPath, YamlSource

if TYPE_CHECKING:
    from ddbench.api import Component, Generator, Params
    from ddbench.registry import Catalogue


_FROM_SUITE: Final = ("./", "../")
_PATHS: Final = ("/", "~", *_FROM_SUITE)
# Longer lists are not written out in labels.
_LIST_WIDTH: Final = 60


class Builder:
    """A builder of the components of one suite. Equal generators are one object.

    Attributes:
        model: the suite's model.
        source: the suite file with the places of its values.
        folder: the folder of the suite file.
        available: the catalogue of components.
        protocols: the protocols.
    """

    def __init__(self, model: SuiteModel, source: YamlSource, folder: Path, available: Catalogue) -> None:
        self.model = model
        self.source = source
        self.folder = folder
        self.available = available
        self.protocols = Protocols(source, available)
        self._generators: dict[str, Choice[Generator]] = {}

    def component(self, kind: str, use: ComponentUse, path: KeyPath) -> Choice[Component]:
        """Build a component, labelled by its name and the parameters that the suite sets."""
        try:
            cls = self.available.get(kind, use.use)
        except ComponentError as error:
            raise SuiteError(error.message, where=self.source.place((*path, "use")), hint=error.hint) from None
        try:
            built = cls(self._located(cls.Params(**use.params), use, path))
        except ValidationError as error:
            first = first_mistake(error)
            where = self.source.place((*path, *first["loc"]))
            if kind == "selector" and (first["type"], first["loc"]) == ("extra_forbidden", ("pool",)):
                hint = _pool_hint(use, path)
                raise SuiteError(f"{cls.label()} has no parameter 'pool'", where=where, hint=hint) from None
            raise SuiteError(f"{cls.label()}: {explain(error, cls.Params)}", where=where) from None
        try:
            # Every key needs it. Compute it here, so that an error has a place in the file.
            _ = built.fingerprinted
        except ComponentError as error:
            raise SuiteError(error.message, where=error.where or self.source.place(path), hint=error.hint) from None
        except OSError as error:
            where = self.source.place(path) if error.filename is None else str(error.filename)
            message = f"cannot be read: {error.strerror or error}"
            raise SuiteError(message, where=where, hint="check its permissions") from None
        named = {name: getattr(built.params, name) for name in cls.shown} | use.params
        return Choice(one_line(described(built, named)), built)

    def _located(self, params: Params, use: ComponentUse, path: KeyPath) -> Params:
        """Return parameters in which each relative path that the suite sets starts at the folder of its file."""
        moved: dict[str, Any] = {}
        for name in use.params:
            value = getattr(params, name)
            folder = self.source.folder_of((*path, name), self.folder).absolute()
            if isinstance(value, Path) and not str(value).startswith("~"):
                moved[name] = folder / value
            elif isinstance(value, str) and value.startswith(_FROM_SUITE):
                moved[name] = str(folder / value)
        return type(params)(**use.params | moved) if moved else params

    def check_variants(self) -> None:
        """Raise SuiteError if a variant has the name of another generator, since tables would be ambiguous.

        Only ddbench's own generators count, so installing a plug-in does not invalidate a suite.
        """
        own = (
            cls for cls in self.available.components("generator") if cls.__module__.startswith("ddbench_components.")
        )
        taken = {cls.info.name for cls in own}
        for name, use in self.model.generators.items():
            if name in taken and name != use.use:
                raise SuiteError(
                    f"this variant of '{use.use}' has the name of another generator, '{name}'",
                    where=self.source.place(("generators", name)),
                    hint="rename it",
                )

    def generator(self, name: str, path: KeyPath) -> Choice[Generator]:
        """Return the generator with the name of a variant in this suite, or else of a component."""
        if name not in self._generators:
            if name in self.model.generators:
                choice = self.component("generator", self.model.generators[name], ("generators", name))
            else:
                choice = self.component("generator", ComponentUse(use=name), path)
            self._generators[name] = Choice(name, cast("Generator", choice.component))
        return self._generators[name]

    def lender(self, generator: Choice[Generator]) -> Choice[Generator] | None:
        """Return the generator whose prior a generator borrows; None if it borrows none."""
        prior = generator.component.borrowed_prior
        return None if prior is None else self.generator(prior.generator, ("generators", generator.label, "prior"))


def described(component: Component, values: Mapping[str, Any]) -> str:
    """Return the name of a component with some of its parameters, for labels and tables."""
    shown = ", ".join(dict.fromkeys(_shown(name, value, component) for name, value in values.items()))
    return f"{component.info.name} ({shown})" if shown else component.info.name


def _shown(name: str, value: Any, component: Component) -> str:
    """Return a parameter for a label.

    A path is private, so the digest of its content stands for it. A long list is shown by its length.
    """
    if not isinstance(getattr(component.params, name, None), Path) and not str(value).startswith(_PATHS):
        long = isinstance(value, list) and len(str(value)) > _LIST_WIDTH
        return f"{name}=[{counted(len(value), 'value')}]" if long else f"{name}={value}"
    known = component.fingerprinted
    if known is None:
        return f"{name}={Path(value).name}"
    return f"sha256 {(known if isinstance(known, str) else sha256_json(known))[:8]}"


def _pool_hint(use: ComponentUse, path: KeyPath) -> str:
    """Return a hint on how to give a selector a pool."""
    pool = use.params["pool"]
    if path[0] == "methods":
        return f"write `pool: {pool}` next to `selector`"
    name = use.use if len(use.params) == 1 else f"{{use: {use.use}, …}}"
    return f"write `{{selector: {name}, pool: {pool}}}`"
