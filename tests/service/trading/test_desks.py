"""What `parley trade` takes and refuses: paces, desks, drills; and the command itself with two desks."""

from pathlib import Path
from typing import Any

import pytest
from parley.desk.operator import book_post
from parley.market.datasets import load_data
from parley.service.preparing import RunRequest
from parley.service.trading.desks import TradeRequest, all_terms, parse_pace
from parley.service.trading.drill import DEFAULT, KINDS, default_drill, read_drill
from parley.service.trading.errors import DesksInvalid, FaultsInvalid, NoLiveData, PaceInvalid
from parley.service.trading.status_file import read_status
from parley.storage.flag import FlagNote


def test_a_pace_is_a_number_or_max() -> None:
    assert (parse_pace("10000"), parse_pace("1"), parse_pace("max")) == (10_000.0, 1.0, None)
    for text in ("fast", "0", "-3", "1e9", "nan"):
        with pytest.raises(PaceInvalid):
            parse_pace(text)


def test_without_a_pace_it_would_be_live_and_recorded_data_are_not(six_names: Path, tmp_path: Path) -> None:
    with pytest.raises(NoLiveData, match="has closed since") as caught:
        all_terms(TradeRequest((tmp_path,), RunRequest(str(six_names))))

    assert "--accelerate" in caught.value.remedy
    assert not list(tmp_path.iterdir()), "nothing is written before all is checked"


def test_two_desks_in_one_book_and_files_that_are_none_are_refused(six_names: Path, tmp_path: Path) -> None:
    run = RunRequest(str(six_names), "2016-01-08")
    with pytest.raises(DesksInvalid, match="share a book"):
        all_terms(TradeRequest((tmp_path / "a", tmp_path / "a"), run, "max"))
    for text, complaint in (
        ("", "expected"),
        ("[[desk]]\ndata='x'", "no book"),
        ("[[desk]]\nbook='a'\ncolor='red'", "color"),
        ("[[desk", "desks.toml"),
    ):
        file = tmp_path / "desks.toml"
        file.write_text(text)
        with pytest.raises(DesksInvalid, match=complaint):
            all_terms(TradeRequest((), run, "max", desks=file))


def test_a_file_gives_each_desk_what_differs(six_names: Path, tmp_path: Path) -> None:
    file = tmp_path / "desks.toml"
    file.write_text(
        f"[[desk]]\nbook = '{tmp_path}/a'\n"
        f"[[desk]]\nbook = '{tmp_path}/b'\nseed = 3\nstart = 2016-01-12\njobs = {{ decide = 'close+15m' }}\n"
    )

    one, other = all_terms(TradeRequest((), RunRequest(str(six_names), "2016-01-08"), "max", desks=file))

    assert (one.prepared.plan.seed, other.prepared.plan.seed) == (7, 3)
    assert len(one.sessions) > len(other.sessions)
    assert (str(one.job("decide").when), str(other.job("decide").when)) == ("close", "close+15m")
    assert one.prepared.settings.as_live, "unattended is as live: a restart in mid-session waits for a person"


def test_the_default_drill_is_drawn_from_the_seed_and_apart(six_names: Path) -> None:
    history = load_data(str(six_names)).history()
    sessions = history.sessions_between()[:120]

    one, again, other = (default_drill(sessions, history, seed) for seed in (7, 7, 8))

    assert one == again != other
    assert len({fault.session for fault in one.faults}) == len(one.faults) == 8
    assert [fault.session for fault in one.faults] == sorted(fault.session for fault in one.faults)
    assert {fault.kind for fault in one.faults} == set(KINDS), "of every kind"
    assert one.operator_minutes is not None
    assert "in the place of a person" in " ".join(one.lines())
    # The second stale bar comes in the next session, after its open.
    over_night = one.of("stale_feed")[1]
    following = sessions[sessions.index(over_night.session) + 1]
    arrives = one.arrivals(history)[over_night.session]
    assert history.opening_time(following) < arrives < history.close_time(following)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("operator_minutes = 0", "whole numbers"),
        ("when = 3", "whole numbers"),
        ("[[fault]]\nkind = 'earthquake'\nsession = 2016-01-12", "is no fault"),
        ("[[fault]]\nkind = 'stale_feed'\nsession = 2016-01-12\nsize = 0", "is no fault"),
        ("[[fault]]\nkind = 'stale_feed'\nsession = 2016-01-10", "no session of the run"),
        ("[[", "faults.toml"),
    ],
)
def test_a_file_of_faults_that_is_none_is_refused(six_names: Path, tmp_path: Path, text: str, complaint: str) -> None:
    history = load_data(str(six_names)).history()
    file = tmp_path / "faults.toml"
    file.write_text(text)

    with pytest.raises(FaultsInvalid, match=complaint):
        read_drill(str(file), history.sessions_between()[-9:], history, 7)
    with pytest.raises(FaultsInvalid, match="14 sessions"):
        read_drill(DEFAULT, history.sessions_between()[-9:], history, 7)


def test_the_command_trades_two_books_and_says_how_it_went(parley: Any, six_names: Path, tmp_path: Path) -> None:
    asked = ["trade", "--data", six_names, "--start", "2016-01-13", "--accelerate", "max"]
    asked += ["--jobs", "health=every 30m in session", "--book", tmp_path / "a", "--book", tmp_path / "b"]

    first = parley(*asked, "--json")
    again = parley(*asked)

    assert first.code == again.code == 0
    one, other = first.document["desks"]
    assert (one["run"], one["log"], one["state"]) == (other["run"], other["log"], "TRADING")
    assert one["uptime"]["frac"] == 1.0
    assert one["jobs"]["decide"] == {"done": one["log"]["PortfolioMarked"]}
    assert first.document["finished"] is True
    assert "Uptime 100.000 %" in again.out.replace("%", " %").replace("  %", " %"), (
        "a finished run is told, not run again"
    )
    assert "It ends TRADING" in again.out
    status = read_status(tmp_path / "a")
    assert status is not None
    assert (status["sessions_done"], status["state"]) == (status["sessions"], "ACTIVE")


def test_the_command_refuses_what_it_cannot_do(parley: Any, six_names: Path) -> None:
    live = parley("trade", "--data", six_names, "--json")
    nonsense = parley("trade", "--data", six_names, "--accelerate", "max", "--jobs", "decide=lunch", "--json")

    assert (live.code, live.document["error"]["code"]) == (2, "no_live_data")
    assert (nonsense.code, nonsense.document["error"]["code"]) == (2, "job_invalid")


def test_a_desk_that_ends_halted_has_not_done_what_it_was_asked_to(
    parley: Any, six_names: Path, tmp_path: Path
) -> None:
    book_post(tmp_path / "a").flag.hoist(FlagNote(by="ada", reason="a look first", at=""))
    asked = ["trade", "--data", six_names, "--start", "2016-01-13", "--accelerate", "max", "--book", tmp_path / "a"]

    told = parley(*asked, "--json")

    assert (told.code, told.document["desks"][0]["state"]) == (1, "HALTED")
    assert "a look first" in told.document["desks"][0]["reason"]
