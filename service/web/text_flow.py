"""The flow of texts: how many came from whom, how they leaned, and which looked like an attempt to steer the desk."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from pydantic import JsonValue

from ...domain.events import Event, EvidenceRecorded, PortfolioMarked, UntrustedTextFlagged
from ..answers.draft import Draft
from ..answers.reader import Reading
from ..flagged import quotes_of
from ..pages.charts import chart_data, line_chart
from ..pages.twin import Fact, Twin

WEEKS_SHOWN = 52
SOURCES_SHOWN = 12
FLAGS_SHOWN = 20
NAMES_SHOWN = 12
Rows = tuple[dict[str, JsonValue], ...]


@dataclass(frozen=True, slots=True)
class TextFlow:
    """What the template lays out. `counts` is None where the data have no texts at all."""

    twin: Twin
    counts: Fact | None
    sources: list[Fact]
    chart: dict[str, Any] | None
    leaning: list[Fact]
    """The last decision's score of each name that was written about."""
    scored: Fact | None


@dataclass(frozen=True, slots=True)
class FlagsView:
    """What was flagged: the newest of it, and all of it counted."""

    twin: Twin
    flags: list[Fact]
    flagged: Fact


def text_flow(reading: Reading, draft: Draft) -> TextFlow:
    """Up to the last session's close; what came later is not looked at."""
    if not reading.data.texts or not reading.sessions:
        return TextFlow(draft.twin, None, [], None, [], None)
    found = draft.derive("texts", reading.once("text flow", lambda: _counted(reading), of=(PortfolioMarked,)))
    leaning, scored = _leaning(reading, draft)
    return TextFlow(draft.twin, found, found["sources"].rows(), _chart(draft, found), leaning, scored)


def text_flags(reading: Reading, draft: Draft) -> FlagsView:
    """What was flagged over the whole run, counted, and the newest of it. The words are a stranger's, cut short."""
    rows = reading.grown("flagged texts", (UntrustedTextFlagged,), cast("Rows", ()), _add_flag)
    reasons = Counter(str(reason) for row in rows for reason in cast("list[JsonValue]", row["reasons"]))
    counts: dict[str, JsonValue] = {
        "count": len(rows),
        "texts": sum(row["origin"] == "text" for row in rows),
        "replies": sum(row["origin"] == "reply" for row in rows),
        "reasons": [{"reason": name, "times": times} for name, times in reasons.most_common()],
    }
    quotes: Mapping[str, str] = quotes_of(reading.data.texts) if rows else {}
    newest = [{**row, "words": quotes.get(str(row["name"]), "")} for row in reversed(rows[-FLAGS_SHOWN:])]
    found = draft.derive("flagged", {**counts, "newest": cast("JsonValue", newest)})
    return FlagsView(draft.twin, found["newest"].rows(), found)


def _counted(reading: Reading) -> JsonValue:
    """Texts of the last year by source, and by the Monday of the week they arrived in."""
    view = reading.view
    texts = view.texts(since=view.as_of - timedelta(weeks=WEEKS_SHOWN))
    by_source = Counter(item.source for item in texts)
    weeks: Counter[str] = Counter()
    for item in texts:
        day = item.available_at.date()
        weeks[(day - timedelta(days=day.weekday())).isoformat()] += 1
    return {
        "count": len(texts),
        "names": len({item.symbol for item in texts}),
        "until": view.as_of.isoformat(),
        "last": max((item.available_at for item in texts), default=view.as_of).isoformat() if texts else None,
        "sources": [{"source": name, "texts": count} for name, count in by_source.most_common(SOURCES_SHOWN)],
        "source_count": len(by_source),
        "weeks": [{"week": week, "texts": weeks[week]} for week in sorted(weeks)],
    }


def _chart(draft: Draft, found: Fact) -> dict[str, Any] | None:
    weeks = found["weeks"].rows()
    if len(weeks) < 2:
        return None
    lines = {"texts": [row["texts"].number() for row in weeks]}
    data = chart_data("Texts by week", "count", [row["week"].string() for row in weeks], lines, floor=0.0)
    return {"svg": line_chart(draft.derive("texts_chart", data, of=found.ref), height_px=140, area=True)}


def _leaning(reading: Reading, draft: Draft) -> tuple[list[Fact], Fact | None]:
    """How the texts of the last decision's window leaned, the strongest first."""
    last = reading.decisions[-1:] if reading.decisions else ()
    for record in last:
        for event in reading.read(EvidenceRecorded, decision_id=record.decision_id):
            entries = Fact(event.payload, event.id)["entries"].where(tool="text_sentiment")
            if entries:
                output = draft.twin.evidence([entries[0].raw])[0]["output"]
                scores, texts = output["score"], output["texts"]
                names = sorted((name for name, _ in scores.items()), key=lambda name: -abs(scores[name].number()))
                rows: list[JsonValue] = [
                    {"symbol": name, "score": scores[name].raw, "texts": texts[name].raw}
                    for name in names[:NAMES_SHOWN]
                ]
                return draft.derive("leaning", rows, of=output.ref).rows(), output
    return [], None


def _add_flag(rows: Rows, event: Event) -> Rows:
    payload = Fact(event.payload, event.id)
    at: dict[str, JsonValue] = {"at": event.event_time.isoformat(), "decision_id": payload["decision_id"].raw}
    found = (cast("dict[str, JsonValue]", row.raw) for row in payload["found"].rows())
    return (*rows, *({**at, **row} for row in found))
