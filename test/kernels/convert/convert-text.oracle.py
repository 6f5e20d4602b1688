"""What pandas, Python and a table of Kubernetes's suffixes read in texts. NaN: no number."""

import re
from fractions import Fraction

import numpy as np
import pandas as pd


def to_numeric(texts):
    return pd.to_numeric(pd.Series(texts, dtype="object"), errors="coerce").astype("float64")


def python_float(texts):
    return np.array([attempt(float, text) for text in texts])


def to_timedelta_seconds(texts):
    return np.array([attempt(seconds, text) for text in texts])


def seconds(text):
    # pandas counts nanoseconds in a whole number; the division of the fraction is rounded once.
    return float(Fraction(int(pd.to_timedelta(text).as_unit("ns").value), 10**9))


# https://prometheus.io/docs/prometheus/latest/querying/basics/#float-literals-and-time-durations
UNITS = {"y": 365 * 86400, "w": 7 * 86400, "d": 86400, "h": 3600, "m": 60, "s": 1}
UNITS |= {"ms": Fraction(1, 1000), "us": Fraction(1, 10**6), "ns": Fraction(1, 10**9)}
PARTS = re.compile("[+-]?" + "".join(rf"(?:(\d+\.?\d*|\.\d+){unit})?" for unit in UNITS))


def duration(texts):
    return np.array([attempt(duration_of, text) for text in texts])


def duration_of(text):
    match = PARTS.fullmatch(text)
    if match is None:
        raise ValueError(text)
    parts = zip(match.groups(), UNITS.values(), strict=True)
    total = sum(Fraction(number) * unit for number, unit in parts if number is not None)
    return float(-total if text.startswith("-") else total)


# https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
SUFFIXES = {"n": Fraction(1, 10**9), "u": Fraction(1, 10**6), "m": Fraction(1, 1000), "": Fraction(1)}
SUFFIXES |= {suffix: Fraction(1000) ** (i + 1) for i, suffix in enumerate("kMGTPE")}
SUFFIXES |= {suffix + "i": Fraction(1024) ** (i + 1) for i, suffix in enumerate("KMGTPE")}


def quantity(texts):
    return np.array([attempt(quantity_of, text) for text in texts])


def quantity_of(text):
    for suffix in sorted(SUFFIXES, key=len, reverse=True):
        number = text.removesuffix(suffix)
        exponent = r"([eE][+-]?\d+)?"
        if text.endswith(suffix) and re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)" + exponent, number):
            return float(Fraction(number) * SUFFIXES[suffix])
    raise ValueError(text)


def attempt(convert, text):
    try:
        return convert(text)
    except (ValueError, OverflowError):
        return np.nan
