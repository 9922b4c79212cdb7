"""An operator's views: Idzorek's meaning of a confidence, the books they tilt, and what is refused."""

from typing import Any

import numpy as np
import pytest
from parley.quant.errors import ParameterError
from parley.tools.errors import NotEnoughData
from parley.tools.estimators import Estimators
from parley.tools.portfolio import RISK_AVERSION
from parley.tools.scene import Scene
from parley.tools.stated_views import StatedView, stated_views
from parley.tools.window import Window, window_of


@pytest.fixture(scope="module")
def scene(build: Any) -> Scene:
    return build.world(sectors=[f"sector{place}" for place in range(len(build.names))]).scene()


@pytest.fixture(scope="module")
def window(build: Any, scene: Scene) -> Window:
    return window_of(build.ledger(scene), scene, Estimators())


def found(build: Any, scene: Scene, window: Window, *views: StatedView) -> dict[str, Any]:
    ledger = build.ledger(scene)
    output: Any = stated_views(ledger, window, views)[1]
    assert [entry.tool for entry in ledger.entries] == ["stated_views"]
    return output


def test_a_view_moves_the_free_book_by_its_confidence_of_what_certainty_would(
    build: Any, scene: Scene, window: Window
) -> None:
    # Idzorek (2005), section 3.2: the tilt of weights mean / (gamma Sigma) is the confidence times a certain view's.
    symbol = window.symbols[2]

    def tilt(confidence: float) -> np.ndarray:
        output = found(build, scene, window, StatedView(symbol, 0.30, confidence))
        moved = [output["posterior_annual"][name] - output["prior_annual"][name] for name in window.symbols]
        return np.linalg.solve(RISK_AVERSION * window.cov, np.array(moved) / 252)

    nearly_certain = tilt(1.0 - 1e-9)
    assert np.abs(nearly_certain[2]) > 0.01
    np.testing.assert_allclose(tilt(0.4), 0.4 * nearly_certain, rtol=1e-5, atol=1e-9)
    # An absolute view on one name asks for nothing of the others, beyond what they must give up.
    np.testing.assert_allclose(np.delete(tilt(0.4), 2), 0.0, atol=1e-9)


def test_a_certain_view_is_the_posterior_of_its_name_and_others_follow_by_their_covariance(
    build: Any, scene: Scene, window: Window
) -> None:
    output = found(build, scene, window, StatedView(window.symbols[0], 0.5, 0.999999))

    prior, posterior = (np.array(list(output[key].values())) for key in ("prior_annual", "posterior_annual"))
    assert posterior[0] == pytest.approx(0.5, abs=1e-5)
    slopes = window.cov[:, 0] / window.cov[0, 0]
    np.testing.assert_allclose(posterior - prior, slopes * (posterior[0] - prior[0]), rtol=1e-6)


def test_good_news_of_a_name_buys_it_and_bad_news_sells_it(build: Any, scene: Scene, window: Window) -> None:
    liked, disliked = window.symbols[1], window.symbols[4]

    book = found(build, scene, window, StatedView(liked, 0.6, 0.7), StatedView(disliked, -0.2, 0.7))["books"][
        "maximum sharpe"
    ]

    assert book["tilt"][liked] > 0.01 and book["tilt"][disliked] < -0.01
    assert sum(book["before"].values()) == pytest.approx(1.0)
    assert sum(book["after"].values()) == pytest.approx(1.0)
    assert sum(book["tilt"].values()) == pytest.approx(0.0, abs=1e-9)
    assert max(book["after"].values()) <= window.max_name_frac + 1e-9
    assert book["moved"] == pytest.approx(sum(map(abs, book["tilt"].values())))


def test_a_view_that_repeats_the_prior_changes_no_return(build: Any, scene: Scene, window: Window) -> None:
    symbol = window.symbols[3]
    prior = found(build, scene, window, StatedView(symbol, 0.1, 0.5))["prior_annual"]

    output = found(build, scene, window, StatedView(symbol, prior[symbol], 0.5))

    assert output["posterior_annual"] == pytest.approx(prior)


def test_news_so_bad_that_nothing_is_left_to_earn_is_a_finding_about_that_book(
    build: Any, scene: Scene, window: Window
) -> None:
    views = [StatedView(symbol, -0.5, 0.99) for symbol in window.symbols]

    books = found(build, scene, window, *views)["books"]

    assert books["maximum sharpe"]["refused"]
    assert sum(books["minimum variance"]["after"].values()) == pytest.approx(1.0)


def test_unknown_names_and_confidences_that_are_none_are_refused(build: Any, scene: Scene, window: Window) -> None:
    with pytest.raises(NotEnoughData, match="NOPE: not among the") as caught:
        stated_views(build.ledger(scene), window, [StatedView("NOPE", 0.1, 0.5)])
    assert window.symbols[0] in caught.value.remedy
    for confidence in (0.0, 1.0, 1.5):
        with pytest.raises(ParameterError, match="strictly between 0 and 1"):
            stated_views(build.ledger(scene), window, [StatedView(window.symbols[0], 0.1, confidence)])
