"""The runner: the same bytes whatever happens on the way; errors, deaths, limits and full disks are counted."""

import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from parley.evals.errors import RecordBusy, RecordUnreadable, RecordUnwritable, SuiteInvalid
from parley.evals.harness.manifest import code_hash, manifest_of
from parley.evals.harness.options import SuiteOptions
from parley.evals.harness.outcomes import kept_of
from parley.evals.harness.pool import run_jobs
from parley.evals.harness.record import Record, find_record, latest_records
from parley.evals.harness.runner import Bounds, Evaluated, evaluate, jobs_of, summed_up
from parley.evals.harness.suite import Suite
from parley.evals.harness.task import Sample

from .harness_kit import Sums

SUITE = Suite(name="sums", text="sums", task="sums:build")
HOST_FACTS = "timings.jsonl"


def run(book: Path, task: Sums, epochs: int = 1, **bounds: Any) -> Evaluated:
    # The task's faults and log are left out of what is asked, as a machine's would be.
    manifest = manifest_of(SUITE, task, task.samples(), SuiteOptions(), epochs)
    record = Record(book / "evals" / manifest["id"])
    return evaluate(task, task.samples(), record, manifest, Bounds(**bounds), lambda done, total: None)


def record_bytes(found: Evaluated) -> dict[str, bytes]:
    folder = found.record.folder
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name != HOST_FACTS)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_two_processes_leave_the_bytes_of_one(tmp_path: Path) -> None:
    faults = ((1, "refuse"), (2, "crash"), (4, "fail"), (5, "nan"))
    one = run(tmp_path / "one", Sums(8, faults), 2)
    two = run(tmp_path / "two", Sums(8, faults), 2, processes=2)

    assert record_bytes(one) == record_bytes(two)
    assert len((two.record.folder / HOST_FACTS).read_text().splitlines()) == 16


def test_an_error_is_counted_with_its_text_and_is_in_no_figure(tmp_path: Path) -> None:
    found = run(tmp_path, Sums(6, ((1, "refuse"), (2, "crash"), (3, "fail"), (5, "nan"))))

    reasons = {item.sample: (item.is_error, item.reason) for item in found.failures}
    assert reasons["n1"] == (True, "case_unreadable: the sample is refused")
    assert reasons["n2"] == (True, "crash: ZeroDivisionError: by nothing")
    assert reasons["n3"] == (False, "it is wrong")
    assert reasons["n5"][1].startswith("canonical_error")
    assert (found.errors, found.passed, found.done) == (3, 2, 6)
    assert found.summary.figures[0].n == 3


def test_a_worker_that_is_killed_costs_its_sample_alone(tmp_path: Path) -> None:
    found = run(tmp_path, Sums(6, ((3, "die"),)), processes=2)

    assert [(item.sample, item.reason) for item in found.failures] == [
        ("n3", "crash: the worker process died by SIGKILL")
    ]
    assert found.passed == 5


def test_a_sample_over_its_time_is_an_error_and_the_others_go_on(tmp_path: Path) -> None:
    found = run(tmp_path, Sums(3, ((1, "hang"),)), timeout_s=4.0)

    assert [(item.sample, item.reason) for item in found.failures] == [("n1", "timeout: no answer within 4 s")]
    assert found.passed == 2


def test_what_was_answered_is_not_asked_again_and_errors_are(tmp_path: Path) -> None:
    log = tmp_path / "asked"
    first = run(tmp_path, Sums(4, ((2, "crash"),), log))
    again = run(tmp_path, Sums(4, (), log))
    whole = run(tmp_path, Sums(4, (), log))
    anew = run(tmp_path, Sums(4, (), log), refresh=True)

    assert log.read_text().split() == ["n0.0", "n1.0", "n2.0", "n3.0", "n2.0", "n0.0", "n1.0", "n2.0", "n3.0"]
    assert [item.cached for item in (first, again, whole, anew)] == [0, 3, 4, 0]
    assert (first.errors, again.errors) == (1, 0)


def test_a_limit_keeps_what_was_done_and_the_rest_follows(tmp_path: Path) -> None:
    part = run(tmp_path, Sums(6), max_samples=2)
    assert (part.done, part.asked) == (2, 6)
    assert "2 of 6" in part.stopped
    assert part.record.state()["state"] == "stopped"

    dear = run(tmp_path, Sums(6), max_cost_usd=1.0)
    assert dear.done == 4
    assert "1.0000 USD were spent" in dear.stopped
    assert run(tmp_path, Sums(6), max_cost_usd=1.0).done == 4

    whole = run(tmp_path, Sums(6))
    assert (whole.done, whole.stopped, whole.cached) == (6, "", 4)
    assert record_bytes(whole) == record_bytes(run(tmp_path / "other", Sums(6)))


def test_a_line_that_a_kill_cut_short_is_asked_again(tmp_path: Path) -> None:
    whole = run(tmp_path, Sums(5))
    expected = record_bytes(whole)
    path = whole.record.folder / "outcomes.jsonl"
    path.write_bytes(path.read_bytes()[:-30])
    (whole.record.folder / "transcripts" / "n1.json").unlink()

    again = run(tmp_path, Sums(5))

    assert again.cached == 3
    assert record_bytes(again) == expected


KILLED = """
import sys, os
sys.path.append({root!r})
from tests.evals.harness.harness_kit import Sums
from tests.evals.harness.test_runner import run
from pathlib import Path
import parley.evals.harness.record as record
kept = record.Record.add
def add(self, done):
    kept(self, done)
    if sum(1 for _ in (self.folder / "outcomes.jsonl").open()) == 4:
        os.kill(os.getpid(), {signal})
record.Record.add = add
if __name__ == "__main__":
    run(Path({book!r}), Sums(9), 2, processes={processes})
"""


@pytest.mark.parametrize(("sent", "processes"), [(signal.SIGKILL, 1), (signal.SIGTERM, 2)])
def test_a_killed_evaluation_goes_on_to_the_same_bytes(tmp_path: Path, sent: int, processes: int) -> None:
    script = tmp_path / "killed.py"
    root = str(Path(__file__).parents[3])
    script.write_text(KILLED.format(root=root, signal=int(sent), book=str(tmp_path / "book"), processes=processes))
    ended = subprocess.run([sys.executable, str(script)], capture_output=True, timeout=120, check=False)
    assert ended.returncode == -sent, ended.stderr
    code_hash.cache_clear()  # the sources may have been edited since this process read them

    resumed = run(tmp_path / "book", Sums(9), 2)

    assert 4 <= resumed.cached < 18
    assert record_bytes(resumed) == record_bytes(run(tmp_path / "other", Sums(9), 2))


@pytest.fixture
def little_room() -> Iterator[None]:
    """Files end after 900 bytes, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (900, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_is_told_and_what_is_there_stays_readable(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    task = Sums(20)
    manifest = manifest_of(SUITE, task, task.samples(), SuiteOptions(), 1)
    record = Record(tmp_path / "evals" / manifest["id"])
    record.begin(manifest, anew=False)
    request.getfixturevalue("little_room")

    with pytest.raises(RecordUnwritable, match="what is there can be read"):
        for done in run_jobs(task, jobs_of(task.samples(), 1)):
            record.add(done)

    assert 3 <= len(record.kept()) < 20
    assert record.manifest() == manifest


def test_a_summary_is_made_again_from_the_record_alone(tmp_path: Path) -> None:
    log = tmp_path / "asked"
    found = run(tmp_path, Sums(5, ((2, "fail"),), log))
    asked = log.read_text()

    again = summed_up(Sums(5), Sums(5).samples(), found.record, found.manifest, "")

    assert again.summary == found.summary == found.record.summary()
    assert again.failures == found.failures
    assert log.read_text() == asked


def test_the_latest_of_a_suite_is_found_by_its_name(tmp_path: Path) -> None:
    run(tmp_path, Sums(2))
    newest = run(tmp_path, Sums(3))

    assert find_record(tmp_path, "sums").id == newest.record.id
    assert [item.id for item in latest_records(tmp_path)] == [newest.record.id]
    assert set(newest.record.samples()) == {"n0", "n1", "n2"}


def test_two_processes_do_not_write_one_record(tmp_path: Path) -> None:
    found = run(tmp_path, Sums(2))

    with found.record.held(), pytest.raises(RecordBusy, match="another process"):
        run(tmp_path, Sums(2))


def test_the_id_is_of_all_that_decides(tmp_path: Path) -> None:
    task, asked = Sums(3), SuiteOptions()
    ids = {
        manifest_of(SUITE, task, task.samples(), options, epochs)["id"]
        for options, epochs in (
            (asked, 1),
            (asked, 2),
            (replace(asked, model="other"), 1),
            (replace(asked, seed=1), 1),
            (replace(asked, parameters={"x": 1}), 1),
            (replace(asked, settings=asked.settings.model_copy(update={"stop_loss_frac": 0.2})), 1),
        )
    }
    same = manifest_of(SUITE, task, task.samples(), replace(asked, book=tmp_path, out=tmp_path), 1)["id"]

    assert len(ids) == 6
    assert same in ids
    assert manifest_of(SUITE, task, Sums(4).samples(), asked, 1)["id"] not in ids


def test_samples_of_one_id_are_refused() -> None:
    with pytest.raises(SuiteInvalid, match="same id"):
        jobs_of([Sample("a", {}), Sample("a", {})], 1)


def test_a_line_that_is_none_is_refused_by_name() -> None:
    with pytest.raises(RecordUnreadable, match="a line of outcomes"):
        kept_of('{"sample": "x"}')
    with pytest.raises(RecordUnreadable, match="is none"):
        kept_of("garbage")
