"""Turns facts into safe HTML: one function per kind of thing shown, and the compiled templates."""

import re
import unicodedata
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from ...tools.attributed import TIERS
from .errors import ReportError
from .numbers import shown, unit_named
from .twin import Fact

if TYPE_CHECKING:
    from jinja2 import Environment

MAX_TEXT_CHARS = 280
"""Longer recorded text is clipped on the page; the twin keeps all of it."""
MAX_CODE_CHARS = 64
NOTHING = Markup('<span class="none">–</span>')

_DIGIT = re.compile(r"\d")
_SAFE_REF = re.compile(r"[\w#/.~-]*")
_SPACES = re.compile(r"\s+")
_FACT_NAMES = frozenset(name for name in dir(Fact) if not name.startswith("_"))
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def render(template: str, **context: object) -> str:
    """One page from its template; blank runs are squeezed because indentation is half of a raw page."""
    return _environment().get_template(template).render(css=_css(), **context)


def number(fact: Fact | None, unit: str = "num", digits: int | None = None, *, sign: bool = False) -> Markup:
    """A number with the place it came from; a missing one is a dash, never a zero."""
    if fact is None or fact.raw is None:
        return NOTHING
    # `shown` takes finite numbers only, so the raw value holds nothing that could leave its attribute.
    text = shown(fact.raw, unit, digits, sign)
    return Markup(f'<data class="n {unit}" value="{escape(str(fact.raw))}" data-ref="{escape(fact.ref)}">{text}</data>')


def reference(fact: Fact) -> str:
    """The `data-ref` of a fact, safe inside an attribute; almost all need no escaping."""
    return fact.ref if _SAFE_REF.fullmatch(fact.ref) else str(escape(fact.ref))


def measured(fact: Fact | None, unit_name: Fact) -> Markup:
    """A number in the unit that a ledger entry or a gate check names; a unit unknown here is a plain word."""
    unit = unit_named(unit_name.string())
    if unit is not None or fact is None or fact.raw is None:
        return number(fact, unit or "num")
    whole = float(fact.number()).is_integer()
    return Markup("{} {}").format(number(fact, "count" if whole else "num"), words(unit_name, MAX_CODE_CHARS))


def words(said: "Fact | str | None", limit_chars: int = MAX_TEXT_CHARS) -> Markup:
    """Text for reading. Recorded text that holds digits is quoted with its reference, like any number.

    Plain strings come from this program's own templates and hold none; a digit there is an error.
    """
    if said is None or (isinstance(said, Fact) and said.raw is None):
        return NOTHING
    text = clean(said.string() if isinstance(said, Fact) else said, limit_chars)
    if not _DIGIT.search(text):
        return escape(text)
    if isinstance(said, str):
        raise ReportError(f"{text!r:.80}: digits in a page's own words have no source")
    safe = escape(text)
    return Markup(f'<data class="s" value="{safe}" data-ref="{reference(said)}">{safe}</data>')


def label(name: Fact | str | None) -> Markup:
    """A name from the desk's vocabulary as words; one with digits in it (`var_99`, `1/N`) stays a name."""
    if name is None or (isinstance(name, Fact) and name.raw is None):
        return NOTHING
    text = plain(name).replace("_", " ")
    return Markup('<code class="name">{}</code>').format(text) if _DIGIT.search(text) else escape(text)


def plain(text: Fact | str) -> str:
    """Cleaned text for attributes and names, still to be escaped by the template."""
    return clean(text.string() if isinstance(text, Fact) else text, MAX_TEXT_CHARS)


def code(name: "Fact | str | None", keep_chars: int = MAX_CODE_CHARS) -> Markup:
    """An id, hash, symbol, version or model name; hashes are cut, since the twin holds them whole."""
    if name is None or (isinstance(name, Fact) and name.raw is None):
        return NOTHING
    text = clean(str(name.raw) if isinstance(name, Fact) else name, MAX_TEXT_CHARS)
    return Markup(f"<code>{escape(text[:keep_chars])}</code>")


def moment(when: "Fact | str | None", upto: str = "minute") -> Markup:
    """A moment (`minute`, in UTC), a clock time (`clock`), a date (`day`), or a session (`session`): its date, and
    where it is a span within a day when it ends, on the exchange's clock, which `zoned` gives alone. A moment and a
    span's end that is on no whole minute is given to the second."""
    if when is None or (isinstance(when, Fact) and when.raw is None):
        return NOTHING
    iso = clean(when.string() if isinstance(when, Fact) else when, MAX_CODE_CHARS)
    clock = iso[11:19].removesuffix(":00")
    zoned = f"{clock} UTC{iso[19:].removesuffix('Z').removesuffix('+00:00')}"
    if upto == "day" or len(iso) <= 10:
        text = iso[:10]
    elif upto == "session":
        text = f"{iso[:10]} {zoned}"
    elif upto == "zoned":
        text = zoned
    elif upto == "clock":
        text = iso[11:19]
    else:
        text = f"{iso[:10]} {clock} UTC"
    return Markup(f'<time datetime="{escape(iso)}">{escape(text)}</time>')


def clean(text: str, limit_chars: int) -> str:
    """Text without control, bidirectional and zero-width characters, on one line, clipped with an ellipsis."""
    head = text[: 4 * limit_chars]
    if not head.isprintable():
        head = "".join(" " if c in "\n\r\t" else c for c in head if _is_seen(c))
    flat = _SPACES.sub(" ", head).strip()
    is_whole = len(flat) <= limit_chars and len(text) <= 4 * limit_chars
    return flat if is_whole else f"{flat[: limit_chars - 1]}…"


def _is_seen(char: str) -> bool:
    return char in "\n\r\t" or unicodedata.category(char) not in _UNSEEN


@cache
def _css() -> Markup:
    # The stylesheet is ours and packaged; it holds no "</style" and needs its quotes and ">" as they are.
    text = Path(__file__).with_name("style.css").read_text(encoding="utf-8")
    return Markup(re.sub(r"\s*([{}:;,])\s*", r"\1", _SPACES.sub(" ", re.sub(r"/\*.*?\*/", "", text))))


@cache
def _environment() -> "Environment":
    return environment(_source)


def environment(source: Callable[[str], str]) -> "Environment":
    """The house's templates over a source of their texts: everything escaped, every name known, facts by attribute."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    class FactEnvironment(Environment):
        def getattr(self, obj: object, attribute: str) -> object:
            # Entries of facts and rows are most of what templates ask for; the usual way costs an exception each.
            if type(obj) is Fact and attribute not in _FACT_NAMES:
                return obj[attribute]
            if type(obj) is dict and attribute in obj:
                return obj[attribute]
            return super().getattr(obj, attribute)

    made = FactEnvironment(
        loader=FunctionLoader(source),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters.update(n=number, measured=measured, w=words, label=label, plain=plain, c=code, t=moment)
    made.tests["fact"] = lambda value: isinstance(value, Fact)
    made.globals["tier_legend"] = Markup("{}.").format(
        Markup(", ").join(Markup("<code>{}</code> is {}").format(tier, rests_on) for tier, rests_on in TIERS.items())
    )
    return made


def _source(name: str) -> str:
    # Indentation outside of tags is half the weight of a page and never seen.
    text = Path(__file__).with_name(name).read_text(encoding="utf-8")
    return re.sub(r"\n\s+", "\n", text)
