"""Writes isolation forests of scikit-learn as JSON that Millrace reads."""

import json


def export_forest(forest):
    """The JSON text of a fitted sklearn.ensemble.IsolationForest."""
    trees = []
    for estimator, columns in zip(forest.estimators_, forest.estimators_features_):
        tree = estimator.tree_
        trees.append(
            {
                "children_left": tree.children_left.tolist(),
                "children_right": tree.children_right.tolist(),
                # Numbers of the forest's columns: with max_features a tree has its own.
                "feature": [int(columns[f]) if f >= 0 else -2 for f in tree.feature],
                "threshold": tree.threshold.tolist(),
                "n_node_samples": tree.n_node_samples.tolist(),
                "missing_go_to_left": tree.missing_go_to_left.astype(int).tolist(),
            }
        )
    return json.dumps(
        {
            "columns": forest.n_features_in_,
            "max_samples": int(forest.max_samples_),
            "offset": float(forest.offset_),
            "trees": trees,
        }
    )
