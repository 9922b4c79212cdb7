"""What the analyst is shown of the desk's memory: how setups like these came out, by the ids of their lessons.

Where nothing is remembered, nothing is said: facts and prompt are then the same, byte for byte, as without a memory.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..domain.canonical import content_hash
from ..domain.reflections import Level, Oscillator, Outlook, Reading, Setup, Trend
from ..domain.views import Regime, Source, SourceView
from ..prompts.loader import Prompt, load_prompt
from ..tools.lessons import Similar
from . import worded

PROMPT = "analyst/lessons"
GOOD_SHARE, BAD_SHARE = 0.6, 0.4
WHOLE, HALF = 1.0, 0.5

Row = Mapping[str, float]


def setups_of(
    regime: Regime, scores: Mapping[str, Row], indicators: Mapping[str, Row], views: Sequence[SourceView]
) -> dict[str, Setup]:
    """The setup of each instrument that has figures: the very words that the analyst's facts begin with."""
    own = {view.source: view.scores for view in views if not view.name}
    macro = next(iter(own.get(Source.MACRO, {}).values()), None)
    rows: dict[str, Row] = {symbol: scores.get(symbol, {}) for symbol in (*scores, *indicators)}
    return {
        symbol: Setup(
            regime=regime,
            trend=Trend(worded.fact(worded.trend(indicators.get(symbol, {})))),
            outlook=Outlook(worded.fact(worded.outlook(row.get("expected_return", 0.0)))),
            oscillator=Oscillator(worded.fact(worded.oscillator(indicators.get(symbol, {})))),
            level=_level(row.get("composite", 0.0)),
            sentiment=_reading(own.get(Source.SENTIMENT, {}).get(symbol)),
            flow=_reading(own.get(Source.MICROSTRUCTURE, {}).get(symbol)),
            macro=_reading(macro),
        )
        for symbol, row in rows.items()
    }


def lesson_rows(similar: Mapping[str, Similar]) -> list[dict[str, object]]:
    """One row per instrument that has lessons, in words as all facts are."""
    return [
        {
            "symbol": symbol,
            "alike": f"{_word(item.beat_share)} ({item.beat_share:.3g})",
            "beyond_average": f"{100 * item.relative_return:+.3g} %",
            "ids": list(item.ids),
        }
        for symbol, item in similar.items()
    ]


def with_lessons(prompt: Prompt, similar: Mapping[str, Similar]) -> Prompt:
    """The analyst's prompt with a paragraph on its lessons, where it has any; the name stays."""
    if not similar:
        return prompt
    more = load_prompt(PROMPT)
    return replace(
        prompt, system="\n\n".join([prompt.system, more.system]), hash=content_hash([prompt.hash, more.hash])
    )


def _word(beat_share: float) -> str:
    return "GOOD" if beat_share >= GOOD_SHARE else "BAD" if beat_share <= BAD_SHARE else "MIXED"


def _level(composite: float) -> Level:
    if abs(composite) < HALF:
        return Level.EVEN
    if composite > 0:
        return Level.STRONG if composite >= WHOLE else Level.FIRM
    return Level.WEAK if composite <= -WHOLE else Level.SOFT


def _reading(score: float | None) -> Reading:
    phrase = worded.score(score)
    return Reading.SILENT if phrase is None else Reading(worded.fact(phrase))
