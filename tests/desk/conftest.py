"""A desk over a small market of made-up names, ready to decide."""

from collections.abc import Callable, Iterator
from datetime import date

import numpy as np
import pytest
from parley.agents.llm.port import ChatModel
from parley.agents.llm.rules import RulesModel
from parley.desk.desk import Desk, RunPlan, build_desk
from parley.desk.settings import Settings
from parley.gate.limits import Limits, load_limits
from parley.market.cards import DataSet
from parley.market.files import load_file
from parley.market.sessions import session_calendar
from parley.memory.log import EventLog
from parley.storage.sql import open_in_memory

NAMES, DAYS = 6, 256


@pytest.fixture(scope="session")
def market(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    """256 daily closes of six names: the last four can be decided on."""
    sessions = session_calendar("XNYS", date(2015, 1, 2), date(2016, 12, 30)).days[:DAYS]
    closes = 40.0 * np.exp(np.cumsum(np.random.default_rng(3).normal(0.0006, 0.01, (DAYS, NAMES)), axis=0))
    rows = [f"N{name},{day},{closes[row, name]:.2f}" for name in range(NAMES) for row, day in enumerate(sessions)]
    path = tmp_path_factory.mktemp("market") / "six.csv"
    path.write_text("\n".join(["symbol,date,close", *rows]) + "\n")
    return load_file(path)


@pytest.fixture
def make_desk(market: DataSet) -> Iterator[Callable[..., Desk]]:
    """Builds a desk with a log in memory; settings, limits, model and checkpoints may be given."""
    opened = []

    def make(
        settings: Settings | None = None,
        limits: Limits | None = None,
        model: ChatModel | None = None,
        checkpoint_path: str | None = None,
        data: DataSet | None = None,
    ) -> Desk:
        data = data or market
        database = open_in_memory()
        opened.append(database)
        plan = RunPlan("six", data.history().sessions_between()[-4:], (model or RulesModel()).name, 7)
        return build_desk(
            settings or Settings(),
            limits or load_limits(),
            data,
            plan,
            EventLog(database),
            model or RulesModel(),
            checkpoint_path,
        )

    yield make
    for database in opened:
        database.close()
