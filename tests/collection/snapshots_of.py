"""A snapshot of a store that a test has written, without a collection around it."""

from lookalike.collection.places import Places
from lookalike.collection.snapshot import Seen, Snapshot
from lookalike.collection.stored.cluster_names import ClusterLabels
from lookalike.collection.stored.clusterings import StoredClusterings
from lookalike.collection.stored.journal import Journal
from lookalike.store import Manifest, PinnedStore, look_at_tables


def places_of(folder, roots=()):
    """Return the places in a ``.lookalike`` folder as it is now, with clusterings that lie there."""
    clusterings = StoredClusterings(folder)
    seen = Seen(Manifest(model="lite0", roots=tuple(roots)), look_at_tables(folder), clusterings.look())
    labels = ClusterLabels.read(clusterings)
    return Places(Snapshot(seen, PinnedStore.take(folder), labels, clusterings, Journal(folder)), clusterings)
