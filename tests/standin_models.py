"""Stand-ins for models of the hub, tiny graphs, and for the hub itself, a server that answers as it does.

The image tower is the mean colour of nine fields of the image, times a fixed matrix; the text tower looks up
each of its few words as a colour, and multiplies by the same matrix. So words find pictures of their colour.
"""

import contextlib
import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

COMMIT = "c0ffee" + "0" * 34
OTHER_COMMIT = "decade" + "1" * 34
COLOURS = {
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
    "white": (255, 255, 255),
    "black": (0, 0, 0),
}
WORDS = {"<pad>": 0, "<unk>": 1, "a": 2, "wall": 3, **{word: 4 + i for i, word in enumerate(COLOURS)}}


def save(nodes, inputs, outputs, constants, opset=17):
    """Return the ONNX file of a graph, as bytes; values are (name, type, shape)."""
    graph = helper.make_graph(
        nodes,
        "standin",
        [helper.make_tensor_value_info(*value) for value in inputs],
        [helper.make_tensor_value_info(*value) for value in outputs],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = 8
    return model.SerializeToString()


def projection(dimension: int, seed: int = 0) -> np.ndarray:
    """Return (4, dimension): from red, green, blue and one to an embedding."""
    return np.random.default_rng(seed).normal(size=(4, dimension)).astype(np.float32)


def image_graph(
    dimension=8,
    *,
    output="image_embeds",
    size=224,
    batch="n",
    form="vector",
    channels_first=True,
    dtype=TensorProto.FLOAT,
    classifier=0,
    seed=0,
):
    """Return an image tower: the mean colour, times a matrix.

    `form` is how the embedding comes out: "vector" (n, d), "tokens" (n, 3, d) with it
    first, "map" (n, d, 2, 2) with it as the mean; `classifier` puts that many scores behind it.
    """
    shape = [batch, 3, size, size] if channels_first else [batch, size, size, 3]
    constants = {"matrix": projection(dimension, seed), "one": np.ones((1, 1), np.float32)}
    nodes = [
        helper.make_node("Cast", ["pixel_values"], ["x"], to=TensorProto.FLOAT),
        helper.make_node(
            "ReduceMean", ["x"], ["colour"], axes=[2, 3] if channels_first else [1, 2], keepdims=0
        ),
        # A one behind the colour, for each image of the batch.
        helper.make_node("ReduceMean", ["colour"], ["mean"], axes=[1], keepdims=1),
        helper.make_node("Sub", ["mean", "mean"], ["zeros"]),
        helper.make_node("Add", ["zeros", "one"], ["ones"]),
        helper.make_node("Concat", ["colour", "ones"], ["four"], axis=1),
        helper.make_node("MatMul", ["four", "matrix"], ["vector"]),
    ]
    shapes = {"vector": [batch, dimension], "tokens": [batch, 3, dimension], "map": [batch, dimension, 2, 2]}
    last, out_shape = "vector", shapes[form]
    if form == "tokens":
        constants |= {"axis": np.array([1]), "factors": np.array([[1], [-5], [9]], np.float32)}
        nodes += [
            helper.make_node("Unsqueeze", ["vector", "axis"], ["row"]),
            helper.make_node("Mul", ["row", "factors"], ["tokens"]),
        ]
        last = "tokens"
    elif form == "map":
        constants |= {
            "axes": np.array([2, 3]),
            "factors": np.array([[0, 2], [3, -1]], np.float32),
        }
        nodes += [
            helper.make_node("Unsqueeze", ["vector", "axes"], ["place"]),
            helper.make_node("Mul", ["place", "factors"], ["map"]),
        ]
        last = "map"
    if classifier:
        random = np.random.default_rng(1)
        constants |= {
            "w": random.normal(size=(classifier, dimension)).astype(np.float32),
            "b": random.normal(size=classifier).astype(np.float32),
        }
        nodes += [
            helper.make_node("Relu", [last], ["pooled"]),
            helper.make_node("Gemm", ["pooled", "w", "b"], ["scores"], transB=1),
            helper.make_node("Softmax", ["scores"], [output]),
        ]
        out_shape = [batch, classifier]
    else:
        nodes.append(helper.make_node("Identity", [last], [output]))
    return save(nodes, [("pixel_values", dtype, shape)], [(output, TensorProto.FLOAT, out_shape)], constants)


def text_graph(dimension=8, *, output="text_embeds", mask=False, mean=(0.5,) * 3, std=(0.5,) * 3, seed=0):
    """Return a text tower: the colour of its words, normalised as an image is, times the same matrix."""
    colours = np.zeros((len(WORDS), 4), np.float32)
    for word, colour in COLOURS.items():
        colours[WORDS[word], :3] = (np.array(colour) / 255 - mean) / std
        colours[WORDS[word], 3] = 1
    constants = {"colours": colours, "matrix": projection(dimension, seed)}
    nodes = [
        helper.make_node("Gather", ["colours", "input_ids"], ["each"], axis=0),
        helper.make_node("Transpose", ["each"], ["turned"], perm=[0, 2, 1]),
        helper.make_node("ReduceMax", ["turned"], ["most"], axes=[2], keepdims=0),
        helper.make_node("ReduceMin", ["turned"], ["least"], axes=[2], keepdims=0),
        helper.make_node("Add", ["most", "least"], ["sum"]),
        helper.make_node("MatMul", ["sum", "matrix"], [output]),
    ]
    inputs = [("input_ids", TensorProto.INT64, ["n", "t"])]
    if mask:
        inputs.append(("attention_mask", TensorProto.INT64, ["n", "t"]))
    return save(nodes, inputs, [(output, TensorProto.FLOAT, ["n", dimension])], constants)


def tokenizer() -> bytes:
    """Return the ``tokenizer.json`` of a handful of lower case words."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    made = Tokenizer(models.WordLevel(WORDS, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    return made.to_str().encode()


def wall(colour: str, side: int = 80) -> Image.Image:
    """Return a picture of one colour, with a little grain so that no two are the same file."""
    grain = np.random.default_rng(len(colour)).integers(-20, 20, (side, side, 1))
    return Image.fromarray(np.clip(np.array(COLOURS[colour]) + grain, 0, 255).astype(np.uint8))


def walls(folder: Path) -> Path:
    """Make a folder of walls, one of each colour but black."""
    folder.mkdir(parents=True)
    for colour in ("red", "green", "blue", "white"):
        wall(colour).save(folder / f"{colour}.png")
    return folder


class Hub:
    """What a test can set and see of the stand-in for the hub.

    Attributes
    ----------
    files : dict of (repository, path) to bytes
    asked : list of str
        ``METHOD path`` and the range, of each request.
    cut : dict of str to int
        After how many bytes the answers for a path break off, once each time it is put here.
    """

    def __init__(self):
        self.files = {}
        self.asked = []
        self.cut = {}
        self.slow = threading.Event()  # while it is set, answers stop in their middle
        self.served = {}  # path: what comes instead of what was stated
        self.commits = {"main": COMMIT, COMMIT: COMMIT}
        self.is_plain_git = {".json"}  # endings of files that are not LFS
        self.address = ""

    def publish(self, repository, files):
        for path, content in files.items():
            self.files[repository, path] = content


@contextlib.contextmanager
def serve_hub():
    """Run a server that answers as the hub does; yields a `Hub`."""
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

        def do_HEAD(self):
            self.answer()

        def do_GET(self):
            self.answer()

        def refuse(self, status, code):
            self.send_response(status)
            self.send_header("X-Error-Code", code)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def answer(self):
            wanted = self.headers.get("Range", "")
            hub.asked.append(f"{self.command} {self.path} {wanted}".rstrip())
            if self.path.startswith("/cdn/"):
                return self.send(hub.files[tuple(self.path[5:].split("|"))], {}, wanted)
            parts = self.path.strip("/").split("/")
            if parts[0] == "old":  # a repository that was renamed
                self.send_response(307)
                self.send_header("Location", self.path.replace("/old/", "/new/", 1))
                self.send_header("Content-Length", "0")
                return self.end_headers()
            repository, revision, path = (
                "/".join(parts[:2]),
                parts[3],
                "/".join(parts[4:]).removesuffix("?cached"),
            )
            if not any(name == repository for name, _ in hub.files):
                return self.refuse(401, "RepoNotFound")
            if revision not in hub.commits:
                return self.refuse(404, "RevisionNotFound")
            content = hub.files.get((repository, path))
            if content is None:
                return self.refuse(404, "EntryNotFound")
            headers = {"X-Repo-Commit": hub.commits[revision]}
            if path.endswith(tuple(hub.is_plain_git)) and not self.path.endswith("?cached"):
                self.send_response(307)
                for name, value in {**headers, "Location": f"{self.path}?cached"}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "12")
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(b"over there\r\n")
                return None
            if path.endswith(tuple(hub.is_plain_git)):
                blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
                return self.send(hub.served.get(path, content), {**headers, "ETag": f'"{blob}"'}, wanted)
            headers["X-Linked-Etag"] = f'"{hashlib.sha256(content).hexdigest()}"'
            headers["X-Linked-Size"] = str(len(content))
            headers["Location"] = f"{hub.address}/cdn/{repository}|{path}"
            self.send_response(302)
            for name, value in {**headers, "Content-Length": "0"}.items():
                self.send_header(name, value)
            return self.end_headers()

        def send(self, content, headers, wanted):
            path = self.path.removesuffix("?cached").split("|")[-1].split("/resolve/")[-1]
            content = hub.served.get(path, content)
            start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
            if wanted and start >= len(content):
                return self.refuse(416, "")
            self.send_response(206 if wanted else 200)
            if wanted:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            if self.command == "GET":
                end = hub.cut.pop(path, None)
                if hub.slow.is_set():
                    self.wfile.write(content[start : start + len(content) // 2])
                    self.wfile.flush()
                    while hub.slow.is_set():
                        time.sleep(0.01)
                    return None
                self.wfile.write(content[start:] if end is None else content[start : start + end])
                self.close_connection = True
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


def document(path: Path) -> dict:
    return json.loads(path.read_text())


def resnet_tensors(depths, width, seed=0):
    """Return random weights of a ResNet by torchvision's names, with a classifier of ten classes.

    With these, activations neither vanish nor explode.
    """
    random = np.random.default_rng(seed)
    made = {}

    def layer(conv, norm, *shape):
        made[f"{conv}.weight"] = random.normal(scale=(2 / np.prod(shape[1:])) ** 0.5, size=shape)
        for part, low, high in [
            ("weight", 0.3, 1.0),
            ("bias", -0.2, 0.2),
            ("running_mean", -0.2, 0.2),
            ("running_var", 0.5, 2.0),
        ]:
            made[f"{norm}.{part}"] = random.uniform(low, high, shape[0])
        made[f"{norm}.num_batches_tracked"] = np.int64(7)

    layer("conv1", "bn1", width, 3, 7, 7)
    before = width
    for stage, depth in enumerate(depths):
        inside = width * 2**stage
        for number in range(depth):
            prefix = f"layer{stage + 1}.{number}."
            layer(prefix + "conv1", prefix + "bn1", inside, before, 1, 1)
            layer(prefix + "conv2", prefix + "bn2", inside, inside, 3, 3)
            layer(prefix + "conv3", prefix + "bn3", 4 * inside, inside, 1, 1)
            if number == 0:
                layer(prefix + "downsample.0", prefix + "downsample.1", 4 * inside, before, 1, 1)
            before = 4 * inside
    made["fc.weight"], made["fc.bias"] = random.normal(size=(10, before)), random.normal(size=10)
    return {
        name: np.asarray(value, np.float32 if np.ndim(value) else np.int64) for name, value in made.items()
    }


def transformers_name(name: str) -> str:
    """Return what transformers calls a weight of a ResNet that torchvision calls so."""
    part = name.rsplit(".", 1)[1]
    if name.startswith("fc."):
        return f"classifier.1.{part}"
    if name.startswith(("conv1.", "bn1.")):
        return (
            f"resnet.embedder.embedder.{'convolution' if name.startswith('conv') else 'normalization'}.{part}"
        )
    stage, number, layer, *_ = name.removeprefix("layer").split(".")
    place = f"resnet.encoder.stages.{int(stage) - 1}.layers.{number}"
    if layer == "downsample":
        return f"{place}.shortcut.{'convolution' if '.downsample.0.' in name else 'normalization'}.{part}"
    kind = "convolution" if layer.startswith("conv") else "normalization"
    return f"{place}.layer.{int(layer[-1]) - 1}.{kind}.{part}"


def safetensors_file(tensors, kinds=None) -> bytes:
    """Return a safetensors file: the length of a header, the header in JSON, the numbers."""
    types = {"float32": "F32", "float16": "F16", "float64": "F64", "int64": "I64"}
    header, content = {"__metadata__": {"format": "pt"}}, b""
    for name, value in tensors.items():
        start, content = len(content), content + value.tobytes()
        kind = (kinds or {}).get(name) or types[value.dtype.name]
        header[name] = {"dtype": kind, "shape": value.shape, "data_offsets": [start, len(content)]}
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + content
