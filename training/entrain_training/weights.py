"""How a graph stores its matrices: float32, float16, or int8 with one scale per output channel.

    float16   matrix_f16 ─ Cast ─▶ matrix
    int8      matrix_i8 ─ Cast ─ Mul(matrix_scale) ─▶ matrix

ONNX Runtime folds these nodes away when it loads, so the arithmetic is float32 in each, as fast, and no activation
is rounded. `python3 -m entrain_training.weights --weights int8 IN.onnx OUT.onnx` stores a file anew; this needs no PyTorch.
"""
import argparse

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

SMALLEST_MATRIX = 1024  # tensors with fewer numbers stay float32
LARGEST_INT8 = 127


def as_float32(name, values, axis):
    return [numpy_helper.from_array(values, name)], []


def as_float16(name, values, axis):
    cast = helper.make_node("Cast", [name + "_f16"], [name], f"{name}/Cast", to=TensorProto.FLOAT)
    return [numpy_helper.from_array(values.astype(numpy.float16), name + "_f16")], [cast]


def as_int8(name, values, axis):
    """Symmetric: the largest number of each channel becomes ±127; axis is the one summed over, without channels."""
    scale = numpy.maximum(abs(values).max(axis, keepdims=True), 1e-12).astype(numpy.float32) / LARGEST_INT8
    steps = numpy.rint(values / scale).astype(numpy.int8)
    nodes = [helper.make_node("Cast", [name + "_i8"], [name + "_steps"], f"{name}/Cast", to=TensorProto.FLOAT),
             helper.make_node("Mul", [name + "_steps", name + "_scale"], [name], f"{name}/Mul")]
    return [numpy_helper.from_array(steps, name + "_i8"), numpy_helper.from_array(scale, name + "_scale")], nodes


FORMATS = {"float32": as_float32, "float16": as_float16, "int8": as_int8}


def take_matrices(graph):
    """{name: float32 values} of the large tensors, which leave the graph, a Cast behind a stored half with them."""
    stored = {item.name: item for item in graph.initializer}
    casts = {node.input[0]: node for node in graph.node if node.op_type == "Cast" and node.input[0] in stored}
    taken = {}
    for name, item in stored.items():
        values = numpy_helper.to_array(item)
        is_matrix = values.size >= SMALLEST_MATRIX and 1 not in values.shape  # the scales of int8 weights have a side of 1
        if item.data_type not in (TensorProto.FLOAT, TensorProto.FLOAT16) or not is_matrix:
            continue
        cast = casts.get(name)
        taken[cast.output[0] if cast else name] = values.astype(numpy.float32)
        graph.initializer.remove(item)
        if cast:
            graph.node.remove(cast)
    return taken


def store_matrices(graph, weights):
    """Store every large tensor of the graph in one of FORMATS."""
    looked_up = {node.input[0] for node in graph.node if node.op_type == "Gather"}
    for name, values in take_matrices(graph).items():
        tensors, nodes = FORMATS[weights](name, values, axis=1 if name in looked_up else 0)
        graph.initializer.extend(tensors)
        for node in reversed(nodes):
            graph.node.insert(0, node)


def store_file(source, target, weights):
    proto = onnx.load(str(source))
    store_matrices(proto.graph, weights)
    onnx.checker.check_model(proto)
    onnx.save(proto, str(target))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", choices=FORMATS, required=True)
    parser.add_argument("source")
    parser.add_argument("target")
    options = parser.parse_args()
    store_file(options.source, options.target, options.weights)


if __name__ == "__main__":
    main()
