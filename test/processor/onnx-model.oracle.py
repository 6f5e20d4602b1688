"""Small models made with onnx, and the same arithmetic by numpy."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

TYPES = {"float32": (TensorProto.FLOAT, np.float32), "float64": (TensorProto.DOUBLE, np.float64)}


def save(path, nodes, inputs, outputs, constants):
    graph = helper.make_graph(nodes, "imputer", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return True


def save_regression(path, kind, means, weights):
    """Missing cells are the means; then a linear layer."""
    proto, dtype = TYPES[kind]
    columns = len(means)
    nodes = [
        helper.make_node("IsNaN", ["values"], ["missing"]),
        helper.make_node("Where", ["missing", "means", "values"], ["complete"]),
        helper.make_node("MatMul", ["complete", "weights"], ["estimates"]),
    ]
    constants = [
        numpy_helper.from_array(means.astype(dtype), "means"),
        numpy_helper.from_array(weights.astype(dtype), "weights"),
    ]
    table = ["rows", columns]
    return save(
        path,
        nodes,
        [helper.make_tensor_value_info("values", proto, table)],
        [helper.make_tensor_value_info("estimates", proto, table)],
        constants,
    )


def regression(values, kind, means, weights):
    dtype = TYPES[kind][1]
    complete = np.where(np.isfinite(values), values, means).astype(dtype)
    return (complete @ weights.astype(dtype)).astype(float)


def save_mask(path, columns):
    """Estimates the mask itself, its columns free."""
    return save(
        path,
        [helper.make_node("Identity", ["mask"], ["estimates"]), helper.make_node("IsNaN", ["values"], ["unused"])],
        [
            helper.make_tensor_value_info("mask", TensorProto.FLOAT, ["rows", columns]),
            helper.make_tensor_value_info("values", TensorProto.FLOAT, ["rows", "columns"]),
        ],
        [helper.make_tensor_value_info("estimates", TensorProto.FLOAT, ["rows", "columns"])],
        [],
    )


def save_identity(path, kind, inputs, outputs):
    """One input and one output of whatever shapes, -1 for a free dimension."""
    proto = getattr(TensorProto, kind)
    shape = lambda dimensions, name: [f"{name}{i}" if d < 0 else int(d) for i, d in enumerate(dimensions)]
    return save(
        path,
        [helper.make_node("Identity", ["values"], ["estimates"])],
        [helper.make_tensor_value_info("values", proto, shape(inputs, "i"))],
        [helper.make_tensor_value_info("estimates", proto, shape(outputs, "i"))],
        [],
    )


def save_narrow(path, columns):
    """Declares free columns, and answers the first only."""
    return save(
        path,
        [helper.make_node("Compress", ["values", "kept"], ["estimates"], axis=1)],
        [helper.make_tensor_value_info("values", TensorProto.FLOAT, ["rows", columns])],
        [helper.make_tensor_value_info("estimates", TensorProto.FLOAT, ["rows", "kept"])],
        [numpy_helper.from_array(np.arange(columns) == 0, "kept")],
    )


def save_two_inputs(path):
    return save(
        path,
        [helper.make_node("Add", ["a", "b"], ["c"])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", 3]) for name in ("a", "b")],
        [helper.make_tensor_value_info("c", TensorProto.FLOAT, ["rows", 3])],
        [],
    )


def save_two_columns(path):
    """That of the unit tests: missing cells are 0; each is the mean of its column, and 2 or ½ times the other one of its row."""
    table = ["rows", 2]
    return save(
        path,
        [
            helper.make_node("IsNaN", ["values"], ["missing"]),
            helper.make_node("Where", ["missing", "zero", "values"], ["complete"]),
            helper.make_node("MatMul", ["complete", "weights"], ["crossed"]),
            helper.make_node("ReduceMean", ["complete"], ["means"], axes=[0], keepdims=1),
            helper.make_node("Add", ["crossed", "means"], ["estimates"]),
        ],
        [helper.make_tensor_value_info("values", TensorProto.DOUBLE, table)],
        [helper.make_tensor_value_info("estimates", TensorProto.DOUBLE, table)],
        [
            numpy_helper.from_array(np.zeros(1), "zero"),
            numpy_helper.from_array(np.array([[0.0, 0.5], [2.0, 0.0]]), "weights"),
        ],
    )
