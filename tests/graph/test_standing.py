"""What earlier votes teach: nothing by default, the same to whoever asks, and nothing from the future."""

from dataclasses import replace
from datetime import date
from typing import Any, cast

import numpy as np
import pytest
from parley.agents.consensus import VOTING_WEIGHTS
from parley.agents.regimes import REGIME_RULES
from parley.domain.events import EvidenceRecorded, RegimeChanged
from parley.domain.views import Agent, Regime
from parley.graph.standing import ConsensusRules, Standing, Standings
from parley.market.history import History
from parley.memory.agent_scores import VoteRecord

FIRST, COUNT = 255, 30
ADAPTED = ConsensusRules(weights="adapted", confidence="calibrated")


@pytest.fixture(scope="module")
def taught(quiet_market: Any) -> Any:
    """A log of thirty decisions by agents of different confidence, each from an empty book."""

    def script(request: Any) -> str:
        confidence = {"risk/opinion": 95, "execution/opinion": 70}.get(request.prompt.name, 55)
        return quiet_market.reply_to(request, confidence)

    bench = quiet_market.with_(model=quiet_market.Scripted(script))
    days = bench.panel.sessions[FIRST : FIRST + COUNT].tolist()
    for day in days:
        bench.decide(bench.snapshot(day))
    return bench


def standing(bench: Any, rules: ConsensusRules, row: int, history: History | None = None) -> Standing:
    known = history or bench.history
    view = known.as_of(bench.history.close_time(bench.panel.sessions[row].item()))
    return Standings(rules, bench.log, known).at(view, Regime.CALM)


def test_nothing_is_learned_unless_the_settings_say_so(taught: Any):
    found = standing(taught, ConsensusRules(), 319)

    assert found == Standing(dict(VOTING_WEIGHTS))


def test_who_was_surest_of_coin_tosses_loses_weight(taught: Any):
    found = standing(taught, ADAPTED, 319)

    assert found.judged_decisions == COUNT
    assert found.weights[Agent.RISK] < VOTING_WEIGHTS[Agent.RISK]
    assert found.weights[Agent.ANALYST] > VOTING_WEIGHTS[Agent.ANALYST]
    # All of it was learned in 2019, and no January has passed since.
    assert found.curves == {}


def test_a_decision_is_learned_from_only_when_its_horizon_has_passed(taught: Any):
    # The first was made at row 255, could be traded at 256 and is judged on the close 21 later.
    assert standing(taught, ADAPTED, 276).judged_decisions == 0
    assert standing(taught, ADAPTED, 277).judged_decisions == 1


def test_another_future_teaches_the_same(taught: Any):
    close = taught.panel.close.copy()
    close[300:] = np.random.default_rng(1).uniform(1.0, 1e4, close[300:].shape)
    garbled = History(replace(taught.panel, close=close), taught.universe, taught.history.card)

    assert standing(taught, ADAPTED, 299, garbled) == standing(taught, ADAPTED, 299)
    assert standing(taught, ADAPTED, 319, garbled) != standing(taught, ADAPTED, 319)


def test_who_followed_the_log_all_along_knows_what_a_restart_knows(taught: Any):
    kept = Standings(ADAPTED, taught.log, taught.history)
    rows = [300, 277, 319, 290]

    for row in rows:
        view = taught.history.as_of(taught.history.close_time(taught.panel.sessions[row].item()))
        assert kept.at(view, Regime.CALM) == standing(taught, ADAPTED, row)


def test_a_rewound_log_hides_the_votes_past_its_place(taught: Any):
    record = VoteRecord(taught.log)
    whole, head = record.votes(), taught.log.head()[0]
    middle = whole[len(whole) // 2].seq
    try:
        taught.log.rewind(middle)
        assert record.votes() == VoteRecord(taught.log).votes() == tuple(v for v in whole if v.seq <= middle)
    finally:
        taught.log.rewind(head)


def test_the_decision_records_the_weights_it_used_and_what_they_rest_on(taught: Any):
    ports = replace(taught.ports, consensus=ADAPTED)

    class Adapted(type(taught)):
        @property
        def ports(self) -> Any:
            return ports

    other = Adapted(**{name: getattr(taught, name) for name in taught.__dataclass_fields__})
    decision = other.decide(other.snapshot())

    assert decision.consensus.judged_decisions == COUNT
    assert decision.consensus.weights == standing(taught, ADAPTED, 319).weights


def test_a_crisis_counts_the_risk_manager_more_where_the_settings_say_so(bench: Any):
    view = bench.history.as_of(bench.snapshot().as_of)
    standings = Standings(ConsensusRules(regime="switched"), bench.log, bench.history)

    calm, crisis = standings.at(view, Regime.CALM).weights, standings.at(view, Regime.CRISIS).weights

    assert calm == VOTING_WEIGHTS
    # 0.4 x 0.5, 0.3 x 1.5, 0.2 and 0.1 x 1.5 are 0.2, 0.45, 0.2 and 0.15: their sum is 1.
    assert list(crisis.values()) == pytest.approx([0.2, 0.45, 0.2, 0.15], abs=1e-6)


def test_a_regime_is_logged_when_it_changes_and_not_again(data_bench: Any):
    bench = data_bench("us20")
    days = [date(2020, 2, 3), date(2020, 3, 16), date(2020, 3, 17)]
    for day in days:
        bench.decide(bench.snapshot(day))

    changes = [cast(RegimeChanged, event.decoded()) for event in bench.log.read(types=(RegimeChanged,))]

    assert changes[0].from_regime is Regime.UNKNOWN
    assert [change.from_regime for change in changes[1:]] == [change.to_regime for change in changes[:-1]]
    assert changes[-1].to_regime is Regime.CRISIS
    assert changes[-1].limit_factor == bench.limits.dynamic.crisis
    assert changes[-1].framing == REGIME_RULES[Regime.CRISIS].framing
    assert changes[-1].probability is not None and changes[-1].probability > 0.5
    recorded = [cast(EvidenceRecorded, event.decoded()) for event in bench.log.read(types=(EvidenceRecorded,))]
    logged = {entry.id for payload in recorded for entry in payload.entries}
    assert {change.evidence for change in changes} <= logged
    assert len(changes) == 2
