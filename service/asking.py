"""The `ask` command: one question to the desk's record, as chat, API and notebooks ask it; alone it lists them all."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .answers.answer import Answer, Rows
from .answers.errors import BadArguments
from .answers.reader import DeskReader
from .answers.table import ASKABLES, ask
from .console import Console
from .pages.numbers import UNITS, shown

ROWS_PRINTED = 20


@dataclass(frozen=True, slots=True)
class AskRequest:
    """What was given: the question's name, none for the list, and its arguments as KEY=VALUE."""

    name: str | None
    arguments: tuple[str, ...]
    run_name: str | None
    book: Path
    with_table: bool = False


def perform_ask(request: AskRequest, console: Console) -> None:
    if request.name is None:
        _list(console)
        return
    arguments = parse_pairs(request.arguments)
    answer = ask(DeskReader(request.book, request.run_name), request.name, arguments)
    console.result(answer.document())
    _print(console, answer, request.with_table)


def parse_pairs(pairs: Sequence[str]) -> dict[str, str]:
    """Arguments from a command line; each name once."""
    found: dict[str, str] = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or not name or name in found:
            raise BadArguments(
                f"--arg {pair[:80]!r} is no KEY=VALUE, or names a key twice",
                remedy="Write for example --arg symbol=JPM.",
            )
        found[name] = value
    return found


def _list(console: Console) -> None:
    rows = [(item.name, item.says, ", ".join(item.parameters.model_fields)) for item in ASKABLES.values()]
    console.result(
        {
            "questions": [
                {
                    "name": item.name,
                    "says": item.says,
                    "kind": item.kind.value,
                    "role": item.role,
                    "examples": list(item.examples),
                    "parameters": item.parameters.model_json_schema(),
                }
                for item in ASKABLES.values()
            ]
        }
    )
    for name, says, takes in rows:
        console.say(f"{name:20} {says}" + (f" [{takes}]" if takes else ""))
    console.say("\nparley ask NAME --arg KEY=VALUE")


def _print(console: Console, answer: Answer, with_table: bool) -> None:
    for line in answer.lines:
        console.say(line)
    if with_table and answer.rows is not None and answer.rows.rows:
        console.table("", answer.rows.header, [*map(tuple, _cells(answer.rows))])
    if answer.link:
        console.say(f"  {answer.link}")
    if answer.more:
        console.say(f"  more: {answer.more}")


def _cells(rows: Rows) -> list[list[str]]:
    return [
        [
            "" if cell is None else shown(cell, unit) if unit in UNITS else str(cell)
            for cell, unit in zip(row, rows.units, strict=True)
        ]
        for row in rows.rows[:ROWS_PRINTED]
    ]
