"""What a checkpoint file may bring to life: the desk's own types, and nothing else."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import ormsgpack
import pytest
from parley.domain.market import TextItem
from parley.domain.portfolio import Portfolio
from parley.domain.views import AbstainReason, Abstention, Regime
from parley.graph.checkpoints import LocalSaver, open_checkpoints


@pytest.fixture
def saver(tmp_path: Path) -> Any:
    opened = open_checkpoints(str(tmp_path / "checkpoints.db"))
    yield opened
    opened.conn.close()


def round_trip(saver: LocalSaver, value: object) -> object:
    return saver.serde.loads_typed(saver.serde.dumps_typed(value))


@pytest.mark.parametrize(
    "value",
    [
        Abstention(who="risk", reason=AbstainReason.NO_DATA, text="nothing"),
        Portfolio(cash=Decimal("12.340")),
        Regime.CRISIS,
        datetime(2024, 3, 4, 21, tzinfo=UTC),
        date(2024, 3, 4),
        Decimal("0.10"),
        ["a", 1.5, None, True],
    ],
)
def test_the_types_of_a_state_come_back_as_they_were(saver: LocalSaver, value: object):
    back = round_trip(saver, value)

    assert back == value and repr(back) == repr(value)


def test_a_whole_decision_comes_back_as_it_was(saver: LocalSaver, willing: Any):
    decision = willing.decide()

    assert round_trip(saver, decision) == decision


def test_a_type_that_is_not_listed_is_not_rebuilt(saver: LocalSaver):
    when = datetime(2024, 3, 4, 21, tzinfo=UTC)
    foreign = TextItem(id="1", symbol="AAA", source="s", ts_event=when, available_at=when, headline="h")

    assert not isinstance(round_trip(saver, foreign), TextItem)


def test_a_call_packed_as_a_type_is_not_made(saver: LocalSaver, tmp_path: Path):
    proof = tmp_path / "proof"
    # As langgraph packs a call: extension 0 is (module, name, argument).
    call = ormsgpack.packb(("os", "system", f"touch {proof}"))
    poisoned = ormsgpack.packb(ormsgpack.Ext(0, call))

    saver.serde.loads_typed(("msgpack", poisoned))

    assert not proof.exists()
