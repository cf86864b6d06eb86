"""Batches that are made one by one."""

import itertools

import numpy as np
import pytest

from multilayer.utils import PyDataset, Sequence


class Tens(PyDataset):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.asked = []

    def __len__(self):
        return 3

    def __getitem__(self, index):
        self.asked.append(index)
        return np.full((2, 1), index), np.full(2, 10 * index)


def test_it_gives_its_batches_in_turn_and_makes_them_one_by_one():
    tens = Tens()
    batches = iter(tens)
    next(batches)
    assert tens.asked == [0]
    assert [int(y[0]) for x, y in batches] == [10, 20]
    assert len(list(tens)) == tens.num_batches == 3
    assert tens.on_epoch_begin() is tens.on_epoch_end() is None


def test_its_number_may_be_a_property_and_have_no_end():
    class Endless(PyDataset):
        num_batches = None

        def __getitem__(self, index):
            return index

    assert list(itertools.islice(Endless(), 4)) == [0, 1, 2, 3]


def test_arguments_are_kept_and_those_who_do_not_call_super_have_the_defaults():
    given = Tens(workers=4, use_multiprocessing=True, max_queue_size=2)
    assert (given.workers, given.use_multiprocessing, given.max_queue_size) == (4, True, 2)

    class Silent(PyDataset):
        def __init__(self):
            pass

    assert (Silent().workers, Silent().use_multiprocessing, Silent().max_queue_size) == (1, False, 10)
    assert Sequence is PyDataset


@pytest.mark.parametrize("arguments", [{"workers": -1}, {"workers": 1.5}, {"workers": True}, {"max_queue_size": -1}])
def test_bad_arguments_are_refused(arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        Tens(**arguments)


def test_what_a_subclass_must_define_is_said():
    with pytest.raises(NotImplementedError, match=r"PyDataset does not define `__getitem__\(self, index\)`"):
        PyDataset()[0]
    with pytest.raises(NotImplementedError, match="neither `__len__.*nor the property `num_batches`"):
        _ = PyDataset().num_batches


def test_a_data_set_that_does_not_say_how_long_it_is_goes_on_without_end():
    class Counting(PyDataset):
        def __getitem__(self, index):
            return index

    assert list(itertools.islice(Counting(), 12)) == list(range(12))
