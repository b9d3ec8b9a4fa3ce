"""What a project is written from: the one value that every writer takes and no writer adds to."""

from __future__ import annotations

from dataclasses import dataclass

from eqhls.ir.graph import Graph
from eqhls.lower.layout import Layout
from eqhls.lower.netlist import Netlist
from eqhls.lower.schedule import lower
from eqhls.options import Options

UNFOLDED = 1
"""The II of a network that no axis is folded of: every value has wires of its own."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled network with its schedule: what manifest, port map, HLS and RTL say of it, they read here.

    `ii` is the initiation interval: clocks from one event to the next.
    """

    graph: Graph
    netlist: Netlist
    options: Options
    ii: int = UNFOLDED

    @classmethod
    def of(cls, graph: Graph, options: Options) -> Plan:
        """Lower a quantized graph under its own name. Raises CompileError as `lower` does."""
        return cls(graph, lower(graph, options), options)

    @property
    def name(self) -> str:
        """The name of the project and of its top modules."""
        return self.graph.name

    @property
    def inputs(self) -> Layout:
        """The layout of the input word."""
        return self.netlist.inputs

    @property
    def outputs(self) -> Layout:
        """The layout of the output word."""
        return self.netlist.outputs

    @property
    def latency_cycles(self) -> int:
        """Clocks from in_valid to out_valid."""
        return self.netlist.latency_cycles

    @property
    def latency_ns(self) -> float:
        return round(self.latency_cycles * self.options.ClockPeriod, 2)

    @property
    def every(self) -> str:
        """How often the network takes an event, as comments say it."""
        return "per clock" if self.ii == 1 else f"every {self.ii} clocks"

    @property
    def clock_mhz(self) -> float:
        return round(self.options.clock_mhz, 3)
