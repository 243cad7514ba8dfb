"""The commands, what each is for in a line, and where it is: known without loading any.

A line is the first paragraph of the command's docstring.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """A command.

    Attributes
    ----------
    home : str
        ``module:function`` below `lookalike.cli`.
    help : str
        One line.
    also : str
        What other programs, and people, call it; words with a blank between.
    """

    home: str
    help: str
    also: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """A command of commands.

    Attributes
    ----------
    help : str
        What the group is for; its first paragraph is one line.
    example : str
        Under the list of its commands.
    commands : mapping
        By name.
    bare : Command, optional
        What the group's name alone does, or with options behind it; and, where it takes ``--collection``,
        with the folder of one.
    also : str
        What other programs, and people, call it; words with a blank between.
    """

    help: str
    example: str
    commands: Mapping[str, Command]
    bare: Command | None = None
    also: str = ""


CLUSTER = Group(
    """Find groups of look-alikes, keep them under a name, and show, change and export them.

    Without a command it makes clusters, as `make` does: lookalike cluster -k 40.""",
    "First: lookalike cluster try. Then: lookalike cluster make -k 40 --plot groups.png. And name them:"
    " lookalike cluster edit --rename 3=owls.",
    {
        "make": Command(
            "cluster:make",
            "Make clusters, and keep them under a name.",
            also="new create run kmeans dbscan hdbscan",
        ),
        "try": Command(
            "cluster_try:try_",
            "Try several numbers of clusters, or distances, and suggest one; keep nothing.",
            also="suggest elbow silhouette tune choose",
        ),
        "show": Command(
            "cluster:show",
            "Show the clusters of a name: sizes, labels, the most central images.",
            also="view display print sheet plot info",
        ),
        "edit": Command(
            "cluster:edit",
            "Name, merge and fill clusters that are there, and move images: all or nothing.",
            also="rename name merge move assign change",
        ),
        "export": Command(
            "cluster:export",
            "Write clusters to a table or a document, or a folder of images for each.",
            also="save write csv folders",
        ),
        "list": Command(
            "cluster:list_",
            "List the clusterings that are kept.",
            also="ls all",
        ),
        "delete": Command(
            "cluster:delete",
            "Delete a clustering; the images stay.",
            also="remove rm del drop",
        ),
    },
    bare=Command(
        "cluster_bare:cluster", "Make clusters, or do what a command does, as it was spelled before."
    ),
    also="group groups clusters clustering kmeans dbscan hdbscan segment",
)

MAP = Group(
    """Make maps on which look-alikes lie near each other, keep them under a name, and draw them.

    Without a command it draws the map that is there, with the images that came later, or makes it where
    there is none of that kind: lookalike map -o map.png. It takes the options of `make`.""",
    "For example: lookalike map make --method pca -o map.png. And again, as tiles: lookalike map draw pca"
    " --style tiles -o tiles.png.",
    {
        "make": Command(
            "map:make",
            "Make a map, keep it under a name, and draw it.",
            also="new create run tsne umap pca",
        ),
        "draw": Command(
            "map:draw",
            "Draw a map that is there; place images on it that came later.",
            also="plot show view save export place",
        ),
        "list": Command(
            "map:list_",
            "List the maps that are kept.",
            also="ls all",
        ),
        "delete": Command(
            "map:delete",
            "Delete a map; the images stay.",
            also="remove rm del drop",
        ),
    },
    bare=Command("map_bare:draw_map", "Draw a map that is there, or make it."),
    also="plot tsne t-sne umap visualize visualise scatter project draw maps",
)

DUPLICATES = Group(
    """Find pictures that are there twice: show them, decide on them, and act on it.

    Without a command it shows them, as `show` does: lookalike duplicates --kind same.""",
    "First: lookalike duplicates --plot duplicates.png. Where two are none after all: lookalike duplicates"
    " decide a.jpg b.jpg not_duplicate.",
    {
        "show": Command(
            "duplicates:show",
            "Compare the images that are new with all others, and show what is there twice, and what to keep"
            " of it.",
            also="find list ls search scan groups view",
        ),
        "decide": Command(
            "duplicates:decide",
            "Decide on a pair; it is remembered, whatever its files are called later.",
            also="keep remove mark ignore not-duplicate",
        ),
        "plan": Command(
            "duplicate_plans:plan",
            "Write down which files go, what stays for each, and what goes along; nothing is moved.",
            also="prepare preview",
        ),
        "apply": Command(
            "duplicate_plans:apply",
            "Follow a plan: into the trash, into a folder, or as hard links; `undo` takes it back.",
            also="delete trash move hardlink run do execute",
        ),
        "undo": Command(
            "duplicate_plans:undo",
            "Put back what `apply` took away; nothing that is there now is written over.",
            also="restore revert back",
        ),
        "export": Command(
            "duplicate_plans:export",
            "Write a list of duplicates, a table, a document or a shell script; nothing is moved.",
            also="save write csv script",
        ),
    },
    bare=Command("duplicates:show", "Show what is there twice."),
    also="dedupe dedup dedup-images duplicate dupes dups copies unique",
)

TRAIN = Group(
    "Train a network on the collection's own images; needs torch.",
    "For example: lookalike train finetune --name birds. Then: lookalike search beach.jpg --model"
    " lite0-birds.",
    {
        "autoencoder": Command(
            "train:autoencoder",
            "Train an autoencoder, which needs no labels: its codes become the model autoencoder-NAME.",
            also="ae unsupervised",
        ),
        "finetune": Command(
            "train:finetune",
            "Fine-tune a network on labelled images, as the model BASE-NAME.",
            also="fine-tune tune supervised",
        ),
    },
    also="finetune fine-tune fit learn autoencoder training",
)

SETS = Group(
    "Keep named lists of images: put images in, take them out, show them.",
    "For example: lookalike search beach.jpg -k 100 -f | lookalike sets add beach -"
    " And: lookalike sets show beach",
    {
        "list": Command(
            "sets:list_",
            "List the sets, and how many images each has.",
            also="ls all",
        ),
        "show": Command(
            "sets:show",
            "Show the images of a set, in the order in which they were put there.",
            also="view display print images",
        ),
        "add": Command(
            "sets:add",
            "Put images into a set; it is made if need be.",
            also="create new make put append",
        ),
        "remove": Command("sets:remove", "Take images out of a set; they stay in the collection."),
        "rename": Command("sets:rename", "Give a set another name."),
        "delete": Command(
            "sets:delete",
            "Delete a set; its images stay.",
            also="rm del drop",
        ),
    },
    also="album albums collections favorites favourites playlist",
)

LABELS = Group(
    "Give images labels by hand, which go before those of their folders.",
    "For example: lookalike labels give owl night.jpg dusk.jpg. And: lookalike labels list.",
    {
        "list": Command(
            "labels:list_",
            "List the labels that were given by hand, and how many images have each.",
            also="ls show all",
        ),
        "give": Command(
            "labels:give",
            "Give images a label; it goes before that of their folder.",
            also="add set label put",
        ),
        "remove": Command(
            "labels:remove",
            "Take away the labels that images were given by hand; those of their folders show again.",
            also="delete rm del clear",
        ),
    },
    also="label tag tags annotate",
)

SAID = Group(
    "Hand on what was said of images: sets, labels, judgments and decisions, as a file of JSON lines.",
    "For example: lookalike said export said.jsonl. And elsewhere: lookalike said import said.jsonl.",
    {
        "export": Command(
            "said:export",
            "Write all sets, labels, judgments and decisions to a file of JSON lines, one a line.",
            also="save write dump backup",
        ),
        "import": Command(
            "said:import_",
            "Take in what was said in another collection of the same pictures; it is one change.",
            also="load read restore",
        ),
    },
    also="feedback judgments",
)

COMMANDS: dict[str, Command | Group] = {
    "index": Command(
        "index:index",
        "Make a folder of images searchable, or bring a collection up to date.",
        also="init scan import build create new update refresh reindex sync crawl embed",
    ),
    "search": Command(
        "search:search",
        "Find the images most like a file, a URL or words, nearest first, with their cosine similarity.",
        also="find query similar like lookup look nearest neighbors neighbours knn ask",
    ),
    "list": Command(
        "listing:list_",
        "List images in any order, without a query: all, or those that pass filters.",
        also="ls show browse images photos files filter sort count dir",
    ),
    "compare": Command(
        "compare:compare",
        "Say what two pictures are to each other: one, encoded anew or edited, or two; and how surely.",
        also="diff difference same identical versus vs align",
    ),
    "match": Command(
        "match:match",
        "Match the images of two folders, or collections, one to one, the surest pairs first.",
        also="pair pairs counterpart correspond align assign join",
    ),
    "cluster": CLUSTER,
    "map": MAP,
    "duplicates": DUPLICATES,
    "export": Command(
        "export:export",
        "Write a search, a clustering, a map, or the whole collection to a table, or to folders of images.",
        also="save dump write csv table json",
    ),
    "sets": SETS,
    "labels": LABELS,
    "said": SAID,
    "changes": Command(
        "said:changes",
        "List what was said of images, change by change, the newest first.",
        also="history log journal",
    ),
    "undo": Command(
        "said:undo",
        "Take back a change of sets, labels, judgments or decisions.",
        also="revert rollback back",
    ),
    "reduce": Command(
        "reduce:reduce",
        "Reduce vectors by PCA, as a new model of the collection: search --model lite0-deep-int8+pca128.",
        also="pca compress shrink",
    ),
    "evaluate": Command(
        "evaluate:evaluate",
        "Measure how well images find others of their label, by P@k, mAP and others, with 95 % intervals.",
        also="eval score measure accuracy test metrics recall",
    ),
    "bench": Command(
        "bench:bench",
        "Compare the search indexes on the collection's own vectors: recall, speed, time to build, size.",
        also="benchmark speed timing",
    ),
    "info": Command(
        "info:info",
        "Say what the collection holds: images, models, labels, failures; or what it knows of an image.",
        also="status stat stats about describe statistics exif metadata failures",
    ),
    "add": Command(
        "add:add",
        "Keep images in the collection itself, under keys, whatever becomes of their files.",
        also="put insert upload append",
    ),
    "remove": Command("add:remove", "Remove images that were added under keys."),
    "roots": Command(
        "roots:roots",
        "List the folders and data sets of the collection, or say that a folder lies elsewhere now.",
        also="folders move relocate sources",
    ),
    "copy": Command(
        "copy:copy",
        "Copy the collection, as it is at one moment, to another folder; verified.",
        also="backup clone cp mirror",
    ),
    "check": Command(
        "check:check",
        "Read all files of the collection through, and say what is damaged; with --repair, mend it.",
        also="verify repair fsck doctor fix validate heal restore",
    ),
    "models": Command(
        "models:models",
        "List the models: what they are, the size of their vectors, whether they are installed; or"
        " fetch one.",
        also="model networks download fetch weights",
    ),
    "datasets": Command(
        "datasets:datasets",
        "List the data sets that can be indexed by name, and whether they are on this machine.",
        also="dataset data",
    ),
    "demo": Command(
        "demo:demo",
        "Index real pictures, search, group and map them, and leave a page: lookalike-demo/index.html.",
        also="example examples try tour tutorial start",
    ),
    "train": TRAIN,
}
