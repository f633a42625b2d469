"""The sensitivity formulas in PyTorch, the way a careful script would write them: docs/metrics.md defines them.

One matrix at a time, all of it: float32 elementwise arithmetic, float64 sums.
"""
import math

import torch


def noise_and_moments(weights):
    """mean, variance, excess kurtosis, noise amplification, sum of squares of a BF16 matrix."""
    values = weights.to(torch.float64)
    count = values.numel()
    sum_squares = float((values * values).sum())
    mean = float(values.mean())
    centred = values - mean
    squares = centred * centred
    m2 = float(squares.sum())
    m4 = float((squares * squares).sum())
    kurtosis = count * m4 / (m2 * m2) - 3.0
    low, high = torch.aminmax(weights)
    noise = (float(high) - float(low)) / (16.0 * math.sqrt(12.0) * math.sqrt(sum_squares / count))
    return mean, m2 / count, kurtosis, noise, sum_squares


def rtn_error(values, bits, group):
    """Sum of the squared errors of round to nearest; `values` is float32 [rows, columns]."""
    groups = values.reshape(-1, group)
    low, high = torch.aminmax(groups, dim=1, keepdim=True)
    levels = float(2**bits - 1)
    scale = ((high - low) / levels).clamp_min(1e-12)
    codes = ((groups - low) / scale).round_().clamp_(0.0, levels)
    error = codes.mul_(scale).add_(low).sub_(groups)
    return float(error.to(torch.float64).square_().sum())


def affine_error(values, bits, group):
    """The same for what MLX stores, scale and bias in BF16."""
    groups = values.reshape(-1, group)
    low, high = torch.aminmax(groups, dim=1, keepdim=True)
    levels = float(2**bits - 1)
    scale = ((high - low) / levels).clamp_min(1e-7)
    use_low = low.abs() > high.abs()
    scale = torch.where(use_low, scale, -scale)
    edge = torch.where(use_low, low, high)
    steps = (edge / scale).round()
    has_steps = steps != 0
    scale = torch.where(has_steps, edge / torch.where(has_steps, steps, 1.0), scale)
    bias = torch.where(has_steps, edge, torch.zeros_like(edge))
    codes = ((groups - bias) / scale).round_().clamp_(0.0, levels)
    stored_scale = scale.to(torch.bfloat16).to(torch.float32)
    stored_bias = bias.to(torch.bfloat16).to(torch.float32)
    error = codes.mul_(stored_scale).add_(stored_bias).sub_(groups)
    return float(error.to(torch.float64).square_().sum())


ERRORS = {"rtn": rtn_error, "affine": affine_error}


def measure(weights, settings):
    """All but the spectrum of one BF16 matrix; `settings` lists (family, bits, group)."""
    mean, variance, kurtosis, noise, sum_squares = noise_and_moments(weights)
    values = weights.to(torch.float32)
    errors = [ERRORS[family](values, bits, group) for family, bits, group in settings]
    return {"mean": mean, "variance": variance, "excess_kurtosis": kurtosis, "noise_amplification": noise,
            "nrmse": [math.sqrt(error / sum_squares) for error in errors]}


def sketch(weights):
    """What the published code takes as the spectrum of a matrix with more than 512 rows and columns."""
    _, singular, _ = torch.svd_lowrank(weights.to(torch.float32), q=256)
    squares = singular.to(torch.float64).square()
    return float(squares[:25].sum() / squares.sum())
