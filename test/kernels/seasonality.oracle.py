"""Seasonal decomposition of statsmodels, and what is measured of it."""

import time

import numpy as np
from scipy.stats import median_abs_deviation
from statsmodels.tsa.seasonal import STL, seasonal_decompose


def parts(result):
    return [np.asarray(part, dtype=float) for part in (result.trend, result.seasonal, result.resid)]


def decompose(values, period, model, two_sided):
    return parts(seasonal_decompose(values, model=model, period=int(period), two_sided=two_sided))


def stl(values, period, seasonal, robust):
    return parts(STL(values, period=int(period), seasonal=int(seasonal), robust=robust).fit())


def strengths(trend, seasonal, residual, size):
    """Of season and trend by the definition, over the samples with a residual; rounding counts as no variance."""
    known = ~np.isnan(residual)
    return np.array([strength(part[known], residual[known], size) for part in (seasonal, trend)])


def strength(part, residual, size):
    whole = np.std(part + residual)
    return max(0.0, 1 - np.var(residual) / whole**2) if whole > 1e-12 * size else 0.0


def row(values, period):
    """Trend, seasonal, residual and seasonal strength of the last of the values, by the one-sided decomposition, and
    the standard deviation that the strength is a share of."""
    trend, seasonal, residual = decompose(values, period, "additive", False)
    size = np.abs(values).max()
    strength_of_season = strengths(trend, seasonal, residual, size)[0]
    return np.array([trend[-1], seasonal[-1], residual[-1], strength_of_season, np.nanstd(seasonal + residual)])


def residual_scores(residual, size):
    """0.6745 (r - median) / MAD with the deviation of scipy; none where it is rounding."""
    deviation = median_abs_deviation(residual, nan_policy="omit")
    if not deviation > 1e-12 * size:
        return np.full(len(residual), np.nan)
    return 0.6745 * (residual - np.nanmedian(residual)) / deviation


def robust_movement(values, period, seasonal):
    """How far robust STL's own answer moves where the values move by their last bit, as a share of the largest."""
    answer = np.array(stl(values, period, seasonal, True))
    ulps = np.random.default_rng(1).choice([-1, 0, 1], (3, len(values))) * 2.0**-52
    moved = [np.abs(np.array(stl(values * (1 + ulp), period, seasonal, True)) - answer).max() for ulp in ulps]
    return max(moved) / np.abs(values).max()


def decompose_seconds(values, period, two_sided, repeats):
    start = time.process_time()
    for _ in range(int(repeats)):
        seasonal_decompose(values, period=int(period), two_sided=two_sided)
    return (time.process_time() - start) / repeats


def stl_seconds(values, period, robust, repeats):
    start = time.process_time()
    for _ in range(int(repeats)):
        STL(values, period=int(period), robust=robust).fit()
    return (time.process_time() - start) / repeats
