"""The quant tools behind their port: the n-th estimate, window or covariance fails, or is no good."""

from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

import numpy as np

from ...desk.desk import Desk
from ...domain.decisions import Snapshot
from ...graph.ports import Ports
from ...graph.run import DecisionGraph
from ...market.history import MarketView
from ...quant.calibration import Calibration
from ...quant.errors import SampleError, SolverError
from ...tools.estimators import Estimators, RegimeReading
from ...tools.scene import FloatArray, Scene
from .faults import Schedule


class ToolFaults:
    """Counts what decisions ask the tools for, through all restarts."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._readings = self._windows = self._covariances = 0

    def reading(self) -> None:
        place, self._readings = self._readings, self._readings + 1
        if self._schedule.at("tool_starves", place):
            raise MemoryError("the laboratory took the memory")
        if self._schedule.at("tool_fails", place):
            raise SampleError("the sample is of no use", remedy="The laboratory did this.")

    def covariance(self, sound: FloatArray) -> FloatArray:
        place, self._covariances = self._covariances, self._covariances + 1
        if self._schedule.at("covariance_fails", place):
            raise SolverError("neither solver finished", remedy="The laboratory did this.")
        fault = self._schedule.at("covariance_unsound", place)
        if fault is None:
            return sound
        spoiled = sound.copy()
        row = fault.which % len(spoiled)
        spoiled[row, row] = np.nan if fault.which % 2 else -spoiled[row, row]
        return spoiled

    def window(self, sound: FloatArray) -> FloatArray:
        place, self._windows = self._windows, self._windows + 1
        fault = self._schedule.at("returns_nan", place)
        if fault is None:
            return sound
        spoiled = sound.copy()
        spoiled[-1, fault.which % spoiled.shape[1]] = np.nan
        return spoiled


class FaultyEstimators(Estimators):
    def __init__(self, faults: ToolFaults) -> None:
        super().__init__()
        self._faults = faults

    def calibration(self, view: MarketView) -> Calibration:
        self._faults.reading()
        return super().calibration(view)

    def regime(self, view: MarketView) -> RegimeReading | None:
        self._faults.reading()
        return super().regime(view)


@dataclass(frozen=True)
class FaultyScene(Scene):
    faults: ToolFaults = field(kw_only=True, compare=False)

    @cached_property
    def returns(self) -> FloatArray:
        return self.faults.window(super().returns)

    @cached_property
    def covariance(self) -> FloatArray:
        return self.faults.covariance(super().covariance)


@dataclass(frozen=True)
class FaultyPorts(Ports):
    faults: ToolFaults = field(kw_only=True, compare=False)

    def _scene(self, snapshot: Snapshot) -> Scene:
        return FaultyScene(**_fields(super()._scene(snapshot)), faults=self.faults)


def with_faulty_tools(desk: Desk, faults: ToolFaults, checkpoint_path: str) -> Desk:
    """The same desk, whose tools can fail."""
    sound = replace(desk.ports, estimators=FaultyEstimators(faults))
    ports = FaultyPorts(**_fields(sound), faults=faults)
    checkpoints = None if ports.asking.model.is_deterministic else checkpoint_path
    return replace(desk, ports=ports, graph=DecisionGraph(ports, checkpoints))


def _fields(of: Ports | Scene) -> dict[str, Any]:
    return {item.name: getattr(of, item.name) for item in fields(of)}
