"""Outlier scores of numpy, scipy and scikit-learn."""

import time

import numpy as np
from export_forest import export_forest
from scipy import stats
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score


def iqr_fences(values, firsts, ends, scored):
    """A row for each window: the fences of Tukey around the finite others."""

    def fences(others, _):
        low, high = np.percentile(others, [25, 75])
        return low, high, low - 1.5 * (high - low), high + 1.5 * (high - low)

    return each_window(values, firsts, ends, scored, fences)


def z_scores(values, firsts, ends, scored):
    """A row for each window: score, deviation."""

    def score(others, value):
        return stats.zmap(np.array([value]), others, ddof=0)[0], np.std(others)

    return each_window(values, firsts, ends, scored, score)


def robust_z_scores(values, firsts, ends, scored):
    """A row for each window: score, deviation, median absolute deviation."""

    def score(others, value):
        distance = value - np.median(others)
        mad = stats.median_abs_deviation(others)
        mean_distance = np.mean(np.abs(others - np.median(others)))
        deviation = mad / 0.6745 if mad > 0 else 1.253314 * mean_distance
        return distance / deviation, deviation, mad

    return each_window(values, firsts, ends, scored, score)


def each_window(values, firsts, ends, scored, function):
    """Of the finite others of each window, on values scaled by a power of two where squares of 1e300 or of denormals
    do not survive; all answers but scores scale with the values, and the test compares them scaled."""
    sizes = np.abs(values[np.isfinite(values)])
    largest = sizes.max() if len(sizes) else 0.0
    scaled = np.ldexp(values, -900 if largest > 1e150 else 900 if 0 < largest < 1e-150 else 0)
    rows = []
    for first, end, at in zip(firsts.astype(int), ends.astype(int), scored.astype(int)):
        others = np.concatenate([scaled[first:at], scaled[at + 1 : end]])
        rows.append(function(others[np.isfinite(others)], scaled[at]))
    return np.array(rows)


def fitted(table, judged, options):
    """A forest fitted to a table, as text, and its scores of another."""
    forest = IsolationForest(**options).fit(table)
    return [export_forest(forest), -forest.score_samples(judged), (forest.predict(judged) < 0).astype(float)]


def average_path_lengths(counts):
    from sklearn.ensemble._iforest import _average_path_length

    return _average_path_length(counts)


def forest_scores(table, seed):
    return -IsolationForest(random_state=int(seed)).fit(table).score_samples(table)


def roc_auc(labels, scores):
    return float(roc_auc_score(labels, scores))


def seconds_to_fit_and_score(table, times):
    """Processor time of one fit, and of scoring all rows."""
    fit = score = 0.0
    for seed in range(int(times)):
        forest = IsolationForest(random_state=seed, n_jobs=1)
        before = time.process_time()
        forest.fit(table)
        between = time.process_time()
        forest.score_samples(table)
        after = time.process_time()
        fit += between - before
        score += after - between
    return np.array([fit, score]) / times
