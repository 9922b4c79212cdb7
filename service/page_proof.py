"""Reads a page as a person would and proves it: a number shown leads into the twin and says there what it says here."""

import re
from dataclasses import dataclass, field
from decimal import Decimal
from html.parser import HTMLParser

from pydantic import JsonValue

from .pages.numbers import UNITS
from .pages.render import clean
from .pages.twin import resolve
from .reports import Report

_VOID = frozenset({"meta", "br", "rect", "circle", "line", "path", "polyline", "link", "img"})
_QUIET = frozenset({"style", "title", "time", "code"})
_MAX_TEXT_CHARS = 10_000


@dataclass
class Shown:
    """One referenced value of a page: a `data` element or an SVG label."""

    kind: list[str]
    raw: str
    ref: str
    text: str = ""


@dataclass
class Walker(HTMLParser):
    """What a page shows: values with references, and all other visible text; what is misnested is in `faults`."""

    values: list[Shown] = field(default_factory=list)
    loose: list[str] = field(default_factory=list)
    tags: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, Shown | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.add(tag)
        self.attributes |= set(found)
        if tag == "a":
            self.links.append(found["href"] or "")
        value = None
        if "data-ref" in found:
            raw = found.get("value") if tag == "data" else found.get("data-value")
            value = Shown((found["class"] or "").split(), raw or "", found["data-ref"] or "")
            self.values.append(value)
        if tag not in _VOID:
            self.open.append((tag, value))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        name = self.open.pop()[0] if self.open else "nothing"
        if name != tag:
            self.faults.append(f"<{name}> closed by </{tag}>")

    def handle_data(self, data: str) -> None:
        value = next((value for _, value in reversed(self.open) if value), None)
        if value:
            value.text += data
        elif not {tag for tag, _ in self.open} & _QUIET:
            is_date = bool(self.open) and self.open[-1][0] == "text" and re.fullmatch(r"[\d: -]+", data)
            if not is_date:
                self.loose.append(data)


def walk(html: str) -> Walker:
    walker = Walker()
    walker.feed(html)
    walker.close()
    walker.faults += [f"<{tag}> is never closed" for tag, _ in walker.open]
    return walker


def problems(report: Report) -> list[str]:
    """Everything on a page that its twin does not bear out; nothing for a page that is grounded."""
    walker = walk(report.html)
    loose = [f"digits without a source: {text!r}" for text in walker.loose if re.search(r"\d", text)]
    stated = [fault for value in walker.values if (fault := _fault(value, report.data))]
    return [*walker.faults, *loose, *stated]


def _fault(value: Shown, data: dict[str, JsonValue]) -> str:
    try:
        pointed = resolve(data, value.ref)
    except (LookupError, ValueError, TypeError):
        return f"{value.ref}: leads nowhere in the twin"
    if "s" in value.kind:
        is_same = isinstance(pointed, str) and value.text == value.raw
        head = value.text.removesuffix("…")
        is_same = is_same and clean(str(pointed), _MAX_TEXT_CHARS).startswith(head)
        return "" if is_same else f"{value.ref}: says {value.text!r}, not {pointed!r}"
    if isinstance(pointed, bool) or not isinstance(pointed, (int, float, str)) or value.raw != str(pointed):
        return f"{value.ref}: raw {value.raw!r}, twin {pointed!r}"
    unit = UNITS[value.kind[1]]
    bare = value.text.removesuffix(unit.suffix).replace(",", "").replace("\N{MINUS SIGN}", "-")
    if not re.fullmatch(r"[+-]?\d+(\.\d+)?", bare):
        return f"{value.ref}: {value.text!r} is not a number in {value.kind[1]}"
    places = len(bare.partition(".")[2])
    gap = abs(Decimal(bare) / unit.scale - Decimal(str(pointed)))
    is_shown = gap <= Decimal(5).scaleb(-places - 1) / unit.scale
    return "" if is_shown else f"{value.ref}: shown {value.text!r}, twin {pointed!r}"
