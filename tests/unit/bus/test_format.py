"""What is framed on one side is read on the other, however it is cut up on the way."""

import pytest

from avow.bus.format import HEARTBEAT, Frames, frame

LINES = [b'{"n":1}', '{"text":"一行\u2028又一行\x85再一行"}'.encode(), b'{"text":"data: id: 7"}']
STREAM = HEARTBEAT + b"".join(frame(n, line) for n, line in enumerate(LINES, 1)) + HEARTBEAT


@pytest.mark.parametrize("size", [1, 2, 3, 7, 16, len(STREAM)])
def test_lines_survive_any_cutting_up(size: int) -> None:
    frames = Frames()
    read = [line for at in range(0, len(STREAM), size) for line in frames.read(STREAM[at : at + size])]
    assert read == LINES


def test_line_breaks_of_other_servers_are_understood() -> None:
    assert Frames().read(STREAM.replace(b"\n", b"\r\n")) == LINES


def test_an_event_that_is_not_complete_is_not_read() -> None:
    frames = Frames()
    assert frames.read(frame(1, LINES[0])[:-1]) == []
    assert frames.read(b"\n") == [LINES[0]]


def test_data_over_several_lines_is_one_event() -> None:
    assert Frames().read(b"event: x\nid: 1\ndata: a\ndata:b\n\nretry: 5\n\n") == [b"a\nb"]
