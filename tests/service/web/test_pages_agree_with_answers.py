"""What a page says is what the chat answers to the same question: one desk, one set of figures."""

import re
from typing import Any

import pytest
from parley.service.agent_scores import agent_document
from parley.service.answers.reader import DeskReader
from parley.service.answers.table import ask
from parley.service.web.app import PARTS

RECORD_PARTS = [part for part in PARTS if part.name.partition("_")[0] not in ("desk", "approvals", "alerts", "state")]
VALUE = re.compile(r'<data class="[ns][^"]*" value="([^"]*)"')


def shown(desk: Any, part: str) -> set[str]:
    return set(VALUE.findall(desk.client("vic").get(f"/parts/{part}").text))


@pytest.mark.parametrize(
    ("part", "question", "arguments", "columns"),
    [
        ("risk_tails", "tail_risk", {}, (1, 2)),
        ("risk_parts", "risk_contributions", {}, (1, 3)),
        ("risk_stress", "scenarios", {}, (3, 4)),
        ("risk_limits", "limits_used", {"above": 0.0}, (1,)),
        ("agents_scores", "agents", {}, (1, 2, 3, 4)),
        ("orders", "trades", {"period": "all"}, (3, 4, 6, 7)),
    ],
)
def test_a_page_shows_the_figures_of_the_answer(
    still: Any, part: str, question: str, arguments: dict[str, Any], columns: tuple[int, ...]
) -> None:
    answer = ask(DeskReader(still.book), question, arguments)
    assert answer.rows is not None and answer.rows.rows

    wanted = {
        str(row[column])
        for row in answer.rows.rows
        for column in columns
        if row[column] is not None and "breaker" not in str(row[0])
    }

    assert wanted - shown(still, part) == set()
    assert wanted


def test_the_risk_page_begins_with_the_last_close(still: Any) -> None:
    with DeskReader(still.book).reading() as reading:
        last, names = reading.sessions[-1], len(reading.portfolio.holdings())

    html = still.client("vic").get("/parts/risk_now").text

    assert re.findall(r"<dt>([^<]+)</dt><dd>(?:<data[^>]*value=\"|<time datetime=\")([^\"]+)", html) == [
        ("At the close of", last.session.isoformat()),
        ("Equity in USD", str(last.equity)),
        ("Gross exposure", str(last.gross)),
        ("Net exposure", str(last.net)),
        ("Drawdown", str(last.drawdown_frac)),
        ("Names held", str(names)),
    ]


def test_the_agents_page_says_what_the_command_says(still: Any) -> None:
    with DeskReader(still.book).reading() as reading:
        document = agent_document(reading.views, reading.data)
        votes, costs = reading.views.votes(), reading.views.node_costs()

    scores, silent, spent = (shown(still, f"agents_{name}") for name in ("scores", "silent", "spent"))

    assert {str(row["for_legs"]) for row in document["agents"]} <= scores
    withheld = sum(cast.vote.abstention is not None for cast in votes)
    assert not withheld or str(withheld) in silent or len(silent) > 1
    assert {str(cost.prompt_tokens) for cost in costs} <= spent
    assert str(sum(cost.completion_tokens for cost in costs)) in spent


def test_the_market_page_tells_the_regime_of_the_last_decision(still: Any) -> None:
    answer = ask(DeskReader(still.book), "regime", {})
    with DeskReader(still.book).reading() as reading:
        event = reading.decision_event(reading.decisions[-1].decision_id)
    assert event is not None
    payload: Any = event.payload

    html = still.client("vic").get("/parts/market_regime").text

    assert payload["decision"]["regime"] in answer.text and f">{payload['decision']['regime']}</strong>" in html
    assert "datetime=" in html and 'role="img"' in html


def test_no_part_fails_on_a_run_of_a_few_sessions(still: Any) -> None:
    client = still.client("vic")

    found = {part.name: client.get(f"/parts/{part.name}/twin") for part in RECORD_PARTS}

    assert {name: reply.text for name, reply in found.items() if reply.status_code != 200} == {}
