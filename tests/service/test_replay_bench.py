"""The replay bench on a small feed, without the peer, and its refusals."""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path

import pytest
from parley.desk.errors import SettingsInvalid
from parley.service import replay_bench, replay_peer
from parley.service.benching import perform_bench
from parley.service.console import Console

T0 = 1_700_000_000_000


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    """Three seconds of a book of two levels whose bid prints now and then."""
    lines = [{"lastUpdateId": 1, "E": T0, "T": T0, "bids": [["10.0", "1"]], "asks": [["10.1", "2"]]}]
    for number in range(1, 3000):
        event = {"e": "trade", "E": T0 + number, "T": T0 + number, "s": "X", "t": number}
        lines.append({"stream": "x", "data": {**event, "p": "10.0", "q": "0.5", "X": "MARKET", "m": True}})
    path = tmp_path / "feed.txt"
    stamped = [f"{(T0 + number + 1) * 1_000_000} {json.dumps(line)}" for number, line in enumerate(lines)]
    path.write_text("\n".join(stamped) + "\n")
    return path


def test_without_the_peer_it_says_how_to_install_it_and_gives_its_own_figures(
    feed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(replay_bench, "installed", lambda: False)

    found = replay_bench.bench_replay(Console(as_json=False), feed)

    said, rows = capsys.readouterr().out, found.rows
    assert "peer: not installed: pip install --no-deps hftbacktest==2.4.4" in said and found.peer is None
    assert [row.unit for row in rows] == ["M records/CPU s"] * 3 + ["units"] * 2 + ["records/s", "calls/s"]
    assert all(row.p50 > 0.0 for row in rows if row.unit != "units")


def test_it_says_what_it_was_measured_on_and_how_often_the_strategy_was_called(
    feed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(replay_bench, "installed", lambda: False)

    perform_bench("replay", Console(as_json=True), feed)

    document = json.loads(capsys.readouterr().out)
    lines, records = document["feed"]["lines"], document["feed"]["records"]
    # A line for every message; the snapshot is four records: each side cleared, and its one level.
    assert (document["feed"]["file"], lines, records, document["peer"]) == ("feed.txt", 3000, 3003, None)
    by_records, by_calls = document["rows"][-2:]
    # Three seconds of the feed's clock at a call every 10 ms, whatever the number of records.
    n_calls = round(by_calls["p50"] / by_records["p50"] * records, 6)
    assert by_calls["unit"] == "calls/s" and 295 <= n_calls <= 300
    assert (by_records["goal"], by_calls["goal"]) == (100_000.0, None), "the calls are told, and held to nothing"


def test_the_peer_is_named_with_the_version_that_is_installed() -> None:
    if replay_peer.found_version() is None:
        pytest.skip(f"hftbacktest is not installed: {replay_peer.HOW_TO_INSTALL}")

    assert replay_peer.found_version() == importlib.metadata.version("hftbacktest")
    assert replay_peer.installed() == (replay_peer.found_version() == "2.4.4")


def test_without_a_feed_it_says_how_to_name_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PARLEY_SHARED_DATA", raising=False)

    with pytest.raises(SettingsInvalid, match="no recorded feed named"):
        replay_bench.bench_replay(Console(as_json=True))
    with pytest.raises(SettingsInvalid, match="nowhere"):
        replay_bench.bench_replay(Console(as_json=True), tmp_path / "nowhere.gz")
