"""Find data and libraries that a plan needs and that are missing on this machine."""

from __future__ import annotations

from ddbench.api import Component
from ddbench.errors import DdbenchError
from ddbench.plan.state import State
from ddbench.registry.libraries import absent_libraries, needs, remedy


def missing_here(state: State) -> tuple[str, ...]:
    """Return one line, with the remedy, for each thing that is missing for the nodes to run."""
    messages = (component.missing() for component in _components_to_run(state))
    return tuple(dict.fromkeys(message for message in messages if message is not None))


def check_libraries(state: State) -> None:
    """Raise DdbenchError if a node to run needs a library that is not installed. Every node needs torch."""
    components, absent = _components_to_run(state), absent_libraries()
    wanted = {name for component in components for name in needs(type(component))}
    missing = [name for name in absent if name in wanted or (components and name == "torch")]
    if missing:
        raise DdbenchError(
            f"the run needs libraries that are not installed: {', '.join(missing)}", hint=remedy(missing)
        )


def _components_to_run(state: State) -> list[Component]:
    to_run = state.to_run()
    components = {
        id(ref.component): ref.component
        for key, node in state.graph.nodes.items()
        if key in to_run
        for ref in node.uses.values()
    }
    return list(components.values())
