"""Change points: ruptures, and Page-Hinkley's test by its definition."""

import time

import numpy as np
import ruptures
from scipy.stats import norm


def squares(values, ends):
    """numpy's sum of squares about the mean as ruptures' CostL2 takes it, of each values[0:end]."""
    cost = ruptures.costs.CostL2().fit(values)
    return np.array([cost.error(0, int(end)) for end in ends])


def pelt(values, penalty):
    """Break points of ruptures, the end of the signal among them; none for a signal that it refuses as too short."""
    try:
        search = ruptures.Pelt(model="l2", min_size=2, jump=1).fit(values)
        return np.array(search.predict(pen=penalty), dtype=float)
    except ruptures.exceptions.BadSegmentationParameters:
        return np.array([])


def pelt_seconds(values, penalty):
    """Seconds of processor time of one search, and the break points."""
    start = time.process_time()
    points = pelt(values, penalty)
    return [time.process_time() - start, points]


def penalty(values, sensitivity):
    """2 sigma^2 ln n / sensitivity, sigma from the median size of the steps, or from the mean where that is 0."""
    steps = np.abs(np.diff(values))
    sigma = np.median(steps) / (norm.ppf(0.75) * np.sqrt(2)) or steps.mean() * np.sqrt(np.pi) / 2
    return 2 * max(sigma, 1e-12 * np.abs(values).max()) ** 2 * np.log(len(values)) / sensitivity


def drifts(values, min_instances, delta, threshold, alpha):
    """Where the test of Page and Hinkley tells of a drift, by the definition of river.drift.PageHinkley(mode="both").

    The sums are added up again from the last drift at each sample, from the running means that river's stats.Mean has.
    """
    found, start = [], 0
    for i in range(len(values)):
        since = values[start : i + 1]
        if len(since) < min_instances:
            continue
        rises, falls = page_hinkley_sums(since, delta, alpha)
        if rises[-1] - min(rises) > threshold or max(falls) - falls[-1] > threshold:
            found.append(i)
            start = i + 1
    return np.array(found, dtype=float)


def page_hinkley_sums(values, delta, alpha):
    mean, rise, fall, rises, falls = 0.0, 0.0, 0.0, [], []
    for n, x in enumerate(values.tolist(), start=1):
        mean += (1.0 / n) * (x - mean)
        rise = alpha * rise + (x - mean) - delta
        fall = alpha * fall + (x - mean) + delta
        rises.append(rise)
        falls.append(fall)
    return rises, falls
