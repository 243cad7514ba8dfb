"""Groups as stars, by hand and at random: each member beside its keeper, none twice."""

from hypothesis import given
from hypothesis import strategies as st

from lookalike.collection.duplicates.stars import Known, make_stars, pair_of


def stars(edges, ranks, apart=(), is_open=lambda pair: False, more=()):
    links = {row: set() for row in range(len(ranks))}
    for a, b in (*edges, *more):
        links[a].add(b)
        links[b].add(a)
    return make_stars(
        Known(dict.fromkeys(edges, 1.0) if not isinstance(edges, dict) else edges, links, apart, is_open),
        ranks,
    )


def test_a_chain_is_no_group():
    # 0 - 1 - 2 - 3: the ends are like their neighbors alone.
    assert stars([(0, 1), (1, 2), (2, 3)], [0, 1, 2, 3]).groups == [[0, 1], [2, 3]]


def test_the_best_by_rules_is_the_keeper_if_it_holds_half_of_them():
    family = [(1, 0), (0, 2), (0, 3), (0, 4), (1, 2)]
    edges = [pair_of(*pair) for pair in family]
    assert stars(edges, [2, 1, 3, 4, 5]).groups == [[1, 0, 2]]  # 1 has two partners, 0 has four
    assert stars(edges[:-1], [2, 1, 3, 4, 5]).groups == [[0, 1, 2, 3, 4]]  # 1 has one


def test_of_a_keepers_members_the_surest_comes_first():
    assert stars({(0, 1): 0.91, (0, 2): 0.99}, [0, 1, 2]).groups == [[0, 2, 1]]


def test_those_apart_never_stand_together_and_the_other_may_have_a_group_of_its_own():
    edges = {(0, 1): 0.99, (0, 2): 0.98, (2, 3): 0.97}
    assert stars(edges, [0, 1, 2, 3], apart={(1, 2)}).groups == [[0, 1], [2, 3]]


def test_a_partners_partner_that_was_never_laid_on_the_keeper_is_named():
    found = stars([(0, 1), (1, 2)], [0, 1, 2], is_open=lambda pair: True)
    assert found.missing == {(0, 2): 1}
    assert stars([(0, 1), (1, 2)], [0, 1, 2], apart={(0, 2)}, is_open=lambda pair: True).missing == {}
    assert stars([(0, 1)], [0, 1, 2], is_open=lambda pair: True, more=[(1, 2)]).missing == {(0, 2): 1}


@given(
    st.sets(st.tuples(st.integers(0, 11), st.integers(0, 11)).filter(lambda pair: pair[0] < pair[1])),
    st.permutations(range(12)),
    st.data(),
)
def test_every_member_is_like_its_keeper_none_is_twice_and_none_is_left_out_that_could_be_in(
    edges, ranks, data
):
    apart = data.draw(st.sets(st.sampled_from(sorted(edges)))) if edges else set()
    allowed = dict.fromkeys(edges - apart, 1.0)
    found = stars(allowed, ranks, apart=apart)
    placed = [row for group in found.groups for row in group]
    assert len(placed) == len(set(placed))
    for keeper, *members in found.groups:
        assert members
        assert all(pair_of(keeper, row) in allowed for row in members)
        assert not any(pair_of(a, b) in apart for a in members for b in members if a != b)
    alone = set(range(12)) - set(placed)
    assert not any(a in alone and b in alone for a, b in allowed)
