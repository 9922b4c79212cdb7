"""Finds the further views that the settings name: `module:NAME`, where Python can import the module."""

from collections.abc import Iterable
from importlib import import_module

from ..agents.views import View
from .errors import SettingsInvalid

NODES = {"observe", "technical", "sentiment", "microstructure", "macro", "analyst", "risk", "optimizer", "execution"}
ENDS = {"consensus", "gate", "commit"}
FACTS = {"symbol", "trend", "outlook", "oscillator", "composite", "confidence", "flow"}
TAKEN = frozenset(NODES | ENDS | FACTS)
"""What a further view may not be called: the graph's nodes, and the facts there are already."""


def further_views(places: Iterable[str]) -> tuple[View, ...]:
    """The views at these places, in their order; raises SettingsInvalid for one that is none."""
    found = tuple(_view(place) for place in places)
    names = [view.name for view in found]
    for name in names:
        if name in TAKEN or not name.isidentifier() or names.count(name) > 1:
            raise SettingsInvalid(
                f"agents.views: {name!r} is no name for a further view",
                remedy="Give each one a name of its own, in letters and underscores.",
            )
    return found


def _view(place: str) -> View:
    module, _, name = place.partition(":")
    try:
        view = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise SettingsInvalid(
            f"agents.views: there is no {place!r}: {error}",
            remedy="Write module:NAME, and put the module where Python finds it, such as in PYTHONPATH.",
        ) from error
    if not isinstance(view, View):
        raise SettingsInvalid(
            f"agents.views: {place!r} is a {type(view).__name__}, expected a View",
            remedy="See docs/extending.md.",
        )
    return view
