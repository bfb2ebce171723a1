"""From the names and parameters in a suite to configured components, with the place of every mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from pydantic import ValidationError

from ddbench.api.component import explain
from ddbench.errors import ComponentError, SuiteError
from ddbench.suite.cells import Choice
from ddbench.suite.model import ComponentUse, SuiteModel
from ddbench.yaml_source import KeyPath, YamlSource

if TYPE_CHECKING:
    from ddbench.api import Component, Generator
    from ddbench.protocol.protocol import Protocol
    from ddbench.registry import Catalogue


class Builder:
    """Configures the components of one suite. Holds the generators, so that equal entries are one object."""

    def __init__(self, model: SuiteModel, source: YamlSource, known: Catalogue) -> None:
        self.model = model
        self.source = source
        self.known = known
        self._generators: dict[str, Choice[Generator]] = {}

    def component(self, kind: str, use: ComponentUse, path: KeyPath) -> Choice[Component]:
        """A configured component, labelled by its name and the parameters that the suite sets."""
        try:
            cls = self.known.get(kind, use.use)
        except ComponentError as error:
            raise SuiteError(error.message, where=self.source.place((*path, "use")), hint=error.hint) from None
        try:
            built = cls(cls.Params(**use.params))
        except ValidationError as error:
            first = error.errors()[0]
            where = self.source.place((*path, *first["loc"]))
            if kind == "selector" and (first["type"], first["loc"]) == ("extra_forbidden", ("pool",)):
                hint = _pool_hint(use, path)
                raise SuiteError(f"{cls.label()} has no parameter 'pool'", where=where, hint=hint) from None
            raise SuiteError(f"{cls.label()}: {explain(error, cls.Params)}", where=where) from None
        try:
            # Part of every key; known to fail here, a name in it that means nothing has a place.
            _ = built.fingerprinted
        except ComponentError as error:
            raise SuiteError(error.message, where=error.where or self.source.place(path), hint=error.hint) from None
        named = {name: getattr(built.params, name) for name in cls.shown} | use.params
        shown = ", ".join(f"{name}={value}" for name, value in named.items())
        return Choice(f"{use.use} ({shown})" if shown else use.use, built)

    def protocol(self, name: str, path: KeyPath) -> Protocol:
        try:
            return self.known.protocol(name)
        except ComponentError as error:
            raise SuiteError(error.message, where=error.where or self.source.place(path), hint=error.hint) from None

    def check_variants(self) -> None:
        """Raise SuiteError for a variant that has the name of another generator, as which tables would show it.

        Of those that come with ddbench: a plug-in that is installed later makes no suite wrong.
        """
        own = (cls for cls in self.known.components("generator") if cls.__module__.startswith("ddbench_components."))
        taken = {cls.info.name for cls in own}
        for name, use in self.model.generators.items():
            if name in taken and name != use.use:
                raise SuiteError(
                    f"this variant of '{use.use}' has the name of the generator '{name}'",
                    where=self.source.place(("generators", name)),
                    hint="rename it",
                )

    def generator(self, name: str, path: KeyPath) -> Choice[Generator]:
        """A generator by the name of a variant in this suite, else of a component."""
        if name not in self._generators:
            if name in self.model.generators:
                choice = self.component("generator", self.model.generators[name], ("generators", name))
            else:
                choice = self.component("generator", ComponentUse(use=name), path)
            self._generators[name] = Choice(name, cast("Generator", choice.component))
        return self._generators[name]


def _pool_hint(use: ComponentUse, path: KeyPath) -> str:
    """Say how a suite gives a selector a pool."""
    pool = use.params["pool"]
    if path[0] == "methods":
        return f"write `pool: {pool}` beside `selector`"
    name = use.use if len(use.params) == 1 else f"{{use: {use.use}, …}}"
    return f"write `{{selector: {name}, pool: {pool}}}`"
