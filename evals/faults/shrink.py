"""Shrinks the faults of a failing case to the few that it takes (delta debugging), and keeps it in a file."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from ..errors import CaseUnreadable
from .faults import Fault, faults_json, faults_of
from .scenarios import Case
from .witness import Violation

VERSION = 1
MAX_TRIALS = 60
"""Runs that one counter-example may cost."""

Fails = Callable[[tuple[Fault, ...]], bool]


def shrink(faults: Sequence[Fault], fails: Fails) -> tuple[Fault, ...]:
    """A list that still fails, from which no single fault can be left out; sizes are made one where that will do.

    `fails` says whether a list fails in the way that is looked for; the full list does.

    Source: Zeller and Hildebrandt (2002), IEEE Transactions on Software Engineering 28, algorithm ddmin.
    """
    left = [MAX_TRIALS]

    def still_fails(chosen: Sequence[Fault]) -> bool:
        left[0] -= 1
        return left[0] >= 0 and fails(tuple(chosen))

    found = _minimized(list(faults), still_fails)
    for place, fault in enumerate(found):
        smaller = [*found[:place], replace(fault, size=1), *found[place + 1 :]]
        if fault.size > 1 and still_fails(smaller):
            found = smaller
    return tuple(found)


def _minimized(faults: list[Fault], fails: Callable[[Sequence[Fault]], bool]) -> list[Fault]:
    parts = 2
    while len(faults) >= 2:
        edges = [len(faults) * k // parts for k in range(parts + 1)]
        chunks = [faults[a:b] for a, b in pairwise(edges)]
        rest = [[fault for other in chunks if other is not chunk for fault in other] for chunk in chunks]
        smaller = next((chosen for chosen in (*chunks, *rest) if len(chosen) < len(faults) and fails(chosen)), None)
        if smaller is not None:
            parts = max(parts - 1, 2) if smaller in rest else 2
            faults = smaller
        elif parts >= len(faults):
            break
        else:
            parts = min(2 * parts, len(faults))
    return [] if faults and fails([]) else faults


def save_case(path: Path, case: Case, violations: Sequence[Violation]) -> None:
    """Write a counter-example that `--replay` reads."""
    document = {
        "version": VERSION,
        "suite": "faults",
        "scenario": case.scenario,
        "world_seed": case.world_seed,
        "sessions": case.sessions,
        "faults": faults_json(case.faults),
        "violations": [{"invariant": item.invariant, "text": item.text} for item in violations],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def load_case(path: Path) -> Case:
    """The case of a counter-example's file."""
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if (document["version"], document["suite"]) != (VERSION, "faults"):
            raise ValueError(f"it is of version {document['version']} of {document['suite']}")
        seed, sessions = document["world_seed"], document["sessions"]
        if type(seed) is not int or type(sessions) is not int or seed < 0 or not 1 <= sessions <= 250:
            raise ValueError(f"world_seed is {seed!r} and sessions is {sessions!r}, expected small whole numbers")
        return Case(str(document["scenario"]), seed, sessions, faults_of(document["faults"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CaseUnreadable(
            f"{path}: no counter-example of the fault laboratory: {error}",
            remedy="Pass a JSON file that `parley eval run faults --out DIR` wrote.",
        ) from error
