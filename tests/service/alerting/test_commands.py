"""`parley alerts`: what stands, an answer, a test of the channels, and a finished run looked back on."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from parley.desk.alert_book import AlertBook
from parley.desk.clock import wall_now
from parley.service.cli import main

from .conftest import Sink, halted, started, writing


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("PARLEY_") and name != "PARLEY_SHARED_DATA"]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def ask(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    """The exit code and the document."""
    with pytest.raises(SystemExit) as ended:
        main(["alerts", *arguments, "--json"])
    return int(ended.value.code or 0), json.loads(capsys.readouterr().out)


def test_a_critical_alert_fails_the_list_until_it_is_answered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alert = AlertBook(tmp_path / "book", wall_now).raise_alert("halted", "critical", "account", "x")

    code, document = ask(capsys, "list")
    assert (code, document["blocking"]) == (1, [alert.alert_id])
    assert ask(capsys, "ack", alert.alert_id[:8], "--reason", "on it", "--user", "oz") == (
        0,
        {"acknowledged": [{"alert": alert.alert_id, "code": "halted", "how": "none"}]},
    )
    code, document = ask(capsys, "list")
    assert (code, document["blocking"]) == (0, [])
    assert document["alerts"][0]["acknowledged_by"] == "oz"


def test_an_answer_at_the_console_acknowledges_the_runs_own_note(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from parley.desk.settings import Settings
    from parley.service.alerting.watcher import BookWatcher

    book = tmp_path / "book"
    with writing(book) as log:
        log.add(started(), *halted())
    BookWatcher(book, Settings(), from_start=True).look()

    code, document = ask(capsys, "ack", "all", "--reason", "on it")
    assert (code, [item["how"] for item in document["acknowledged"]]) == (0, ["log"])


@pytest.mark.parametrize("ident", ["alt-none", "all"])
def test_an_answer_to_nothing_is_refused(capsys: pytest.CaptureFixture[str], ident: str) -> None:
    code, document = ask(capsys, "ack", ident, "--reason", "x")

    assert code == 2
    assert document["error"]["code"] == "alert_unknown"


def test_every_channel_is_tried_and_one_that_fails_fails_the_test(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("apprise", reason="apprise is not installed")
    (tmp_path / "book").mkdir()
    monkeypatch.setenv("PARLEY_ALERTS__SMS", sink.url)

    code, document = ask(capsys, "test")
    assert (code, [item["channel"] for item in document["channels"]]) == (0, ["log", "sms 1"])
    assert sink.documents[0]["title"] == "Parley test: no alert"
    sink.status = 500
    code, document = ask(capsys, "test")
    assert (code, [item["ok"] for item in document["channels"]]) == (1, [True, False])
    assert "secret" not in json.dumps(document)


def test_a_finished_run_is_looked_back_on_and_nothing_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with writing(tmp_path / "book") as log:
        log.add(started())
        log.marks([1000.0, 949.0, 930.0, 940.0, 999.0])

    code, document = ask(capsys, "watch", "--once")
    found = {item["code"]: item for item in document["alerts"]}
    assert code == 0
    assert document["events"] == 6
    assert set(found) == {"drawdown", "daily_loss"}
    assert (found["drawdown"]["figure"], found["drawdown"]["worst"]) == (pytest.approx(0.051), pytest.approx(0.07))
    assert found["drawdown"]["raised_at"][:10] == "2024-01-03"
    assert found["drawdown"]["cleared_at"][:10] == "2024-01-06"
    assert not (tmp_path / "book" / "alerts.db").exists()


def test_the_table_of_a_look_back_is_read_by_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with writing(tmp_path / "book") as log:
        log.marks([1000.0, 949.0])
    with pytest.raises(SystemExit):
        main(["alerts", "watch", "--once"])

    said = capsys.readouterr().out
    assert "drawdown account" in said and "5.10 %" in said
    assert "2 alerts in run-0123456789abcdef; its chain holds to event 2." in said


def test_a_run_is_named_for_looking_back(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["alerts", "watch", "--run", "run-1"])

    assert ended.value.code == 2
    assert "--once" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value", "state", "says"),
    [
        ("PARLEY_ALERTS__EMAIL", "mailto://a:geheim@127.0.0.1?from=a@example.com&to=b@example.com", "ok", "email 1"),
        ("PARLEY_ALERTS__EMAIL", "nonsense://geheim", "bad", "alerts.email"),
        ("PARLEY_ALERTS__LIMITS__DRAW", "0.1", "bad", "'draw'"),
        ("PARLEY_ENVIRONMENT", "development", "ok", "no address is set"),
    ],
)
def test_the_doctor_says_whether_alerts_can_be_sent(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str, value: str, state: str, says: str
) -> None:
    pytest.importorskip("apprise", reason="apprise is not installed")
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit):
        main(["doctor", "--json"])

    document = json.loads(capsys.readouterr().out)
    found = next(item for item in document["findings"] if item["what"] == "alerts")
    assert found["state"] == state and says in found["text"]
    assert "geheim" not in json.dumps(document)
