"""A person reads the desk in a real browser: signs in, follows a decision to its report, asks, and needs no mouse."""

import re
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.slow

FOCUSED = "() => document.activeElement.id || document.activeElement.outerHTML.slice(0, 200)"
GROUND = "() => getComputedStyle(document.body).backgroundColor"


def test_a_wrong_word_keeps_one_out_and_the_right_one_leads_to_where_one_wanted_to_go(
    screen: Callable[..., Any], recorded_at: str
) -> None:
    desk = screen(recorded_at, None)
    desk.page.goto(recorded_at + "/agents")
    desk.page.get_by_label("Name").fill("oz")
    desk.page.get_by_label("Password").fill("not this one")
    desk.page.get_by_role("button", name="Sign in").click()
    refusal = desk.page.get_by_role("alert").inner_text()
    refused = desk.troubles.copy()
    desk.troubles.clear()

    desk.page.get_by_label("Password").fill("correct horse battery staple")
    desk.page.get_by_role("button", name="Sign in").click()
    desk.settle()

    assert refusal and len([item for item in refused if item.startswith("401")]) == 1
    assert desk.page.url == recorded_at + "/agents"
    assert desk.page.get_by_role("heading", level=1).inner_text() == "Agents"


def test_a_decision_is_opened_from_the_list_and_its_report_read(screen: Callable[..., Any], recorded_at: str) -> None:
    desk = screen(recorded_at)
    desk.page.get_by_role("navigation", name="Pages").get_by_role("link", name="Decisions").click()
    desk.settle()
    traded = desk.page.locator("main tbody tr", has=desk.page.locator(".tag.good")).first
    traded.get_by_role("link").first.click()
    desk.settle()
    decision = desk.page.url.split("/")[-1].split("?")[0]

    headings = desk.page.get_by_role("heading", level=2).all_inner_texts()
    legs = desk.page.locator("section[aria-labelledby=votes] tbody tr").count()
    orders = desk.page.locator("section[aria-labelledby=orders] tbody tr").count()
    with desk.page.context.expect_page() as opened:
        desk.page.get_by_role("link", name="Its whole report").click()
    report = opened.value
    report.wait_for_load_state("load")

    assert {"Its argument", "Votes, and who dissents", "What the gate checked", "Evidence"} <= set(headings)
    assert legs >= 4 and orders >= 1
    assert decision in report.content() and report.get_by_role("heading", level=1).count() == 1
    assert report.locator("table").count() >= 3 and report.url.startswith(f"{recorded_at}/decisions/{decision}/report")


def test_three_questions_are_answered_beside_the_page_with_their_sources(
    screen: Callable[..., Any], recorded_at: str
) -> None:
    desk = screen(recorded_at, "vic", "/risk")
    desk.page.get_by_role("button", name="Ask").first.click()

    positions = desk.ask("Show open positions with weights.")
    curve = desk.ask("Show the equity curve and drawdown for this year.")
    refused = desk.ask("Turn off the veto.")
    turns = desk.page.locator("#chat-log .turn:not(.pending)")
    desk.go("/market")
    desk.page.keyboard.press("c")
    desk.page.locator("#chat-log .you", has_text="Turn off the veto.").wait_for()

    assert re.search(r"\d+ open positions|open positions at the close of", positions) and "source" in positions
    assert "%" in curve and "source" in curve
    assert "veto" in refused and "%" not in refused
    assert turns.count() >= 3


def test_the_theme_is_switched_and_stays(screen: Callable[..., Any], recorded_at: str) -> None:
    desk = screen(recorded_at)
    light = desk.page.evaluate(GROUND)

    for _ in range(2):
        desk.page.get_by_role("button", name="Theme").click()
    dark = desk.page.evaluate(GROUND)
    desk.go("/risk")
    kept = desk.page.evaluate(GROUND)
    with_the_system = screen(recorded_at, color_scheme="dark").page.evaluate(GROUND)

    assert desk.page.get_by_role("button", name="Theme: dark").count() == 1
    assert light != dark and dark == kept == with_the_system


def test_the_keyboard_alone_is_enough(screen: Callable[..., Any], recorded_at: str) -> None:
    """To skip the frame, ask, look at what a halt would do, and go to a page; the focus is always in a good place."""
    desk = screen(recorded_at)
    press, focused = desk.page.keyboard.press, lambda: desk.page.evaluate(FOCUSED)

    press("Tab")
    skip = desk.page.evaluate(
        "() => [document.activeElement.className, document.activeElement.getBoundingClientRect().top >= 0]"
    )
    press("Enter")
    skipped = focused()
    press("c")
    asking = focused()
    press("Escape")
    back = focused()
    desk.page.locator("[data-control=halt]").focus()
    press("Enter")
    desk.page.locator("#dialog[open] #control-reason").wait_for()
    begun = focused()
    desk.page.keyboard.type("only looking")
    press("Tab")
    press("Enter")
    desk.page.locator("#dialog [data-confirm=halt]").wait_for()
    confirm = focused()
    press("Escape")
    desk.page.locator("#dialog").wait_for(state="hidden")
    after = focused()
    press("g")
    press("x")
    desk.page.wait_for_url("**/execution")
    desk.settle()

    assert skip == ["skip", True] and skipped == "main"
    assert (asking, back) == ("chat-text", "chat-open")
    assert begun == "control-reason" and "data-confirm" in confirm
    assert 'data-control="halt"' in after
    assert desk.page.get_by_role("heading", level=1).inner_text() == "Execution"


def test_the_keys_are_told_and_those_of_one_letter_can_be_switched_off(
    screen: Callable[..., Any], recorded_at: str
) -> None:
    desk = screen(recorded_at, at="/alerts")
    press, chat, dialog = desk.page.keyboard.press, desk.page.locator("#chat"), desk.page.locator("#dialog")

    press("?")
    told = desk.page.get_by_role("dialog").inner_text()
    desk.page.get_by_role("button", name="Keys of one letter are on").click()
    press("Escape")
    dialog.wait_for(state="hidden")
    press("c")
    off = chat.is_visible()
    press("?")
    desk.page.get_by_role("button", name="Keys of one letter are off").click()
    press("Escape")
    dialog.wait_for(state="hidden")
    press("c")
    chat.wait_for(state="visible")

    assert "ask the desk" in told and "Evaluations" in told
    assert not off


CLOSE_AND = """(doing) => {
  const dialog = document.querySelector("#dialog"), chat = document.querySelector("#chat");
  dialog.querySelector("#keys-switch").focus();
  dialog.close();
  if (doing === "swap") chat.dispatchEvent(new CustomEvent("htmx:after:swap", {
    bubbles: true, detail: { ctx: { target: chat } },
  }));
  if (doing === "key") document.querySelector("#keys-switch").dispatchEvent(
    new KeyboardEvent("keydown", { key: "c", bubbles: true, cancelable: true }),
  );
  return [dialog.open, chat.hidden];
}"""


def test_a_part_that_arrives_as_a_dialog_closes_does_not_open_it_again_nor_is_a_key_lost(
    screen: Callable[..., Any], recorded_at: str
) -> None:
    desk = screen(recorded_at, at="/alerts")

    desk.page.keyboard.press("?")
    swapped = desk.page.evaluate(CLOSE_AND, "swap")
    desk.page.keyboard.press("?")
    pressed = desk.page.evaluate(CLOSE_AND, "key")

    assert swapped == [False, True]
    assert pressed == [False, False]


def test_on_a_phone_the_strip_of_pages_shows_the_page_one_is_on(screen: Callable[..., Any], recorded_at: str) -> None:
    desk = screen(recorded_at, at="/data", viewport={"width": 390, "height": 844})

    left, right = desk.page.evaluate(
        "() => { const box = document.querySelector('.side [aria-current]').getBoundingClientRect();"
        " return [box.left, box.right]; }"
    )

    assert 0 <= left < right <= 390


def test_a_print_is_dark_on_white_names_its_run_and_has_no_frame(screen: Callable[..., Any], recorded_at: str) -> None:
    desk = screen(recorded_at, at="/risk", color_scheme="dark")
    desk.page.emulate_media(media="print")

    frame = [desk.page.locator(part).is_visible() for part in (".top-bar", ".side", "#chat", ".sources")]
    named = desk.page.locator(".on-paper").inner_text()
    grounds = desk.page.evaluate(
        "() => [document.body, document.querySelector('main .panel')].map((at) => getComputedStyle(at).backgroundColor)"
    )

    assert frame == [False] * 4 and "run-" in named
    assert grounds == ["rgb(255, 255, 255)"] * 2


def test_every_page_says_that_its_figures_are_of_a_recorded_run(screen: Callable[..., Any], recorded_at: str) -> None:
    desk = screen(recorded_at, at="/execution")
    on_the_list = desk.page.locator("#part-desk_footing").inner_text()
    desk.page.locator("main a[href*='/orders/']").first.click()
    desk.settle()

    assert on_the_list == desk.page.locator("#part-desk_footing").inner_text() == "Recorded run, to 2022-04-12"


def test_of_an_order_both_what_was_sent_and_what_was_filled_can_be_seen(
    screen: Callable[..., Any], recorded_at: str
) -> None:
    """They lie on each other where all was filled at once: the upper one is a band that the lower one shows through."""
    desk = screen(recorded_at, at="/execution")
    desk.page.locator("main a[href*='/orders/']").first.click()
    desk.settle()

    lines = desk.page.evaluate(
        """() => [...document.querySelectorAll(".plan path.l")].map((line) => getComputedStyle(line))
             .map((style) => [style.stroke, parseFloat(style.strokeWidth), Number(style.opacity)])"""
    )

    (filled, thin, _), (sent, wide, through) = lines
    assert filled != sent and wide > 2 * thin and through < 0.6


def test_focus_can_be_seen_on_whatever_has_it(screen: Callable[..., Any], recorded_at: str) -> None:
    desk = screen(recorded_at)
    unseen: list[str] = []
    for _ in range(40):
        desk.page.keyboard.press("Tab")
        has_ring = desk.page.evaluate(
            """() => { const style = getComputedStyle(document.activeElement);
                 return document.activeElement === document.body || (style.outlineStyle !== "none"
                   && parseFloat(style.outlineWidth) >= 1); }"""
        )
        if not has_ring:
            unseen.append(desk.page.evaluate(FOCUSED))

    assert unseen == []
