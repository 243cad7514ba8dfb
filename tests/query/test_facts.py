"""What files say of their images, from the file to the search and to info; and collections made before."""

import datetime
import json
import shutil
from pathlib import Path

import lance
import pytest
from PIL import Image

from lookalike import Collection, Filter
from lookalike.errors import CollectionError, QueryError
from lookalike.images.metadata.metadata import NO_METADATA
from lookalike.query.facts import Facts, summarize_facts
from lookalike.store import Store, schema
from pictures import picture

MODEL = "pixels-28-grey"
NEW = {
    "files": ["ctime_ns", "inode", "note"],
    "images": [
        *("taken", "taken_offset", "camera", "lens", "latitude", "longitude", "keywords", "rating"),
        *("caption", "reader"),
    ],
    "failures": ["reader"],
}
"""What a collection of format 2 lacked."""

XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="{rating}">
<dc:subject><rdf:Bag>{keywords}</rdf:Bag></dc:subject>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{caption}</rdf:li></rdf:Alt></dc:description>
</rdf:Description></rdf:RDF></x:xmpmeta>"""


def exif(taken, maker, camera, lens, place=None):
    """Return what a camera writes; of the place degrees and minutes, north and west."""
    made = Image.Exif()
    made[0x010F], made[0x0110] = maker, camera
    of_shot = made.get_ifd(0x8769)
    of_shot[0x9003], of_shot[0x9011], of_shot[0xA434] = taken, "+02:00", lens
    if place is not None:
        (latitude, north), (longitude, west) = place
        made.get_ifd(0x8825).update({1: "N", 2: (latitude, north, 0.0), 3: "W", 4: (longitude, west, 0.0)})
    return made


def xmp(keywords, rating, caption=""):
    words = "".join(f"<rdf:li>{word}</rdf:li>" for word in keywords)
    return XMP.format(keywords=words, rating=rating, caption=caption).encode()


@pytest.fixture
def folder(tmp_path) -> Path:
    """Four photos: two of a camera with place and keywords, one of another, one that says nothing."""
    made = tmp_path / "photos"
    made.mkdir()
    mark = ("Canon", "Canon EOS 5D Mark III", "EF24-70mm f/2.8L")
    pier = exif("2019:05:04 12:30:15", *mark, place=((52, 30.0), (1, 15.0)))
    picture(1).save(made / "pier.jpg", exif=pier, xmp=xmp(["Beach", "Été"], 5, "The pier\nat noon"))
    dune = exif("2019:06:01 00:00:00", *mark, place=((52, 36.0), (1, 15.0)))
    picture(2).save(made / "dune.jpg", exif=dune, xmp=xmp(["beach"], 3))
    picture(3).save(
        made / "street.jpg", exif=exif("2020:01:01 08:00:00", "NIKON CORPORATION", "NIKON D90", "")
    )
    picture(4).save(made / "drawing.png")
    return made


@pytest.fixture
def collection(folder) -> Collection:
    made = Collection.create(folder, model=MODEL)
    made.sync()
    return made


def as_format_2(collection):
    """Turn a collection into one of format 2, which kept nothing of what files say."""
    for table, columns in NEW.items():
        if (collection.folder / f"{table}.lance").exists():
            lance.dataset(str(collection.folder / f"{table}.lance")).drop_columns(columns)
    file = collection.folder / "collection.json"
    content = {**json.loads(file.read_text()), "format": 2}
    content.pop("sum", None)  # which came later
    file.write_text(json.dumps(content))


def state(folder):
    """Return every file of a collection's tables, and when it was changed."""
    files = [folder / "collection.json", *folder.glob("*.lance/**/*")]
    return {str(file): file.stat().st_mtime_ns for file in files}


def names(result):
    return sorted(Path(hit.path).stem for hit in result.hits)


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"min_date": "2019-05", "max_date": "2019-05"}, ["pier"]),
        ({"min_date": "2019-05-05"}, ["dune", "street"]),
        ({"cameras": ["canon eos"]}, ["dune", "pier"]),
        ({"cameras": "nikon", "formats": "jpeg"}, ["street"]),
        ({"lenses": "24-70"}, ["dune", "pier"]),
        ({"keywords": ["BEACH"]}, ["dune", "pier"]),
        ({"keywords": ["été"]}, ["pier"]),
        ({"min_rating": 4}, ["pier"]),
        ({"near": (52.5, -1.25, 1)}, ["pier"]),
        ({"near": (52.5, -1.25, 12)}, ["dune", "pier"]),
    ],
)
def test_a_search_keeps_to_what_files_say(collection, folder, conditions, expected):
    query = folder / "drawing.png"
    assert names(collection.search(query, where=Filter(**conditions))) == expected


def test_what_files_say_goes_together_with_colours_and_clusters(collection, folder):
    collection.clusterings.make(k=1, name="all")
    mine = Filter(cameras=["canon"])
    found = collection.search(folder / "street.jpg", where=mine, same_cluster="all")
    assert names(found) == ["dune", "pier"]
    color = collection.image_info(folder / "pier.jpg").colors[0].hex
    assert "pier" in names(collection.search(color=color, where=mine))
    assert "pier" not in names(collection.search(color=color, where=Filter(cameras=["nikon"])))


def test_info_of_an_image_has_what_its_file_says(collection, folder):
    said = collection.image_info(folder / "pier.jpg").metadata
    assert said.taken == datetime.datetime(2019, 5, 4, 12, 30, 15)
    assert (said.offset, said.camera, said.lens) == (120, "Canon EOS 5D Mark III", "EF24-70mm f/2.8L")
    assert (said.latitude, said.longitude) == (pytest.approx(52.5), pytest.approx(-1.25))
    assert (said.keywords, said.rating) == (("Beach", "Été"), 5)
    drawing = collection.image_info(folder / "drawing.png")
    assert (drawing.metadata, drawing.knows_metadata, drawing.note) == (NO_METADATA, True, None)


def test_info_of_the_collection_takes_them_together(collection):
    assert collection.info().facts == Facts(
        earliest=datetime.datetime(2019, 5, 4, 12, 30, 15),
        latest=datetime.datetime(2020, 1, 1, 8),
        dated=3,
        placed=2,
        cameras={"Canon EOS 5D Mark III": 2, "NIKON D90": 1},
        lenses={"EF24-70mm f/2.8L": 2},
        keywords={"Beach": 2, "Été": 1},
        ratings={5: 1, 3: 1},
    )


def test_where_there_is_nothing_to_say_nothing_is_said(tmp_path):
    assert summarize_facts(Store(tmp_path)) == Facts()


def test_info_prints_what_files_say(collection, folder, call):
    code, out, _ = call("info", "pier.jpg")
    assert code == 0
    lines = [
        "taken       2019-05-04 12:30:15+02:00",
        "camera      Canon EOS 5D Mark III",
        "lens        EF24-70mm f/2.8L",
        "place       52.50000, -1.25000",
        "rating      5 stars",
        "keywords    Beach, Été",
        "caption     The pier at noon",
    ]
    assert "\n".join(lines) in out
    code, out, _ = call("info")
    lines = [
        "taken       2019-05-04 to 2020-01-01 (3 images)",
        "cameras     2: Canon EOS 5D Mark III 2, NIKON D90 1",
        "lenses      1: EF24-70mm f/2.8L 2",
        "places      2 images with latitude and longitude",
        "keywords    2: Beach 2, Été 1",
        "ratings     5 stars 1, 3 stars 1",
    ]
    assert "\n".join(lines) in out


def test_info_of_what_says_nothing_has_no_empty_lines(collection, folder, call):
    _, out, _ = call("info", "drawing.png")
    assert [line.split()[0] for line in out.splitlines()] == [
        *("image", "size", "format", "colours", "sharpness", "models", "id")
    ]


def test_info_json_has_what_files_say(collection, folder, call):
    pier, drawing = json.loads(call("info", "pier.jpg", "drawing.png", "--json")[1])["images"]
    said = {
        "taken": "2019-05-04T12:30:15+02:00",
        "camera": "Canon EOS 5D Mark III",
        "lens": "EF24-70mm f/2.8L",
        "latitude": 52.5,
        "longitude": -1.25,
        "keywords": ["Beach", "Été"],
        "rating": 5,
        "caption": "The pier at noon",
        "note": None,
    }
    assert {name: pier[name] for name in said} == said
    assert {name: drawing[name] for name in said} == {**dict.fromkeys(said), "keywords": []}
    facts = json.loads(call("info", "--json")[1])["metadata"]
    assert (facts["earliest"], facts["latest"]) == ("2019-05-04T12:30:15", "2020-01-01T08:00:00")
    assert (facts["ratings"], facts["unread"]) == ({"5": 1, "3": 1}, 0)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--after", "2019-05", "--before", "2019-06"], ["pier"]),
        (["--before", "2020"], ["dune", "pier"]),
        (["--after", "2019-06-01 00:00"], ["dune", "street"]),
        (["--camera", "nikon", "--camera", "canon"], ["dune", "pier", "street"]),
        (["--lens", "24-70MM"], ["dune", "pier"]),
        (["--keyword", "été", "--min-rating", "5"], ["pier"]),
        (["--near", "52.5,-1.25,1"], ["pier"]),
        (["--near", "-52.5,1.25,1"], []),
    ],
)
def test_the_command_takes_filters_by_what_files_say(collection, folder, call, words, expected):
    code, out, err = call("search", "drawing.png", *words, "-f")
    assert (code, sorted(out.split())) == (0, [f"{name}.jpg" for name in expected]), err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--after", "yesterday"], "(min_date) is 'yesterday'; expected a year, a month, a day or a time"),
        (["--before", "2019-13"], "the date (before) is '2019-13'; expected a year"),
        (["--after", "2020", "--before", "2020"], "no image can be of both"),
        (["--near", "52.5,-1.25"], "--near is '52.5,-1.25'; expected a latitude, a longitude and a distance"),
        (["--near", "152,0,1"], "the latitude of near is 152; expected degrees, -90 to 90"),
        (["--min-rating", "7"], "expected stars, 1 to 5"),
        (["--camera", "cannon"], "taken with a camera called 'cannon'; did you mean Canon or NIKON?"),
        (["--keyword", "bech"], "has the keyword 'bech'; did you mean Beach?"),
        (["--camera", ""], "expected words that are not empty"),
    ],
)
def test_the_command_says_what_is_wrong_with_a_filter(collection, folder, call, words, complaint):
    code, out, err = call("search", "drawing.png", *words)
    assert (code, out) == (2, "")
    assert complaint in err


def test_a_note_is_shown(collection, folder, call):
    (row,) = collection._store.files.read(where="path LIKE '%pier.jpg'").to_pylist()
    collection._store.files.upsert({name: [value] for name, value in {**row, "note": "cut short"}.items()})
    assert collection.image_info(folder / "pier.jpg").note == "cut short"
    assert "\nnote        cut short\n" in call("info", "pier.jpg")[1]
    assert json.loads(call("info", "pier.jpg", "--json")[1])["images"][0]["note"] == "cut short"


def test_a_collection_of_format_2_is_searched_and_shown_without_being_written(collection, folder, call):
    as_format_2(collection)
    before = state(collection.folder)
    old = Collection.open(folder)
    assert len(old.search(folder / "drawing.png").hits) == 3
    assert len(old.search(folder / "drawing.png", where=Filter(min_size=10, formats=["jpeg"])).hits) == 3
    image = old.image_info(folder / "pier.jpg")
    assert (image.metadata, image.knows_metadata, image.note) == (NO_METADATA, False, None)
    assert image.sharpness > 0
    assert old.info().facts == Facts(unread=4)
    assert "metadata    of 4 images not known yet: run `lookalike index`\n" in call("info")[1]
    assert "metadata    not known yet: run `lookalike index`\n" in call("info", "pier.jpg")[1]
    assert json.loads(call("info", "pier.jpg", "--json")[1])["images"][0]["taken"] is None
    assert old.sync(dry_run=True).unchanged == 4
    assert state(collection.folder) == before


@pytest.mark.parametrize("conditions", [{"min_date": "2019"}, {"cameras": "x"}, {"near": (0, 0, 1)}])
def test_a_collection_of_format_2_says_what_to_do_before_it_can_filter(collection, folder, conditions):
    as_format_2(collection)
    with pytest.raises(
        CollectionError, match=r"(?s)earlier lookalike, which kept no dates.*collection\.sync\(\) once"
    ):
        collection.search(folder / "drawing.png", where=Filter(**conditions))


def test_a_collection_of_format_2_filters_once_it_has_been_synced(collection, folder):
    as_format_2(collection)
    said = Collection.open(folder)
    report = said.sync()
    assert (report.unchanged, report.removed, report.failed) == (4, 0, 0)
    found = said.search(folder / "drawing.png", where=Filter(cameras=["canon"], max_date="2019-05"))
    assert (names(found), found.warnings) == (["pier"], ())
    assert (said.info().facts.dated, said.info().facts.unread) == (3, 0)


def test_images_not_read_yet_are_spoken_of_where_a_filter_misses_them(collection, folder):
    rows = collection._store.images.read(where="camera IS NULL").to_pydict()
    collection._store.images.upsert({**rows, "reader": [None] * len(rows["id"])})
    found = collection.search(folder / "dune.jpg", where=Filter(min_date="2019"))
    assert names(found) == ["pier", "street"]
    assert found.warnings == (
        "what the files of 1 image say is not known yet, so that no filter by it lets them pass",
    )
    assert str(found.warnings[0].hint) == "call collection.sync()"
    assert collection.search(folder / "dune.jpg").warnings == ()
    with pytest.raises(QueryError, match=r"called 'leica'.*; what the files of 1 image say is not known yet"):
        collection.search(folder / "dune.jpg", where=Filter(cameras=["leica"]))


def test_tables_of_format_2_read_as_null_what_they_lack(collection):
    as_format_2(collection)
    store = Store(collection.folder)
    assert store.files.missing_columns() == NEW["files"]
    assert store.files.read(["note"]).to_pydict() == {"note": [None] * 4}
    assert store.files.read(["note", "path"]).schema.names == ["note", "path"]
    assert store.images.read(where="width > 1000000").schema == schema.images().remove_metadata()
    assert store.images.read_where_in("id", [], ["id", "taken"]).num_rows == 0
    assert len(store.images.read()) == 4


def test_a_copied_collection_keeps_what_files_say(collection, folder, tmp_path):
    shutil.copytree(folder, tmp_path / "copy")
    assert Collection.open(tmp_path / "copy").info().facts == collection.info().facts
