"""Target weights and the plan to reach them: every cap holds, and a plan is whole shares that can be paid for."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.instruments import AssetClass
from parley.domain.orders import Side
from parley.domain.views import TargetWeights
from parley.quant.calibration import Outlook
from parley.tools.errors import CovarianceUnsound
from parley.tools.portfolio import MIN_TRADE_FRAC, draft_plan, target_weights
from parley.tools.risk import HEADROOM_FRAC, position_caps

TOLERANCE = 1e-7


def targets_of(build: Any, scene: Any, outlook: Outlook | None = None, max_gross: float = 1.0) -> TargetWeights:
    ledger = build.ledger(scene)
    _, caps = position_caps(ledger, scene)
    return target_weights(ledger, scene, caps, max_gross, outlook)[1]


def outlook(views: np.ndarray, n_weeks: int = 500, t_stat: float = 3.0) -> Outlook:
    return Outlook(
        score=np.sign(views),
        expected_residual_return=views,
        confidence=np.full(len(views), 0.53),
        ic_by_score=np.full(6, 0.03),
        ic=0.03,
        t_stat=t_stat,
        n_weeks=n_weeks,
    )


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 999),
    vol=st.floats(0.003, 0.05),
    max_gross=st.floats(0.1, 1.0),
    held=st.dictionaries(st.sampled_from(["AAA", "BBB", "CCC"]), st.integers(1, 6000)),
    drawdown=st.floats(0.0, 0.3),
)
def test_targets_stay_within_caps_sectors_and_gross(
    build: Any, seed: int, vol: float, max_gross: float, held: dict[str, int], drawdown: float
):
    classes = [AssetClass.STOCK] * 4 + [AssetClass.FUND, AssetClass.COMMODITY]
    scene = build.world(build.closes(260, 6, seed, vol), classes=classes).scene(
        held=held, peak_equity=Decimal(round(1_000_000 / (1 - drawdown)))
    )
    _, caps = position_caps(build.ledger(scene), scene)

    targets = targets_of(build, scene, max_gross=max_gross)

    assert all(-TOLERANCE <= weight <= caps[symbol] + TOLERANCE for symbol, weight in targets.weights.items())
    assert sum(targets.weights.values()) <= max_gross + TOLERANCE
    for instrument in scene.instruments:
        label = f"{instrument.asset_class.value}/{instrument.sector}"
        limit = scene.limits.max_sector_weight.of(instrument.asset_class) * HEADROOM_FRAC
        assert targets.exposures[label] <= limit + TOLERANCE


def test_a_drawdown_shrinks_the_target(world: Any, build: Any):
    calm = targets_of(build, world.scene())
    hurt = targets_of(build, world.scene(peak_equity=Decimal(1_070_000)))

    assert hurt.gross < 0.7 * calm.gross
    assert {step.name: step.value for step in hurt.path}["drawdown"] == pytest.approx(1 - 1 / 1.07)


def test_the_path_leads_from_the_book_to_what_is_wanted(world: Any, build: Any):
    targets = targets_of(build, world.scene())
    path = {step.name: step.value for step in targets.path}

    expected = path["reference book"] * path["volatility target"] * path["vix rule"] * path["drawdown throttle"]
    assert path["wanted gross"] == pytest.approx(expected)
    assert path["capped gross"] == pytest.approx(targets.gross)


def test_what_is_held_in_a_name_that_cannot_be_traded_takes_up_room(build: Any):
    close = build.closes(vol=0.003)
    close[-1, 0] = np.nan
    world = build.world(close)
    shares = round(400_000 / close[-2, 0])

    free, taken = targets_of(build, world.scene()), targets_of(build, world.scene(held={"AAA": shares}), max_gross=0.5)

    assert free.gross > 0.3
    assert taken.gross == pytest.approx(0.1, abs=1e-3)


def test_without_any_room_the_target_is_nothing(build: Any):
    close = build.closes()
    close[-1, 0] = np.nan
    world = build.world(close)
    too_many = world.scene(held={"AAA": round(600_000 / close[-2, 0])})

    assert targets_of(build, too_many, max_gross=0.5).gross == 0.0
    assert targets_of(build, world.scene(), max_gross=0.0).gross == 0.0


def test_an_unproven_record_leaves_the_reference_book_untilted(world: Any, build: Any):
    scene = world.scene()
    views = np.linspace(-0.05, 0.05, 6)

    plain = targets_of(build, scene)

    for unproven in (outlook(views, n_weeks=119), outlook(views, t_stat=1.9), None):
        assert targets_of(build, scene, unproven) == plain


def test_a_proven_record_tilts_the_book_toward_its_views_within_the_caps(build: Any):
    # Quiet names, so that the caps and not the volatility target decide the size.
    scene = build.world(build.closes(260, 20, vol=0.02), sectors=[f"s{k}" for k in range(20)]).scene()
    views = np.where(np.arange(20) < 10, 0.02, -0.02)
    _, caps = position_caps(build.ledger(scene), scene)

    plain, tilted = targets_of(build, scene), targets_of(build, scene, outlook(views))

    def liked(targets: TargetWeights) -> float:
        return sum(list(targets.weights.values())[:10]) / targets.gross

    assert liked(plain) == pytest.approx(0.5, abs=0.01)
    assert liked(tilted) > 0.7
    assert tilted.expected_return > 0
    assert "tilted by the scores" in tilted.path[0].text
    assert all(weight <= caps[symbol] + TOLERANCE for symbol, weight in tilted.weights.items())


def test_a_proven_record_whose_gain_does_not_pay_its_cost_leaves_the_book_alone(world: Any, build: Any):
    scene = world.scene()
    dear = replace(scene, costs=replace(scene.costs, half_spread_bps=500.0))

    views = outlook(np.linspace(-0.01, 0.01, 6))

    assert targets_of(build, dear, views).expected_return == 0.0


def test_other_holdings_are_other_evidence(world: Any, build: Any):
    def evidence(scene: Any) -> str:
        return targets_of(build, scene).evidence[0]

    assert evidence(world.scene()) == evidence(world.scene())
    assert evidence(world.scene()) != evidence(world.scene(held={"AAA": 10}))


def drafted(build: Any, scene: Any, **weights: float) -> Any:
    """The plan of a target that is given, not computed."""
    targets = targets_of(build, scene).model_copy(
        update={"weights": {symbol: weights.get(symbol, 0.0) for symbol in scene.symbols}, "rebalance": True}
    )
    return draft_plan(scene, targets, "dec-1")


def test_a_draft_rounds_down_to_whole_shares(build: Any):
    close = build.closes()
    close[-1, 0] = 37.0

    (leg,) = drafted(build, build.world(close).scene(), AAA=0.05).legs

    # 50,000 / 37 = 1351.35
    assert (leg.symbol, leg.side, leg.quantity) == ("AAA", Side.BUY, 1351)


def test_sells_come_first_so_that_they_can_pay(build: Any):
    scene = build.world().scene(held={"CCC": 2000, "EEE": 1000})

    legs = drafted(build, scene, AAA=0.05, DDD=0.05).legs

    assert [(leg.symbol, leg.side) for leg in legs] == [
        ("CCC", Side.SELL),
        ("EEE", Side.SELL),
        ("AAA", Side.BUY),
        ("DDD", Side.BUY),
    ]


def test_a_leg_below_the_least_value_is_left_out(build: Any):
    scene = build.world().scene()

    legs = drafted(build, scene, AAA=MIN_TRADE_FRAC * 0.9, BBB=MIN_TRADE_FRAC * 1.5).legs

    assert [leg.symbol for leg in legs] == ["BBB"]


def test_no_plan_sells_more_than_is_held(build: Any):
    (leg,) = drafted(build, build.world().scene(held={"AAA": 777})).legs

    assert (leg.side, leg.quantity) == (Side.SELL, 777)


@pytest.mark.parametrize(("held", "weight", "side", "quantity"), [(150, 0.0, "SELL", 150), (1250, 0.05, "SELL", 200)])
def test_whole_lots_are_traded_and_odd_ones_only_to_close(
    build: Any, held: int, weight: float, side: str, quantity: int
):
    close = build.closes()
    close[-1, 0] = 50.0

    (leg,) = drafted(build, build.world(close, lot=100).scene(held={"AAA": held}), AAA=weight).legs

    # A weight of 0.05 is 1,000 shares: 250 too many are held, and 200 of them are whole lots.
    assert (leg.side.value, leg.quantity) == (side, quantity)


def test_inside_the_band_the_draft_is_empty(build: Any):
    world = build.world()
    scene = world.scene()
    targets = targets_of(build, scene)
    held = {symbol: int(1_000_000 * weight / float(scene.prices[symbol])) for symbol, weight in targets.weights.items()}

    there = world.scene(held=held)
    kept = targets_of(build, there)

    assert not kept.rebalance
    assert draft_plan(there, kept, "dec-1").legs == ()
    assert targets.rebalance and draft_plan(scene, targets, "dec-1").legs


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(st.sampled_from(["AAA", "BBB", "CCC", "DDD"]), st.integers(1, 3000)), st.integers(1, 300))
def test_a_draft_brings_the_book_to_within_a_lot_or_the_least_value_of_its_target(
    build: Any, held: dict[str, int], lot: int
):
    scene = build.world(lot=lot).scene(held=held)
    targets = targets_of(build, scene).model_copy(update={"rebalance": True})

    plan = draft_plan(scene, targets, "dec-1")

    after = dict.fromkeys(scene.symbols, 0) | held
    for leg in plan.legs:
        after[leg.symbol] += leg.side.sign * leg.quantity
    for symbol, quantity in after.items():
        gap = abs(float(scene.prices[symbol]) * quantity / 1_000_000 - targets.weights[symbol])
        assert quantity >= 0
        assert gap <= MIN_TRADE_FRAC + 2 * lot * float(scene.prices[symbol]) / 1_000_000


@pytest.mark.parametrize(("spoil", "says"), [(np.nan, "holes"), (-1.0, "an eigenvalue of -")])
def test_a_covariance_that_is_none_sizes_no_book(build: Any, spoil: float, says: str) -> None:
    scene = build.world(build.closes(260, 4, 1, 0.01)).scene()
    spoiled = scene.covariance.copy()
    spoiled[1, 1] *= spoil
    object.__setattr__(scene, "covariance", spoiled)

    with pytest.raises(CovarianceUnsound, match=says):
        targets_of(build, scene)
