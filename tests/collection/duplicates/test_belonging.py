"""What belongs to a picture, by the names in its folder."""

import pytest

from lookalike.collection.duplicates.belonging import FolderNames, folded

CASES = {
    "beside, in place of the ending": (["IMG_1.JPG", "IMG_1.xmp"], "IMG_1.JPG", ["IMG_1.xmp"]),
    "beside, behind the ending": (["IMG_1.JPG", "IMG_1.JPG.xmp"], "IMG_1.JPG", ["IMG_1.JPG.xmp"]),
    "another's": (["IMG_1.JPG", "IMG_1.CR2", "IMG_1.CR2.xmp"], "IMG_1.JPG", []),
    "in other cases": (["IMG_1.JPG", "img_1.XMP"], "IMG_1.JPG", ["img_1.XMP"]),
    "in another form of Unicode": (["caf\u00e9.jpg", "cafe\u0301.xmp"], "caf\u00e9.jpg", ["cafe\u0301.xmp"]),
    "of programs": (
        ["a.jpg", "a.jpg.pp3", "a.jpg.dop", "a.thm", "a.aae"],
        "a.jpg",
        ["a.aae", "a.jpg.dop", "a.jpg.pp3", "a.thm"],
    ),
    "of Takeout": (["a.jpg", "a.jpg.json"], "a.jpg", ["a.jpg.json"]),
    "of Takeout, long": (
        ["a.jpg", "a.jpg.supplemental-metadata.json"],
        "a.jpg",
        ["a.jpg.supplemental-metadata.json"],
    ),
    "of Takeout, cut": (["a.jpg", "a.jpg.supplemental-me.json"], "a.jpg", ["a.jpg.supplemental-me.json"]),
    "of Takeout, of the second": (
        ["a.jpg", "a(1).jpg", "a.jpg(1).json"],
        "a(1).jpg",
        ["a.jpg(1).json"],
    ),
    "of Takeout, not of the first": (["a.jpg", "a(1).jpg", "a.jpg(1).json"], "a.jpg", []),
    "Apple's of the picture before the edit": (
        ["IMG_1234.HEIC", "IMG_E1234.JPG", "IMG_1234.AAE"],
        "IMG_E1234.JPG",
        ["IMG_1234.AAE"],
    ),
    "the film of a Live Photo": (["IMG_1.HEIC", "IMG_1.MOV"], "IMG_1.HEIC", ["IMG_1.MOV"]),
    "a film beside a drawing": (["a.png", "a.mp4"], "a.png", []),
    "other files": (["a.jpg", "a.txt", "a.json", "a.jpg.bak", "ab.xmp"], "a.jpg", []),
    "a name that begins so": (["a.jpg", "a.b.xmp", "a-1.xmp"], "a.jpg", []),
}


@pytest.mark.parametrize(("names", "name", "expected"), CASES.values(), ids=CASES)
def test_what_belongs_to_a_picture(names, name, expected):
    assert [each.name for each in FolderNames(names).belonging_to(name)] == expected


def test_a_side_file_of_two_pictures_belongs_to_both():
    names = FolderNames(["IMG_1.CR2", "IMG_1.JPG", "IMG_1.xmp"])
    assert names.owners_of("IMG_1.xmp") == ("IMG_1.CR2", "IMG_1.JPG")
    names = FolderNames(["IMG_1.jpg", "img_1.JPG", "IMG_1.jpg.xmp"])
    assert names.owners_of("IMG_1.jpg.xmp") == ("IMG_1.jpg", "img_1.JPG")


@pytest.mark.parametrize(
    ("names", "name", "expected"),
    [
        (["IMG_1.CR2", "img_1.jpg", "IMG_1.DNG", "IMG_1.png"], "IMG_1.CR2", ["IMG_1.png", "img_1.jpg"]),
        (["IMG_1.CR2", "img_1.jpg"], "img_1.jpg", ["IMG_1.CR2"]),
        (["a.jpg", "a.png"], "a.jpg", []),
        (["IMG_1234.HEIC", "IMG_E1234.HEIC", "IMG_E1235.HEIC"], "IMG_1234.HEIC", ["IMG_E1234.HEIC"]),
        (["IMG_1234.HEIC", "IMG_E1234.JPG"], "IMG_E1234.JPG", ["IMG_1234.HEIC"]),
        (["IMG_E1.HEIC", "IMG_1.HEIC"], "IMG_1.HEIC", []),
    ],
)
def test_pictures_of_one_shot_are_companions(names, name, expected):
    assert FolderNames(names).companions_of(name) == expected


def test_a_folder_that_cannot_be_read_has_no_names(tmp_path):
    assert FolderNames.of(tmp_path / "gone").belonging_to("a.jpg") == []


def test_names_are_compared_as_disks_do():
    assert folded("STRASSE.JPG") == folded("stra\u00dfe.jpg")
