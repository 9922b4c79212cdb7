"""What decides an evaluation's outcome, in one document; its hash is the evaluation's id, so nothing runs twice."""

import os
import platform
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import metadata, resources
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from ... import __version__
from ...desk.models import price_table
from ...domain.canonical import content_hash
from ...prompts.loader import load_prompt
from .options import SuiteOptions
from .suite import Suite
from .task import Fingerprinted, Sample, Task

VERSION = 1
PACKAGES = ("arch", "langgraph", "numba", "numpy", "pandas", "polars", "pydantic", "scikit-learn", "scipy", "skfolio")
"""Whose versions can move a figure in its last digits."""
_SOURCES = frozenset({".py", ".toml", ".md", ".csv", ".html", ".css", ".sql"})
_NOT_CODE = frozenset({"tests", "benchmarks", "__pycache__"})


def manifest_of(
    suite: Suite, task: Task, samples: Sequence[Sample], options: SuiteOptions, epochs: int
) -> dict[str, Any]:
    """The manifest, with the id it gives."""
    decides: dict[str, Any] = {
        "version": VERSION,
        "suite": suite.name,
        "options": options.asked(),
        "parameters": dict(options.parameters),
        "epochs": epochs,
        "samples": {"count": len(samples), "hash": samples_hash(samples)},
        "settings_hash": options.settings.hash(),
        "limits_hash": options.limits.hash(),
        "code": {"version": __version__, "hash": code_hash()},
        "prompts": prompt_hashes(),
        "packages": package_versions(),
        "data": dict(task.fingerprints()) if isinstance(task, Fingerprinted) else {},
        "price_table": _price_table(options),
    }
    return {"id": f"{suite.name}-{content_hash(decides)[:12]}", "text": suite.text, "tags": list(suite.tags), **decides}


def samples_hash(samples: Sequence[Sample]) -> str:
    return content_hash(
        [[item.id, dict(item.input), item.target, dict(item.metadata)] for item in samples],
    )


@cache
def code_hash() -> str:
    """Of every source file of this package, since a version number does not see an edit."""
    root = Path(__file__).parents[2]
    found: dict[str, str] = {}
    for top in sorted(root.iterdir()):
        if top.is_dir() and top.name not in _NOT_CODE and (top / "__init__.py").exists():
            for folder, below, files in os.walk(top):
                below[:] = [name for name in below if name not in _NOT_CODE]
                for name in files:
                    path = Path(folder, name)
                    if path.suffix in _SOURCES and not name.startswith("."):
                        found[path.relative_to(root).as_posix()] = path.read_bytes().hex()
    return content_hash(found)


@cache
def package_versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


@cache
def prompt_hashes() -> Mapping[str, str]:
    """The hash of every prompt, by name."""
    root = Path(str(resources.files("parley.prompts")))
    names = sorted(path.relative_to(root).with_suffix("").as_posix() for path in root.rglob("*.md"))
    return {name: load_prompt(name).hash[:16] for name in names}


def _price_table(options: SuiteOptions) -> JsonValue:
    table = price_table(options.settings.llm)
    return None if table is None else {"day": table.day.isoformat(), "currency": table.currency}
