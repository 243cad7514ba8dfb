"""What is kept of duplicates: derived, and made anew by whoever looks for them next."""

from __future__ import annotations

from lookalike.collection.checking.parts import Looking, Mended
from lookalike.collection.stored.duplicates import FACTS, StoredDuplicates
from lookalike.results.checking import Damage

_COSTS = "time: whoever looks for duplicates compares the images again first"


def look_at_duplicates(looking: Looking) -> None:
    """Look at all that is kept of duplicates."""
    stored = StoredDuplicates(looking.folder)
    if not (stored.folder / FACTS).exists():
        return
    looking.count(stored.folder / FACTS)
    facts = stored.read()
    reasons = [f"{flaw.file}: {flaw.reason}" for flaw in facts.flaws if not flaw.is_version]
    for kind, parts in facts.parts.items():
        for part in parts:
            looking.count(stored.folder / part.file)
            reason = stored.wrong_with(kind, part, anew=True)
            if reason is not None:
                reasons.append(f"{part.file}: {reason}")
    if reasons:
        looking.find(
            Damage(
                "duplicates", looking.place(stored.folder), "; ".join(reasons), _COSTS, "it is moved aside"
            ),
            lambda: _mend(looking, stored),
            90,
        )


def _mend(looking: Looking, stored: StoredDuplicates) -> Mended:
    with stored.lock("repairing", looking.watch):
        aside = looking.keep_copy(stored.folder)
        for name in ("lock", "lock.json"):
            if aside is not None:
                (aside / name).unlink(missing_ok=True)
        stored.clear()
    return Mended("it was moved aside; whoever looks for duplicates compares the images again")
