"""Option tools: textbook prices, Greeks against bumps, volatilities that come back, and a chain of a known smile."""

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from parley.quant.black_scholes import OptionKind, price
from parley.quant.vol_surface import Smile
from parley.tools.chain_rows import Chain
from parley.tools.chain_volume import UNUSUAL_CONTRACTS, chain_flow, unusual_contracts
from parley.tools.chains import calendar_check, read_expiry
from parley.tools.errors import ToolError
from parley.tools.ledger import Ledger
from parley.tools.pricing import (
    GREEK_UNITS,
    TIMELESS,
    Contract,
    american_price,
    implied_vol,
    option_greeks,
    parity_partner,
    price_option,
)

HULL = Contract("call", 42.0, 40.0, 0.5, 0.10)
DAY, NEAR, FAR = date(2020, 6, 8), date(2020, 7, 17), date(2020, 9, 18)
RATE, FORWARD = 0.02, 101.0
SMILES = {NEAR: (0.004, 0.02, -0.4, 0.0, 0.1), FAR: (0.012, 0.04, -0.4, 0.0, 0.15)}
CONTRACTS = st.builds(
    Contract,
    st.sampled_from(["call", "put"]),
    st.floats(50.0, 200.0),
    st.floats(70.0, 140.0),
    st.floats(0.1, 2.0),
    st.floats(-0.02, 0.08),
    st.floats(0.0, 0.05),
)


def ledger() -> Ledger:
    return Ledger(TIMELESS, "terms")


def smile_of(expiry: date) -> Smile:
    return Smile((expiry - DAY).days / 365, *SMILES[expiry])


def day_rows(day: date = DAY) -> Chain:
    """Both expiries priced from their smiles at 25 strikes, calls and puts, 200 contracts each."""
    strikes = np.arange(70.0, 132.5, 2.5)
    parts = []
    for expiry in SMILES:
        smile = smile_of(expiry)
        for kind in ("call", "put"):
            spot = FORWARD * np.exp(-RATE * smile.years)
            vols = smile.vol(np.log(strikes / FORWARD))
            parts.append((expiry, kind, strikes, price(kind, spot, strikes, smile.years, RATE, vols)))
    n = len(strikes)
    count = n * len(parts)
    return Chain(
        underlying="MADE",
        day=np.full(count, np.datetime64(day, "D")),
        expiry=np.repeat([np.datetime64(part[0], "D") for part in parts], n),
        strike=np.concatenate([part[2] for part in parts]),
        is_call=np.repeat([part[1] == "call" for part in parts], n),
        price=np.concatenate([part[3] for part in parts]),
        is_traded=np.ones(count, dtype=bool),
        volume=np.full(count, 200.0),
        open_interest=np.full(count, 1000.0),
        spot=np.full(count, 100.0),
    )


def days_of_rows(days: list[date]) -> Chain:
    chains = [day_rows(day) for day in days]
    names = ("day", "expiry", "strike", "is_call", "price", "is_traded", "volume", "open_interest", "spot")
    return Chain("MADE", *(np.concatenate([getattr(chain, name) for chain in chains]) for name in names))


def output(item: object) -> Any:
    """A tool's nested output, for reaching into."""
    return item


def test_a_european_call_and_its_partner_cost_what_hull_says() -> None:
    # Hull (2018), Options, Futures, and Other Derivatives, 10th ed., example 15.6: 4.76 and 0.81.
    assert price_option(ledger(), HULL, 0.2)["price"] == pytest.approx(4.76, abs=0.005)
    partner = parity_partner(ledger(), HULL, 0.2)
    assert partner["kind"] == "put"
    assert partner["price"] == pytest.approx(0.81, abs=0.005)


def test_an_american_put_costs_what_hull_says_and_more_than_the_european() -> None:
    # Hull (2018), ch. 21: 4.283 with 500 Cox-Ross-Rubinstein steps, still 0.001 low, and 4.076 for the European put.
    put = Contract("put", 50.0, 50.0, 5 / 12, 0.10)

    found = american_price(ledger(), put, 0.4)

    assert found["price"] == pytest.approx(4.283, abs=0.0015)
    assert found["early_exercise"] == pytest.approx(4.283 - 4.076, abs=0.002)
    assert found["tree"] == "leisen-reimer"


def test_early_exercise_of_a_call_without_dividends_is_worth_nothing() -> None:
    found = american_price(ledger(), HULL, 0.2)

    assert found["early_exercise"] == pytest.approx(0.0, abs=1e-4)
    assert found["price"] == pytest.approx(HULL.value(0.2), abs=1e-4)


def test_strikes_too_far_for_the_first_tree_fall_to_the_second() -> None:
    far = Contract("put", 50.0, 150.0, 0.002, 0.01)

    found = american_price(ledger(), far, 0.05)

    assert found["tree"] == "cox-ross-rubinstein"
    assert found["price"] == pytest.approx(100.0)


@settings(max_examples=50, deadline=None)
@given(CONTRACTS, st.floats(0.1, 0.8))
def test_put_call_parity_leaves_no_gap(contract: Contract, vol: float) -> None:
    found = parity_partner(ledger(), contract, vol)

    assert abs(float(found["gap"])) < 1e-10
    assert found["call_less_put"] == pytest.approx(found["spot_less_strike"], abs=1e-8)


@settings(max_examples=50, deadline=None)
@given(CONTRACTS, st.floats(0.15, 0.8))
def test_greeks_are_the_slopes_of_the_price(contract: Contract, vol: float) -> None:
    found = option_greeks(ledger(), contract, vol)["by_unit"]

    def slope(step: float, **changed: float) -> float:
        up, down = (
            replace(contract, **{name: getattr(contract, name) + side * step for name in changed}).value(vol)
            for side in (1.0, -1.0)
        )
        return (up - down) / (2.0 * step)

    assert found["delta"] == pytest.approx(slope(1e-3, spot=1.0), abs=1e-5)
    assert found["rho"] == pytest.approx(slope(1e-5, rate=1.0), abs=1e-3)
    assert found["epsilon"] == pytest.approx(slope(1e-5, dividend_yield=1.0), abs=1e-3)
    assert found["theta"] == pytest.approx(-slope(1e-5, years=1.0), abs=1e-3)
    bumped = (contract.value(vol + 1e-5) - contract.value(vol - 1e-5)) / 2e-5
    assert found["vega"] == pytest.approx(bumped, abs=1e-3)


def test_every_greek_has_a_unit_and_a_desks_own_scale() -> None:
    found = option_greeks(ledger(), HULL, 0.2)

    assert set(found["by_unit"]) == set(found["by_point"]) == set(GREEK_UNITS)
    # What one volatility point more adds, to second order; what is left is third order.
    gained = HULL.value(0.21) - HULL.value(0.20)
    assert found["by_point"]["vega"] + 0.5 * found["by_point"]["volga"] == pytest.approx(gained, abs=1e-4)
    assert found["by_point"]["theta"] == pytest.approx(found["by_unit"]["theta"] / 365.0)


@settings(max_examples=50, deadline=None)
@given(CONTRACTS, st.floats(0.15, 0.8))
def test_the_implied_volatility_is_the_one_that_priced_the_option(contract: Contract, vol: float) -> None:
    # Far from the money a price no longer holds the digits of its volatility.
    assume(option_greeks(ledger(), contract, vol)["by_unit"]["vega"] > 0.1)
    paid = contract.value(vol)

    found = implied_vol(ledger(), contract, paid)

    assert found["repriced"] == pytest.approx(paid, rel=1e-8)
    assert found["vol"] == pytest.approx(vol, abs=1e-8)


@pytest.mark.parametrize(("kind", "strike", "vol"), [("put", 105.0, 0.3), ("put", 90.0, 0.12), ("call", 95.0, 0.7)])
def test_an_american_market_price_is_inverted_on_the_tree(kind: OptionKind, strike: float, vol: float) -> None:
    contract = Contract(kind, 100.0, strike, 0.75, 0.05, 0.02)
    paid = float(american_price(ledger(), contract, vol)["price"])

    found = implied_vol(ledger(), contract, paid, american=True)

    assert found["vol"] == pytest.approx(vol, abs=1e-8)
    assert implied_vol(ledger(), contract, paid)["vol"] > found["vol"]


@pytest.mark.parametrize("american", [False, True])
@pytest.mark.parametrize("market", [4.9, 5.0, 100.0, 130.0])
def test_a_market_price_outside_its_bounds_is_refused_with_the_bounds(market: float, american: bool) -> None:
    with pytest.raises(ToolError, match=r"more than 5, .* less than 100") as refused:
        implied_vol(ledger(), Contract("call", 100.0, 95.0, 0.5), market, american=american)

    assert refused.value.remedy


def test_the_same_question_has_one_entry_and_another_has_its_own() -> None:
    book = ledger()
    price_option(book, HULL, 0.2)
    price_option(book, HULL, 0.2)
    price_option(book, HULL.partner, 0.2)
    again = ledger()
    price_option(again, HULL, 0.2)

    assert len(book.entries) == 2
    assert book.entries[0] == again.entries[0]
    assert book.entries[0].as_of == TIMELESS


@pytest.mark.parametrize("expiry", [NEAR, FAR])
def test_a_chain_made_from_a_smile_gives_back_forward_smile_skew_and_move(expiry: date) -> None:
    smile = smile_of(expiry)

    found = output(read_expiry(ledger(), day_rows(), expiry, RATE).output)

    assert found["forward"] == pytest.approx(FORWARD)
    assert found["smile"]["at_the_money"] == pytest.approx(float(smile.vol(0.0)), abs=2e-4)
    assert found["smile"]["worst"] < 1e-3
    assert found["smile"]["is_free"]
    assert found["skew"]["fraction"] > 0.01
    # Brenner and Subrahmanyam (1988): a straddle is about 0.8 standard deviations.
    assert found["move"]["fraction"] == pytest.approx(0.8 * float(smile.vol(0.0)) * smile.years**0.5, rel=0.05)
    assert found["status"]["solved"] == 50
    assert found["put_call"]["volume"] == 1.0


def test_a_close_without_a_trade_moves_nothing() -> None:
    chain = day_rows()
    stale = chain.strike > 110.0
    still = replace(chain, is_traded=~stale)
    wrong = replace(still, price=np.where(stale, 77.7, chain.price))

    one, other = (output(read_expiry(ledger(), item, FAR, RATE).output) for item in (still, wrong))

    assert one == other
    assert one["traded"] == 34


def test_a_price_below_its_intrinsic_value_is_counted_and_left_out_of_the_smile() -> None:
    chain = day_rows()
    cheap = chain.is_call & (chain.strike == 80.0) & (chain.expiry == np.datetime64(NEAR, "D"))

    found = output(read_expiry(ledger(), replace(chain, price=np.where(cheap, 15.0, chain.price)), NEAR, RATE).output)

    assert found["status"]["below_intrinsic"] == 1
    assert found["status"]["solved"] == 49


def test_an_expiry_with_one_side_only_says_why_it_has_no_forward() -> None:
    chain = day_rows()

    found = output(read_expiry(ledger(), chain.where(chain.is_call), NEAR, RATE).output)

    assert "2 are needed" in found["refused"]
    assert found["put_call"]["volume"] == 0.0
    assert "smile" not in found


def test_four_strikes_have_a_forward_but_no_smile() -> None:
    chain = day_rows()

    found = output(read_expiry(ledger(), chain.where(np.abs(chain.strike - 101.0) < 5.0), NEAR, RATE).output)

    assert found["forward"] == pytest.approx(FORWARD)
    assert "five strikes" in found["smile"]["refused"] or "5" in found["smile"]["refused"]
    assert "skew" not in found


def test_total_variance_that_falls_with_time_is_a_calendar_arbitrage() -> None:
    chain = day_rows()
    near, far = np.datetime64(NEAR, "D"), np.datetime64(FAR, "D")
    swapped = replace(chain, expiry=np.where(chain.expiry == near, far, near))

    honest, broken = (
        calendar_check(ledger(), [read_expiry(ledger(), item, expiry, RATE) for expiry in (NEAR, FAR)])
        for item in (chain, swapped)
    )

    assert [row["is_free"] for row in honest] == [True]
    assert [row["is_free"] for row in broken] == [False]


def test_ratios_leave_out_an_unknown_open_interest_and_count_it() -> None:
    chain = day_rows()
    unknown = np.arange(len(chain.strike)) == 0

    found = chain_flow(ledger(), replace(chain, open_interest=np.where(unknown, np.nan, chain.open_interest)))

    assert found["open_interest_unknown"] == 1
    assert found["open_interest"] == pytest.approx(50 / 49)
    assert chain_flow(ledger(), chain.where(~chain.is_call))["volume"] is None


def test_the_contract_that_traded_most_above_its_past_is_named_and_later_days_change_nothing() -> None:
    days = [date(2020, 6, day) for day in (1, 2, 3, 4, 5, 8, 9)]
    chain = days_of_rows(days)
    planted = (chain.day == np.datetime64(DAY, "D")) & (chain.strike == 120.0) & chain.is_call
    chain = replace(chain, volume=np.where(planted, 9000.0, chain.volume))
    later = replace(chain, volume=np.where(chain.day > np.datetime64(DAY, "D"), 5.0, chain.volume))

    found = output(unusual_contracts(ledger(), chain, DAY))

    assert {(row["strike"], row["kind"]) for row in found["rows"]} == {(120.0, "call")}
    assert [row["expiry"] for row in found["rows"]] == ["2020-07-17", "2020-09-18"]
    assert found["rows"][0]["usual"] == 200
    assert found["rows"][0]["turnover"] == 9.0
    assert found == unusual_contracts(ledger(), later, DAY)


def test_quiet_contracts_and_those_not_listed_before_are_not_unusual() -> None:
    days = [date(2020, 6, day) for day in (1, 2, 3, 4, 5, 8)]
    chain = days_of_rows(days)
    listed = (chain.strike != 100.0) | (chain.day != np.datetime64(days[2], "D"))
    chain = replace(chain, volume=np.full(len(chain.strike), UNUSUAL_CONTRACTS - 1.0)).where(listed)

    found = output(unusual_contracts(ledger(), chain, DAY))

    assert (found["rows"], found["compared"], found["left_out"]) == ([], 96, 4)


def test_four_earlier_days_are_too_few_to_call_volume_unusual() -> None:
    chain = days_of_rows([date(2020, 6, day) for day in (2, 3, 4, 5, 8)])

    assert "4 earlier days, 5 are needed" in output(unusual_contracts(ledger(), chain, DAY))["refused"]
