"""Two examples of each command, for its help and the manual, by where the command is."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

EXAMPLES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "index:index": ("index photos", "index photos --exclude thumbs --dry-run"),
        "search:search": (
            "search 'red car' -c photos -o found.html",
            "search --each new -c photos --json",
        ),
        "listing:list_": ("list photos --sort date --descending -k 20", "list photos/2019 --facets"),
        "cluster:make": (
            "cluster make photos -k 9 -o all.png",
            "cluster make photos --algorithm hdbscan",
        ),
        "cluster_try:try_": ("cluster try photos -k 5,10,20", "cluster try photos --algorithm dbscan"),
        "cluster:show": ("cluster show kmeans photos", "cluster show -o groups.csv"),
        "cluster:edit": ("cluster edit --rename 3=owls --merge 4,7", "cluster edit kmeans --assign"),
        "cluster:export": (
            "cluster export --to groups.csv",
            "cluster export --to groups --as symlink",
        ),
        "cluster:list_": ("cluster list photos", "cluster list --json"),
        "cluster:delete": ("cluster delete kmeans", "cluster delete kmeans photos"),
        "map:make": ("map make photos --method pca -o map.png", "map make -o map.png --style images"),
        "map:draw": ("map draw photos -o map.html", "map draw tsne --color cluster -o map.png --dark"),
        "map:list_": ("map list photos", "map list --json"),
        "map:delete": ("map delete tsne", "map delete tsne photos"),
        "duplicates:show": (
            "duplicates show photos --plot duplicates.png",
            "duplicates show --in photos/new --against photos/archive -f",
        ),
        "duplicate_plans:plan": (
            "duplicates plan -o plan.json",
            "duplicates plan --kind identical --in photos -o identical.json",
        ),
        "duplicate_plans:apply": (
            "duplicates apply plan.json --trash",
            "duplicates apply plan.json --move /mnt/away --dry-run",
        ),
        "duplicate_plans:undo": ("duplicates undo", "duplicates undo --act 3"),
        "duplicate_plans:export": (
            "duplicates export -o twice.csv",
            "duplicates export -o twice.sh",
        ),
        "duplicates:decide": (
            "duplicates decide a.jpg b.jpg not_duplicate",
            "duplicates decide a.jpg b.jpg keep",
        ),
        "compare:compare": ("compare beach.jpg copy.jpg", "compare beach.jpg copy.jpg --plot difference.png"),
        "match:match": ("match drawings photos", "match old new --mutual -o pairs.csv"),
        "export:export": ("export all.csv photos", "export alike.parquet beach.jpg -k 100"),
        "sets:list_": ("sets list photos", "sets list --json"),
        "sets:show": ("sets show best", "sets show best -f"),
        "sets:add": ("sets add best beach.jpg", "sets add summer --after 2019-06 --before 2019-09"),
        "sets:remove": ("sets remove best beach.jpg", "sets remove best -"),
        "sets:rename": ("sets rename best finest", "sets rename best finest photos"),
        "sets:delete": ("sets delete best", "sets delete best photos"),
        "labels:list_": ("labels list photos", "labels list --json"),
        "labels:give": ("labels give owl night.jpg dusk.jpg", "labels give owl -"),
        "labels:remove": ("labels remove night.jpg", "labels remove -"),
        "said:export": ("said export said.jsonl", "said export - photos"),
        "said:import_": ("said import said.jsonl", "said import said.jsonl photos"),
        "said:changes": ("changes photos", "changes --last 100"),
        "said:undo": ("undo", "undo 12"),
        "reduce:reduce": ("reduce 128 photos", "reduce 0.95 -o variance.png"),
        "evaluate:evaluate": ("evaluate photos", "evaluate --labels labels.csv -o measures.csv"),
        "bench:bench": ("bench photos", "bench --index exact --index kmeans-tree -o speed.png"),
        "info:info": ("info photos", "info photos/beach.jpg --json"),
        "add:add": ("add beach.jpg --key shop/1", "add a.jpg b.jpg --label beach"),
        "add:remove": ("remove shop/1", "remove shop/1 shop/2"),
        "roots:roots": ("roots photos", "roots --move photos /media/disk/photos"),
        "copy:copy": ("copy photos /mnt/backup", "copy /mnt/backup --force"),
        "check:check": ("check photos", "check --repair"),
        "models:models": ("models", "models --default lite2"),
        "datasets:datasets": ("datasets", "datasets --json"),
        "demo:demo": ("demo", "demo photos -o page"),
        "train:autoencoder": (
            "train autoencoder --name shapes",
            "train autoencoder --name shapes --dimension 32 -o made.png",
        ),
        "train:finetune": (
            "train finetune --name birds",
            "train finetune --name birds --epochs 5",
        ),
    }
)
"""What is typed behind ``lookalike``."""
