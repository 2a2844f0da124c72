"""The launcher of `make run` stops when it is told to, whatever its workers do at that moment."""

import os
import signal

import pytest
from granian.constants import Interfaces
from granian.server.mp import MPServer

from tools import serve


@pytest.fixture
def handlers():
    """The signal handlers of this process, put back at the end."""
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_that_arrives_while_a_worker_is_replaced_is_not_forgotten(number):
    server = MPServer("wsgi:app", interface=Interfaces.WSGI)
    serve._announce(server)
    os.kill(os.getpid(), number)
    assert server.main_loop_interrupt.wait(5)
    server.main_loop_interrupt.clear()  # as granian does before it replaces a worker
    assert server.main_loop_interrupt.wait(5)
    assert server.interrupt_signal
