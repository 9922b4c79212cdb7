"""A book as notebooks take it: `parley.open(book)` gives a run's record as data frames, and its answers as they are."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, JsonValue

from ..domain.canonical import canonical_text
from ..domain.decisions import Evidence
from ..domain.events import EvidenceRecorded
from ..domain.orders import Fill
from .answers.answer import Answer, Rows
from .answers.reader import DeskReader
from .answers.table import ask
from .pages.errors import UnknownRecord

if TYPE_CHECKING:
    import pandas as pd

    from .reports import Report

Value = TypeVar("Value")
TIMES = ("as_of", "opened_at", "closed_at", "ts_event", "session")
TEXT_CHARS = 200
"""Of a tool's output in a cell."""


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer of the desk. In a notebook it shows itself with table and chart; `frame` is the whole table."""

    answer: Answer

    @property
    def kind(self) -> str:
        return self.answer.kind.value

    @property
    def text(self) -> str:
        return self.answer.text

    @property
    def citations(self) -> tuple[str, ...]:
        return self.answer.citations

    @property
    def frame(self) -> "pd.DataFrame":
        """The answer's table; empty where it has none."""
        return _frame_of_rows(self.answer.rows)

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from .notebook_page import answer_page

        return answer_page(self.answer)


@dataclass(frozen=True, slots=True)
class Explained:
    """The report of an order or a decision: its page in a notebook, and the twin that every figure on it leads into."""

    id: str
    html: str
    data: dict[str, JsonValue]

    def __repr__(self) -> str:
        return f"report of {self.id}: {len(self.data)} parts"

    def _repr_html_(self) -> str:
        from .notebook_page import framed

        return framed(self.html)


class OpenBook:
    """One run of a book, read as it stands at each look; the log is never written."""

    def __init__(self, book: Path, run: str | None = None) -> None:
        self._reader = DeskReader(book, run)
        with self._reader.reading() as reading:
            self.run: str = reading.run_id
            """The run that is open, also when a later one begins."""
        self._reader.run = self.run

    @property
    def equity(self) -> "pd.DataFrame":
        """A row for each session's close: equity and cash in USD, drawdown, gross and net as fractions."""
        with self._reader.reading() as reading:
            return _frame(map(asdict, reading.sessions), "session")

    @property
    def decisions(self) -> "pd.DataFrame":
        """A row for each decision, of every kind."""
        with self._reader.reading() as reading:
            return _frame(map(asdict, reading.decisions), "decision_id")

    @property
    def orders(self) -> "pd.DataFrame":
        """A row for each parent order as it stands."""
        with self._reader.reading() as reading:
            return _frame(map(asdict, reading.orders), "order_id")

    @property
    def fills(self) -> "pd.DataFrame":
        """A row for each execution, by order; what a venue took back is not among them."""
        with self._reader.reading() as reading:
            histories = [reading.views.order(order.order_id) for order in reading.orders if order.filled]
        return _models((fill for history in histories if history for fill in history.fills), Fill, "execution_id")

    @property
    def votes(self) -> "pd.DataFrame":
        """A row for each agent's vote on each leg; `value` is empty where it abstained."""
        with self._reader.reading() as reading:
            found = reading.views.votes()
        rows = [
            {
                "decision_id": item.decision_id,
                "as_of": item.as_of,
                **item.vote.model_dump(mode="python", include={"agent", "symbol", "value", "confidence", "abstention"}),
                "buys": item.buys,
                "weight": item.weight,
            }
            for item in found
        ]
        return _frame(rows, "decision_id")

    @property
    def risk(self) -> "pd.DataFrame":
        """A row for each name held: its weight and its part of the one-day value at risk, as fractions of equity."""
        return self.ask("risk_contributions").frame.set_index("symbol")

    def evidence(self, decision_id: str) -> "pd.DataFrame":
        """A row for each tool call behind a decision. Raises UnknownRecord."""
        with self._reader.reading() as reading:
            events = list(reading.log.read(types=(EvidenceRecorded,), decision_id=decision_id))
        payloads = [event.decoded() for event in events]
        if not payloads:
            raise UnknownRecord(
                f"run {self.run} has no evidence of {decision_id[:80]!r}",
                remedy="Take an id of the index of `decisions`.",
            )
        entries = (entry for item in payloads if isinstance(item, EvidenceRecorded) for entry in item.entries)
        return _models(entries, Evidence, "id")

    def ask(self, name: str, **arguments: Any) -> Answered:
        """The answer to one question of the desk; `ask("help")` lists them. Raises UnknownQuestion and BadArguments."""
        return Answered(_aside(lambda: ask(self._reader, name, arguments)))

    def explain(self, ident: str) -> Explained:
        """The report of an order or of a decision. Raises UnknownRecord."""
        made = _aside(lambda: self._report(ident))
        if made is None:
            raise UnknownRecord(
                f"run {self.run} has no order or decision {ident[:80]!r}",
                remedy="Take an id of the index of `orders` or of `decisions`.",
            )
        return Explained(made.id, made.html, made.data)

    def _report(self, ident: str) -> "Report | None":
        from .reporting import report_of

        with self._reader.reading() as reading:
            return report_of(reading.log, reading.views, ident, reading.data)

    def __repr__(self) -> str:
        with self._reader.reading() as reading:
            sessions, decisions, orders = len(reading.sessions), len(reading.decisions), len(reading.orders)
        return f"{self.run}: {sessions} sessions, {decisions} decisions, {orders} orders"

    def _repr_html_(self) -> str:
        from .notebook_page import run_page

        with self._reader.reading() as reading:
            return run_page(repr(self), reading.sessions)


def open_book(book: str | Path = "book", run: str | None = None) -> OpenBook:
    """A book's run, the latest when none is named. Raises RunUnknown."""
    return OpenBook(Path(book), run)


def _aside(work: Callable[[], Value]) -> Value:
    """In a thread of its own: a notebook's has an event loop running, and a decision that is made again needs one."""
    with ThreadPoolExecutor(1) as aside:
        return aside.submit(work).result()


def _models(items: Iterable[BaseModel], kind: type[BaseModel], index: str) -> "pd.DataFrame":
    rows = [item.model_dump(mode="python") for item in items]
    return _frame(rows, index, tuple(kind.model_fields))


def _frame(rows: Iterable[dict[str, Any]], index: str, columns: tuple[str, ...] | None = None) -> "pd.DataFrame":
    """Amounts as floats, times as such; a tool's output as short text."""
    import pandas as pd

    plain = [{name: _plain(value) for name, value in row.items()} for row in rows]
    made = pd.DataFrame(plain, columns=columns)
    for name in TIMES:
        if name in made:
            made[name] = pd.to_datetime(made[name], utc=name != "session")
    return made.set_index(index) if index in made else made


def _frame_of_rows(table: Rows | None) -> "pd.DataFrame":
    import pandas as pd

    if table is None:
        return pd.DataFrame()
    return pd.DataFrame([list(row) for row in table.rows], columns=list(table.header))


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict | list | tuple):
        return canonical_text(value)[:TEXT_CHARS]
    return value.isoformat() if isinstance(value, date) else value
