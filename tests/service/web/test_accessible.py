"""Pages for everybody: one heading, labels, captions, names, contrast, and nothing inline."""

import re
from itertools import pairwise
from typing import Any

import pytest
from parley.service.web.assets import FOLDER, HOUSE_STYLE
from parley.service.web.shell import NAV

PATHS = [*(place.path for place in NAV), "/sign-in"]
COLOR = re.compile(r"--([a-z0-9-]+):\s*(#[0-9a-f]{6})\b")
TEXT_ON = ("bg", "panel", "raised", "ground")
INKS = ("ink", "soft", "good", "bad", "c0", "warn-ink")
"""Colors that text is written in."""


@pytest.mark.parametrize("path", PATHS)
def test_a_page_can_be_used_without_seeing_it_and_without_a_mouse(still: Any, read: Any, path: str) -> None:
    page = read(still.client("oz" if path != "/sign-in" else None).get(path).text)

    headings = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    labelled = {found["for"] for found in page.all("label")}
    fields = [found for tag in ("input", "select", "textarea") for found in page.all(tag)]
    ids = [found["id"] for _, found in page.elements if "id" in found]
    images = [found for tag in ("img", "svg") for found in page.all(tag)]

    assert headings.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(headings) if before > 0), headings
    assert [
        f for f in fields if f.get("type") != "hidden" and f.get("id") not in labelled and "aria-label" not in f
    ] == []
    assert len(ids) == len(set(ids))
    assert [item for item in images if not {"aria-hidden", "role", "aria-label", "alt"} & item.keys()] == []
    assert [found for found in page.all("th") if not found.get("scope")] == []
    assert len(page.all("table")) == len(page.all("caption"))
    assert [found for found in page.all("button") if found.get("type") not in ("button", "submit")] == []
    assert page.all("html", lang="en") and len(page.all("main")) == 1
    assert page.unclosed == []


@pytest.mark.parametrize("path", PATHS)
def test_a_page_holds_no_script_style_or_handler_of_its_own(still: Any, read: Any, path: str) -> None:
    html = still.client("oz" if path != "/sign-in" else None).get(path).text
    page = read(html)

    assert [found for found in page.all("script") if not found.get("src", "").startswith("/static/")] == []
    assert page.all("style") == [] and [found for _, found in page.elements if "style" in found] == []
    assert [name for _, found in page.elements for name in found if name.startswith("on")] == []
    addresses = [found.get(key, "") for _, found in page.elements for key in ("src", "href", "action")]
    assert [to for to in addresses if to and not to.startswith(("/", "#", "?", "data:image/svg+xml,"))] == []


def test_the_frame_can_be_skipped_and_says_where_one_is(still: Any, read: Any) -> None:
    page = read(still.client("vic").get("/alerts").text)

    assert page.all("a", href="#main", **{"class": "skip"}) and page.all("main", id="main", tabindex="-1")
    assert page.all("a", href="/alerts", **{"aria-current": "page"})
    assert page.all("nav", **{"aria-label": "Pages"})
    assert page.all("p", id="live", role="status")


def themes() -> dict[str, dict[str, str]]:
    """The colors of both themes as the web's own sheet names them."""
    text = (FOLDER / "web.css").read_text(encoding="utf-8")
    base = dict(COLOR.findall(text[: text.index(':root[data-theme="light"]')]))
    light = text[text.index(':root[data-theme="light"]') : text.index("@media (prefers-color-scheme: dark)")]
    dark = text[text.index(':root[data-theme="dark"]') : text.index("/* The frame */")]
    return {"light": base | dict(COLOR.findall(light)), "dark": base | dict(COLOR.findall(dark))}


def test_the_reports_and_the_web_have_the_same_colors() -> None:
    house = HOUSE_STYLE.read_text(encoding="utf-8")
    split = house.index("@media screen and (prefers-color-scheme: dark)")
    light, dark = dict(COLOR.findall(house[:split])), dict(COLOR.findall(house[split : house.index("* { box-sizing")]))

    assert len(light) >= 13 and light.keys() == dark.keys()
    assert light.items() <= themes()["light"].items()
    assert dark.items() <= themes()["dark"].items()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_can_be_read_on_every_ground(theme: str) -> None:
    colors = themes()[theme]
    pairs = [(ink, ground) for ink in INKS for ground in TEXT_ON] + [("on-accent", "c0"), ("warn-ink", "warn")]

    weak = {pair: round(found, 2) for pair in pairs if (found := contrast(colors[pair[0]], colors[pair[1]])) < 4.5}

    assert weak == {}


def test_contrast_is_that_of_the_standard() -> None:
    """WCAG 2.2, relative luminance: black on white is 21, and #767676 the lightest gray that passes on white."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.005)


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def luminance(color: str) -> float:
    parts = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_theme_that_was_chosen_is_in_the_page_and_nothing_else_can_be(still: Any, read: Any) -> None:
    client = still.client("vic")

    client.cookies["parley_theme"] = "dark"
    dark = read(client.get("/").text).all("html")
    client.cookies["parley_theme"] = '"><script>'
    other = read(client.get("/").text).all("html")

    assert dark == [{"lang": "en", "data-theme": "dark"}] and other == [{"lang": "en", "data-theme": "auto"}]
