"""Terms of the plan's objective, and the parameters of a loaded model that belong to them."""

import dataclasses
import json
import math

FIRST = ("gate_up_proj", "gate_proj", "up_proj", "w1", "w3")
SECOND = ("down_proj", "w2")


class PlanError(Exception):
    """The plan is none, or not of this model."""


@dataclasses.dataclass(frozen=True)
class Term:
    """What the objective counts once: all experts of a layer and projection, or one tensor."""

    name: str
    prior: float  # the plan's alpha
    params: int


def objective_term(name):
    """The term of a parameter, by its Hugging Face name: experts of a layer are pooled, gate and up are one projection.

    The same rule as allocation::objective_term, which the plan's column `term` comes from.
    """
    components = name.split(".")
    if "experts" not in components:
        return name
    if components[-1] == "weight":
        components.pop()
    indices = [i for i, component in enumerate(components) if component.isdigit()]
    if indices and indices[-1] > components.index("experts"):
        components.pop(indices[-1])
    if components[-1] in FIRST:
        components[-1] = "gate_up"
    elif components[-1] in SECOND:
        components[-1] = "down"
    return ".".join(components)


def read_terms(path):
    """Terms of a plan (schema 2), in order of names: those of matrices that some format was measured of."""
    try:
        with open(path, encoding="utf-8") as file:
            plan = json.load(file)
        rows = plan["rows"]
        schema = plan["schema"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PlanError(f"{path}: is no plan ({error})") from error
    if schema != 2:
        raise PlanError(f"{path}: is a plan of schema {schema}: make it again with `moesweep allocate`")
    terms = {}
    for row in rows:
        # Dropped, a vector, or not in the sweep: no plan decides it.
        if row["action"] == "drop" or row["sum_squares"] is None or len(row["shape"].split("x")) < 2:
            continue
        known = terms.get(row["term"])
        params = row["params"] + (known.params if known else 0)
        terms[row["term"]] = Term(row["term"], float(row["alpha"]), params)
    if not terms:
        raise PlanError(f"{path}: has no term that was measured: sweep with the metric \"error\"")
    return [terms[name] for name in sorted(terms)]


def parameters_of(terms, shapes):
    """Names of a model's parameters by term. `shapes`: name to shape.

    PlanError when a term has none, or has another number of weights than in the plan.
    """
    found = {term.name: [] for term in terms}
    for name in shapes:
        if objective_term(name) in found:
            found[objective_term(name)].append(name)
    for term in terms:
        params = sum(math.prod(shapes[name]) for name in found[term.name])
        if params != term.params:
            raise PlanError(f"{term.name}: has {term.params:,} weights in the plan and {params:,} in the model")
    return found
