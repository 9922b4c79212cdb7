"""Every reason the gate can give: its code, where it is checked, its unit and limit, what it means, where it is from.

`python -m parley.gate.catalog` prints docs/gate.md; a test holds file, table and checks together.
"""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from .notes import ELSEWHERE, HEAD, TAIL

_FILE = Path(__file__).with_name("reasons.toml")

Level = Literal["plan", "child", "both"]


class Reason(NamedTuple):
    """One row. `name` is the check's name in the log, `code` what people and alerts call it."""

    name: str
    code: str
    level: Level
    unit: str
    limit: str
    meaning: str
    source: str


def sections() -> Iterator[tuple[str, tuple[Reason, ...]]]:
    """The parts of the checklist, A to G, each with its reasons."""
    for section in tomllib.loads(_FILE.read_text(encoding="utf-8"))["section"]:
        yield section["title"], tuple(Reason(*cells) for cells in section["reasons"])


def page() -> str:
    """docs/gate.md."""
    parts = [HEAD]
    for title, rows in sections():
        parts.append(f"\n### {title}\n\n| code | in the log | level | unit | limit | meaning | source |")
        parts.append("|---|---|---|---|---|---|---|")
        parts += [f"| `{row.code}` | {' | '.join((row.name, *row[2:]))} |" for row in rows]
    parts.append("\n## What the checklist asks and no line above says\n\n| item | where it is |\n|---|---|")
    parts += [f"| {item} | {where} |" for item, where in ELSEWHERE]
    return "\n".join([*parts, TAIL])


if __name__ == "__main__":
    print(page(), end="")
