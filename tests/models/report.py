"""Results of an evaluation as a dict (for JSON) and as a table."""
import window_statistics as statistics


def _summary(measured, seed):
    quantities = ("kl", "loss", "equal_top")
    found = {key: statistics.estimate(getattr(measured, key), seed)._asdict() for key in quantities}
    return {"weight_bytes": measured.weight_bytes, **found,
            "per_window": {key: getattr(measured, key).tolist() for key in quantities}}


def summarize(base, reference, measured, against=None, seed=0):
    """`measured` by name. `against` names the variant that all others are compared with in KL."""
    found = {"base": {"name": base, "weight_bytes": reference.weight_bytes,
                      "loss": statistics.estimate(reference.loss, seed)._asdict(),
                      "per_window": {"loss": reference.loss.tolist()}},
             "variants": {name: _summary(one, seed) for name, one in measured.items()}}
    if against:
        found["against"] = against
        found["comparisons"] = {}
        for name, one in measured.items():
            if name != against:
                compared = statistics.compare(one.kl, measured[against].kl, seed)
                found["comparisons"][name] = {**compared._asdict(), "difference": compared.difference._asdict()}
    return found


def _aligned(rows):
    """Columns as wide as their widest cell: the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    return [f"{row[0]:<{widths[0]}}  " + "  ".join(f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:]))
            for row in rows]


def _number(value):
    """Four digits that count; 1e-05 and less as such."""
    return f"{value:.4g}"


def _interval(one):
    return f"{_number(one['lo'])} to {_number(one['hi'])}"


def _percent_interval(one):
    return f"{100 * one['lo']:.2f} to {100 * one['hi']:.2f} %"


def _variant_rows(found):
    yield "", "bytes", "KL", "+-", "95 %", "loss", "+-", "equal top", "95 %"
    base = found["base"]
    yield (base["name"], f"{base['weight_bytes']:,}", "", "", "", f"{base['loss']['mean']:.4f}",
           f"{base['loss']['standard_error']:.4f}", "", "")
    for name, one in found["variants"].items():
        kl, loss, top = one["kl"], one["loss"], one["equal_top"]
        yield (name, f"{one['weight_bytes']:,}", _number(kl["mean"]), f"{kl['standard_error']:.2g}", _interval(kl),
               f"{loss['mean']:.4f}", f"{loss['standard_error']:.4f}", f"{100 * top['mean']:.2f} %",
               _percent_interval(top))


def _comparison_rows(found):
    yield "against " + found["against"], "KL difference", "95 %", "p", "ratio", "95 %", ""
    for name, one in found["comparisons"].items():
        difference = one["difference"]
        yield (name, _number(difference["mean"]), _interval(difference), f"{one['p']:.2g}", f"{one['ratio']:.3f}",
               f"{one['ratio_lo']:.3f} to {one['ratio_hi']:.3f}", one["verdict"])


def table(found):
    """Text, without a newline at its end."""
    lines = [f"{found['windows']} windows of {found['length']} tokens, evenly spread over the {found['tokens']:,} of "
             f"{found['text']}, without overlap", "KL(base || variant) and loss in nats a token; +- standard error over "
             f"windows; bootstrap over windows, {statistics.RESAMPLES:,} resamples, seed {found['seed']}", ""]
    lines += _aligned(list(_variant_rows(found)))
    if found.get("comparisons"):
        lines += ["", *_aligned(list(_comparison_rows(found)))]
    return "\n".join(lines)
