"""What a project is written from: the one value that every writer takes and no writer adds to."""

from __future__ import annotations

from dataclasses import dataclass

from eqhls.errors import CompileError
from eqhls.ir.graph import Graph
from eqhls.lower.layout import Layout
from eqhls.lower.modelhash import model_hash
from eqhls.lower.netlist import Netlist
from eqhls.lower.schedule import lower
from eqhls.options import Options

UNFOLDED = 1
"""The beats of a network of which no axis is folded: every value has wires of its own."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled network with its schedule: what manifest, port map, HLS and RTL say of it, they read here.

    `folded` names the axis whose entries share wires, if one does, and `beats` says in how many clocks they
    pass. Raises CompileError if one is given without the other.
    """

    graph: Graph
    netlist: Netlist
    options: Options
    folded: str | None = None
    beats: int = UNFOLDED

    def __post_init__(self) -> None:
        if self.beats < UNFOLDED or (self.folded is None) != (self.beats == UNFOLDED):
            raise CompileError(
                self.name,
                f"found {self.beats} beats and the folded axis {self.folded!r}",
                "more than one beat needs an axis that is folded, and no other number does",
            )

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
    def ii(self) -> int:
        """The initiation interval: clocks from one event to the next."""
        return self.beats

    @property
    def model_hash(self) -> str:
        """The 32 bits of the model's hash, as eight hexadecimal digits."""
        return model_hash(self.graph)

    @property
    def latency_ns(self) -> float:
        return round(self.latency_cycles * self.options.ClockPeriod, 2)

    @property
    def every(self) -> str:
        """How often the network takes an event, as comments say it."""
        return "per clock" if self.ii == UNFOLDED else f"every {self.ii} clocks"

    @property
    def clock_mhz(self) -> float:
        return round(self.options.clock_mhz, 3)
