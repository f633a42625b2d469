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


def fingerprint(shapes, windows):
    """Of parameter names, shapes and tokens, hex."""
    text = json.dumps([sorted((name, list(shape)) for name, shape in shapes.items()), np.asarray(windows).tolist()])
    return hashlib.sha256(text.encode()).hexdigest()


class Record:
    """A file of one line a term, beside the CSV that it becomes; append-only, so a run that was killed loses one term."""

    def __init__(self, path, settings):
        self.path = path
        self.settings = settings
        self.measured = {}
        self._read()

    def _read(self):
        try:
            with open(self.path, encoding="utf-8") as file:
                lines = file.read().split("\n")
        except FileNotFoundError:
            return
        head = json.loads(lines[0]) if lines[0] else None
        if head != dataclasses.asdict(self.settings):
            raise ValueError(f"{self.path}: is of another model, text, noise or seed; remove it, or choose another --out")
        for line in lines[1:]:
            try:
                entry = Measured(**json.loads(line))
            except (ValueError, TypeError):
                continue  # torn by a kill: measured again
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
    for done, term in enumerate(terms):
        progress(done, len(terms), term.name)
        if term.name in record.measured:
            continue
        found = ratios(model, term.name, parameters[term.name], settings.noise, settings.seed)
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
    """Measured, and at least FLOOR of the prior, brought to the size of the measured alphas by `scale`."""
    return max(entry.alpha, FLOOR * prior * scale)


def prior_scale(terms, measured):
    """What one unit of the prior is worth: the ratio of the sums."""
    return sum(measured[term.name].alpha for term in terms) / sum(term.prior for term in terms)


def write_csv(path, terms, measured):
    """pattern,alpha and, for people, the interval, the measured value, the prior and the check. Replaces the file at once."""
    scale = prior_scale(terms, measured)
    lines = ["pattern,alpha,low,high,measured,prior,linear"]
    for term in terms:
        entry = measured[term.name]
        low, high = entry.interval()
        linear = {None: "", True: "yes", False: "no"}[entry.is_linear()]
        alpha = alpha_of(entry, term.prior, scale)
        name = '"' + term.name.replace('"', '""') + '"' if set(term.name) & set(',"') else term.name
        lines.append(f"{name},{alpha:.6g},{low:.6g},{high:.6g},{entry.alpha:.6g},{term.prior:g},{linear}")
    temporary = f"{path}.tmp"
    with open(temporary, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    os.replace(temporary, path)
