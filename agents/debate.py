"""Where sources disagree, a bull and a bear argue once, in the place of the analyst's own call.

The signals come from the figures by the desk's rule; the debate moves their confidence by at most MAX_MOVE points,
and never a number, a side, or a signal that holds. A speaker who copies a fact wrong, or is not heard, moves nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import ValidationError

from ..domain.decisions import Evidence, ModelCall
from ..domain.views import (
    AbstainReason,
    Abstention,
    Case,
    ConfidenceMove,
    Debate,
    Signal,
    SourceView,
    Speaker,
    Stance,
    Strength,
)
from ..prompts.loader import load_prompt
from .analyst import PROMPT, Reasoning, Signals, analyst_facts, signals_of
from .ask import Asking, Question, json_part
from .budget import Budget
from .examples import question
from .grounding import Figures, ground
from .llm.port import ChatRequest, facts_json, request_tokens
from .llm.rules import rules_reply
from .replies import AnalystReply, CaseReply, StatementReply
from .worded import TELLS_AGAINST, TELLS_FOR, fact

DISAGREEMENT = 0.5
"""The gap between two sources' scores, one above zero and one below, from which they are said to disagree."""
MAX_CONTESTED = 5
POINTS = {Strength.WEAK: 1, Strength.FAIR: 2, Strength.STRONG: 3}
STEP = 2
"""Points of confidence for each point by which one case is stronger than the other."""
MAX_MOVE = 5
LEAST_CONFIDENCE = 50
MAX_FAULTS_SHOWN = 5
TELLING = {Speaker.BULL: TELLS_FOR, Speaker.BEAR: TELLS_AGAINST}
PROMPTS = {Speaker.BULL: "debate/bull", Speaker.BEAR: "debate/bear"}


@dataclass(frozen=True, slots=True)
class Argued:
    """The signals as the debate left them, and the debate."""

    signals: Signals
    debate: Debate


@dataclass(frozen=True, slots=True)
class _Statement:
    """What one speaker said that counts, and why the rest does not."""

    cases: tuple[Case, ...]
    abstentions: tuple[Abstention, ...]
    is_heard: bool
    faults: tuple[str, ...] = ()
    """Of its words, held to the evidence."""


def disagreements(views: Sequence[SourceView], symbols: Sequence[str]) -> dict[str, float]:
    """The instruments whose sources are furthest apart, one for and one against, and by how much."""
    gaps = dict[str, float]()
    for symbol in symbols:
        said = [view.scores[symbol] for view in views if symbol in view.scores]
        if said and min(said) < 0 < max(said) and max(said) - min(said) >= DISAGREEMENT:
            gaps[symbol] = round(max(said) - min(said), 10)
    return dict(sorted(gaps.items(), key=lambda item: (-item[1], item[0]))[:MAX_CONTESTED])


async def argue(
    asking: Asking,
    budget: Budget,
    reasoning: Reasoning,
    views: Sequence[SourceView],
    evidence: Sequence[Evidence],
    *,
    may_go_back: bool,
) -> Argued | None:
    """The debate and its signals; None where nothing is contested, or the tokens do not allow it.

    `may_go_back` says whether the decision has a call to spare for one statement that the evidence does not bear out.
    """
    gaps = disagreements(views, list(reasoning.scores))
    facts = analyst_facts(reasoning, views)
    contested = _contested(facts, gaps)
    asked = {speaker: question(speaker.value, PROMPTS[speaker], contested, StatementReply) for speaker in PROMPTS}
    if not gaps or sum(_tokens(asking, item) for item in asked.values()) > budget.prompt_tokens:
        return None
    from .debate_team import opening_statements

    said = await opening_statements(asking, asked)
    figures = Figures(evidence, {view.name or view.source.value: dict(view.scores) for view in views})
    rows = {str(row["symbol"]): row for row in _rows(contested)}
    statements = {speaker: _statement(speaker, said.get(speaker), rows, figures) for speaker in asked}
    calls = list(said.values())
    wrong = next((speaker for speaker, statement in statements.items() if statement.faults), None)
    if wrong is not None and may_go_back:
        calls.append(await _again(asking, asked[wrong], statements[wrong].faults))
        statements[wrong] = _statement(wrong, calls[-1], rows, figures)
    by_rule = AnalystReply.model_validate_json(rules_reply(PROMPT, facts_json(facts)), strict=True)
    formed = signals_of(by_rule, reasoning, views, tuple(calls))
    cases = tuple(case for statement in statements.values() for case in statement.cases)
    is_heard = all(statement.is_heard for statement in statements.values())
    moves = _moves(formed.signals, gaps, cases) if is_heard else ()
    silent = tuple(item for statement in statements.values() for item in statement.abstentions)
    signals = replace(formed, signals=_moved(formed.signals, moves), abstentions=(*formed.abstentions, *silent))
    return Argued(signals, Debate(gaps=gaps, cases=cases, moves=moves, abstentions=silent))


def _contested(facts: Mapping[str, object], gaps: Mapping[str, float]) -> dict[str, object]:
    """The contested rows, without the score and the confidence that the desk goes by."""
    kept = [
        {name: value for name, value in row.items() if name not in ("composite", "confidence")}
        for row in _rows(facts)
        if row["symbol"] in gaps
    ]
    return {**facts, "rows": kept}


def _rows(facts: Mapping[str, object]) -> list[dict[str, object]]:
    rows = facts["rows"]
    return rows if isinstance(rows, list) else []


def _tokens(asking: Asking, asked: Question[StatementReply]) -> int:
    return request_tokens(_request(asking, asked))


def _request(asking: Asking, asked: Question[StatementReply], repair: str = "") -> ChatRequest:
    return ChatRequest(asked.node, asked.text, facts_json(asked.facts), StatementReply, asking.max_tokens, repair)


async def _again(asking: Asking, asked: Question[StatementReply], faults: Sequence[str]) -> ModelCall:
    """The same question with what was wrong: it goes back to its author, and to nobody else."""
    shown = [f"- {fault}" for fault in faults[:MAX_FAULTS_SHOWN]]
    return await asking.call(_request(asking, asked, "\n".join([load_prompt("debate/again").system, *shown])))


def _statement(
    speaker: Speaker, call: ModelCall | None, rows: Mapping[str, Mapping[str, object]], figures: Figures
) -> _Statement:
    if call is None or call.error is not None:
        return _unheard(speaker, AbstainReason.MODEL_FAILED, call.error or "" if call else "")
    try:
        reply = StatementReply.model_validate_json(json_part(call.reply), strict=True)
    except ValidationError as error:
        return _unheard(speaker, AbstainReason.UNPARSABLE, f"no statement: {error.error_count()} faults")
    cases, abstentions, faults = list[Case](), list[Abstention](), list[str]()
    for symbol, row in rows.items():
        said = [case for case in reply.cases if case.symbol == symbol]
        fault = _fault(speaker, said, row)
        if fault is not None:
            abstentions.append(Abstention(who=f"{speaker.value}:{symbol}", reason=fault))
        elif said:
            checked = ground(_own_words(speaker, said[0].words), figures)
            faults += checked.faults
            cases.append(
                Case(
                    speaker=speaker,
                    symbol=symbol,
                    leans_on=said[0].leans_on,
                    strength=said[0].strength,
                    words=checked.shown,
                )
            )
    return _Statement(tuple(cases), tuple(abstentions), True, tuple(faults))


def _own_words(speaker: Speaker, words: str) -> str:
    """Nothing where they are an example's, repeated: small models do that, whatever the row says."""
    is_repeated = bool(words) and any(words in example for example in load_prompt(PROMPTS[speaker]).examples)
    return "" if is_repeated else words


def _unheard(speaker: Speaker, reason: AbstainReason, text: str) -> _Statement:
    return _Statement((), (Abstention(who=speaker.value, reason=reason, text=text),), False)


def _fault(speaker: Speaker, said: Sequence[CaseReply], row: Mapping[str, object]) -> AbstainReason | None:
    """Why a case does not count: said twice, copied wrong, or resting on a fact that does not speak for it."""
    if len(said) > 1:
        return AbstainReason.UNPARSABLE
    if not said:
        return None
    shown = row.get(said[0].leans_on) if said[0].leans_on != "symbol" else None
    if not isinstance(shown, str) or fact(shown) != said[0].copied:
        return AbstainReason.COPIED_WRONG
    return None if said[0].copied in TELLING[speaker] else AbstainReason.NO_EDGE


def _moves(signals: Sequence[Signal], gaps: Mapping[str, float], cases: Sequence[Case]) -> tuple[ConfidenceMove, ...]:
    """By how far the stronger case goes beyond the other, toward the signal's side or away from it."""
    moves = list[ConfidenceMove]()
    for signal in signals:
        if signal.symbol not in gaps or signal.side is Stance.HOLD:
            continue
        lead = sum(
            POINTS[case.strength] * (1 if case.speaker is Speaker.BULL else -1)
            for case in cases
            if case.symbol == signal.symbol
        )
        toward = STEP * (lead if signal.side is Stance.BUY else -lead)
        after = signal.confidence + max(-MAX_MOVE, min(MAX_MOVE, toward))
        after = max(LEAST_CONFIDENCE, min(100, after))
        moves.append(ConfidenceMove(symbol=signal.symbol, before=signal.confidence, after=after))
    return tuple(moves)


def _moved(signals: Sequence[Signal], moves: Sequence[ConfidenceMove]) -> tuple[Signal, ...]:
    after = {move.symbol: move.after for move in moves}
    return tuple(
        signal.model_copy(update={"confidence": after.get(signal.symbol, signal.confidence)}) for signal in signals
    )
