"""The page of the market: regime and its history, volatility, correlations, and the flow of texts."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from ..api.callers import RunQuery
from .market import flags_view, market_view, regime_view, texts_view
from .parts import Part
from .shell import page
from .who import PageViewer

market_page = APIRouter()

CLOSES = frozenset({"marks", "fills"})
MARKET_PARTS = (
    Part("market_regime", "Regime", "market_regime.html", regime_view, frozenset({"decisions", "market", "marks"})),
    Part("market_data", "What is known", "market_data.html", market_view, frozenset({"marks"})),
    Part("market_volatility", "Volatility", "market_volatility.html", market_view, frozenset({"marks"})),
    Part("market_correlation", "Moving together", "market_correlation.html", market_view, CLOSES),
    Part("market_texts", "Texts", "market_texts.html", texts_view, frozenset({"marks", "decisions"})),
    Part(
        "market_flags", "Flagged as attempts to steer the desk", "market_flags.html", flags_view, frozenset({"market"})
    ),
)


@market_page.get("/market", include_in_schema=False)
async def show_market(request: Request, caller: PageViewer, run: RunQuery = None) -> Response:
    """The market as the desk saw it."""
    return await page(request, caller, "market_page.html", title="Market", active="market", run=run)
