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
    if any(f".block_sparse_moe.{part}.weight" in name for part in ("input_linear", "output_linear")):
        return name.removesuffix(".weight")  # granitemoe's stacks
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
    """Terms of a plan (schema 2 or 3), in order of names: those of matrices that some format was measured of."""
    try:
        with open(path, encoding="utf-8") as file:
            plan = json.load(file)
        rows = plan["rows"]
        schema = plan["schema"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PlanError(f"{path}: is no plan ({error})") from error
    if schema not in (2, 3):
        raise PlanError(f"{path}: is a plan of schema {schema}: make it again with `moesweep allocate`")
    if plan.get("prior") != "role":
        raise PlanError(f"{path}: was made without the prior: make it again with `moesweep allocate`, without --prior")
    terms = {}
    try:
        for row in rows:
            # Dropped, a vector, or not in the sweep: no plan decides it.
            if row["action"] == "drop" or row["sum_squares"] is None or len(row["shape"].split("x")) < 2:
                continue
            known = terms.get(row["term"])
            params = row["params"] + (known.params if known else 0)
            terms[row["term"]] = Term(row["term"], float(row["alpha"]), params)
    except (KeyError, TypeError, AttributeError) as error:
        raise PlanError(f"{path}: has a row that is none of a plan ({error!r})") from error
    if not terms:
        raise PlanError(f"{path}: has no term that was measured: sweep with the metric \"error\"")
    return [terms[name] for name in sorted(terms)]


# What transformers calls some modules once they are loaded, by what checkpoints call them.
RENAMED = ((".block_sparse_moe.experts.", ".mlp.experts."), (".block_sparse_moe.gate.", ".mlp.gate."))


def _without_first(name):
    return name.partition(".")[2]


def _names_of(term):
    """How a loaded model may call a term: as the checkpoint, renamed, or without the base model's prefix."""
    names = [term, *(term.replace(old, new) for old, new in RENAMED if old in term)]
    return names + [_without_first(name) for name in names if "." in name]


def parameters_of(terms, shapes):
    """Names of a model's parameters by term; empty for terms that the model doesn't load. `shapes`: name to shape.

    PlanError when a term has another number of weights than in the plan, or no term is loaded.
    """
    loaded = {}
    for name in shapes:
        own = objective_term(name)
        for key in (own, _without_first(own)) if "." in own else (own,):
            loaded.setdefault(key, []).append(name)
    found = {}
    for term in terms:
        found[term.name] = next((loaded[name] for name in _names_of(term.name) if name in loaded), [])
        params = sum(math.prod(shapes[name]) for name in found[term.name])
        if found[term.name] and params != term.params:
            raise PlanError(f"{term.name}: has {term.params:,} weights in the plan and {params:,} in the model")
    if not any(found.values()):
        raise PlanError(f"{terms[0].name} and the plan's other terms aren't in the model: it is of another one")
    return found
