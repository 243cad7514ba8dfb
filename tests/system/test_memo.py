"""What several threads ask for at once is made once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from lookalike.system.memo import Memo

SECONDS = 30  # that a thread waits for another before the test fails


def test_what_six_threads_ask_for_at_once_is_made_once():
    memo, made, start = Memo(), [], threading.Barrier(6)
    all_ask = threading.Barrier(6)

    def ask():
        start.wait(SECONDS)
        all_ask.wait(SECONDS)
        return memo.get("a", lambda: made.append(1) or object())

    with ThreadPoolExecutor(6) as pool:
        found = [task.result() for task in [pool.submit(ask) for _ in range(6)]]
    assert len(made) == 1
    assert len({id(value) for value in found}) == 1


def test_values_of_different_keys_are_made_side_by_side():
    memo, both = Memo(), threading.Barrier(2)

    def make(key):
        both.wait(SECONDS)  # for the other one, which is being made meanwhile
        return key

    with ThreadPoolExecutor(2) as pool:
        tasks = [pool.submit(memo.get, key, lambda key=key: make(key)) for key in "ab"]
        assert [task.result() for task in tasks] == ["a", "b"]


def test_one_value_may_need_another():
    memo, start = Memo(), threading.Barrier(4)

    def ask(key):
        start.wait(SECONDS)
        return memo.get(key, lambda: 2 if key == "base" else 1 + memo.get("base", lambda: 2))

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, ["reduced", "base", "reduced", "base"])) == [3, 2, 3, 2]


def test_an_error_is_told_to_who_tried_and_the_next_tries_again():
    memo, waiting, tries = Memo(), threading.Event(), []

    def fail_once():
        tries.append(1)
        if len(tries) == 1:
            waiting.wait(SECONDS)
            raise ValueError("out of reach")
        return "there"

    with ThreadPoolExecutor(2) as pool:
        tasks = [pool.submit(memo.get, "a", fail_once) for _ in range(2)]
        waiting.set()
        errors = [task.exception() for task in tasks]
    assert sorted(map(str, errors)) == ["None", "out of reach"]
    assert memo.get("a", lambda: pytest.fail("it was made already")) == "there"


def test_what_is_not_current_is_made_anew_and_what_is_forgotten_too():
    memo = Memo()
    assert memo.get("a", lambda: 1) == 1
    assert memo.get("a", lambda: 2, lambda value: value == 2) == 2
    assert memo.get("a", lambda: 3) == 2
    memo.forget("a")
    memo.forget("a")
    assert memo.get("a", lambda: 3) == 3


def test_nothing_is_a_value_as_any_other():
    memo = Memo()
    assert memo.get("a", lambda: None) is None
    assert memo.get("a", lambda: pytest.fail("it was made already")) is None
