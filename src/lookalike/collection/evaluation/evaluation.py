"""How good the searches and the clusterings of a collection are, as users ask for it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from lookalike.bench import RECALLS, IndexComparison
from lookalike.collection.embedded import vector_table
from lookalike.collection.evaluation.clusterings import evaluate_clusterings
from lookalike.collection.evaluation.indexes import IndexRequest, compare_on_collection
from lookalike.collection.evaluation.retrieval import RetrievalRequest, evaluate_retrieval
from lookalike.collection.faces import Face
from lookalike.collection.resources import Opener
from lookalike.collection.searchers import choose_kind
from lookalike.evaluate.measures import MOST_QUERIES
from lookalike.index.contract import DEFAULT_RECALL, check_recall
from lookalike.index.kinds import check_request
from lookalike.query.checking import check_count
from lookalike.results.evaluation import ClusteringEvaluations, Evaluation
from lookalike.system.chance import RANDOM_STATE
from lookalike.system.checked_calls import checked
from lookalike.system.progress import CancelToken, ProgressReport
from lookalike.system.watching import watching


@checked
class Evaluations(Face):
    """What a collection measures of itself: `Collection.evaluation`."""

    def __init__(self, resources: Opener) -> None:
        self._resources = resources

    def retrieval(
        self,
        k: int | Sequence[int] | None = None,
        *,
        model: str | None = None,
        index: str = "exact",
        recall: float = DEFAULT_RECALL,
        compare: str | Sequence[str] = (),
        same_kind: bool = False,
        labels: str | os.PathLike[str] | None = None,
        query_split: str | None = None,
        gallery_split: str | None = None,
        n_queries: int = MOST_QUERIES,
        n_worst: int = 10,
        random_state: int = RANDOM_STATE,
        report: ProgressReport | None = None,
        cancel: CancelToken | None = None,
    ) -> Evaluation:
        """Measure how well images find others of their label; see `lookalike.evaluate` for the measures.

        Each image is searched among the others, and is never its own hit; copies of one image are one. Images
        without a label are neither asked nor searched. Queries whose label no other image has are left out.

        Parameters
        ----------
        k : int or sequence of int, optional
            Where rankings are cut; 1 and 10 by default.
        model : str, optional
            Which of the collection's models; its own by default.
        index : str
            "exact" ranks all images, however many. Any other kind is asked for the largest k, and what is
            beyond is not known: ``mAP@10`` stands in place of ``mAP``.
        recall : float
            What an index is asked for.
        compare : str or sequence of str
            Models, or kinds of index, to measure on the same queries, and compare with this one.
        same_kind : bool
            Whether to measure searches for what is of the same kind, too, see `Collection.search`, and
            compare these. Each query is as if it had never been there: nothing is drawn to it.
        labels : str or path, optional
            A CSV file with columns ``path`` and ``label``; the name of a clustering, whose clusters' names
            are labels; or ``folders``, ``folders:1``, ``path``, or a glob with one ``{label}``, as
            `Collection.add_root` takes them. By default those of folders and data sets, unless these say
            nothing of what images show (`Collection.label_note`), or where there are none the names given to
            clusters.
        query_split : {"train", "test"}, optional
            The queries are images of this split of the data sets, and none of it is searched, unless
            `gallery_split` is the same.
        gallery_split : {"train", "test"}, optional
            Only images of this split are searched.
        n_queries : int
            How many images to take as queries, at random; all, if they are fewer.
        n_worst : int
            How many of the worst queries to return with their hits.
        random_state : int
            Decides which queries are drawn, and the draws of intervals and tests.
        report, cancel : optional
            Who is told how far it has come, and may stop it; see `Collection.sync`.

        Raises
        ------
        InvalidInputError
            If there are not two images of one label and one of another, a k is larger than the number of
            images to find, there is no such index, the table of labels cannot be used, or `compare` names
            what is measured itself.
        CollectionError
            If no image has a label that tells something, none has been embedded with the model, or none is
            in a split.
        ModelError
            If there is no such model.

        Examples
        --------
        >>> photos = Collection.create(photo_folder)
        >>> report = photos.sync()
        >>> table = photo_folder / "labels.csv"
        >>> lines = ["path,label", "stripes.png,striped", "stripes-brighter.png,striped", "noise.png,noise"]
        >>> _ = table.write_text(os.linesep.join(lines))
        >>> found = photos.evaluation.retrieval(k=1, labels=table)
        >>> found.scores["P@1"].mean, found.n_queries, found.n_without_relevant, found.n_unlabelled
        (1.0, 2, 1, 1)
        """
        check_count("n_queries", n_queries)
        check_count("n_worst", n_worst, least=0)
        check_recall(recall)
        check_request(index, None)
        request = RetrievalRequest(
            ks=list(k) if isinstance(k, Iterable) else k if k is None else [k],
            model=model,
            index=index,
            recall=recall,
            compare=(compare,) if isinstance(compare, str) else tuple(compare),
            same_kind=bool(same_kind),
            labels=labels,
            query_split=query_split,
            gallery_split=gallery_split,
            n_queries=n_queries,
            n_worst=n_worst,
            random_state=random_state,
        )
        with watching(report, cancel) as watch:
            return evaluate_retrieval(self._resources(), request, watch)

    def clusterings(
        self,
        names: Sequence[str] | None = None,
        labels: str | os.PathLike[str] | None = None,
        random_state: int = RANDOM_STATE,
        *,
        report: ProgressReport | None = None,
        cancel: CancelToken | None = None,
    ) -> ClusteringEvaluations:
        """Measure clusterings, against labels where there are any.

        Parameters
        ----------
        names : sequence of str, optional
            All that are kept by default; of these, damaged ones are passed over, and told in the answer.
        labels, random_state, report, cancel
            See `retrieval`; the silhouette is that of images drawn at random.

        Raises
        ------
        CollectionError
            If there is none of a name.
        StoreError, ModelError
            If one that was named is damaged, or its model is missing.
        """
        with watching(report, cancel) as watch:
            return evaluate_clusterings(self._resources(), names, labels, random_state, watch)

    def indexes(
        self,
        model: str | None = None,
        k: int = 10,
        *,
        kinds: Sequence[str] | None = None,
        recalls: Sequence[float] = RECALLS,
        n_queries: int | None = None,
        query_split: str | None = None,
        gallery_split: str | None = None,
        random_state: int = RANDOM_STATE,
        same_kind: bool = False,
        report: ProgressReport | None = None,
        cancel: CancelToken | None = None,
    ) -> IndexComparison:
        """Compare search indexes on the vectors of the collection; see `lookalike.bench.compare_indexes`.

        Parameters
        ----------
        model : str, optional
            Which of the collection's models; its own by default.
        k, kinds, recalls, random_state, report, cancel
            See there.
        n_queries : int, optional
            How many images to take as queries, at random; by default a tenth of them, or all of
            `query_split`, and at most 1,000.
        query_split : {"train", "test"}, optional
            The queries are images of this split of the data sets, and none of it is searched.
        gallery_split : {"train", "test"}, optional
            Only images of this split are searched.
        same_kind : bool
            Whether to time searches for what is of the same kind, too, see `Collection.search`; what they
            give, `retrieval` tells.

        Raises
        ------
        CollectionError
            If the collection is empty, its images have not been embedded with the model, or none is in a
            split.
        InvalidInputError
            As there; or if there is only one image.
        """
        request = IndexRequest(
            model=model,
            k=k,
            kinds=kinds,
            recalls=recalls,
            n_queries=n_queries,
            query_split=query_split,
            gallery_split=gallery_split,
            random_state=random_state,
            same_kind=bool(same_kind),
        )
        with watching(report, cancel) as watch:
            return compare_on_collection(self._resources(), request, watch)

    def default_index(self, model: str | None = None) -> str:
        """Return the kind of index that searches with a model use unless another is named."""
        resources = self._resources()
        return choose_kind(vector_table(resources.store, resources.model(model)))
