"""Correlations of pandas and graph measures of networkx."""

import time

import networkx as nx
import numpy as np
import pandas as pd


def rolling_correlation(x, y, ends, window, minimum):
    """Of the windows that end at these rows.

    Each window by itself: pandas' running sums keep the rounding errors of rows that have left it. 1e300 and 5e-324 have
    no squares: each side is scaled by a power of two, which changes no correlation. Of 1e9 and a little the running
    means lose digits as well: the first value of a window is taken off, which is exact there. And infinities, which
    pandas reads as missing, only after the window is cut out."""
    windows = [slice(max(0, end - window), end) for end in ends.astype(int)]
    return np.array([last_correlation(x[rows], y[rows], minimum) for rows in windows])


def last_correlation(x, y, minimum):
    both = np.isfinite(x) & np.isfinite(y)
    if both.sum() < minimum:
        return np.nan
    x, y = [prepared(np.where(both, side, np.nan)) for side in (x, y)]
    return pd.Series(x).rolling(len(x), min_periods=minimum).corr(pd.Series(y)).iloc[-1]


def prepared(side):
    finite = side[np.isfinite(side)]
    if len(finite) == 0:
        return side
    level = finite[0] if np.all(np.abs(finite - finite[0]) < abs(finite[0]) / 4) else 0.0
    distances = side - level
    largest = np.nanmax(np.abs(distances))
    return np.ldexp(distances, -int(np.frexp(largest)[1])) if largest > 0 else distances


def graph_of(nodes, sources, targets, weights):
    graph = nx.DiGraph()
    graph.add_nodes_from(range(nodes))
    for source, target, weight in zip(sources.astype(int), targets.astype(int), weights):
        previous = graph.get_edge_data(source, target, {"weight": 0.0})["weight"]
        graph.add_edge(source, target, weight=previous + weight)
    return graph


def graph_measures(nodes, sources, targets, weights):
    graph = graph_of(nodes, sources, targets, weights)

    def column(measure):
        return np.array([float(measure[node]) for node in range(nodes)])

    return {
        "rank": column(nx.pagerank(graph)),
        "inCentrality": column(nx.in_degree_centrality(graph)),
        "outCentrality": column(nx.out_degree_centrality(graph)),
        "inWeight": column(dict(graph.in_degree(weight="weight"))),
        "outWeight": column(dict(graph.out_degree(weight="weight"))),
        "betweenness": column(nx.betweenness_centrality(graph)),
        "weightedBetweenness": column(nx.betweenness_centrality(graph, weight="weight")),
    }


def correlation_seconds(columns, window):
    """What pandas takes for all rows."""
    frame = pd.DataFrame(np.stack(columns, axis=1))
    started = time.process_time()
    frame.rolling(window, min_periods=2).corr(pairwise=True)
    return time.process_time() - started


def graph_seconds(nodes, sources, targets, weights):
    """What networkx takes for each measure, once warm."""
    graph = graph_of(nodes, sources, targets, weights)
    measures = [
        lambda: nx.pagerank(graph),
        lambda: nx.betweenness_centrality(graph),
        lambda: nx.betweenness_centrality(graph, weight="weight"),
    ]
    return np.array([seconds(measure) for measure in measures])


def seconds(measure, repeats=20):
    measure()
    started = time.process_time()
    for _ in range(repeats):
        measure()
    return (time.process_time() - started) / repeats
