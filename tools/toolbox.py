"""Every tool that writes to the ledger, as `toolbox.toml` declares it."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

Node = Literal[
    "technical", "sentiment", "microstructure", "macro", "analyst", "risk", "optimizer", "execution", "consensus"
]

ACCOUNT_CURRENCY = "account currency"
"""The one unit that is known only at the call: the ledger entry names the currency itself."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One door from words to numbers, as its ledger entries name it."""

    name: str
    unit: str
    home: str
    """Module and function inside the package. A name, so that a list of tools need not load them all."""
    says: str
    version: int = 1
    """Raised when the same inputs would give another output; it is part of every entry's address."""
    nodes: tuple[Node, ...] = ()
    """Nodes of the decision graph that ask it; none where only commands do."""

    @property
    def function(self) -> Callable[..., object]:
        """The function itself; it takes a ledger first and leaves one entry there."""
        module, _, function = self.home.rpartition(".")
        found: Callable[..., object] = getattr(import_module(f"{_PACKAGE}.{module}"), function)
        return found


_PACKAGE = __name__.split(".")[0]


def _declared() -> Mapping[str, Tool]:
    text = Path(__file__).with_name("toolbox.toml").read_text(encoding="utf-8")
    rows: dict[str, dict[str, Any]] = tomllib.loads(text)
    return MappingProxyType(
        {name: Tool(name, **{**row, "nodes": tuple(row.get("nodes", ()))}) for name, row in rows.items()}
    )


TOOLS: Mapping[str, Tool] = _declared()
"""By name, as ledger entries carry it."""
