"""The files that pages load: each under its content's hash, kept for good by the browser, and packed once."""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import Response

from ..api.errors import NotFound

assets = APIRouter(prefix="/static")

HASH_CHARS = 16
FOR_GOOD = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
FOLDER = Path(__file__).parent / "static"
HOUSE_STYLE = Path(__file__).parents[1] / "pages" / "style.css"
"""The sheet of the reports: pages of both kinds take their colors, tables and charts from it."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is sent."""

    name: str
    body: bytes
    packed: bytes
    media_type: str

    @property
    def hash(self) -> str:
        return hashlib.sha256(self.body).hexdigest()[:HASH_CHARS]

    @property
    def url(self) -> str:
        return f"/static/{self.hash}/{self.name}"


@cache
def all_assets() -> dict[str, Asset]:
    """Every script and sheet, by its name; the reports' own sheet among them as `house.css`."""
    paths = {path.name: path for path in sorted(FOLDER.iterdir()) if path.suffix in TYPES}
    return {name: _asset(name, path) for name, path in {**paths, "house.css": HOUSE_STYLE}.items()}


@assets.get("/{hash}/{name}", include_in_schema=False)
def show_asset(hash: str, name: str, request: Request) -> Response:
    """One file; under another hash than its own it is not there, so that an old page never mixes with a new script."""
    found = all_assets().get(name)
    if found is None or found.hash != hash:
        raise NotFound("there is no such file", remedy="Load the page again.")
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers = FOR_GOOD | {"Content-Encoding": "gzip"}
        return Response(found.packed, headers=headers, media_type=found.media_type)
    return Response(found.body, headers=FOR_GOOD, media_type=found.media_type)


def _asset(name: str, path: Path) -> Asset:
    body = path.read_bytes()
    return Asset(name, body, gzip.compress(body, 9, mtime=0), TYPES[path.suffix])
