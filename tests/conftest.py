"""What all tests share: property tests draw the same examples every time, unless new ones are asked for."""

import os

from hypothesis import settings

# A suite that decides whether a change may land must not be a matter of luck. PARLEY_EXPLORE=1 draws anew.
settings.register_profile("settled", derandomize=True)
if os.environ.get("PARLEY_EXPLORE") != "1":
    settings.load_profile("settled")
