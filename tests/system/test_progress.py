"""One progress, one cancel, and the pace of what is under way."""

import threading

import pytest

import lookalike
from lookalike import CancelledError, CancelToken, Progress
from lookalike.system.bars import clock, figures, title
from lookalike.system.pace import Pace
from lookalike.system.progress import UNWATCHED, Watch, silent
from lookalike.train import TrainingProgress


def paced(moments: list[tuple[float, Progress]]) -> Pace:
    """Return the pace after progress that was noted at some times."""
    clock = iter([seconds for seconds, _ in moments])
    pace = Pace(clock=clock.__next__)
    for _, progress in moments:
        pace.note(progress)
    return pace


def test_json_of_a_job_has_the_progress_and_its_pace():
    last = Progress("embedding", 30, 90, "embedding", unit="images")
    pace = paced([(0.0, Progress("embedding", 0, 90)), (3.0, last)])
    assert {**last.to_dict(), **pace.to_dict()} == {
        "phase": "embedding",
        "done": 30,
        "total": 90,
        "words": "embedding",
        "rate": 10.0,
        "seconds_left": 6.0,
    }


def test_share_is_none_where_nobody_knows_and_whole_where_there_is_nothing_to_do():
    assert Progress("scanning", 7).share is None
    assert Progress("embedding", 0, 0).share == 1
    assert Progress("embedding", 1, 4).share == 0.25


def test_step_is_called_phase_now():
    with pytest.warns(DeprecationWarning, match=r"^Progress.step is called Progress.phase now$"):
        assert Progress("embedding").step == "embedding"
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = Progress("embedding").nonsense


def test_a_training_tells_of_its_epochs_and_is_a_progress():
    told = TrainingProgress.of(
        epoch=2, epochs=5, step=3, steps=10, loss=0.5, held_out_loss=0.25, seconds_left=None
    )
    assert isinstance(told, Progress)
    assert (told.phase, told.done, told.total, told.step) == ("training", 13, 50, 3)
    assert told.words == "epoch 2 of 5, loss 0.5000, held out 0.2500"


def test_pace_begins_anew_with_each_phase():
    pace = paced([(0, Progress("a", 0, 10)), (5, Progress("a", 5, 10)), (6, Progress("b", 0, 10))])
    assert (pace.rate, pace.seconds_left) == (None, None)


def test_pace_is_that_of_the_last_seconds():
    slow = [(float(second), Progress("a", second, 1_000)) for second in range(100)]
    quick = [(100.0 + second, Progress("a", 100 + 10 * second, 1_000)) for second in range(40)]
    assert paced(slow).rate == pytest.approx(1)
    assert paced([*slow, *quick]).rate == pytest.approx(10, rel=0.1)


def test_pace_is_smooth_although_work_comes_in_heaps():
    heaps = [(0.1 * tick, Progress("a", 100 * (tick // 50), 10_000)) for tick in range(400)]
    rates = [paced(heaps[:n]).rate for n in range(250, 400)]
    assert all(15 <= rate <= 25 for rate in rates)


def test_pace_remembers_little_of_many_reports():
    pace = Pace(clock=iter(number * 1e-4 for number in range(100_000)).__next__)
    for number in range(100_000):
        pace.note(Progress("a", number, 100_000))
    assert pace.rate == pytest.approx(10_000, rel=0.05)
    assert len(pace._moments) < 100


def test_a_time_without_steps_has_no_rate():
    assert paced([(0, Progress("a", 0, 9)), (9, Progress("a", 0, 9))]).to_dict() == {
        "rate": None,
        "seconds_left": None,
    }


def test_figures_say_what_is_counted():
    pace = Pace()
    pace.rate, pace.seconds_left = 2e6, 61.0
    come = Progress("downloading", 5_000_000, 20_000_000, "downloading x", unit="bytes")
    assert figures(come, pace) == "5.0/20.0 MB, 2.0 MB/s, 1:01 left"
    assert figures(Progress("scanning", 1_234, unit="images"), Pace()) == "1,234 images"
    assert figures(Progress("sweeping"), Pace()) == ""
    assert (clock(0), clock(7_322)) == ("0:00", "2:02:02")
    assert title(Progress("sweeping")) == "Sweeping"


def test_work_is_stopped_by_its_token_at_the_next_report():
    told, token = [], CancelToken()
    watch = Watch(told.append, token)
    watch(Progress("a"))
    token.cancel()
    token.cancel()
    assert token.is_cancelled and watch.is_cancelled
    for stop in (lambda: watch(Progress("b")), watch.check, watch.quiet().check, lambda: watch.say("b", "b")):
        with pytest.raises(CancelledError, match=r"^cancelled$"):
            stop()
    assert [progress.phase for progress in told] == ["a"]


def test_a_loop_ends_where_it_is_cancelled_by_another_thread():
    token, seen, may_go_on = CancelToken(), [], threading.Event()
    thread = threading.Thread(target=lambda: (token.cancel(), may_go_on.set()))
    with pytest.raises(CancelledError):
        for number in Watch(cancel=token).each(range(10)):
            seen.append(number)
            if number == 3:
                thread.start()
                assert may_go_on.wait(30)
    assert seen == [0, 1, 2, 3]


def test_unwatched_work_is_never_stopped_and_tells_nobody(capfd):
    UNWATCHED(Progress("a"))
    assert list(UNWATCHED.each("ab")) == ["a", "b"]
    assert lookalike.silent is silent
    assert capfd.readouterr() == ("", "")
