"""One term after the other: noise, what it does to the output, and a record that a later run resumes from."""

import dataclasses
import hashlib
import json
import math
import os

import numpy as np

from .noise import noise_of

USUAL_NOISE = 0.003
CHECKED_NOISE = (0.001, 0.01)
LINEAR_WITHIN = 0.25  # of the ratio at the usual noise
FLOOR = 1 / 20  # of the prior: no term is free


@dataclasses.dataclass(frozen=True)
class Settings:
    """What a record has to agree with to be resumed."""

    model: str  # fingerprint of the weights' shapes and the tokens
    noise: float = USUAL_NOISE
    seed: int = 0


@dataclasses.dataclass
class Measured:
    """Of one term: change of the output over t^2, by window."""

    term: str
    ratios: list  # at Settings.noise
    checked: dict  # other noise (as text) to the mean ratio; empty: not checked

    @property
    def alpha(self):
        return float(np.mean(self.ratios))

    def interval(self):
        """95 % for the mean over windows (normal); NaN for one window."""
        count = len(self.ratios)
        if count < 2:
            return math.nan, math.nan
        half = 1.96 * float(np.std(self.ratios, ddof=1)) / math.sqrt(count)
        return max(0.0, self.alpha - half), self.alpha + half

    def is_linear(self):
        """None: not checked."""
        if not self.checked:
            return None
        return all(abs(ratio - self.alpha) <= LINEAR_WITHIN * self.alpha for ratio in self.checked.values())


SAMPLED = 4096  # weights of each parameter that tell models of one architecture apart


def fingerprint(model, windows):
    """Of parameter names, shapes, some weights of each, and the tokens, hex."""
    digest = hashlib.sha256(json.dumps(np.asarray(windows).tolist()).encode())
    for name, shape in sorted(model.shapes().items()):
        flat = model.weights(name).reshape(-1)
        digest.update(f"{name} {tuple(shape)}".encode())
        digest.update(np.ascontiguousarray(flat[::max(1, len(flat) // SAMPLED)]).tobytes())
    return digest.hexdigest()


def _is_measured(entry):
    numbers = [*entry.ratios, *entry.checked.values()]
    return isinstance(entry.term, str) and bool(entry.ratios) and all(
        isinstance(number, float) and math.isfinite(number) for number in numbers)


class Record:
    """A file of one line a term, beside the CSV that it becomes; append-only, so a run that was killed loses one term."""

    def __init__(self, path, settings):
        self.path = path
        self.settings = settings
        self.measured = {}
        self._read()

    def _read(self):
        try:
            with open(self.path, encoding="utf-8", errors="replace") as file:
                lines = file.read().split("\n")
        except FileNotFoundError:
            return
        if len(lines) < 2:
            os.remove(self.path)  # killed before its first line was whole
            return
        try:
            head = json.loads(lines[0])
        except ValueError:
            head = None
        if head != dataclasses.asdict(self.settings):
            raise ValueError(f"{self.path}: is of another model, text, noise or seed; remove it, or choose another --out")
        for line in lines[1:]:
            try:
                entry = Measured(**json.loads(line))
                is_measured = _is_measured(entry)
            except (ValueError, TypeError, AttributeError):
                continue  # torn by a kill: measured again
            if is_measured:
                self.measured[entry.term] = entry

    def add(self, entry):
        is_new = not os.path.exists(self.path)
        with open(self.path, "a", encoding="utf-8") as file:
            if is_new:
                file.write(json.dumps(dataclasses.asdict(self.settings)) + "\n")
            elif not self._ends_with_newline():
                file.write("\n")
            file.write(json.dumps(dataclasses.asdict(entry)) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.measured[entry.term] = entry

    def _ends_with_newline(self):
        with open(self.path, "rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"


def ratios(model, term, names, noise, seed):
    """Change of the output over noise, by window."""
    added = noise_of(term, {name: model.weights(name) for name in names}, noise, seed)
    return [change / noise for change in model.changes(added)]


def measure(model, terms, parameters, record, check=6, progress=lambda done, total, term: None):
    """Measures what the record lacks. `model` has weights(name) and changes(noise by name) -> one float a window.

    `check` terms, from the largest alpha to the smallest, are measured at other sizes of noise too.
    """
    settings = record.settings
    terms = [term for term in terms if parameters[term.name]]
    for done, term in enumerate(terms):
        progress(done, len(terms), term.name)
        if term.name in record.measured:
            continue
        found = ratios(model, term.name, parameters[term.name], settings.noise, settings.seed)
        if not all(map(math.isfinite, found)):
            raise ValueError(f"{term.name}: noise on it makes the output infinite or not a number")
        record.add(Measured(term.name, found, {}))
    progress(len(terms), len(terms), "")
    ranked = sorted(record.measured.values(), key=lambda entry: -entry.alpha)
    count = min(check, len(ranked))
    places = {round(i * (len(ranked) - 1) / max(count - 1, 1)) for i in range(count)}
    for place in sorted(places):
        entry = ranked[place]
        if entry.checked:
            continue
        names = parameters[entry.term]
        entry.checked = {str(noise): float(np.mean(ratios(model, entry.term, names, noise, settings.seed)))
                         for noise in CHECKED_NOISE}
        record.add(entry)
    return record.measured


def alpha_of(entry, prior, scale):
    """Measured, and at least FLOOR of the prior, brought to the size of the measured alphas by `scale`.

    A term that the model doesn't load (None) has the prior.
    """
    return prior * scale if entry is None else max(entry.alpha, FLOOR * prior * scale)


def prior_scale(terms, measured):
    """What one unit of the prior is worth: the ratio of the sums over what was measured. ValueError when nothing matters."""
    known = [term for term in terms if term.name in measured]
    change, prior = sum(max(0.0, measured[term.name].alpha) for term in known), sum(term.prior for term in known)
    if not change > 0 or not prior > 0:
        raise ValueError("no noise on any term changes the output: is this the model of the plan?")
    return change / prior


def write_csv(path, terms, measured):
    """pattern,alpha and, for people, the interval, the measured value, the prior and the check. Replaces the file at once."""
    scale = prior_scale(terms, measured)
    lines = ["pattern,alpha,low,high,measured,prior,linear"]
    for term in terms:
        entry = measured.get(term.name)
        alpha = alpha_of(entry, term.prior, scale)
        name = '"' + term.name.replace('"', '""') + '"' if set(term.name) & set(',"') else term.name
        if entry is None:
            lines.append(f"{name},{alpha:.6g},,,,{term.prior:g},")
            continue
        low, high = entry.interval()
        linear = {None: "", True: "yes", False: "no"}[entry.is_linear()]
        interval = f"{low:.6g},{high:.6g}" if math.isfinite(low) else ","
        lines.append(f"{name},{alpha:.6g},{interval},{entry.alpha:.6g},{term.prior:g},{linear}")
    temporary = f"{path}.tmp"
    with open(temporary, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    os.replace(temporary, path)
