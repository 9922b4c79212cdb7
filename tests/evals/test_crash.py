"""Crashes of a whole run: a kill at every node, append, commit and send; what resumes ends as if nothing had been."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from decimal import Decimal
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

import pytest
from parley.agents.llm.rules import RulesModel
from parley.desk.book import RunFolder, open_log
from parley.desk.desk import RunPlan, build_desk, run_started
from parley.desk.settings import PolicySettings, Settings
from parley.domain.events import ChildSubmitted, OrderFilled, Payload
from parley.evals.days import RecordedDays
from parley.execution.venues.paper import PaperVenue
from parley.gate.limits import load_limits
from parley.graph.commit import EndNodes
from parley.graph.nodes import AgentNodes
from parley.graph.views import SourceNodes
from parley.market.cards import DataSet
from parley.memory.history import portfolio_at
from parley.memory.log import EventLog
from parley.memory.verify import verify_log
from parley.storage.sql import SqliteDatabase

# No band, so that every session trades; little cash, so that each order is one child.
SETTINGS = Settings(cash=Decimal(15_000), policy=PolicySettings(band=0.0))
NODES = {
    EndNodes: ("observe", "commit"),
    SourceNodes: ("technical", "sentiment", "microstructure", "macro"),
    AgentNodes: ("analyst", "risk", "optimizer", "execution", "consensus", "gate"),
}
HOOKS: dict[str, list[tuple[type, str]]] = {
    "node": [(kind, name) for kind, names in NODES.items() for name in names],
    "append": [(EventLog, "append")],
    "commit": [(SqliteDatabase, "commit")],
    "send": [(PaperVenue, "submit")],
}


def play(data: DataSet, path: Path) -> tuple[int, str]:
    """The last three sessions from wherever the log at this path stands; the head it ends with."""
    limits = load_limits()
    plan = RunPlan("three", data.history().sessions_between()[-3:], "rules", 7)
    path.parent.mkdir(exist_ok=True)
    with open_log(RunFolder("run", path.parent)) as (log, _):
        desk = build_desk(SETTINGS, limits, data, plan, log, RulesModel(), None)
        started = run_started(SETTINGS, limits, data, plan)
        asyncio.run(RecordedDays(desk, plan.sessions, plan.seed, started).run())
        return log.head()


@pytest.fixture
def each_call(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, Callable[[], None]], None]]:
    """Calls something before every call of a hook's methods, until the test ends."""

    def install(hook: str, before: Callable[[], None]) -> None:
        for kind, name in HOOKS[hook]:
            monkeypatch.setattr(kind, name, _calling(before, getattr(kind, name)))

    yield install


def _calling(before: Callable[[], None], method: Callable[..., Any]) -> Callable[..., Any]:
    def wrapped(*arguments: Any, **named: Any) -> Any:
        before()
        return method(*arguments, **named)

    async def awaited(*arguments: Any, **named: Any) -> Any:
        before()
        return await method(*arguments, **named)

    # The graph looks at what it is given: a node must stay a coroutine function.
    return awaited if iscoroutinefunction(method) else wrapped


def _killed_at(call: int, work: Callable[[], object], install: Callable[[Callable[[], None]], None]) -> int:
    """Runs work in a fork that kills itself just before the n-th call; how the fork ended."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    left = call

    def count_down() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    try:
        install(count_down)
        work()
    finally:
        os._exit(0)


@pytest.mark.slow
@pytest.mark.parametrize("hook", HOOKS)
def test_a_run_killed_before_any_call_resumes_to_the_same_head(
    hook: str, three_names: DataSet, tmp_path: Path, each_call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = play(three_names, tmp_path / "whole" / "log.db")
    calls = 0

    def count() -> None:
        nonlocal calls
        calls += 1

    with monkeypatch.context() as patch:
        for kind, name in HOOKS[hook]:
            patch.setattr(kind, name, _calling(count, getattr(kind, name)))
        assert play(three_names, tmp_path / "counted" / "log.db") == whole

    for call in range(1, calls + 1):
        path = tmp_path / f"killed-{call}" / "log.db"
        ended = _killed_at(call, lambda path=path: play(three_names, path), lambda tick: each_call(hook, tick))

        assert ended == -signal.SIGKILL
        assert play(three_names, path) == whole, f"killed at {hook} {call}"
        assert verify_log(path).ok


def test_a_run_killed_again_and_again_still_ends_with_every_order_sent_once(
    market: DataSet, tmp_path: Path, each_call: Any
) -> None:
    whole = play(market, tmp_path / "whole" / "log.db")
    path = tmp_path / "killed" / "log.db"

    deaths = [
        _killed_at(call, lambda: play(market, path), lambda tick: each_call("append", tick)) for call in (3, 9, 14, 21)
    ]

    assert deaths == [-signal.SIGKILL] * len(deaths)
    assert play(market, path) == whole
    with open_log(RunFolder("run", path.parent), readonly=True) as (log, views):
        children = [item.child.client_order_id for item in _payloads(log, ChildSubmitted)]
        fills = [item.fill.execution_id for item in _payloads(log, OrderFilled)]
        assert len(children) == len(set(children)) > 3
        assert len(fills) == len(set(fills)) > 3
        assert views.portfolio() == portfolio_at(log, log.head()[0])


def test_a_finished_run_that_is_resumed_writes_nothing_more(three_names: DataSet, tmp_path: Path) -> None:
    path = tmp_path / "whole" / "log.db"
    whole = play(three_names, path)

    assert play(three_names, path) == whole
    assert verify_log(path).events == whole[0]


def _payloads(log: EventLog, kind: type[Payload]) -> list[Any]:
    return [event.decoded() for event in log.read(types=(kind,))]
