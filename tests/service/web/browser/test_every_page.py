"""Every page in a real browser: nothing goes wrong, nothing leaves, all has a name, fits a phone and is light."""

from collections.abc import Callable
from typing import Any

import pytest
from parley.service.web.shell import NAV

from .eyes import nameless, overhang_px, small_targets, weak_texts

LETTERS = "(size) => { document.documentElement.style.fontSize = size; }"
PHONE = {"width": 390, "height": 844}
WEIGHT_BYTES = 150_000
PAINT_MS = 2_000.0
"""The goal is a second. A machine that does other work meanwhile gets two, so that the test tells of pages."""
LISTED = {"/decisions": "main table tbody th a", "/execution": "main a[href*='/orders/']"}
"""Pages whose first link of this kind leads to the page of one record."""

pytestmark = pytest.mark.slow


def looked_at(screen: Any) -> dict[str, Any]:
    """What is wrong with the page that is shown: in a wide window in both themes, with large letters, on a phone."""
    page = screen.page
    found: dict[str, Any] = {"nameless": nameless(page), "wide": overhang_px(page), "weak": weak_texts(page)}
    page.emulate_media(color_scheme="dark")
    found["weak in the dark"] = weak_texts(page)
    page.evaluate(LETTERS, "200%")
    found["wide with large letters"] = overhang_px(page)
    page.evaluate(LETTERS, "")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(PHONE)
    found |= {"wide on a phone": overhang_px(page), "nameless on a phone": nameless(page)}
    found |= {"small on a phone": small_targets(page)}
    page.set_viewport_size({"width": 1440, "height": 1000})
    return {name: value for name, value in found.items() if value}


@pytest.mark.parametrize("path", [place.path for place in NAV])
def test_a_page_is_whole_named_and_fits(screen: Callable[..., Any], recorded_at: str, path: str) -> None:
    desk = screen(recorded_at, at=path)

    wrong = looked_at(desk)
    if path in LISTED:
        desk.page.locator(LISTED[path]).first.click()
        desk.settle()
        wrong |= {f"one of {name}": value for name, value in looked_at(desk).items()}
        assert desk.page.url.startswith(recorded_at) and desk.page.url != recorded_at + path

    assert wrong == {}


def test_the_door_and_an_address_that_is_not_there_are_pages_too(screen: Callable[..., Any], recorded_at: str) -> None:
    door, lost = screen(recorded_at, None), screen(recorded_at)

    door.page.goto(recorded_at + "/decisions")
    lost.page.goto(recorded_at + "/nothing-of-this-name")
    missing = lost.page.get_by_role("heading", level=1).inner_text()
    refusals = lost.troubles.copy()
    lost.troubles.clear()

    assert door.page.url.endswith("/sign-in?next=/decisions") or "next=%2Fdecisions" in door.page.url
    assert looked_at(door) == {} and looked_at(lost) == {}
    assert missing and [item for item in refusals if "404" not in item] == [] and refusals


def test_scripts_and_sheets_of_all_pages_are_light_and_the_first_paint_is_soon(
    screen: Callable[..., Any], recorded_at: str
) -> None:
    desk = screen(recorded_at)
    weights: dict[str, int] = {}
    paints: dict[str, float] = {}
    for place in NAV:
        desk.go(place.path)
        weights |= desk.page.evaluate(
            """() => Object.fromEntries(performance.getEntriesByType("resource")
                 .filter((entry) => entry.name.includes("/static/"))
                 .map((entry) => [entry.name, entry.encodedBodySize]))"""
        )
        paints[place.path] = desk.page.evaluate(
            """() => new Promise((tell) => new PerformanceObserver((list) => {
                 for (const entry of list.getEntriesByName("first-contentful-paint")) tell(entry.startTime);
               }).observe({ type: "paint", buffered: true }))"""
        )
    print(f"scripts and sheets {sum(weights.values()):,} bytes as sent; first paint in ms: {paints}")

    assert len(weights) >= 6 and all(size > 0 for size in weights.values())
    assert sum(weights.values()) < WEIGHT_BYTES
    assert max(paints.values()) < PAINT_MS


def test_what_leaves_and_what_fails_is_noticed(recorded_at: str, screen: Callable[..., Any]) -> None:
    """The guard of all the other tests, on a page that does what none may."""
    bad = screen(recorded_at)
    bad.page.evaluate(
        """() => { console.error("a trouble"); document.querySelector("main").append(
             Object.assign(new Image(), { src: "http://elsewhere.test/x.png" }));
             document.querySelector("main").append(document.createElement("button")); }"""
    )
    bad.page.goto("about:blank")
    bad.page.set_content(
        "<button></button><input><p style='color:#777'>pale</p><p style='color:#767676'>just enough</p>"
    )
    bad.page.evaluate("() => fetch('http://elsewhere.test/y').catch(() => null)")

    noticed, left = bad.troubles.copy(), bad.strangers.copy()
    without_name = nameless(bad.page)
    weak, small = weak_texts(bad.page), small_targets(bad.page)
    bad.troubles.clear()
    bad.asked_for.clear()

    assert "a trouble" in noticed and any("Content Security Policy" in item for item in noticed)
    assert any(url.startswith("http://elsewhere.test/y") for url in left)
    assert [item.split()[0] for item in without_name] == ["button", "input"]
    assert weak == {"pale": 4.48} and [item.split()[0] for item in small] == ["button", "input"]
