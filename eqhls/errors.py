"""The one family of errors that a user of eqhls can see."""

from __future__ import annotations


class CompileError(Exception):
    """A network, a file, an option or a target that cannot be used.

    The message says where, what was found, what was expected and what to do. The command
    line prints it without a traceback and exits with status 2.
    """

    def __init__(self, where: str, problem: str, remedy: str = "") -> None:
        self.where = where
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{where}: {problem}" + (f"; {remedy}" if remedy else ""))

    def at(self, where: str) -> CompileError:
        """Return the same error, placed inside `where`."""
        return type(self)(f"{where}: {self.where}", self.problem, self.remedy)


class VerificationError(CompileError):
    """A stage of the proof found a mismatch, or did not run."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C in a proof, which may go on at `stage`, or from its beginning if that is empty."""

    def __init__(self, stage: str = "") -> None:
        self.stage = stage
        super().__init__()
