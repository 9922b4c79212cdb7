"""What all tests share: settled examples for property tests, and no skip where every optional part is required."""

import os
from collections.abc import Generator

import pytest
from hypothesis import settings

# A suite that decides whether a change may land must not be a matter of luck. PARLEY_EXPLORE=1 draws anew.
settings.register_profile("settled", derandomize=True)
if os.environ.get("PARLEY_EXPLORE") != "1":
    settings.load_profile("settled")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """PARLEY_REQUIRE_ALL=1 turns every skip into a failure, whatever it was for and however it was asked."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("PARLEY_REQUIRE_ALL") == "1":
        report.outcome = "failed"
        report.longrepr = f"skipped, and PARLEY_REQUIRE_ALL=1 asks for all: {report.longrepr}"
    return report
