import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lookalike.images.finding import passed_over
from lookalike.images.finding.passed_over import FOLDERS, count_kinds
from lookalike.images.finding.scan import FileStat, find_again, scan, scan_files
from lookalike.system.file_names import escape, unescape
from lookalike.system.installing import install_command
from permissions import as_nobody, folder_for_all


def make(folder, *names):
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x" * len(name))
    return folder


def names(result):
    return list(result.files)


def test_paths_are_relative_with_slashes_and_sorted(tmp_path):
    make(tmp_path, "b.png", "a/z.jpg", "a/b/c.gif", "a.jpg", "Z.jpg")
    result = scan(tmp_path)
    assert names(result) == ["Z.jpg", "a.jpg", "a/b/c.gif", "a/z.jpg", "b.png"]
    assert result.failures == {}
    assert not result.others


def test_an_empty_folder_has_nothing(tmp_path):
    result = scan(tmp_path)
    assert (result.files, result.failures, result.others) == ({}, {}, {})


def test_size_and_time_are_those_of_the_file(tmp_path):
    make(tmp_path, "a.jpg")
    os.utime(tmp_path / "a.jpg", ns=(1, 1_600_000_000_123_456_789))
    status = (tmp_path / "a.jpg").stat()
    assert scan(tmp_path).files == {
        "a.jpg": FileStat(5, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
    }


def test_endings_count_in_either_case_and_the_last_one_only(tmp_path):
    make(tmp_path, "a.JPG", "b.JpEg", "c.HEIC", "d.tar.png", "e.png.txt", "png", "f.jpg~")
    result = scan(tmp_path)
    assert names(result) == ["a.JPG", "b.JpEg", "c.HEIC", "d.tar.png"]
    assert result.others == {".txt": 1, "": 1, ".jpg~": 1}


def test_files_of_other_kinds_are_counted_not_listed(tmp_path):
    make(tmp_path, "a.jpg", "notes.txt", "film.mp4", "deep/film.MP4", "deep/README")
    result = scan(tmp_path)
    assert names(result) == ["a.jpg"]
    assert result.others == {".mp4": 2, ".txt": 1, "": 1}


def test_hidden_files_and_folders_are_passed_over(tmp_path):
    make(tmp_path, "a.jpg", ".hidden.jpg", ".git/b.jpg", ".lookalike/c.jpg", "d/.e/f.jpg")
    result = scan(tmp_path)
    assert names(result) == ["a.jpg"]
    assert not result.others


LEFT = [row.glob.replace("*", "x") for row in FOLDERS]


@pytest.mark.parametrize("folder", LEFT)
def test_other_programs_leavings_are_passed_over_and_counted_unless_hidden(tmp_path, folder):
    make(tmp_path, f"{folder}/a.jpg", f"deep/{folder}/b.jpg", "c.jpg", f"{folder}-not/d.jpg")
    result = scan(tmp_path)
    assert set(names(result)) == ({"c.jpg"} if folder.startswith(".") else {f"{folder}-not/d.jpg", "c.jpg"})
    is_library = "library" in folder  # its originals might be there
    assert result.left_folders == ({} if folder.startswith(".") or is_library else {folder: 2})


@pytest.mark.parametrize("folder", LEFT)
def test_a_folder_that_the_user_names_is_read_whatever_it_is_called(tmp_path, folder):
    make(tmp_path, f"{folder}/a.jpg", f"{folder}/deep/b.jpg")
    assert names(scan(tmp_path / folder)) == ["a.jpg", "deep/b.jpg"]


@pytest.mark.parametrize("row", FOLDERS, ids=lambda row: row.glob)
def test_case_counts_in_a_name_where_it_does_for_the_system_that_makes_it(tmp_path, row):
    name = row.glob.replace("*", "x").swapcase()
    make(tmp_path, f"{name}/a.jpg")
    is_left = row.any_case or name.startswith(".") or name == row.glob
    assert names(scan(tmp_path)) == ([] if is_left else [f"{name}/a.jpg"])


@pytest.mark.parametrize("originals", ["originals", "Originals", "Masters"])
def test_of_a_library_of_photos_the_originals_are_read(tmp_path, originals):
    library = "My.photoslibrary"
    make(tmp_path, f"{library}/{originals}/0/a.jpg", f"{library}/resources/derivatives/a.jpg")
    make(tmp_path, f"{library}/database/b.jpg", "c.jpg")
    assert names(scan(tmp_path)) == [f"{library}/{originals}/0/a.jpg", "c.jpg"]
    assert names(scan(tmp_path / library)) == [f"{originals}/0/a.jpg"]
    assert names(scan_files(tmp_path, [tmp_path / library])) == [f"{library}/{originals}/0/a.jpg"]
    known = [f"{library}/resources/derivatives/a.jpg", f"{library}/{originals}/0/a.jpg"]
    assert list(find_again(tmp_path, known).files) == known[1:]
    assert find_again(tmp_path / library, ["resources/derivatives/a.jpg"]).files == {}


def test_what_lies_in_folders_of_other_programs_is_passed_over_also_where_it_is_named(tmp_path):
    make(tmp_path, "#recycle/a.jpg", "#recycle/deep/b.jpg", "@eaDir/c.jpg")
    named = [tmp_path / name for name in ("#recycle", "#recycle/a.jpg", "#recycle/deep", "@eaDir/c.jpg")]
    result = scan_files(tmp_path, named)
    assert names(result) == []
    assert result.left_folders == {"#recycle": 1, "@eaDir": 1}
    assert find_again(tmp_path, ["#recycle/a.jpg", "@eaDir/c.jpg"]).files == {}


def test_files_whose_reader_is_not_installed_are_passed_over(tmp_path, monkeypatch):
    make(tmp_path, "a.jxl", "b.jpg")
    monkeypatch.setattr(passed_over, "EXTENSIONS", frozenset({".jpg", ".jxl"}))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    passed_over._without_reader.cache_clear()
    result = scan(tmp_path)
    passed_over._without_reader.cache_clear()
    assert names(result) == ["b.jpg"]
    (found,) = count_kinds(result.others, result.left_folders, 0).values()
    assert found.words == f"1 JPEG XL (.jxl; {install_command('jxl')} reads them)"


def test_a_root_that_is_hidden_itself_is_scanned(tmp_path):
    make(tmp_path / ".photos", "a.jpg")
    assert names(scan(tmp_path / ".photos")) == ["a.jpg"]


@pytest.mark.parametrize(
    ("glob", "left"),
    [
        ("a.jpg", ["b.jpg", "sub/b.jpg", "sub/deep/b.jpg"]),
        ("sub", ["a.jpg", "b.jpg"]),
        ("sub/", ["a.jpg", "b.jpg"]),
        ("deep/", ["a.jpg", "b.jpg", "sub/a.jpg", "sub/b.jpg"]),
        ("sub/deep", ["a.jpg", "b.jpg", "sub/a.jpg", "sub/b.jpg"]),
        ("sub/*.jpg", ["a.jpg", "b.jpg"]),
        ("sub/a.jpg", ["a.jpg", "b.jpg", "sub/b.jpg", "sub/deep/a.jpg", "sub/deep/b.jpg"]),
        ("[a]*", ["b.jpg", "sub/b.jpg", "sub/deep/b.jpg"]),
        ("A.JPG", ["a.jpg", "b.jpg", "sub/a.jpg", "sub/b.jpg", "sub/deep/a.jpg", "sub/deep/b.jpg"]),
    ],
)
def test_globs_exclude_by_name_and_by_relative_path(tmp_path, glob, left):
    make(tmp_path, *(f"{place}{name}.jpg" for place in ("", "sub/", "sub/deep/") for name in "ab"))
    assert names(scan(tmp_path, exclude=[glob])) == left


def test_several_globs_exclude_what_any_matches(tmp_path):
    make(tmp_path, "a.jpg", "b.png", "c.gif")
    assert names(scan(tmp_path, exclude=["*.png", "c.*"])) == ["a.jpg"]


def test_below_looks_only_there_and_gives_paths_from_the_root(tmp_path):
    make(tmp_path, "a.jpg", "sub/b.jpg", "sub/deep/c.jpg", "subway/d.jpg")
    assert names(scan(tmp_path, below="sub")) == ["sub/b.jpg", "sub/deep/c.jpg"]
    assert names(scan(tmp_path, below="sub/deep")) == ["sub/deep/c.jpg"]


def test_below_takes_an_escaped_name(tmp_path):
    os.mkdir(os.fsencode(tmp_path) + b"/caf\xe9")
    make(tmp_path / os.fsdecode(b"caf\xe9"), "a.jpg")
    assert names(scan(tmp_path, below=r"caf\xe9")) == [r"caf\xe9/a.jpg"]


def test_a_missing_folder_is_a_failure(tmp_path):
    assert scan(tmp_path / "gone").failures == {".": "no such file"}
    assert scan(tmp_path, below="gone").failures == {"gone": "no such file"}


def test_a_link_to_a_file_is_that_file(tmp_path):
    make(tmp_path, "real.jpg")
    (tmp_path / "link.jpg").symlink_to("real.jpg")
    result = scan(tmp_path)
    assert names(result) == ["link.jpg", "real.jpg"]
    assert result.files["link.jpg"] == result.files["real.jpg"]


def test_a_link_to_a_folder_is_walked(tmp_path):
    make(tmp_path, "outside/a.jpg")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "link").symlink_to(tmp_path / "outside")
    assert names(scan(tmp_path / "root")) == ["link/a.jpg"]


def test_a_folder_is_read_under_its_own_path_whatever_leads_to_it(tmp_path):
    make(tmp_path, "real/a.jpg")
    (tmp_path / "one").symlink_to("real")
    (tmp_path / "two").symlink_to("real")
    result = scan(tmp_path)
    assert names(result) == ["real/a.jpg"]
    assert result.failures == {}


def test_a_folder_that_lies_elsewhere_is_read_under_the_first_path_that_leads_to_it(tmp_path):
    root = make(tmp_path / "root", "z.jpg")
    make(tmp_path / "outside", "a.jpg", "deep/b.jpg")
    (root / "c-deep").symlink_to(tmp_path / "outside" / "deep")
    (root / "d-all").symlink_to(tmp_path / "outside")
    (root / "e-again").symlink_to(tmp_path / "outside" / "deep")
    (tmp_path / "outside" / "back").symlink_to(root)
    whole = scan(root)
    assert names(whole) == ["c-deep/b.jpg", "d-all/a.jpg", "z.jpg"]
    assert whole.failures == {}
    assert names(scan(root, others=[tmp_path / "outside"])) == ["z.jpg"]  # which is scanned by itself
    assert names(scan(root, others=[tmp_path / "outside" / "deep"])) == ["d-all/a.jpg", "z.jpg"]
    assert names(scan_files(root, [root / "d-all"])) == ["d-all/a.jpg"]
    assert names(scan_files(root, [root / "e-again", root / "e-again/b.jpg", root / "z.jpg"])) == ["z.jpg"]
    # Versions that read a folder under each path knew more of them.
    assert list(find_again(root, ["e-again/b.jpg", "d-all/deep/b.jpg"], (), whole.folders).files) == []


@pytest.mark.parametrize("n_folders", [5, 6])
def test_folders_that_link_to_each_other_are_read_once_each(tmp_path, n_folders):
    for number in range(n_folders):
        make(tmp_path / f"{number}", "a.jpg")
    for number in range(n_folders):
        for other in range(n_folders):
            (tmp_path / f"{number}" / f"to{other}").symlink_to(tmp_path / f"{other}")
    result = scan(tmp_path)
    assert names(result) == [f"{number}/a.jpg" for number in range(n_folders)]
    assert result.failures == {}


def test_links_back_to_folders_above_end(tmp_path):
    make(tmp_path, "a/b/c.jpg", "z.jpg")
    (tmp_path / "a" / "b" / "up").symlink_to(tmp_path / "a")
    (tmp_path / "a" / "top").symlink_to("..")
    result = scan(tmp_path)
    assert names(result) == ["a/b/c.jpg", "z.jpg"]
    assert result.failures == {}


def test_a_part_of_a_root_is_seen_as_the_whole_root_sees_it(tmp_path):
    make(tmp_path, "a/b/c.jpg", "z.jpg")
    (tmp_path / "a" / "b" / "top").symlink_to(tmp_path)
    (tmp_path / "a" / "b" / "itself").symlink_to("itself")
    whole = scan(tmp_path)
    assert set(whole.failures) == {"a/b/itself"}
    for part in (scan(tmp_path, below="a/b"), scan_files(tmp_path, [tmp_path / "a" / "b"])):
        assert part.files == {"a/b/c.jpg": whole.files["a/b/c.jpg"]}
        assert part.failures == whole.failures


@pytest.mark.skipif(not os.path.exists("/proc/kmsg"), reason="no Linux")
def test_what_the_system_says_of_itself_is_no_photo(tmp_path):
    make(tmp_path, "a.jpg")
    (tmp_path / "x.jpg").symlink_to("/proc/kmsg")
    (tmp_path / "proc").symlink_to("/proc")
    (tmp_path / "sys").symlink_to("/sys")
    result = scan(tmp_path)
    assert names(result) == ["a.jpg"]
    assert result.failures == {
        "proc": "a folder of the system's own (proc), which is not read",
        "sys": "a folder of the system's own (sysfs), which is not read",
        "x.jpg": "a file of the system's own (proc), which is not read",
    }
    assert set(scan(Path("/proc")).failures) == {"."}


def test_links_that_lead_nowhere_are_failures_that_say_so(tmp_path):
    make(tmp_path, "a.jpg")
    (tmp_path / "dangling.jpg").symlink_to("gone.jpg")
    (tmp_path / "itself.jpg").symlink_to("itself.jpg")
    (tmp_path / "ping").symlink_to("pong")
    (tmp_path / "pong").symlink_to("ping")
    result = scan(tmp_path)
    assert names(result) == ["a.jpg"]
    assert result.failures == {
        "dangling.jpg": "a link to a file that is not there",
        "itself.jpg": "a loop of symbolic links",
        "ping": "a loop of symbolic links",
        "pong": "a loop of symbolic links",
    }


def test_what_is_called_like_an_image_but_is_no_file_is_a_failure(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    make(tmp_path, "folder.jpg/a.png")
    result = scan(tmp_path)
    assert names(result) == ["folder.jpg/a.png"]
    assert result.failures == {"pipe.jpg": "not a regular file"}


@pytest.fixture
def open_folder():
    with folder_for_all() as folder:
        yield folder


def test_an_unreadable_folder_is_a_failure_and_the_scan_goes_on(open_folder):
    make(open_folder, "a.jpg", "closed/b.jpg", "z/c.jpg")
    (open_folder / "closed").chmod(0)
    with as_nobody():
        result = scan(open_folder)
    assert names(result) == ["a.jpg", "z/c.jpg"]
    assert result.failures == {"closed": "permission denied"}


def test_an_unreadable_root_is_a_failure(open_folder):
    make(open_folder / "root", "a.jpg")
    (open_folder / "root").chmod(0)
    with as_nobody():
        result = scan(open_folder / "root")
    assert result.failures == {".": "permission denied"}


def test_files_in_a_folder_that_may_be_listed_but_not_entered_are_failures(open_folder):
    make(open_folder, "listed/a.jpg")
    (open_folder / "listed").chmod(0o444)
    with as_nobody():
        result = scan(open_folder)
    assert result.failures == {"listed/a.jpg": "permission denied"}


def test_named_files_are_looked_at_whatever_they_are_called(tmp_path):
    make(tmp_path, "a.jpg", "photo.dat", ".hidden", "sub/b.jpg", "sub/c.txt", "other/d.jpg")
    named = [tmp_path / name for name in ("photo.dat", ".hidden", "sub")]
    result = scan_files(tmp_path, named)
    assert names(result) == [".hidden", "photo.dat", "sub/b.jpg"]
    assert result.others == {".txt": 1}


def test_excludes_hold_in_named_folders(tmp_path):
    make(tmp_path, "sub/b.jpg", "sub/c.png")
    assert names(scan_files(tmp_path, [tmp_path / "sub"], exclude=["*.png"])) == ["sub/b.jpg"]


def test_a_named_file_that_is_not_there_is_a_failure(tmp_path):
    (tmp_path / "link.jpg").symlink_to("gone")
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    named = [tmp_path / name for name in ("gone.jpg", "link.jpg", "loop.jpg", "n" * 300)]
    assert scan_files(tmp_path, named).failures == {
        "gone.jpg": "no such file",
        "link.jpg": "a link to a file that is not there",
        "loop.jpg": "a loop of symbolic links",
        "n" * 300: "File name too long",
    }


def test_a_named_file_in_a_closed_folder_is_a_failure(open_folder):
    make(open_folder, "closed/a.jpg")
    (open_folder / "closed").chmod(0)
    with as_nobody():
        result = scan_files(open_folder, [open_folder / "closed" / "a.jpg"])
    assert result.failures == {"closed/a.jpg": "permission denied"}


def test_names_that_are_not_utf8_are_found_and_the_way_back_is_exact(tmp_path):
    raw = b"caf\xe9 \\x41 \xc3\xa9.jpg"
    with open(os.path.join(os.fsencode(tmp_path), raw), "wb") as file:
        file.write(b"picture")
    result = scan(tmp_path)
    assert names(result) == [r"caf\xe9 \\x41 é.jpg"]
    (path,) = result.files
    assert os.fsencode(unescape(path)) == raw
    assert (tmp_path / unescape(path)).read_bytes() == b"picture"


@given(st.binary().filter(lambda name: b"/" not in name and b"\0" not in name))
@example(b"\\xe9")
@example(b"\\\\xe9\xe9")
@example(b"\xff\\\xff\\\\")
@example("é 猫 🐈".encode())
def test_any_bytes_survive_escaping(raw):
    name = os.fsdecode(raw)
    text = escape(name)
    assert os.fsencode(unescape(text)) == raw
    text.encode()  # storable: no half characters


@given(st.lists(st.binary(max_size=6).map(os.fsdecode), min_size=2, max_size=2, unique=True))
def test_different_names_stay_different(pair):
    assert escape(pair[0]) != escape(pair[1])


def test_very_deep_folders_do_not_overflow(tmp_path):
    levels = 1_100
    folders = [os.fspath(tmp_path)]
    for _ in range(levels):
        folders.append(folders[-1] + "/d")
        os.mkdir(folders[-1])
    deepest = Path(folders[-1]) / "a.jpg"
    try:
        deepest.write_bytes(b"x")
        result = scan(tmp_path)
        assert names(result) == ["d/" * levels + "a.jpg"]
        assert result.failures == {}
    finally:  # not left to shutil.rmtree, which recurses
        deepest.unlink(missing_ok=True)
        for folder in reversed(folders[1:]):
            os.rmdir(folder)


def test_folders_deeper_than_a_path_can_be_long_are_one_failure(tmp_path):
    make(tmp_path, "a.jpg")
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(25):  # 25 × 201 characters; the system takes 4,096
        os.mkdir("n" * 200, dir_fd=here)
        below = os.open("n" * 200, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    result = scan(tmp_path)
    assert names(result) == ["a.jpg"]
    assert list(result.failures.values()) == ["File name too long"]
