"""Prints a page to PDF with a headless Chromium, where one is installed."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from .pages.errors import ReportError

BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
TIMEOUT_S = 90.0
OFFLINE = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-extensions"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-pdf-header-footer"),
)


class PdfUnavailable(ReportError):
    """A PDF was asked for and no browser could print it."""

    code = "pdf_unavailable"


def print_pdf(html: Path, timeout_s: float = TIMEOUT_S) -> Path:
    """The PDF beside the page, whole or not at all; the page has no script and asks for nothing from outside."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        raise PdfUnavailable(
            f"no browser to print {html.name} with: looked for {', '.join(BROWSERS)}",
            remedy="Install Chromium, or open the HTML page and print it: it is laid out for one sheet of A4.",
        )
    target = html.with_suffix(".pdf")
    with tempfile.TemporaryDirectory(prefix="parley-pdf-") as scratch:
        draft = Path(scratch) / target.name
        command = [browser, *OFFLINE, f"--user-data-dir={scratch}/profile", f"--print-to-pdf={draft}"]
        try:
            done = subprocess.run([*command, html.resolve().as_uri()], capture_output=True, timeout=timeout_s)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise _failed(html, browser, str(error)) from error
        if not draft.exists():
            raise _failed(html, browser, done.stderr.decode("utf-8", "replace")[-200:].strip())
        beside = target.with_name(f".{target.name}.{os.getpid()}")
        shutil.copyfile(draft, beside)
        beside.replace(target)
    return target


def _failed(html: Path, browser: str, why: str) -> PdfUnavailable:
    return PdfUnavailable(
        f"{browser} did not print {html.name}: {why or 'it wrote no file'}",
        remedy="Try again, or open the HTML page and print it: it is laid out for one sheet of A4.",
    )
