"""Slow work of all kinds together leaves threads to visitors."""

import pytest

from campaign.core import capacity
from campaign.errors import Busy


def test_all_kinds_together_leave_threads_to_visitors():
    kinds = (capacity.PASSWORDS, capacity.KEY_PROCESSES, capacity.RENDERING)
    slots = [kind.acquire() for kind in kinds for _ in range(2)]
    try:
        for kind in kinds:
            with pytest.raises(Busy) as caught:
                kind.acquire()
            assert caught.value.seconds == capacity.RETRY_SECONDS
    finally:
        for slot in slots:
            slot.release()
            slot.release()  # which does nothing more
    assert [kind.acquire().release() for kind in kinds for _ in range(2)] == [None] * 6


def test_one_kind_does_not_take_all_there_is():
    slots = [capacity.PASSWORDS.acquire() for _ in range(3)]
    try:
        with pytest.raises(Busy):
            capacity.PASSWORDS.acquire()
        with capacity.RENDERING.slot():
            pass
    finally:
        for slot in slots:
            slot.release()
