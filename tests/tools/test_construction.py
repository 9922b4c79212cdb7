"""Books by every method over one window: their limits, their known relations, and what they refuse."""

from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.instruments import AssetClass
from parley.gate.limits import load_limits
from parley.quant.errors import SolverError
from parley.quant.optimizer import maximize_utility
from parley.tools.construction import DUST_FRAC, METHODS, build_books, frontier
from parley.tools.errors import NotEnoughData
from parley.tools.estimators import Estimators
from parley.tools.ledger import Ledger
from parley.tools.scene import Scene
from parley.tools.window import AskedLimits, Opinion, Window, window_of

PROGRAMS = (
    "minimum variance",
    "minimum variance ledoit-wolf",
    "maximum sharpe",
    "minimum shortfall",
    "robust",
    "robust box",
)


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


def test_asked_limits_bind_every_program_and_are_named_where_a_rule_breaks_them(
    scene: Scene, estimators: Estimators
) -> None:
    asked = AskedLimits(max_sector_frac=0.2, beta_low=0.6, beta_high=0.75)
    window = window_of(ledger_of(scene), scene, estimators, asked=asked)

    found = cast(dict[str, dict[str, Any]], build_books(ledger_of(scene), scene, window)[1])

    for name in (*PROGRAMS, "black-litterman"):
        assert found[name]["over_limits"] == [], name
        assert max(found[name]["sectors"].values()) <= 0.2 + 1e-6
        assert 0.6 - 1e-5 <= found[name]["beta"] <= 0.75 + 1e-5
    assert "market beta" in found["equal weight"]["over_limits"]


def test_an_asked_sector_cap_never_widens_the_desks(scene: Scene, estimators: Estimators) -> None:
    plain = window_of(ledger_of(scene), scene, estimators)
    wide = window_of(ledger_of(scene), scene, estimators, asked=AskedLimits(max_sector_frac=0.9))

    assert wide.sectors.upper.tolist() == plain.sectors.upper.tolist()


def test_a_beta_out_of_reach_names_itself_among_the_limits_in_conflict(scene: Scene, estimators: Estimators) -> None:
    window = window_of(ledger_of(scene), scene, estimators, asked=AskedLimits(beta_low=3.0, beta_high=4.0))

    with pytest.raises(SolverError, match="factor market beta within 3 to 4"):
        frontier(ledger_of(scene), scene, window)


def test_the_robust_box_is_maximum_utility_at_means_less_their_errors(window: Window) -> None:
    n_days, n_names = window.returns.shape
    worst = window.returns.mean(axis=0) - 2.0 * window.returns.std(axis=0, ddof=1) / n_days**0.5
    plain = maximize_utility(
        worst,
        window.cov,
        lower=np.zeros(n_names),
        upper=np.full(n_names, window.max_name_frac),
        gamma=5.0,
        groups=window.sectors,
    ).weights

    assert METHODS["robust box"](window) == pytest.approx(plain, abs=1e-5)


def test_names_that_move_together_stand_together(scene: Scene, window: Window) -> None:
    ledger = ledger_of(scene)
    build_books(ledger, scene, window)

    order = cast(dict[str, Any], ledger.entries[-1].output)["together"]

    assert sorted(order) == sorted(window.symbols)
    assert abs(order.index("BAC") - order.index("JPM")) == 1
    assert abs(order.index("CVX") - order.index("XOM")) == 1
