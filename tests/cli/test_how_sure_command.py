"""``lookalike search`` says how sure it is, as a user meets it."""

import json

import numpy as np
import pytest
from PIL import Image

N_EACH = 12


def draw(kind, number):
    pattern = np.random.default_rng(1000 + kind).integers(0, 256, (8, 8))
    pixels = pattern + np.random.default_rng((kind, number)).normal(0, 45, (8, 8))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


@pytest.fixture(scope="module")
def sure(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sure")
    for kind in range(8):
        (folder / "pictures" / f"kind-{kind}").mkdir(parents=True)
        for number in range(N_EACH):
            draw(kind, number).save(folder / "pictures" / f"kind-{kind}" / f"{number}.png")
    draw(3, 99).save(folder / "like.png")
    draw(77, 1).save(folder / "unlike.png")
    return folder


@pytest.fixture
def folder(sure, call):
    assert call("index", sure / "pictures", "--model", "pixels-8-grey", cwd=sure)[0] == 0
    return sure


def test_json_has_probabilities_and_where_chance_begins(call, folder):
    document = json.loads(call("search", "like.png", "-c", "pictures", "-k", "40", "--json")[1])
    likely = [hit["probability"] for hit in document["hits"]]
    assert likely == sorted(likely, reverse=True) and likely[0] > 0.8
    assert N_EACH < document["below_chance"] <= 40


def test_the_least_probability_and_how_nothing_is_said(call, folder):
    words = ("-c", "pictures", "-k", "96")
    code, out, err = call("search", "like.png", *words, "--min-probability", "0.5")
    assert (code, err) == (0, "")
    assert 3 < len(out.splitlines()) < 3 * N_EACH
    code, out, err = call("search", "like.png", *words, "--min-probability", "1", "--label", "kind-5")
    assert (code, out, err) == (0, "", "no image is as likely, or as near, as was asked for\n")


def test_nothing_that_looks_like_it_is_an_answer(call, folder):
    code, out, err = call("search", "unlike.png", "-c", "pictures")
    assert (code, len(out.splitlines())) == (0, 10)
    assert err == "nothing here looks like this; these come nearest\n"
    code, out, err = call("search", "unlike.png", "-c", "pictures", "--min-probability", "0.9")
    assert (code, out, err) == (0, "", "nothing here looks like this\n")


def test_a_person_sees_percents_and_a_line(call, folder, monkeypatch):
    monkeypatch.setattr("lookalike.cli.found.is_for_person", lambda: True)
    _, out, _ = call("search", "like.png", "-c", "pictures", "-k", "40")
    lines = out.splitlines()
    assert lines.count("── from here on no nearer than chance ──") == 1
    assert lines.index("── from here on no nearer than chance ──") >= N_EACH
    assert "%" in lines[0] and len(lines) == 41


def test_a_least_score_is_refused_of_a_model_that_has_none(call, folder):
    code, _, err = call("search", "like.png", "-c", "pictures", "--min-score", "0.5")
    assert code != 0 and "hits have no scores here" in err and "Traceback" not in err


@pytest.mark.parametrize("option", ["--min-probability", "--min-score"])
@pytest.mark.parametrize("value", ["2", "-2", "nan"])
def test_what_none_could_have_is_refused_in_a_sentence(call, folder, option, value):
    code, _, err = call("search", "like.png", "-c", "pictures", f"{option}={value}")
    assert code != 0 and "expected a number" in err and "Traceback" not in err
