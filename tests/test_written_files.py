"""Whoever writes where a user says, writes by way of `lookalike.system.output`."""

import ast
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "src/lookalike"

WRITING = {"write_bytes", "write_text", "savefig", "replace_file", "tofile", "copyfile", "copy2", "copytree"}
WRITING |= {"symlink_to", "link", "ParquetWriter", "savez", "open_memmap"}

OWN_PLACES = {
    "collection/checking/": "files of a collection that are mended",
    "collection/copied_files.py": "a new folder, which `check_new_folder` lets pass",
    "collection/duplicates/act_log.py": "the log of acts, in the collection",
    "collection/export/coco.py": "a new file beside, which `exporting` puts in its place",
    "collection/export/folders.py": "a new folder beside, which `exporting` puts in its place",
    "collection/export/tables.py": "a new file beside, which `exporting` puts in its place",
    "collection/searchers.py": "indexes of a collection",
    "collection/stored/duplicates.py": "what is known of duplicates, in the collection",
    "collection/stored/sureness.py": "what is learned of how sure answers are, in the collection",
    "collection/stored/named_folders.py": "clusterings and maps of a collection",
    "datasets/": "the cache",
    "embed/": "the cache, and models of a collection",
    "index/": "an index, which replaces an index or an empty folder alone: see `index.folder.write`",
    "pca.py": "to memory",
    "store/": "tables and files of a collection",
    "system/": "those that this is about; and what a process tells another",
    "train/": "models of a collection, and their training",
}
"""Modules that write, and where: none of these places is named by a user for a file of this kind."""


def written_by(module: Path) -> set[str]:
    """Return the names of functions that a module calls to write."""
    found = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            modes = [each.value for each in (*node.args, *(word.value for word in node.keywords))
                     if isinstance(each, ast.Constant)]  # fmt: skip
            writes = name == "open" and any(str(mode) in ("w", "wb", "a", "ab", "x", "xb") for mode in modes)
            if name in WRITING or writes:
                found.add(name)
    return found


def test_only_these_modules_write_and_not_where_a_user_says():
    writing = {path.relative_to(SOURCE).as_posix(): written_by(path) for path in SOURCE.rglob("*.py")}
    others = {
        module: names
        for module, names in writing.items()
        if names and not any(module == place or module.startswith(place) for place in OWN_PLACES)
    }
    allowed = {
        "plots/figures.py": {"savefig"},  # to memory
        "plots/style.py": {"savefig"},  # to memory
    }
    assert {module: names for module, names in others.items() if names - allowed.get(module, set())} == {}
