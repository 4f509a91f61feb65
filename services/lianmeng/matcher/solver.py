"""The solver: a program in, whole numbers and a proven bound out. The only module with OR-Tools.

SCIP through MathOpt, on one thread, with its seed fixed: the same program gives the same answer
unless the wall limit is hit, and then the answer says so. Heuristics are off and cuts low, because
these models are small and their relaxations tight: their vertices are nearly whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from importlib.metadata import version

from ortools.math_opt import model_pb2
from ortools.math_opt.python.model import Model
from ortools.math_opt.python.parameters import Emphasis, SolveParameters, SolverType
from ortools.math_opt.python.result import Limit, SolveResult, TerminationReason
from ortools.math_opt.python.solve import solve as solve_model

from lianmeng.kernel.money import BASIS
from lianmeng.matcher.program import Program

SOLVER = f"SCIP, OR-Tools {version('ortools')}"
"""What is named in reports."""


class Status(StrEnum):
    """How a solve ended."""

    OPTIMAL = "OPTIMAL"
    FEASIBLE = "FEASIBLE"
    INFEASIBLE = "INFEASIBLE"
    NOT_FOUND = "NOT_FOUND"
    """A limit was hit before any solution was found: nothing is known."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to look: stop within `gap_bp` of the bound, or at a limit.

    `wall_ms` is a safety net; an answer that it cut short is not repeatable.
    """

    gap_bp: int
    node_limit: int
    wall_ms: int


@dataclass(frozen=True, slots=True)
class Answer:
    """Column values (empty without a solution), objective and bound in the program's units."""

    status: Status
    values: tuple[float, ...]
    objective: float
    bound: float
    iterations: int
    repeatable: bool


def warm_up() -> None:
    """One tiny solve: the first in a process takes several times as long as the next."""
    program = Program()
    program.at_least([(program.binary(1.0), 1.0)], 1.0)
    solve(program, Effort(gap_bp=0, node_limit=1, wall_ms=10_000))


def solve(program: Program, effort: Effort) -> Answer:
    """The best solution that the effort finds. Takes no lock of Python's while it works."""
    model = Model.from_model_proto(_proto(program))
    parameters = SolveParameters(
        threads=1,
        random_seed=1,
        relative_gap_tolerance=effort.gap_bp / BASIS,
        node_limit=effort.node_limit,
        time_limit=timedelta(milliseconds=effort.wall_ms),
        presolve=Emphasis.MEDIUM,
        cuts=Emphasis.LOW,
        heuristics=Emphasis.OFF,
    )
    result = solve_model(model, SolverType.GSCIP, params=parameters)
    return _answer(result, len(program.costs))


_ENDED = {
    TerminationReason.OPTIMAL: Status.OPTIMAL,
    TerminationReason.FEASIBLE: Status.FEASIBLE,
    TerminationReason.INFEASIBLE: Status.INFEASIBLE,
    TerminationReason.NO_SOLUTION_FOUND: Status.NOT_FOUND,
}


def _answer(result: SolveResult, columns: int) -> Answer:
    reason = result.termination.reason
    status = _ENDED.get(reason)
    if status is None:
        raise RuntimeError(f"the solver ended with {reason}: {result.termination.detail}")
    stats = result.solve_stats
    in_time = result.termination.limit is not Limit.TIME
    work = stats.simplex_iterations + stats.node_count
    if not result.has_primal_feasible_solution():
        return Answer(status, (), 0.0, 0.0, work, in_time)
    found = result.variable_values()
    values = [0.0] * columns
    for variable, value in found.items():
        values[variable.id] = value
    objective, bound = result.objective_value(), result.best_objective_bound()
    return Answer(status, tuple(values), objective, bound, work, in_time)


def _proto(program: Program) -> model_pb2.ModelProto:
    """The program as MathOpt's own message: columns in bulk, where calls would cost more."""
    proto = model_pb2.ModelProto()
    columns, rows = range(len(program.costs)), range(len(program.row_lowers))
    proto.variables.ids.extend(columns)
    proto.variables.lower_bounds.extend(program.lowers)
    proto.variables.upper_bounds.extend(program.uppers)
    proto.variables.integers.extend(program.integral)
    priced = [column for column in columns if program.costs[column]]
    proto.objective.linear_coefficients.ids.extend(priced)
    proto.objective.linear_coefficients.values.extend(program.costs[c] for c in priced)
    proto.linear_constraints.ids.extend(rows)
    proto.linear_constraints.lower_bounds.extend(program.row_lowers)
    proto.linear_constraints.upper_bounds.extend(program.row_uppers)
    proto.linear_constraint_matrix.row_ids.extend(program.entry_rows)
    proto.linear_constraint_matrix.column_ids.extend(program.entry_columns)
    proto.linear_constraint_matrix.coefficients.extend(program.entry_values)
    return proto
