"""Photos of one's own at 512 × 512: an autoencoder's codes, clusters of them, a map, and look-alikes.

    python examples/autoencoder_photos.py PHOTOS [QUERY] [URL]

PHOTOS is a folder of colour photos; labels are not needed, and not used. QUERY is a photo to ask with, in the
folder or not, and URL one on the web; without them, the first photo of the folder is asked for, as a file and
from a server of this program's own. Training needs torch (pip install 'lookalike[train]', in a clone pip
install -e '.[train]') and, for a thousand photos on a processor, an hour or two; interrupted, it goes on when
the example is run again. Saved beside the folder:

    PHOTOS-reconstructed.png    photos that were not learned from, and what their codes still know of them
    PHOTOS-map.png              all photos by t-SNE of their codes, coloured by cluster
    PHOTOS-alike.png            the nearest to each query
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

from lookalike import Collection, Progress
from lookalike.drawing import draw_map, draw_search, group_by_cluster
from lookalike.plots import save_figure
from lookalike.train import AutoencoderSettings, TrainingProgress

DIMENSION, SIZE, EPOCHS = 32, 512, 30
CLUSTERS = 4
HITS = 8


def main(photos: Path, query: str | None = None, url: str | None = None, epochs: int = EPOCHS) -> None:
    if Collection.find(photos, above=False):
        collection = Collection.open(photos, above=False)
    else:
        collection = Collection.create(photos, labels="none")
    settings = AutoencoderSettings(name="photos", dimension=DIMENSION, size=SIZE, epochs=epochs)
    model = settings.model_name
    if model not in collection.info().models:
        print(f"indexing the photos of {photos} …", flush=True)
        collection.sync()
        print("training, which may take hours; it goes on where it was interrupted …", flush=True)
        trained = collection.models.train(settings, report=tell)
        save_figure(trained.draw_examples(), beside(photos, "reconstructed"))
        print(
            f"\n{model}: held-out loss {trained.card.held_out_loss:.4f} after epoch {trained.card.best_epoch}"
        )
    print("describing every photo by the network's codes …", flush=True)
    collection.sync(model=model)

    print("clusters, and a map …", flush=True)
    suggested = collection.clusterings.try_ks(model=model).suggested or CLUSTERS
    for k in sorted({CLUSTERS, suggested}):
        found = collection.clusterings.make("kmeans", k, name=f"codes-{k}", model=model)
        sizes = ", ".join(str(cluster.size) for cluster in found.clusters)
        print(f"k-means of the codes, k = {k}{' (suggested)' if k == suggested else ''}: {sizes} photos")
    image_map = collection.maps.make("tsne", "codes", model=model)
    groups = group_by_cluster(image_map, collection.clusterings.get(f"codes-{suggested}"))
    save_figure(draw_map(collection, image_map, groups), beside(photos, "map"))

    query = query or collection.vectors(model)[0][0].path
    with contextlib.nullcontext(url) if url else serve(Path(query)) as address:
        for asked, is_ours in ((query, True), (address, url is None)):
            inside = collection.search(asked, k=1, same_cluster=f"codes-{CLUSTERS}", allow_private=is_ours)
            result = collection.search(asked, k=HITS, model=model, allow_private=is_ours)
            assert inside.cluster is not None
            print(f"\n{asked}: of cluster {inside.cluster.number}; nearest:")
            for hit in result.hits:
                print(f"  {hit.rank}  {hit.score:.3f}  {hit.path}")
    save_figure(draw_search(collection, result), beside(photos, "alike"))


def beside(photos: Path, what: str) -> Path:
    return photos.absolute().with_name(f"{photos.absolute().name}-{what}.png")


def tell(progress: Progress) -> None:
    if not isinstance(progress, TrainingProgress):
        return
    left = f", about {progress.seconds_left / 60:.0f} minutes left" if progress.seconds_left else ""
    print(
        f"\repoch {progress.epoch} of {progress.epochs}: loss {progress.loss:.4f}{left}   ",
        end="",
        flush=True,
    )


@contextlib.contextmanager
def serve(photo: Path) -> Iterator[str]:
    """Serve a photo's folder on this machine, and give the photo's address."""

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(photo.parent))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/{quote(photo.name)}"
        server.shutdown()


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), *sys.argv[2:4])
