"""Arms that are played: the same days, one thing changed, and what is written of them is read back."""

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from parley.domain.market import TextItem
from parley.evals.arms.agent_figures import AgentFigures
from parley.evals.arms.comparing import flips, input_measures
from parley.evals.arms.playing import Ground, Played, Record, played, record
from parley.evals.arms.table import find_arm
from parley.evals.arms.transcript import ArmPath, read, written
from parley.market.cards import DataSet

Grounds = Callable[[str], Ground]
News = Callable[[DataSet, int], tuple[TextItem, ...]]


def path(run: Played, data: DataSet) -> ArmPath:
    return read(written(run, data.panel.symbols))


def test_the_arm_without_a_model_is_the_full_desk_where_the_rules_answer(
    ground: Grounds, some_days: tuple[date, ...]
) -> None:
    full, rules = (played(find_arm(name), ground("rules"), some_days) for name in ("full", "rules"))

    assert full.equity.tobytes() == rules.equity.tobytes()
    assert (full.legs, full.signals, full.calls) == (rules.legs, rules.signals, rules.calls)
    assert full.calls > 0
    assert any(full.legs)


def test_nobody_buys_nothing_and_asks_nobody(ground: Grounds, some_days: tuple[date, ...]) -> None:
    run = played(find_arm("nobody"), ground("rules"), some_days)

    assert set(run.equity.tolist()) == {1_000_000.0}
    assert run.calls == run.traded == 0


def test_a_wavering_model_answers_in_every_arm_but_the_one_without_a_model(
    ground: Grounds, some_days: tuple[date, ...]
) -> None:
    full, rules = (played(find_arm(name), ground("stochastic"), some_days) for name in ("full", "rules"))

    assert full.signals != rules.signals
    assert rules.signals == played(find_arm("full"), ground("rules"), some_days).signals


def test_under_the_mask_the_rules_say_the_same_of_every_name(
    ground: Grounds, long_market: DataSet, some_days: tuple[date, ...]
) -> None:
    full, hidden = (
        path(played(find_arm(name), ground("rules"), some_days), long_market) for name in ("full", "masked")
    )

    found = input_measures([full], [hidden])

    assert found is not None
    assert (found.prediction_consistency, found.confidence_invariance, found.input_dependency) == (1.0, 1.0, 0.0)
    assert found.signals == 6 * len(some_days)
    assert {symbol for legs in hidden.legs for symbol in legs} <= set(long_market.panel.symbols)
    assert any(hidden.legs)


def test_other_texts_reach_the_signals_of_a_desk_that_reads_them(
    ground: Grounds, long_market: DataSet, news: News, some_days: tuple[date, ...]
) -> None:
    """Good news of old stands where bad news was: the sentiment view turns."""
    items = news(long_market, 80)
    told = [
        item.model_copy(
            update={"headline": f"N0 {'soars on record profit' if place < 40 else 'plunges on fraud probe'}"}
        )
        for place, item in enumerate(items)
    ]
    base = ground("rules")
    texted = replace(base, data=replace(long_market, texts=tuple(told)))

    full, shuffled = (record(find_arm(name), texted, some_days[:3]) for name in ("full", "texts-shuffled"))

    def read(run: Record) -> list[float]:
        return [
            view.scores["N0"] for decision in run.decisions for view in decision.views if view.source == "sentiment"
        ]

    assert len(read(full)) == len(read(shuffled)) == 3
    assert max(read(full)) < 0 < min(read(shuffled))


def test_an_arm_is_written_and_read_back_whole(
    ground: Grounds, long_market: DataSet, some_days: tuple[date, ...]
) -> None:
    run = played(find_arm("full"), ground("rules"), some_days)

    found = path(run, long_market)

    assert found.days == tuple(day.isoformat() for day in some_days)
    assert found.equity.tobytes() == run.equity.tobytes()
    assert found.returns == pytest.approx(np.diff(run.equity) / run.equity[:-1])
    assert found.legs == tuple(dict(sorted(legs.items())) for legs in run.legs)
    assert found.calls == run.calls
    assert found.agents == run.agents
    side, confidence = run.signals[-1]["N3"]
    assert found.signals[-1][3] == f"{side[0]}{confidence}"


def test_legs_flip_when_their_side_changes_or_one_arm_leaves_them_out() -> None:
    def legs(*days: dict[str, int]) -> ArmPath:
        told: dict[str, Any] = {"days": [], "equity": [], "signals": [], "nodes": {}, "legs": list(days)}
        told |= dict.fromkeys(("decisions", "reached", "vetoed", "traded", "costs"), 0)
        told["agents"] = {field.name: None for field in fields(AgentFigures)}
        return read(told)

    found = flips(legs({"A": 5, "B": 5, "C": 5}, {}), legs({"A": 9, "B": -5}, {"D": 1}))

    assert (found.legs, found.flipped, found.rate) == (4, 3, 0.75)
