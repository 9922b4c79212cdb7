"""A circuit breaker: an endpoint that failed again and again is left alone for a while, then tried once."""

from dataclasses import dataclass

from ..errors import ModelFailed


@dataclass(slots=True)
class Breaker:
    """Open after `threshold` failures in a row, for `cooldown_s`; then one question is let through as a trial."""

    threshold: int
    cooldown_s: float
    _failures: int = 0
    _open_until_s: float | None = None
    _is_on_trial: bool = False

    def admit(self, now_s: float) -> None:
        """Raises ModelFailed while the circuit is open, and while its one trial is under way."""
        if self._open_until_s is None:
            return
        if self._is_on_trial or now_s < self._open_until_s:
            raise ModelFailed(
                f"not asked: {self._failures} failures in a row, left alone for {self.cooldown_s:g} s",
                remedy="Check the endpoint with `parley doctor`.",
            )
        self._is_on_trial = True

    def succeeded(self) -> None:
        self._failures, self._open_until_s, self._is_on_trial = 0, None, False

    def failed(self, now_s: float) -> None:
        self._failures += 1
        self._is_on_trial = False
        if self._failures >= self.threshold:
            self._open_until_s = now_s + self.cooldown_s
