"""What can be measured of a page that a person would see: weak contrast, targets too small to touch, nameless parts."""

from typing import Any

from playwright.sync_api import Page

WIDGETS = ("button", "link", "textbox", "searchbox", "combobox", "checkbox", "radio", "spinbutton", "menuitem", "tab")
PLACES = ("image", "region", "navigation", "dialog", "heading", "table", "DisclosureTriangle", "log")
NAMED = frozenset((*WIDGETS, *PLACES))
"""Roles that say nothing to a person who listens, unless they have a name."""
WEAK = """() => {
  const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const channels = (color) => {
    pen.clearRect(0, 0, 1, 1); pen.fillStyle = color; pen.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = pen.getImageData(0, 0, 1, 1).data;
    return [red, green, blue, alpha / 255];
  };
  const over = (top, below) => [0, 1, 2].map((k) => top[k] * top[3] + below[k] * (1 - top[3]));
  const luminance = (color) => [0.2126, 0.7152, 0.0722].reduce((sum, weight, k) => {
    const part = color[k] / 255;
    return sum + weight * (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  }, 0);
  const found = {};
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode.textContent.trim(), element = texts.currentNode.parentElement;
    const style = getComputedStyle(element), box = element.getBoundingClientRect();
    if (!text || !box.width || element.closest("script, template, .hidden, :disabled")) continue;
    const grounds = [];
    for (let at = element; at; at = at.parentElement) grounds.push(channels(getComputedStyle(at).backgroundColor));
    const ground = grounds.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
    const ink = over(channels(element instanceof SVGElement ? style.fill : style.color), ground);
    const [dark, light] = [luminance(ink), luminance(ground)].sort((one, other) => one - other);
    const ratio = (light + 0.05) / (dark + 0.05);
    const isLarge = parseFloat(style.fontSize) >= 24;
    if (ratio < (isLarge ? 3 : 4.5)) found[text.slice(0, 40)] = Math.round(100 * ratio) / 100;
  }
  return found;
}"""
"""Texts whose ink differs too little from their ground, by WCAG 2.2 AA."""
SMALL = """(least) => [...document.querySelectorAll("a, button, summary, select, textarea, input:not([type=hidden])")]
  .filter((item) => {
    const box = item.getBoundingClientRect(), around = item.parentElement;
    if (!box.width || item.matches(".skip")) return false;
    const isInText = getComputedStyle(item).display === "inline"
      && around.textContent.trim().length > item.textContent.trim().length + 8;
    return !isInText && box.height < least;
  }).map((item) => `${item.localName} ${item.textContent.trim().slice(0, 40)}`)"""
"""What is touched and is less than so many pixels high; a link within a line of words is as high as that line."""
TOUCH_PX = 39.5


def weak_texts(page: Page) -> dict[str, float]:
    """Texts that stand out too little, each with its contrast."""
    return page.evaluate(WEAK)


def small_targets(page: Page) -> list[str]:
    return page.evaluate(SMALL, TOUCH_PX)


def overhang_px(page: Page) -> int:
    """How far the page is wider than the window."""
    return page.evaluate("() => document.documentElement.scrollWidth - innerWidth")


def nameless(page: Page) -> list[str]:
    """Elements of the accessibility tree that have a role which needs a name, and none."""
    session = page.context.new_cdp_session(page)
    nodes: list[dict[str, Any]] = session.send("Accessibility.getFullAXTree")["nodes"]
    found = [node["backendDOMNodeId"] for node in nodes if _is_nameless(node)]
    told = [session.send("DOM.describeNode", {"backendNodeId": node})["node"] for node in found]
    session.detach()
    return [f"{node['localName']} {node['attributes']}" for node in told]


def _is_nameless(node: dict[str, Any]) -> bool:
    has_name = bool(node.get("name", {}).get("value", "").strip())
    return not node["ignored"] and node["role"]["value"] in NAMED and not has_name
