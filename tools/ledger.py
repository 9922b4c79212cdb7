"""The evidence ledger: one entry per tool call, addressed by its content, as of one moment."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime

from ..domain.canonical import content_hash
from ..domain.decisions import Evidence

SIGNIFICANT_DIGITS = 10
"""Figures are kept to ten digits: more than anyone trades on, and the same on machines whose last bits differ."""


class Ledger:
    """The entries of one decision, in the order the tools were called; the same call is entered once."""

    def __init__(self, as_of: datetime, data_fingerprint: str) -> None:
        self._as_of = as_of
        self._fingerprint = data_fingerprint
        self._entries: dict[str, Evidence] = {}

    def record(
        self, tool: str, version: int, unit: str, inputs: Mapping[str, object], output: Mapping[str, object]
    ) -> Evidence:
        """Enter a result; `inputs` are the parameters, the data is named by its fingerprint up to `as_of`."""
        inputs_hash = content_hash({"data": self._fingerprint, "as_of": self._as_of.isoformat(), **inputs})
        address = hashlib.sha256(f"{tool}/{version}/{inputs_hash}".encode()).hexdigest()
        # Every field is made here; validating the nested output once more would cost a third of a decision.
        evidence = Evidence.model_construct(
            id=f"ev-{tool}-{address[:12]}",
            tool=tool,
            tool_version=version,
            inputs_hash=inputs_hash,
            as_of=self._as_of,
            unit=unit,
            output=output,
        )
        return self._entries.setdefault(evidence.id, evidence)

    @property
    def entries(self) -> tuple[Evidence, ...]:
        return tuple(self._entries.values())


def figure(value: float) -> float:
    """A float as the ledger keeps it."""
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}")


def figures(symbols: Sequence[str], values: Sequence[float]) -> dict[str, float]:
    """Figures by symbol; one that is not a number is left out, since the ledger has no name for it."""
    return {symbol: figure(value) for symbol, value in zip(symbols, values, strict=True) if value == value}
