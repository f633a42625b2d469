"""Cells of a study of plans as text, Markdown and a plot."""
import math
from xml.sax.saxutils import escape

import window_statistics as statistics

COLORS = {"uniform": "#7a7a7a", "budget": "#0b6e99", "swan": "#c4621b", "alpha 1": "#b3261e"}
OTHER_COLORS = ("#2e7d32", "#6a3fa0", "#8d6e00", "#00796b")


def cells(model, size, outcomes, against):
    """One dict for each method at a size: KL with its standard error, the verdict and ratio against another method."""
    for name, outcome in outcomes.items():
        kl = statistics.estimate(outcome.kl)
        cell = {"model": model, "size": str(size), "bits": size.bits, "group_size": size.group_size, "method": name,
                "bytes": outcome.bytes, "bits_per_weight": outcome.bits_per_weight, "kl": kl.mean,
                "standard_error": kl.standard_error, "lo": kl.lo, "hi": kl.hi, "loss": float(outcome.loss.mean()),
                "equal_top": float(outcome.equal_top.mean())}
        if name != against and against in outcomes:
            compared = statistics.compare(outcome.kl, outcomes[against].kl)
            cell.update(verdict=compared.verdict, p=compared.p, ratio=compared.ratio, ratio_lo=compared.ratio_lo,
                        ratio_hi=compared.ratio_hi)
        yield cell


def _rows(found):
    for cell in found:
        verdict = f"{cell['ratio']:.3f} ({cell['ratio_lo']:.3f} to {cell['ratio_hi']:.3f})" if "verdict" in cell else ""
        yield (cell["model"], cell["size"], cell["method"], f"{cell['bits_per_weight']:.3f}", f"{cell['bytes']:,}",
               f"{cell['loss']:.4f}", f"{cell['kl']:.5f}", f"{cell['standard_error']:.5f}",
               f"{100 * cell['equal_top']:.1f} %", verdict, cell.get("verdict", ""))


HEADER = ("model", "bytes of", "plan", "bits per weight", "bytes", "loss", "KL", "+-", "equal top", "KL ratio (95 %)",
          "verdict")


def text(found, settings, against):
    rows = [HEADER, *_rows(found)]
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = ["  ".join(f"{cell:<{width}}" if i < 3 or i > 8 else f"{cell:>{width}}"
                       for i, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in rows]
    return "\n".join([*lines, f"{settings}; loss and KL(base || plan) in nats a token, +- standard error over windows; ratio "
                              f"and verdict against {against}, paired bootstrap over windows"])


def _value(cell):
    mark = {"better": " better", "worse": " **worse**", "tie": " tie"}.get(cell.get("verdict"), "")
    return f"{cell['kl']:.4g}{mark}"


def markdown(found):
    """A line for each model and size, a column for each method."""
    methods = list(dict.fromkeys(cell["method"] for cell in found))
    lines = ["| model | bytes of uniform | " + " | ".join(methods) + " |", "|---|---|" + "---|" * len(methods)]
    places = dict.fromkeys((cell["model"], cell["size"]) for cell in found)
    for model, size in places:
        by_method = {cell["method"]: cell for cell in found if (cell["model"], cell["size"]) == (model, size)}
        values = [_value(by_method[name]) if name in by_method else "-" for name in methods]
        lines.append(f"| {model} | {size} | " + " | ".join(values) + " |")
    return "\n".join(lines)


class _Scale:
    """Values to pixels, logarithmic or not."""

    def __init__(self, values, first, last, is_log=False):
        self.is_log = is_log
        values = [self._of(value) for value in values]
        self.lo, self.hi = min(values), max(values)
        margin = 0.05 * (self.hi - self.lo) or 1.0
        self.lo, self.hi = self.lo - margin, self.hi + margin
        self.first, self.last = first, last

    def _of(self, value):
        return math.log10(value) if self.is_log else value

    def __call__(self, value):
        return self.first + (self._of(value) - self.lo) / (self.hi - self.lo) * (self.last - self.first)

    def ticks(self):
        if self.is_log:
            return [10.0 ** k for k in range(math.ceil(self.lo), math.floor(self.hi) + 1)]
        return list(range(math.ceil(self.lo), math.floor(self.hi) + 1))


def _colors(methods):
    spare = iter(OTHER_COLORS)
    return {name: COLORS.get(name) or next(spare, "#000000") for name in methods}


def _panel(model, found, left, width, height, colors):
    """One model: KL over bits per weight, a line for each method with its 95 % interval."""
    x = _Scale([cell["bits_per_weight"] for cell in found], left + 46, left + width - 8)
    y = _Scale([max(cell["kl"], 1e-7) for cell in found], height - 34, 26, is_log=True)
    yield f'<text x="{left + width / 2:.0f}" y="16" text-anchor="middle" font-weight="bold">{escape(model)}</text>'
    for tick in y.ticks():
        yield (f'<line x1="{left + 46}" x2="{left + width - 8}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" stroke="#ddd"/>'
               f'<text x="{left + 42}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>')
    for tick in x.ticks():
        yield f'<text x="{x(tick):.1f}" y="{height - 18}" text-anchor="middle">{tick}</text>'
    yield f'<text x="{left + width / 2:.0f}" y="{height - 4}" text-anchor="middle">bits per weight</text>'
    for name, color in colors.items():
        cells_of = sorted((cell for cell in found if cell["method"] == name), key=lambda cell: cell["bits_per_weight"])
        points = [(x(cell["bits_per_weight"]), y(max(cell["kl"], 1e-7)), cell) for cell in cells_of]
        path = " ".join(f"{px:.1f},{py:.1f}" for px, py, _ in points)
        yield f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="1.5"/>'
        for px, py, cell in points:
            lo, hi = (y(max(cell[key], 1e-7)) for key in ("lo", "hi"))
            yield (f'<line x1="{px:.1f}" x2="{px:.1f}" y1="{lo:.1f}" y2="{hi:.1f}" stroke="{color}"/>'
                   f'<circle cx="{px:.1f}" cy="{py:.1f}" r="2.6" fill="{color}"><title>{escape(name)}, bytes of uniform '
                   f'{escape(cell["size"])}: {cell["kl"]:.5g} nats</title></circle>')


def svg(found):
    """KL(base || plan) over size, a panel for each model."""
    models = list(dict.fromkeys(cell["model"] for cell in found))
    colors = _colors(dict.fromkeys(cell["method"] for cell in found))
    width, height = 300, 290
    body = []
    for i, model in enumerate(models):
        of_model = [cell for cell in found if cell["model"] == model]
        body += _panel(model, of_model, i * width, width, height, colors)
    for i, (name, color) in enumerate(colors.items()):
        left = 10 + i * 110
        body.append(f'<rect x="{left}" y="{height + 6}" width="14" height="4" fill="{color}"/>'
                    f'<text x="{left + 20}" y="{height + 12}">{escape(name)}</text>')
    body.append(f'<text x="{width * len(models) - 8}" y="{height + 12}" text-anchor="end">KL(base || plan), nats a token</text>')
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width * len(models)} {height + 22}" '
            f'font-family="sans-serif" font-size="11"><rect width="100%" height="100%" fill="#fff"/>\n'
            + "\n".join(body) + "\n</svg>\n")
