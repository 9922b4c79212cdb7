"""The limits are complete, hashed, and move one way."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.instruments import AssetClass
from parley.gate.errors import LimitLoosened, LimitsInvalid
from parley.gate.limits import (
    ALLOW_LISTS,
    DEFAULT_LIMITS_PATH,
    DYNAMICS,
    FIXED,
    FLAGS,
    FLOORS,
    REQUIREMENTS,
    SETS,
    TABLES,
    Limits,
    load_limits,
    parse_limits,
)


def raw() -> dict[str, Any]:
    return tomllib.loads(DEFAULT_LIMITS_PATH.read_text())


def test_the_shipped_limits_carry_the_numbers_of_the_mission() -> None:
    limits = load_limits()

    assert limits.max_instrument_weight.of(AssetClass.STOCK) == 0.10
    assert limits.max_instrument_weight.of(AssetClass.FUND) == 0.60
    assert limits.max_sector_weight.of(AssetClass.STOCK) == 0.30
    assert limits.max_gross == 1.0
    assert limits.allow_short is False
    assert limits.max_daily_loss_frac == 0.02
    assert limits.max_participation_frac == 0.10


def test_every_bound_in_the_file_has_a_comment_before_it() -> None:
    lines = DEFAULT_LIMITS_PATH.read_text().splitlines()
    commented = False
    for line in lines:
        commented = line.startswith("#") or (commented and bool(line.strip()))
        if "=" in line and not line.startswith("version"):
            assert commented, line


def test_every_field_has_a_direction() -> None:
    classes = (FLOORS, FLAGS, REQUIREMENTS, SETS, ALLOW_LISTS, TABLES, DYNAMICS, FIXED)
    caps = set(Limits.model_fields).difference(*classes)

    assert all(name.startswith(("max_", "price_collar")) for name in caps)
    assert sum(map(len, classes)) == len(frozenset().union(*classes))
    for names in classes:
        assert names <= set(Limits.model_fields)


@pytest.mark.parametrize("name", sorted(set(Limits.model_fields) - {"version"}))
def test_a_missing_bound_is_refused_by_name(name: str) -> None:
    data = raw()
    del data[name]

    with pytest.raises(LimitsInvalid, match=name):
        parse_limits(data, "test")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.01, "much", None])
def test_a_bound_that_is_no_finite_amount_is_refused(value: object) -> None:
    for name in ("max_gross", "max_daily_loss_frac", "max_quote_age_s", "min_cash"):
        with pytest.raises(LimitsInvalid, match=name):
            parse_limits(raw() | {name: value}, "test")


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(LimitsInvalid, match="max_grosss"):
        parse_limits(raw() | {"max_grosss": 1.0}, "test")


def test_an_unreadable_file_names_itself_and_says_what_to_do(tmp_path: Path) -> None:
    broken = tmp_path / "limits.toml"
    broken.write_text("max_gross = = 1")

    for path in (broken, tmp_path / "absent.toml"):
        with pytest.raises(LimitsInvalid, match=path.name) as caught:
            load_limits(path)
        assert caught.value.remedy


def test_a_user_file_is_read_whole(tmp_path: Path) -> None:
    mine = tmp_path / "limits.toml"
    mine.write_text(DEFAULT_LIMITS_PATH.read_text().replace("max_gross = 1.0", "max_gross = 0.5"))

    assert load_limits(mine).max_gross == 0.5


def test_the_hash_depends_on_content_alone() -> None:
    first, second = load_limits(), load_limits()

    assert first.hash() == second.hash()
    assert first.tighten(max_gross=0.9).hash() != first.hash()
    assert first.tighten(restricted_symbols=("B", "A")).hash() == first.tighten(restricted_symbols=("A", "B")).hash()


@pytest.mark.parametrize(
    "change",
    [
        {"max_gross": 1.5},
        {"allow_short": True},
        {"min_cash": -0.0, "cash_buffer_frac": 0.01},
        {"min_var_days": 100, "max_legs": 201},
        {"max_instrument_weight": {"stock": 0.11}},
        {"max_sector_weight": {"stock": 0.2, "fund": 1.0, "bond": 1.0, "commodity": 0.41, "crypto": 0.0}},
        {"min_history_days": 125},
        {"duplicate_window_s": 0.5},
        {"dynamic": {"crisis": 0.61}},
        {"dynamic": {"drawdown_start_frac": 0.06}},
        {"dynamic": {"smallest_factor": 0.51}},
    ],
)
def test_loosening_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(LimitLoosened):
        load_limits().tighten(**change)


def test_the_restricted_list_only_grows() -> None:
    limits = load_limits().tighten(restricted_symbols=("AAA",))

    assert limits.tighten(restricted_symbols=("AAA", "BBB")).restricted_symbols == ("AAA", "BBB")
    with pytest.raises(LimitLoosened):
        limits.tighten(restricted_symbols=("BBB",))


def test_requirements_lists_of_figures_and_allow_lists_move_one_way() -> None:
    limits = load_limits().tighten(
        pattern_day_rule=True,
        required_figures=(*load_limits().required_figures, "volume"),
        allowed_symbols=("AAA", "BBB"),
        approved_versions=("m",),
    )

    assert limits.tighten(allowed_symbols=("AAA",)).allowed_symbols == ("AAA",)
    for looser in (
        {"pattern_day_rule": False},
        {"required_figures": load_limits().required_figures},
        {"allowed_symbols": ("AAA", "CCC")},
        {"allowed_symbols": "all"},
        {"approved_versions": "all"},
    ):
        with pytest.raises(LimitLoosened):
            limits.tighten(**looser)


def test_a_figure_nobody_reads_can_not_be_required() -> None:
    with pytest.raises(LimitsInvalid, match="required_figures"):
        load_limits().tighten(required_figures=("phase_of_the_moon",))


def test_part_of_a_table_leaves_the_rest() -> None:
    limits = load_limits().tighten(max_instrument_weight={"stock": 0.05})

    assert limits.max_instrument_weight.stock == 0.05
    assert limits.max_instrument_weight.fund == 0.60


def test_there_is_no_second_door() -> None:
    limits = load_limits()

    with pytest.raises(LimitLoosened):
        limits.model_copy(update={"max_gross": 9.0})
    with pytest.raises(Exception, match="frozen"):
        limits.max_gross = 9.0  # pyright: ignore[reportAttributeAccessIssue] - the assignment is the test
    with pytest.raises(LimitsInvalid, match="no such limit"):
        limits.tighten(leverage=1.0)


@given(st.floats(0, 1), st.floats(0, 1))
@settings(max_examples=50, deadline=None)
def test_tightening_twice_is_at_least_as_tight_as_once(first: float, second: float) -> None:
    once = load_limits().tighten(max_gross=first)

    if second <= first:
        assert once.tighten(max_gross=second).max_gross == second
    else:
        with pytest.raises(LimitLoosened):
            once.tighten(max_gross=second)
