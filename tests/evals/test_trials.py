"""The register of trials: what it counts, what it refuses, and that nothing is counted twice."""

from pathlib import Path

import pytest
from parley.desk.settings import Settings
from parley.evals.errors import TrialsInvalid
from parley.evals.trials import REGISTER, Register, Trial, counted, read_register, register_trial, trial_id, trial_line
from parley.gate.limits import load_limits

BLOCK = (
    '{"kind": "block", "name": "before", "count": 40, "data": "d", "span": "s", "sharpe_deviation": 0.3, '
    '"source": "notes", "why": "w"}\n'
)


def trial(number: int) -> Trial:
    return Trial(id=f"trial-{number:016x}", data="us20", first="2020-01-02", last="2022-12-28", model="rules",
                 sharpe=0.86, why='an "odd" reason')  # fmt: skip


def test_the_register_of_the_house_counts_what_the_design_looked_at() -> None:
    found = read_register()

    assert sum(block.count for block in found.blocks if block.name.startswith("strategy")) == 149 + 51 + 60
    assert counted(found).count == sum(block.count for block in found.blocks) + len(found.trials)
    assert counted(found).sharpe_deviation == 0.35
    assert REGISTER.read_text().endswith("\n")


def test_a_trial_is_added_once_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    path.write_text(BLOCK)

    assert register_trial(trial(1), path) and register_trial(trial(2), path)
    assert not register_trial(trial(1), path)

    found = read_register(path)
    assert found.trials == (trial(1), trial(2))
    assert (counted(found).count, counted(found, 1).count) == (42, 43)


def test_a_configuration_on_days_has_one_name_and_another_has_another() -> None:
    settings, limits = Settings(), load_limits()
    terms = (settings.hash(), limits.hash(), "rules", "us20", "2020-01-02", "2022-12-28")
    other = settings.model_copy(update={"policy": settings.policy.model_copy(update={"vol_target": 0.08})})

    assert trial_id(*terms) == trial_id(*terms)
    assert trial_id(other.hash(), *terms[1:]) != trial_id(*terms)
    assert trial_id(*terms[:5], "2022-12-27") != trial_id(*terms)


def test_registers_that_cannot_be_counted_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    with pytest.raises(TrialsInvalid, match="No such file"):
        read_register(path)
    path.write_text(BLOCK + '{"kind": "block"}\n')
    with pytest.raises(TrialsInvalid, match="line 2"):
        read_register(path)
    path.write_text(BLOCK + 2 * (trial_line(trial(1)) + "\n"))
    with pytest.raises(TrialsInvalid, match="twice"):
        read_register(path)
    with pytest.raises(TrialsInvalid, match="scatter"):
        counted(Register((), (trial(1),)))


def test_a_register_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    path.write_text(BLOCK)
    path.unlink()
    path.mkdir()

    with pytest.raises(TrialsInvalid):
        register_trial(trial(1), path)
