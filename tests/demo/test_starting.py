"""Which pictures the demo begins with."""

from collections import Counter

from lookalike.demo.starting import FIRST, choose_first


def folder_of(file: str) -> str:
    return file.rpartition("/")[0]


def test_each_folder_gives_as_many_as_it_can_while_others_give_more():
    files = [f"a/{number}" for number in range(100)] + [f"b/c/{number}" for number in range(5)] + ["top"]
    counts = Counter(map(folder_of, choose_first(files, n=20)))
    assert counts == {"a": 14, "b/c": 5, "": 1}


def test_the_choice_is_the_same_in_any_order_and_not_the_first_of_names():
    files = [f"{folder}/{number:03}" for folder in "abc" for number in range(50)]
    chosen = choose_first(files, n=30)
    assert chosen == choose_first(files[::-1], n=30) == sorted(chosen)
    numbers = [int(file[2:]) for file in chosen]
    assert min(numbers) < 25 < max(numbers)
    assert [int(file[2:]) for file in chosen if file[0] == "a"] != list(range(10))


def test_what_is_known_is_taken_again_unless_it_is_gone():
    files = [str(number) for number in range(100)]
    first = choose_first(files, n=10)
    others = [file for file in files if file not in first]
    more = choose_first(files, known=[*others[:3], "gone"], n=10)
    assert set(more) == {*first, *others[:3]}


def test_few_more_than_enough_are_taken_whole():
    files = [f"a/{number}" for number in range(2_001)]
    assert len(choose_first(files[:-1])) == 2_000
    assert len(choose_first(files)) == FIRST
    assert choose_first([]) == []
