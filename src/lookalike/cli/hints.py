"""What to do about it, in the words of the command line."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from lookalike.errors import LookalikeError
from lookalike.hints import Sentence

COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "as_told": "{words}",
        "both": "{first}; {second}",
        "either": "{first}, or {second}",
        "wait_turn": "wait for it to end, then run this again; with --wait, it waits by itself",
        "make_room": "make room there, then run this again; what was done before is kept",
        "writable_disk": (
            "make the disk writable again (one that fails turns read-only by itself), or name a folder on"
            " another with -c/--collection"
        ),
        "more_handles": "allow more open files (`ulimit -n`), then run this again",
        "sound_disk": "look whether the disk, and the way to it, is sound, then run this again",
        "repair": "`lookalike check --repair` says what is damaged, and mends what can be mended",
        "repair_unopened": "`lookalike check --repair` says what is damaged, and mends what can be mended",
        "make_collection": "make one with `lookalike index FOLDER`, or name its folder with -c/--collection",
        "sync": "run `lookalike index`{then}",
        "sync_model": "run `lookalike index --model {model}` first",
        "sync_other": (
            "to go on without it, `lookalike index --model {model}` brings that one alone up to date"
        ),
        "find_duplicates": "find them with `lookalike duplicates`",
        "make_first_clustering": "make one with `lookalike cluster make`",
        "name_collection": "name one with -c/--collection DIR",
        "name_home": "name its folder with -c/--collection DIR",
        "name_collections_folder": "name the collection's folder with -c/--collection",
        "name_this_folder": "name a folder of images, or this one: `lookalike index .`",
        "index_folder": "see `lookalike index` for images without classes",
        "writable_folder": "name a folder that can be written to with -c/--collection",
        "another_disk": "keep the collection on another disk: name a folder there with -c/--collection",
        "put_back": (
            "Put it back; if it lies elsewhere now, say so with `lookalike roots --move '{place}'"
            " NEW`; or run again with --prune to take its images out of the collection"
        ),
        "put_images_back": "Put them back, or run again with --prune to take them out of the collection",
        "make_clustering": "make it with `lookalike cluster make --name '{name}'`",
        "name_clusters": "give some names with `lookalike cluster edit '{name}' --rename CLUSTER=NEW`",
        "named_clusters": (
            "`lookalike cluster show '{name}'` shows them; choose another --name, or delete them first:"
            " `lookalike cluster delete '{name}'`"
        ),
        "make_first_map": "make one with `lookalike map make`",
        "make_map": "make it with `lookalike map make --name '{name}'`",
        "map_anew": "make it anew with `lookalike map make --method {method} --name '{name}'`",
        "give_labels": (
            "give a table of labels with --labels FILE.csv (columns path and label), or name"
            " clusters with `lookalike cluster edit --rename` and give the clustering's name"
        ),
        "say_labels": (
            "say where labels come from with `lookalike index --labels FILE.csv` (or folders:1, path, a glob"
            " such as '{{label}}_*'), or use them all the same with `--labels folders`"
        ),
        "see_paths": "tables and globs are compared with paths from the root",
        "list_labels": "`lookalike info` lists the labels",
        "list_facts": "`lookalike info` lists the {plural}",
        "fewer_dimensions": (
            "embed the images with a model of fewer dimensions, too: `lookalike index --model`"
        ),
        "reduce": "{reader} reads them in batches, and fewer dimensions take less: `lookalike reduce 64`",
        "take_model": "this collection has {models}: add --model {model}",
        "models_with_text": (
            "those that know text are {models} (`lookalike index --model NAME`, then `search --model NAME`)"
        ),
        "take_cpu": "{first}, or take --device cpu",
        "fetch_again": "delete {folder} and run `lookalike models --fetch {model}`",
        "fetch_commit": (
            "fetch those with `lookalike models --fetch {model} --revision COMMIT`, or make a"
            " collection of its own"
        ),
        "name_revision": "name another with --revision",
        "name_commit": "name another commit with --revision",
        "upgrade_or_commit": "upgrade lookalike, or name a commit with --revision",
        "carry_model": (
            "fetch it on another machine with `lookalike models --fetch {model} --to DIR`, carry"
            " DIR here and set LOOKALIKE_MODELS to it"
        ),
        "give_onnx": "{first}index again with --model and the original ONNX file",
        "give_weights": "or name a file that you have with --weights",
        "allow_private": "allow it with --allow-private",
        "name_model": "{first}, or choose another --name",
        "embed_with_it": "choose another --name, or embed with it by `lookalike index --model {model}`",
        "same_settings": "go on with the same, take another --name, or begin again with --restart",
        "slower": "begin again with --restart and a --learning-rate below {rate:g}",
        "smaller_batches": "take --batch-size {n} and --restart, or a smaller --size",
        "fit_batches": "take --batch-size {n} or a smaller --size",
        "smaller_size": "take a smaller --size",
        "fewer_a_class": "take a smaller --min-images",
        "leave_classes_out": "add images, or leave such classes out with --min-images 2",
        "another_loss": "add images, or take another --loss",
        "build_anyway": "name it to have it built all the same: --index {kind}",
        "demo_folder": "remove it, or name another folder with -o",
        "another_demo_folder": "name another folder with -o",
        "demo_pictures": "name a folder of your own: `lookalike demo FOLDER`",
        "force_copy": "name another folder, or replace it with --force",
        "force_folder": "name a new folder, or replace it with --force",
        "force_export": "name another file, or write it anew with --force",
        "begin_again": "begin again with --restart",
    }
)
"""The words for the command line, by kind of hint: those of `lookalike.hints.PYTHON`."""


def advise(said: LookalikeError | str) -> str:
    """Return a sentence with its hint, if it has one; one with a capital is a sentence of its own."""
    hint = said.hint if isinstance(said, LookalikeError | Sentence) else None
    if hint is None:
        return str(said)
    words = hint.told(COMMANDS)
    return f"{said}{'. ' if words[:1].isupper() else '; '}{words}"
