"""Renders the web desk's templates: the reports' filters with plain values as well, and the shell around a page."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup, escape
from pydantic import JsonValue

from ..pages.numbers import shown
from ..pages.render import MAX_TEXT_CHARS, NOTHING, clean, environment, moment, number, plain
from ..pages.render import label as in_words
from ..pages.twin import Fact
from .assets import all_assets

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
WRITTEN = {"var_99": "VaR 99%", "es_975": "ES 97.5%"}
"""Names of the log that are abbreviations of figures."""
Number = Fact | Decimal | float | int | None


def fragment(template: str, **context: object) -> Markup:
    """A piece of a page, or a whole one, from its template."""
    # What a template of ours gives is markup: it escapes whatever is put into it.
    return Markup(_environment().get_template(template).render(**context))


def figure(value: Number, unit: str = "num", digits: int | None = None, *, sign: bool = False) -> Markup:
    """A number: a fact with the place it came from, a plain one by itself, a missing one as a dash."""
    if value is None or isinstance(value, Fact):
        return number(value, unit, digits, sign=sign)
    raw: JsonValue = str(value) if isinstance(value, Decimal) else value
    text = shown(raw, unit, digits, sign)
    return Markup('<data class="n {}" value="{}">{}</data>').format(unit, str(raw), text)


def gain(value: Number, unit: str = "frac", digits: int | None = None) -> Markup:
    """A number that is good when it rises: its sign is written out, and colored as well."""
    raw = value.raw if isinstance(value, Fact) else value
    if raw is None:
        return NOTHING
    amount = float(str(raw))
    tone = "good" if amount > 0 else "bad" if amount < 0 else "soft"
    return Markup('<span class="{}">{}</span>').format(tone, figure(value, unit, digits, sign=True))


def said(text: "Fact | str | None", limit_chars: int = MAX_TEXT_CHARS) -> Markup:
    """Words from outside (a name, a reason, a headline, a reply): one line, nothing unseen in it, escaped."""
    found = str(text.raw) if isinstance(text, Fact) and text.raw is not None else text
    if found is None or isinstance(found, Fact):
        return NOTHING
    return escape(clean(found, limit_chars)) or NOTHING


def label(name: "Fact | str | None") -> Markup:
    """A name from the desk's vocabulary as words, with the measures of risk as they are written everywhere."""
    if name is None or (isinstance(name, Fact) and name.raw is None):
        return NOTHING
    text = plain(name)
    for known, written in WRITTEN.items():
        text = text.replace(known, written)
    return in_words(text)


def when(moment_at: "Fact | date | str | None", upto: str = "minute") -> Markup:
    """A day or a moment, as the reports write it; of a plain value as of a fact."""
    if isinstance(moment_at, date):
        moment_at = moment_at.isoformat()
        upto = "session" if len(moment_at) > 10 and upto == "session" else upto
    return moment(moment_at, upto)


def asset(name: str) -> str:
    """The address of a script or a sheet."""
    return all_assets()[name].url


@cache
def _environment() -> "Environment":
    made = environment(_source)
    made.filters.update(n=figure, gain=gain, said=said, t=when, label=label)
    functions: dict[str, Callable[..., object]] = {"asset": asset}
    made.globals.update(functions)
    made.tests["moment"] = lambda value: isinstance(value, datetime)
    return made


def _source(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")
