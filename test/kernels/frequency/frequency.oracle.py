"""Spectra of numpy and scipy."""

import time

import numpy as np
from scipy import signal, stats


def rfft(values):
    spectrum = np.fft.rfft(values)
    return np.stack([spectrum.real, spectrum.imag], axis=1).ravel()


def features(values, interval_ms):
    """Power spectrum, then dominant frequency, spectral entropy, centroid and bandwidth.

    The mean is taken off in extended precision, of 1e9 and a little, and the values are scaled by a power of two, as
    1e300 or 5e-324 have no squares. scipy takes what is left of the mean off again."""
    n = len(values)
    bins = n // 2 + 1
    if not np.all(np.isfinite(values)):
        return [np.full(bins, np.nan), np.full(4, np.nan)]
    exponent = -int(np.frexp(np.abs(values).max())[1])
    x = np.ldexp(values.astype(np.longdouble), exponent)
    distances = (x - np.mean(x)).astype(float)
    frequencies, power = signal.periodogram(distances, fs=1000 / interval_ms, scaling="spectrum", detrend="constant")
    # What rounding leaves of the mean.
    power[0] = 0
    unscaled = np.ldexp(power.astype(np.longdouble), -2 * exponent).astype(float)
    if power.sum() == 0:
        return [unscaled, np.full(4, np.nan)]
    shares = power[1:] / power[1:].sum()
    frequencies = frequencies[1:]
    # The lowest of equal ones, whatever rounding says.
    dominant = frequencies[np.argmax(shares >= shares.max() * (1 - 1e-9))]
    entropy = stats.entropy(shares) / np.log(len(shares)) if len(shares) > 1 else np.nan
    centroid = np.average(frequencies, weights=shares)
    bandwidth = np.sqrt(np.average((frequencies - centroid) ** 2, weights=shares))
    return [unscaled, np.array([dominant, entropy, centroid, bandwidth])]


def seconds(values, length, repeats):
    """What numpy takes for so many transforms, and scipy and numpy for so many sets of features."""
    window = values[:length]
    started = time.process_time()
    for _ in range(repeats):
        np.fft.rfft(window)
    transforms = time.process_time() - started
    started = time.process_time()
    for _ in range(repeats // 10):
        features(window, 5000)
    return np.array([transforms, 10 * (time.process_time() - started)])
