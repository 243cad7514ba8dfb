"""Models of the hub and ONNX files of one's own, in collections and on the command line; words as queries.

The weights are stand-ins that the tests make: see standin_models.py.
"""

import contextlib
import dataclasses
import json
import shutil
import socket
import subprocess
import sys
import time

import numpy as np
import pytest

from lookalike import Collection
from lookalike.embed import MODELS, get_model, hub, models
from lookalike.embed.models import GraphUse, HubFile, HubFiles, TextUse
from lookalike.errors import CollectionError, InvalidInputError, ModelError, QueryError
from lookalike.plots import Tile, result_strip, save_figure
from pictures import picture
from standin_models import COLOURS, image_graph, projection, serve_hub, text_graph, tokenizer, wall, walls

CLIP = dataclasses.replace(
    get_model("clip-vit-b32"),
    weights=HubFiles(
        "someone/clip",
        "main",
        HubFile("onnx/vision_model.onnx"),
        HubFile("onnx/text_model.onnx"),
        HubFile("tokenizer.json"),
    ),
    dimension=8,
    use=GraphUse(mean=(0.5,) * 3, std=(0.5,) * 3, output="image_embeds"),
    text=TextUse(6, pad_to_length=False, pad_id=0, pad_token="<pad>", output="text_embeds"),
)


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("LOOKALIKE_MODELS", str(tmp_path / "carried"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as server:  # a port where nobody is
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.getsockname()[1]}")
    rows = tuple(CLIP if row.name == CLIP.name else row for row in MODELS)
    monkeypatch.setattr(models, "MODELS", rows)
    return tmp_path


def files(seed=0, dimension=8):
    made = {
        "onnx/vision_model.onnx": image_graph(dimension, seed=seed),
        "onnx/text_model.onnx": text_graph(dimension, seed=seed),
        "tokenizer.json": b"{}",
    }
    with contextlib.suppress(ImportError):
        made["tokenizer.json"] = tokenizer()
    return made


@pytest.fixture
def carried(places):
    """A folder with the model, as if carried here by hand."""
    return carry(places)


def carry(places, **facts):
    folder = places / "carried" / CLIP.name
    for path, content in files(**facts).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


@pytest.fixture
def folder(places):
    return walls(places / "walls")


@pytest.fixture
def collection(folder, carried):
    made = Collection.create(folder, model=CLIP.name)
    made.sync()
    return made


def content(place):
    """Everything below a folder, by name and bytes, but a writer's lock and what is derived."""
    return {
        path.relative_to(place): path.read_bytes()
        for path in place.rglob("*")
        if path.is_file() and not path.name.startswith("lock") and "indexes" not in path.parts
    }


def names(result):
    return [hit.path.rsplit("/", 1)[-1] for hit in result.hits]


def test_models_of_a_collection_are_names_to_python(tmp_path):
    for seed in range(4):
        picture(seed).save(tmp_path / f"{seed}.png")
    made = Collection.create(tmp_path, model="pixels-8-rgb")
    assert made.models.names() == ["pixels-8-rgb"]
    made.sync()
    made.sync(model="pixels-4-grey")
    reduced = made.models.reduce(2, model="pixels-4-grey")
    assert list(made.models) == ["pixels-8-rgb", "pixels-4-grey", reduced]
    assert (made.models.default, made.models.get().name) == ("pixels-8-rgb", "pixels-8-rgb")
    assert (made.models.get(reduced).dimension, reduced in made.models, "lite0" in made.models) == (
        2,
        True,
        False,
    )
    assert made.models.pca(reduced).n_components_ == 2
    with pytest.raises(InvalidInputError, match="is not reduced by PCA"):
        made.models.pca("pixels-4-grey")
    with pytest.raises(ModelError):
        made.models.get("nonesuch")


class TestWords:
    @pytest.fixture(autouse=True)
    def _needs_tokenizers(self):
        pytest.importorskip("tokenizers")

    @pytest.mark.parametrize("colour", ["red", "green", "blue", "white"])
    def test_words_find_the_pictures_that_they_describe(self, collection, colour):
        result = collection.search(f"a {colour} wall", k=4)
        assert names(result)[0] == f"{colour}.png"
        assert result.hits[0].score > 0.9
        assert result.queries[0].is_text
        assert result.queries[0].name == f"a {colour} wall"

    def test_words_and_pictures_are_asked_together(self, collection, folder):
        both = names(collection.search(folder / "red.png", "blue", k=2, include_self=True))
        assert set(both) == {"red.png", "blue.png"}

        def score_of_green(**options):
            hits = collection.search("white", k=4, **options).hits
            return next(hit.score for hit in hits if hit.path.endswith("green.png"))

        assert score_of_green(without=["green"]) < score_of_green() - 0.1

    def test_a_reduced_model_knows_words_too(self, collection):
        name = collection.models.reduce(3)
        assert name == "clip-vit-b32+pca3"
        assert names(collection.search("a blue wall", model=name, k=1)) == ["blue.png"]

    @pytest.mark.parametrize(
        ("query", "message"),
        [
            ("", "the query is empty"),
            ("  ", "the query is empty"),
            ("no-such-file.JPG", "there is no file 'no-such-file.JPG'; what ends like an image file"),
            ("mnist:test/42", "there is no image mnist:test/42: the data set is not in this collection"),
        ],
    )
    def test_a_slip_of_the_pen_is_not_taken_for_words(self, collection, query, message):
        with pytest.raises(QueryError, match=message):
            collection.search(query)

    def test_long_and_odd_words_are_words(self, collection):
        for query in ("red " * 1000, "a\0b red", "ROT, red, 赤", "red/blue"):
            assert len(collection.search(query, k=2).hits) == 2

    def test_the_command_line_searches_by_words(self, collection, folder, call, places):
        code, out, err = call("search", "a green wall", "-c", folder, "--not", "red", "--json", "-k", 2)
        assert (code, err) == (0, "")
        document = json.loads(out)
        assert (document["query"], document["not"]) == ("a green wall", ["red"])
        assert document["hits"][0]["path"].endswith("green.png")
        picture = places / "result.png"
        assert call("search", "a green wall", "-c", folder, "--plot", picture)[0] == 0
        assert picture.stat().st_size > 5000

    def test_without_the_library_the_pictures_are_searched_all_the_same(
        self, collection, folder, monkeypatch
    ):
        monkeypatch.setitem(sys.modules, "tokenizers", None)
        again = Collection.open(folder)
        assert names(again.search(folder / "red.png", k=1, include_self=True)) == ["red.png"]
        with pytest.raises(ModelError, match=r"pip install .*\[hub\]'"):
            again.search("red")

    def test_a_damaged_text_tower_is_one_clear_line(self, folder, places):
        with serve_hub() as served, pytest.MonkeyPatch.context() as patch:
            patch.setenv("HF_ENDPOINT", served.address)
            served.publish("someone/clip", files())
            made = Collection.create(folder, model=CLIP.name)
            made.sync()
        (places / "cache/models" / CLIP.name / "onnx/text_model.onnx").write_bytes(b"cut")
        with pytest.raises(
            ModelError, match=r"text_model\.onnx is damaged .*\ndelete .*/clip-vit-b32: it is fetched again"
        ):
            made.search("red")


def test_words_for_a_model_without_text_name_those_that_have_it(photos):
    made = Collection.create(photos)
    made.sync()
    with pytest.raises(QueryError, match=r"'gloomy' is none of the words .*\n.* clip-vit-b32, siglip2-base"):
        made.search("a gloomy car")


def test_words_in_a_collection_that_has_a_model_for_them_say_which(photos, carried):
    made = Collection.create(photos, model="pixels-8-rgb")
    made.sync()
    made.sync(model=CLIP.name)
    with pytest.raises(QueryError, match=r"only images\nthis collection has clip-vit-b32: add model='clip"):
        made.search("a red wall")


def test_a_model_is_fetched_when_it_is_first_named(folder, call, monkeypatch, places):
    with serve_hub() as served:
        served.publish("someone/clip", files())
        monkeypatch.setenv("HF_ENDPOINT", served.address)
        code, out, err = call("index", folder, "--model", CLIP.name)
    assert (code, err) == (0, "")
    assert "4 added" in out
    assert (places / "cache/models/clip-vit-b32/lookalike.json").is_file()
    assert call("index", folder)[0] == 0  # without a network


def test_a_model_fetched_to_a_folder_is_carried_to_a_machine_without_a_network(
    folder, call, monkeypatch, places
):
    with serve_hub() as served:
        served.publish("someone/clip", files())
        with monkeypatch.context() as patch:
            patch.setenv("HF_ENDPOINT", served.address)
            code, out, err = call("models", "--fetch", CLIP.name, "--to", places / "stick", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["name"] == CLIP.name
    shutil.move(places / "stick", places / "carried")
    assert call("index", folder, "--model", CLIP.name)[0] == 0
    rows = {row["name"]: row for row in json.loads(call("models", "--json")[1])["models"]}
    assert not rows["resnet50"]["installed"]
    assert rows[CLIP.name]["text"]


def test_resnet_is_cut_before_its_classifier_in_the_real_program(folder, places, monkeypatch):
    with serve_hub() as served:
        graph = image_graph(2048, classifier=10, output="logits")
        served.publish("Xenova/resnet-50", {"onnx/model.onnx": graph})
        monkeypatch.setenv("HF_ENDPOINT", served.address)
        run = [sys.executable, "-m", "lookalike", "index", str(folder), "--model", "resnet50", "--json"]
        done = subprocess.run(run, capture_output=True, timeout=100)
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["embedded"] == 4
    _, vectors = Collection.open(folder).vectors()
    assert vectors.shape == (4, 2048)


def test_a_fetch_that_is_killed_goes_on_from_where_it_was(places, monkeypatch):
    with serve_hub() as served:
        graph = image_graph(2048, classifier=100, output="logits")
        served.publish("Xenova/resnet-50", {"onnx/model.onnx": graph})
        monkeypatch.setenv("HF_ENDPOINT", served.address)
        run = [sys.executable, "-m", "lookalike", "models", "--fetch", "resnet50"]
        served.slow.set()
        killed = subprocess.Popen(run, stderr=subprocess.DEVNULL)
        try:
            half, patience = len(graph) // 2, time.monotonic() + 60
            while not any(part.stat().st_size >= half for part in places.rglob("*.part")):
                assert time.monotonic() < patience and killed.poll() is None
                time.sleep(0.02)
        finally:
            killed.kill()
            killed.wait()
        served.slow.clear()
        served.asked.clear()
        done = subprocess.run(run, capture_output=True, timeout=100)
        assert (done.returncode, done.stderr) == (0, b"")
        assert any(f"bytes={half}-" in line for line in served.asked)
    assert (places / "cache/models/resnet50/onnx/model.onnx").read_bytes() == graph


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--to", "x"], "name the model with --fetch"),
        (["--fetch", "lite0"], "it comes with a Python package"),
        (["--fetch", "nothing"], "no model is called 'nothing'"),
        (["--fetch", "resnet50"], "cannot be fetched: onnx/model.onnx cannot be had from http"),
        (["--fetch", "weights-resnet50"], "cannot be fetched: model.safetensors cannot be had from http"),
    ],
)
def test_a_fetch_that_cannot_be_is_one_line(call, words, message):
    code, out, err = call("models", *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err


def test_a_model_out_of_reach_can_be_gone_around_and_taken_out(photos, carried, places, call):
    made = Collection.create(photos, model="pixels-8-rgb")
    made.sync()
    made.sync(model=CLIP.name)
    reduced = made.models.reduce(3, model=CLIP.name)
    assert len(made.search(photos / "cats/0.png", model=CLIP.name).hits) == 5  # which makes an index
    shutil.rmtree(carried)
    picture(77).save(photos / "dogs/new.png")
    again = Collection.open(photos)
    with pytest.raises(
        ModelError, match=r"cannot be fetched: .*\n.*; to go on without it, collection\.sync\(model="
    ):
        again.sync()
    with pytest.raises(ModelError) as caught:
        again.sync(model=CLIP.name)
    assert "go on without it" not in str(caught.value.hint)
    assert again.sync(model="pixels-8-rgb").added == 1
    assert "dogs/new.png" in call("search", photos / "cats/0.png", "-k", 9)[1]
    # As docs/models.md says.
    for name in (CLIP.name, reduced):
        shutil.rmtree(photos / ".lookalike/vectors" / f"{name}.lance")
        shutil.rmtree(photos / ".lookalike/indexes" / f"{name}-exact", ignore_errors=True)
        for file in (photos / ".lookalike/models").glob(f"{name}.*"):
            file.unlink()
    picture(78).save(photos / "dogs/newer.png")
    assert call("index", photos)[0] == 0
    assert list(Collection.open(photos).info().models) == ["pixels-8-rgb"]
    assert "dogs/newer.png" in call("search", photos / "cats/0.png", "-k", 9)[1]
    code, out, err = call("search", photos / "cats/0.png", "--model", reduced)
    assert (code, out, err.count("\n")) == (2, "", 1)
    carry(places)
    assert call("index", photos, "--model", CLIP.name)[0] == 0
    assert len(Collection.open(photos).search(photos / "cats/0.png", model=CLIP.name).hits) == 7


class TestFailures:
    """Each model that cannot be used is one clear line, and the collection is as it was."""

    @pytest.fixture(params=["unknown", "unreachable", "damaged", "wrong dimension", "no graph", "missing"])
    def bad(self, request, places):
        """Return the name of a model that cannot be used, and what is said of it."""
        if request.param == "unknown":
            return "nonsense", "no model is called 'nonsense'"
        if request.param == "unreachable":
            return CLIP.name, "cannot be fetched: .*refused"
        if request.param == "damaged":
            place = carry(places)
            pin = {"repository": "someone/clip", "revision": "main", "commit": "c", "files": {}}
            pin["files"]["onnx/vision_model.onnx"] = {"size": 5, "sha256": "0" * 64}
            (place / hub.PIN_NAME).write_text(json.dumps(pin))
            return CLIP.name, "vision_model.onnx is damaged"
        if request.param == "wrong dimension":
            carry(places, dimension=16)
            return CLIP.name, "gives 16 numbers an image; expected 8"
        if request.param == "no graph":
            (places / "net.onnx").write_bytes(b"no graph")
            return str(places / "net.onnx"), "net.onnx is not an ONNX file"
        return str(places / "gone.onnx"), "there is no model file"

    def test_no_collection_is_made(self, folder, bad, call):
        name, message = bad
        before = content(folder)
        with pytest.raises(ModelError, match=message):
            Collection.create(folder, model=name)
        code, out, err = call("index", folder, "--model", name)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert content(folder) == before
        assert not (folder / ".lookalike").exists()

    def test_a_collection_that_is_there_is_as_it_was(self, photos, bad, call):
        name, message = bad
        made = Collection.create(photos, model="pixels-8-rgb")
        made.sync()
        before = content(photos / ".lookalike")
        (photos / "cats/0.png").rename(photos / "dogs/moved.png")
        with pytest.raises(ModelError, match=message):
            made.sync(model=name)
        # A search looks for vectors of the model first, and there are none.
        with pytest.raises((ModelError, CollectionError)) as caught:
            made.search(photos / "cats/1.png", model=name)
        assert name in str(caught.value)
        code, out, err = call("index", photos, "--model", name)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert content(photos / ".lookalike") == before

    def test_a_dry_run_needs_no_weights(self, folder, call):
        assert call("index", folder, "--model", "resnet50", "--dry-run")[0] == 0
        assert not (folder / ".lookalike").exists()

    def test_a_new_picture_of_a_collection_whose_model_is_gone_changes_nothing(
        self, collection, folder, places
    ):
        before = content(folder / ".lookalike")
        shutil.rmtree(places / "carried")
        wall("black").save(folder / "black.png")
        (folder / "red.png").unlink()
        again = Collection.open(folder)
        with pytest.raises(ModelError, match="cannot be fetched"):
            again.sync()
        assert content(folder / ".lookalike") == before
        assert names(again.search(folder / "blue.png", k=1)) != ["blue.png"]  # no weights are needed for it

    def test_other_weights_of_the_same_name_never_mix(self, collection, folder, places):
        carry(places, seed=1)
        before = content(folder / ".lookalike")
        wall("black").save(folder / "black.png")
        again = Collection.open(folder)
        with pytest.raises(ModelError, match="were made with other weights than are here: expected sha256"):
            again.sync()
        with pytest.raises(ModelError, match="were made with other weights"):
            again.search(folder / "black.png")
        if "tokenizers" in sys.modules:
            with pytest.raises(ModelError, match="were made with other weights"):
                again.search("red")
        assert content(folder / ".lookalike") == before
        carry(places)
        assert again.sync().embedded == 1

    def test_a_table_of_another_dimension_is_refused(self, collection, folder, monkeypatch):
        row = dataclasses.replace(CLIP, dimension=16)
        monkeypatch.setattr(models, "MODELS", (row,))
        with pytest.raises(ModelError, match="have 8 dimensions; the model gives 16"):
            Collection.open(folder).search(folder / "red.png")


class TestOwnFiles:
    @pytest.fixture
    def net(self, places):
        (places / "My net!.onnx").write_bytes(image_graph(size=16, output="y"))
        return places / "My net!.onnx"

    def test_a_file_is_a_model_of_the_collection_named_by_its_content(self, folder, net, call):
        assert call("index", folder, "--model", net)[0] == 0
        made = Collection.open(folder)
        assert made.model.startswith("my-net-") and len(made.model) == len("my-net-1a2b3c4d")
        net.unlink()  # it is kept
        wall("black").save(folder / "black.png")
        assert made.sync().embedded == 1
        found = Collection.open(folder).search(folder / "black.png", k=1, include_self=True)
        assert (names(found), found.model) == (["black.png"], made.model)

    def test_it_stands_beside_the_other_models(self, photos, net, call):
        made = Collection.create(photos, model="pixels-8-rgb")
        made.sync()
        assert made.sync(model=str(net)).embedded == 6
        name = next(name for name in made.info().models if name.startswith("my-net"))
        by_file = made.search(photos / "cats/0.png", model=str(net))
        by_name = Collection.open(photos).search(photos / "cats/0.png", model=name)
        assert [hit.id for hit in by_file.hits] == [hit.id for hit in by_name.hits]
        assert by_file.model == by_name.model == name
        assert made.models.reduce(2, model=name) == f"{name}+pca2"
        assert call("search", photos / "cats/0.png", "--model", net)[0] == 0

    def test_a_file_that_cannot_be_kept_leaves_no_collection_behind(self, folder, net, monkeypatch):
        def full(*arguments):
            raise ModelError("the disk is full")

        monkeypatch.setattr("lookalike.embed.registry.keep_local", full)
        with pytest.raises(ModelError, match="the disk is full"):
            Collection.create(folder, model=str(net))
        assert not (folder / ".lookalike").exists()

    def test_two_files_of_one_name_never_mix(self, folder, net):
        made = Collection.create(folder, model=str(net))
        made.sync()
        net.write_bytes(image_graph(size=16, output="y", seed=1))
        with pytest.raises(CollectionError, match="is embedded with my-net-"):
            made.search(folder / "red.png", model=str(net))
        made.sync(model=str(net))
        assert len(made.info().models) == 2

    def test_searching_with_a_file_that_was_never_indexed_keeps_nothing(self, photos, net):
        made = Collection.create(photos, model="pixels-8-rgb")
        made.sync()
        before = content(photos / ".lookalike")
        with pytest.raises(
            CollectionError, match=r"embedded with my-net-.*\n.*sync\(model='.*My net!\.onnx'\)"
        ):
            made.search(photos / "cats/0.png", model=str(net))
        assert content(photos / ".lookalike") == before

    def test_the_json_beside_it_says_how_it_is_used(self, folder, net):
        net.with_suffix(".json").write_text(json.dumps({"mean": [0, 0, 0], "std": [1, 1, 1], "resize": 16}))
        made = Collection.create(folder, model=str(net))
        made.sync()
        row = made._models.get(made.model)
        assert (row.size, row.resize, row.use.std) == (16, 16, (1, 1, 1))
        images, vectors = made.vectors()
        red = next(i for i, image in enumerate(images) if image.path.endswith("red.png"))
        direction = np.array([1, 0, 0, 1]) @ projection(8)
        assert vectors[red] @ direction / np.linalg.norm(direction) > 0.99

    def test_another_json_with_the_same_file_is_refused(self, folder, net):
        made = Collection.create(folder, model=str(net))
        made.sync()
        net.with_suffix(".json").write_text('{"std": [1, 1, 1]}')
        with pytest.raises(ModelError, match=r"used otherwise than the JSON file beside it says now\nrename"):
            Collection.open(folder).sync(model=str(net))

    def test_the_hubs_configuration_is_understood(self, folder, net):
        net.with_name("preprocessor_config.json").write_text(
            json.dumps(
                {
                    "do_center_crop": True,
                    "crop_size": {"height": 16, "width": 16},
                    "size": {"shortest_edge": 20},
                    "resample": 2,
                    "image_mean": [0.1, 0.2, 0.3],
                    "image_std": [0.4, 0.5, 0.6],
                }
            )
        )
        made = Collection.create(folder, model=str(net))
        row = made._models.get(made.model)
        assert (row.size, row.resize) == (16, 20)
        assert (row.use.fit, row.use.interpolation) == ("crop", "bilinear")
        np.testing.assert_allclose((row.use.mean, row.use.std), ([0.1, 0.2, 0.3], [0.4, 0.5, 0.6]))

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("{", "does not say how to use"),
            ("[]", "expected an object"),
            ('{"means": [0, 0, 0]}', "the key 'means'; expected size, resize, mean, std, fit"),
            ('{"mean": [0, 0]}', "mean is .*; expected three numbers"),
            ('{"mean": 0.5}', "expected three numbers"),
            ('{"std": [0, 1, 1]}', "expected three numbers above 0"),
            ('{"size": "16"}', "size is '16'; expected pixels"),
            ('{"size": 16, "resize": 8}', "resize is 8 .*; expected at least the size, 16"),
            ('{"size": 32}', "16 × 16 pixels; expected 32 × 32"),
            ('{"resize": 8}', "resize is 8 .*; expected at least the size, 16"),
            ('{"fit": "stretch"}', "fit is 'stretch'; expected crop or squash"),
            ('{"interpolation": "magic"}', "expected one of nearest"),
            ('{"output": "z"}', "has no output 'z'; there are: y"),
            ('{"output": 3}', "output is the name of an output"),
        ],
    )
    def test_a_json_that_says_nonsense_is_refused_in_words(self, folder, net, text, message):
        net.with_suffix(".json").write_text(text)
        with pytest.raises(ModelError, match=message) as caught:
            Collection.create(folder, model=str(net))
        assert "\n" not in str(caught.value)
        assert not (folder / ".lookalike").exists()

    @pytest.mark.parametrize("damage", [b"", b"x" * 100])
    def test_a_kept_file_that_is_damaged_later_is_refused(self, folder, net, damage):
        made = Collection.create(folder, model=str(net))
        made.sync()
        (folder / ".lookalike/models" / f"{made.model}.onnx").write_bytes(damage)
        wall("black").save(folder / "black.png")
        with pytest.raises(ModelError, match=r"is damaged: expected sha256 .*\ndelete it and sync again"):
            Collection.open(folder).sync()


def test_words_are_drawn_in_place_of_a_picture(places):
    queries = [Tile(None, "query", words="red"), Tile(None, "not", words="a very long story, " * 30)]
    figure = result_strip(queries, [])
    save_figure(figure, places / "words.svg")
    drawn = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert "red" in drawn
    assert any(text.endswith(" …") for text in drawn)
    assert set(COLOURS) >= {"red"}
