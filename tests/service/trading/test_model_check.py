"""The pre-flight asks the configured endpoint whether it answers: over a real wire, to a server of the test's own."""

import importlib.util
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from parley.agents.llm.rules import RulesModel
from parley.desk.llm_settings import LlmSettings
from parley.domain.control_events import TradingStateChanged
from parley.domain.trading import TradingState
from parley.service import model_probe
from parley.service.trading.model_check import GOOD_FOR, ModelCheck
from pydantic import SecretStr

from .conftest import new_period

NOON = datetime(2024, 3, 8, 12, tzinfo=UTC)
NOBODY = "http://127.0.0.1:9/v1"
"""The discard port, on which nobody listens."""


@pytest.fixture(scope="module")
def kit() -> ModuleType:
    place = Path(__file__).resolve().parents[2] / "agents" / "fake_endpoint.py"
    spec = importlib.util.spec_from_file_location("fake_endpoint_of_trade", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def endpoint(kit: Any) -> Iterator[Any]:
    with kit.serving([kit.Act("blue")]) as server:
        yield server


def check(name: str = "tiny", is_called: bool = False, **llm: Any) -> ModelCheck:
    return ModelCheck(name, LlmSettings(**llm), RulesModel(None), lambda: is_called)


def test_each_model_that_answers_is_asked_once_an_hour_and_briefly(endpoint: Any) -> None:
    asked = check(base_url=endpoint.url, api_key=SecretStr("sk-1"), nodes={"risk": "other", "sentiment": "tiny"})

    found = [asked.complaint(NOON + GOOD_FOR * share) for share in (0.0, 0.5, 0.99, 1.0)]

    assert found == ["", "", "", ""]
    assert [body["model"] for body in endpoint.bodies] == ["tiny", "other"] * 2
    assert max(body["max_tokens"] for body in endpoint.bodies) <= 64
    assert set(endpoint.keys) == {"Bearer sk-1"}


@pytest.mark.parametrize(
    ("fallback", "refuses", "says"), [("abstain", True, "agents would abstain"), ("rules", False, "rules stand in")]
)
def test_a_dead_endpoint_refuses_the_open_unless_rules_stand_in(fallback: str, refuses: bool, says: str) -> None:
    asked = check(base_url=NOBODY, api_key=SecretStr("sk-secret"), fallback=fallback)

    found = asked.complaint(NOON)

    assert found.startswith(f"tiny at {NOBODY} does not answer: no connection")
    assert found.endswith(says)
    assert asked.refuses is refuses
    assert "sk-secret" not in found


def test_an_endpoint_that_comes_back_is_asked_again_at_once(kit: Any) -> None:
    with kit.serving([kit.Act(status=503), kit.Act("blue")]) as server:
        asked = check(base_url=server.url)
        assert "503" in asked.complaint(NOON)
        assert asked.complaint(NOON + timedelta(minutes=15)) == ""


def test_one_that_hangs_is_waited_for_no_longer_than_a_moment(kit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_probe, "PING_S", 0.2)
    with kit.serving([kit.Act(is_silent=True)]) as server:
        assert "no reply within 0.2 s" in check(base_url=server.url).complaint(NOON)
        assert "no reply within 0.1 s" in check(base_url=server.url, timeout_s=0.1).complaint(NOON)


def test_a_halt_calls_the_question_off(kit: Any) -> None:
    with kit.serving([kit.Act(is_silent=True)]) as server:
        assert "not asked to the end" in check(is_called=True, base_url=server.url).complaint(NOON)


@pytest.mark.parametrize("llm", [{"mode": "replay"}, {"mode": "replay-or-fail"}])
def test_what_is_replayed_is_not_asked(llm: dict[str, Any]) -> None:
    assert check(base_url=NOBODY, **llm).complaint(NOON) == ""


def test_rules_and_a_model_in_this_process_need_no_endpoint() -> None:
    assert check("rules", base_url=NOBODY).complaint(NOON) == ""
    assert check("local:/nowhere.gguf", base_url=NOBODY).complaint(NOON) == ""


@pytest.mark.parametrize("fallback", ["abstain", "rules"])
def test_a_desk_whose_endpoint_is_dead_says_so_before_each_open(tmp_path: Path, six_names: Path, fallback: str) -> None:
    llm = f'[llm]\nbase_url = "{NOBODY}"\nretries = 0\nfallback = "{fallback}"\n'
    period = new_period(tmp_path, six_names, llm, "tiny", days=2)

    period.trade()

    rows = period.rows("preflight")
    assert [row.state for row in rows] == ["refused" if fallback == "abstain" else "done"] * 2
    assert all("tiny at" in row.said and "does not answer" in row.said for row in rows)
    reduced = [item for item in period.payloads(TradingStateChanged) if item.after is TradingState.REDUCING]
    assert len(reduced) == (2 if fallback == "abstain" else 0)
    assert bool(period.children()) is (fallback == "rules")
    assert period.is_sound()
