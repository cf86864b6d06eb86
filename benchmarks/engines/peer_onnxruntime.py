"""onnxruntime: the trained network as an ONNX file's graph, run by `InferenceSession.run`."""

from itertools import pairwise

import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from multilayer.benchmark.engines import Calls
from multilayer.benchmark.workloads import Workload

DISTRIBUTIONS = ("onnxruntime",)


def prepare_predicting(workload: Workload, rows: int) -> Calls:
    """Gemm, activation, Gemm, Softmax, optimized as onnxruntime does by default."""
    weights, nodes, name = workload.weights(), [], "x"
    depth = len(workload.sizes) - 1
    for layer, _ in enumerate(pairwise(workload.sizes)):
        nodes.append(helper.make_node("Gemm", [name, f"W{layer}", f"b{layer}"], [f"a{layer}"]))
        kind = {"sigmoid": "Sigmoid", "relu": "Relu"}[workload.activation] if layer < depth - 1 else "Softmax"
        name = f"y{layer}"
        nodes.append(helper.make_node(kind, [f"a{layer}"], [name]))
    constants = [numpy_helper.from_array(w, f"{'Wb'[i % 2]}{i // 2}") for i, w in enumerate(weights)]
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, workload.sizes[0]])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, workload.sizes[-1]])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    x = workload.data()[0][:rows]
    return {"run": lambda: session.run(None, {"x": x})}
