"""What hangs on a collection, by subject: each a face of its own, with the functions behind it.

They are imported and made when they are asked for. A search needs none of them; and if they were kept, they
would keep the collection, and files of the disk, until Python looks for circles.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from lookalike.system.checked_calls import checked

if TYPE_CHECKING:
    from lookalike.collection.clusterings.clusterings import Clusterings
    from lookalike.collection.duplicates.duplicates import Duplicates
    from lookalike.collection.evaluation.evaluation import Evaluations
    from lookalike.collection.fields.fields import Fields
    from lookalike.collection.manifest_file import ManifestFile
    from lookalike.collection.maps.maps import Maps
    from lookalike.collection.models.models import Models
    from lookalike.collection.resources import Resources
    from lookalike.collection.statements.changes import Changes
    from lookalike.collection.statements.decisions import Decisions
    from lookalike.collection.statements.feedback import Feedback
    from lookalike.collection.statements.labels import Labels
    from lookalike.collection.statements.sets import Sets
    from lookalike.collection.statements.statements import Statements
    from lookalike.results.sync import SyncReport


class Face:
    """One of them."""

    def __repr__(self) -> str:
        """Return the class, and what its documentation begins with."""
        said = (inspect.getdoc(self) or "").partition("\n")[0].partition(": `")[0]
        return f"<{type(self).__name__}: {said.rstrip('.')}>"


@checked
class Faces(ABC):
    """What is done with a collection, by subject."""

    _manifest: ManifestFile

    @abstractmethod
    def _resources(self) -> Resources:
        """Return what every read needs, with the roots as they are now: once a request."""

    @abstractmethod
    def sync(self, *given: Any, **named: Any) -> SyncReport:
        """Bring the collection up to date with the disk."""

    @property
    def clusterings(self) -> Clusterings:
        """Groups of look-alikes: made, shown, changed, exported."""
        from lookalike.collection.clusterings.clusterings import Clusterings

        return Clusterings(self._resources)

    @property
    def maps(self) -> Maps:
        """The images in the plane, look-alikes near each other."""
        from lookalike.collection.maps.maps import Maps

        return Maps(self._resources)

    @property
    def models(self) -> Models:
        """What the images are embedded with: listed, reduced, trained."""
        from lookalike.collection.models.models import Models

        return Models(self._resources, self.sync, self._manifest)

    @property
    def fields(self) -> Fields:
        """What the user says of images in columns of his own: set, read from tables, renamed, removed."""
        from lookalike.collection.fields.fields import Fields

        return Fields(self._resources, self._manifest)

    @property
    def evaluation(self) -> Evaluations:
        """How good searches, clusterings and search indexes are."""
        from lookalike.collection.evaluation.evaluation import Evaluations

        return Evaluations(self._resources)

    @property
    def sets(self) -> Sets:
        """Named lists of images."""
        from lookalike.collection.statements.sets import Sets

        return Sets(self._resources)

    @property
    def labels(self) -> Labels:
        """The labels that people gave to images by hand."""
        from lookalike.collection.statements.labels import Labels

        return Labels(self._resources)

    @property
    def feedback(self) -> Feedback:
        """What people said of hits."""
        from lookalike.collection.statements.feedback import Feedback

        return Feedback(self._resources)

    @property
    def decisions(self) -> Decisions:
        """What people decided of pairs of pictures."""
        from lookalike.collection.statements.decisions import Decisions

        return Decisions(self._resources)

    @property
    def said(self) -> Statements:
        """All that was said of images, as a file of JSON lines."""
        from lookalike.collection.statements.statements import Statements

        return Statements(self._resources)

    @property
    def duplicates(self) -> Duplicates:
        """Pictures that are there twice: found, grouped, decided."""
        from lookalike.collection.duplicates.duplicates import Duplicates

        return Duplicates(self._resources)

    @property
    def changes(self) -> Changes:
        """All that was said of images, change by change; to be undone."""
        from lookalike.collection.statements.changes import Changes

        return Changes(self._resources)
