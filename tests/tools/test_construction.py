"""Books by every method over one window: their limits, their known relations, and what they refuse."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.instruments import AssetClass
from parley.gate.limits import load_limits
from parley.quant.errors import SolverError
from parley.tools.construction import DUST_FRAC, METHODS, Opinion, Window, build_books, frontier, window_of
from parley.tools.errors import NotEnoughData
from parley.tools.estimators import Estimators
from parley.tools.ledger import Ledger
from parley.tools.scene import Scene

PROGRAMS = ("minimum variance", "minimum variance ledoit-wolf", "maximum sharpe", "minimum shortfall", "robust")


def ledger_of(scene: Scene) -> Ledger:
    return Ledger(scene.view.as_of, scene.view.fingerprint)


@pytest.fixture(scope="module")
def scene(us20: Any) -> Scene:
    return us20.scene()


@pytest.fixture(scope="module")
def estimators() -> Estimators:
    return Estimators()


@pytest.fixture(scope="module")
def window(scene: Scene, estimators: Estimators) -> Window:
    return window_of(ledger_of(scene), scene, estimators)


@pytest.fixture(scope="module")
def books(scene: Scene, window: Window) -> dict[str, Any]:
    return build_books(ledger_of(scene), scene, window)[1]


def weights_in(book: dict[str, Any], window: Window) -> np.ndarray:
    return np.array([book["weights"][symbol] for symbol in window.symbols])


def variance(book: dict[str, Any], window: Window, cov: np.ndarray) -> float:
    weights = weights_in(book, window)
    return float(weights @ cov @ weights)


def test_every_method_is_long_only_and_fully_invested(books: dict[str, Any], window: Window) -> None:
    assert list(books) == list(METHODS)
    for book in books.values():
        weights = weights_in(book, window)
        assert weights.min() >= 0.0
        assert weights.sum() == pytest.approx(1.0, abs=2e-5)
        assert sum(book["sectors"].values()) == pytest.approx(1.0, abs=2e-5)
        assert 1.0 <= book["effective_names"] <= len(window.symbols) + 1e-6
        assert 0.0 < book["largest_risk_share"] <= 1.0


def test_methods_that_solve_a_program_stay_within_every_limit(books: dict[str, Any], window: Window) -> None:
    for name in (*PROGRAMS, "black-litterman"):
        assert books[name]["over_limits"] == []
        assert books[name]["largest_weight"] <= window.max_name_frac + DUST_FRAC


def test_a_book_over_a_limit_says_which(books: dict[str, Any], scene: Scene, window: Window) -> None:
    hierarchical = books["hierarchical"]
    caps = dict(zip(window.sectors.names, window.sectors.upper.tolist(), strict=True))
    over = [label for label, weight in hierarchical["sectors"].items() if weight > caps[label] + DUST_FRAC]

    assert over
    assert hierarchical["over_limits"] == over


def test_each_objective_is_best_by_its_own_measure(books: dict[str, Any], window: Window) -> None:
    inside = [name for name, book in books.items() if not book["over_limits"]]

    def best(measure: Any) -> str:
        return min(inside, key=lambda name: measure(books[name]))

    assert best(lambda book: variance(book, window, window.cov)) == "minimum variance"
    assert best(lambda book: variance(book, window, window.ledoit_wolf)) == "minimum variance ledoit-wolf"
    assert best(lambda book: -book["return_annual"] / book["volatility_shrunk"]) == "maximum sharpe"
    # Another level than the 95 % that it minimizes, so it need only be near the best there.
    least = min(books[name]["es_975"] for name in inside)
    assert books["minimum shortfall"]["es_975"] <= 1.05 * least


def test_equal_risk_gives_every_name_the_same_share(books: dict[str, Any], window: Window) -> None:
    assert books["equal risk"]["largest_risk_share"] == pytest.approx(1.0 / len(window.symbols), abs=1e-6)


def test_one_class_makes_the_reference_book_equal_weight(books: dict[str, Any]) -> None:
    assert books["reference book"]["weights"] == books["equal weight"]["weights"]


def test_without_a_view_black_litterman_is_the_reference_book(window: Window) -> None:
    n_names = len(window.symbols)
    silent = replace(window, opinion=Opinion(np.full(n_names, 0.01), np.zeros(n_names), False))

    assert METHODS["black-litterman"](silent) == pytest.approx(METHODS["reference book"](silent), abs=1e-6)


def test_a_confident_view_moves_black_litterman_toward_its_name(window: Window) -> None:
    n_names = len(window.symbols)
    confidence, residual = np.zeros(n_names), np.zeros(n_names)
    confidence[3], residual[3] = 0.5, 0.02
    liked = replace(window, opinion=Opinion(residual, confidence, True))
    disliked = replace(window, opinion=Opinion(-residual, confidence, True))

    low, high = METHODS["black-litterman"](disliked)[3], METHODS["black-litterman"](liked)[3]

    assert low < METHODS["reference book"](window)[3] < high


def test_the_closed_calibration_gate_is_said(books: dict[str, Any], window: Window) -> None:
    assert window.opinion is not None
    assert not window.opinion.is_open
    assert "gate is closed" in books["black-litterman"]["note"]


def test_beta_and_cost_of_equal_weight_are_those_worked_out_by_hand(books: dict[str, Any], scene: Scene) -> None:
    mean, market = scene.returns.mean(axis=1), scene.market_returns
    slope = np.cov(mean, market)[0, 1] / market.var(ddof=1)
    half = np.exp2(np.arange(-251.0, 1.0) / 33.0)
    vols = np.sqrt(half / half.sum() @ np.square(scene.returns))
    # us20 records no volume: 200 million USD a day stand in; 2 bp spread, 1 bp fee, impact of one sigma.
    cost = 3e-4 + float(vols.mean()) * (0.05 * 1_000_000 / 200e6) ** 0.5

    assert books["equal weight"]["beta"] == pytest.approx(slope)
    assert books["equal weight"]["entry_cost"] == pytest.approx(cost)


def test_the_frontier_rises_and_no_book_within_the_limits_beats_it(
    books: dict[str, Any], scene: Scene, window: Window
) -> None:
    _, points = frontier(ledger_of(scene), scene, window)

    vols = [point["volatility_annual"] for point in points]
    means = [point["return_annual"] for point in points]
    assert vols == sorted(vols)
    assert means == sorted(means)
    for book in books.values():
        if not book["over_limits"]:
            best = np.interp(book["volatility_shrunk"], vols, means)
            assert book["return_annual"] <= best + 2e-3


def test_limits_that_no_book_can_meet_are_refused_by_name(scene: Scene, estimators: Estimators) -> None:
    tight = load_limits().tighten(max_sector_weight={"stock": 0.1})
    changed = replace(scene, limits=tight, memo={})
    window = window_of(ledger_of(changed), changed, estimators)

    with pytest.raises(SolverError, match=r"total of 1.*stock/Energy at most 0\.1"):
        frontier(ledger_of(changed), changed, window)
    assert "cannot hold together" in str(build_books(ledger_of(changed), changed, window)[1]["robust"]["refused"])


def test_one_name_is_no_book_to_build(build: Any) -> None:
    alone = build.world(build.closes(n_names=1)).scene()

    with pytest.raises(NotEnoughData, match="1 tradable name"):
        window_of(ledger_of(alone), alone, Estimators())


def test_too_few_names_for_scores_leave_the_other_methods(build: Any) -> None:
    few = build.world(build.closes(n_names=4), sectors=list("abcd")).scene()
    window = window_of(ledger_of(few), few, Estimators())

    found = build_books(ledger_of(few), few, window)[1]

    assert "4 tradable names" in str(found["black-litterman"]["refused"])
    assert "weights" in found["minimum variance"]


def test_falling_names_leave_maximum_sharpe_without_a_book(build: Any) -> None:
    closes = build.closes() * np.exp(-0.02 * np.arange(320.0))[:, None]
    falling = build.world(closes, sectors=list("abcdef")).scene()
    window = window_of(ledger_of(falling), falling, Estimators())

    found = build_books(ledger_of(falling), falling, window)[1]

    assert "highest excess return" in str(found["maximum sharpe"]["refused"])
    assert "weights" in found["robust"]


def test_two_classes_are_balanced_by_the_reference_book_and_labeled_apart(build: Any) -> None:
    classes = [AssetClass.STOCK] * 3 + [AssetClass.BOND] * 3
    closes = build.closes()
    closes[:, 3:] = closes[:, 3:] ** 0.3
    mixed = build.world(closes, classes=classes).scene()
    window = window_of(ledger_of(mixed), mixed, Estimators())

    book: Any = build_books(ledger_of(mixed), mixed, window)[1]["reference book"]

    bonds = sum(weight for label, weight in book["sectors"].items() if label.startswith("bond/"))
    assert bonds > 0.6


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), n_names=st.integers(4, 9))
def test_a_window_over_chosen_names_knows_only_them(build: Any, seed: int, n_names: int) -> None:
    scene = build.world(build.closes(n_days=260, n_names=n_names, seed=seed)).scene()
    kept = scene.symbols[1:]

    window = window_of(ledger_of(scene), scene, Estimators(), kept)

    assert window.symbols == kept
    assert window.returns == pytest.approx(scene.returns[:, 1:])
    for name in ("equal risk", "hierarchical", "reference book"):
        assert METHODS[name](window).sum() == pytest.approx(1.0)
