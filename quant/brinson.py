"""Where a book's return beside its benchmark's came from: choosing groups, and choosing within them."""

from dataclasses import dataclass

from .arrays import FloatArray, checked_vector
from .errors import ParameterError

SUM_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class ActiveReturn:
    """The difference of two returns by group, (n_groups,) each; the three together sum to it."""

    allocation: FloatArray
    """For holding more or less of a group than the benchmark: paid when the group beats the whole benchmark."""
    selection: FloatArray
    """For holding other things within a group than the benchmark, at the benchmark's weight."""
    interaction: FloatArray
    """For both at once; many reports count it as selection, by weighing that with the book's own weight."""

    @property
    def total(self) -> float:
        return float((self.allocation + self.selection + self.interaction).sum())


def brinson_fachler(
    weights: FloatArray, returns: FloatArray, benchmark_weights: FloatArray, benchmark_returns: FloatArray
) -> ActiveReturn:
    """One period's active return by group. Cash is a group like any other, or the weights would not sum to one.

    Parameters
    ----------
    weights, benchmark_weights : (n_groups,) shares of the book at the start of the period, each summing to 1
    returns, benchmark_returns : (n_groups,) of each group over the period, as fractions

    Raises
    ------
    ShapeError, SampleError : vectors of different lengths, a NaN or an infinity
    ParameterError : weights that do not sum to 1

    Source: Brinson and Fachler (1985), J. Portfolio Management 11(3); Bacon (2008), Practical Portfolio Performance
    Measurement and Attribution, ch. 5.
    """
    held = checked_vector(weights, name="weights", min_rows=1)
    made, norm, reference = (
        checked_vector(values, name=name, length=len(held))
        for name, values in (
            ("returns", returns),
            ("benchmark_weights", benchmark_weights),
            ("benchmark_returns", benchmark_returns),
        )
    )
    for name, values in (("weights", held), ("benchmark_weights", norm)):
        if abs(float(values.sum()) - 1.0) > SUM_TOLERANCE:
            raise ParameterError(
                f"{name}: found a sum of {float(values.sum()):.6g}, expected 1", remedy="Give cash as a group."
            )
    active, whole = held - norm, float(norm @ reference)
    return ActiveReturn(active * (reference - whole), norm * (made - reference), active * (made - reference))
