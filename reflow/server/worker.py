"""A gunicorn worker whose threads wait for nobody outside: it holds its own without a proxy in front.

gunicorn's own gives a connection to a thread as soon as it is there, so that a handful of clients who send
nothing, or a byte a second, or never hang up, keep every thread, and the site, to themselves. Here all
waiting is done by the one loop that watches thousands of connections; threads get whole requests.
"""

import re
import select
import socket
import struct
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ, EVENT_WRITE
from typing import Any

from gunicorn.http import get_parser
from gunicorn.workers.gthread import TConn, ThreadWorker

# For a request to arrive, for a client to go on reading an answer, and to hang up after it.
PATIENCE_SECONDS = 10
# Beyond these, the parser and the site refuse what they then need not see in full.
LARGEST_HEAD = 64 * 1024
LARGEST_BODY = 1024 * 1024
# What all that is still arriving may take up together.
MOST_BYTES = 64 * LARGEST_BODY
READ_BYTES = 64 * 1024

CONTENT_LENGTH = re.compile(rb"\r\ncontent-length[ \t]*:[ \t]*([0-9]{1,18})", re.IGNORECASE)
EXPECTS_GO_AHEAD = re.compile(rb"\r\nexpect[ \t]*:[ \t]*100-continue", re.IGNORECASE)
GO_AHEAD = b"HTTP/1.1 100 Continue\r\n\r\n"


class Arrival:
    """What has come of a request so far. ``is_cut``: the rest is not worth waiting for."""

    def __init__(self, data: bytes) -> None:
        self.data = bytearray()
        self.length: int | None = None
        self.expects_go_ahead = self.is_cut = False
        self.add(data)

    def add(self, more: bytes) -> None:
        # The end of the head may lie across the seam.
        start = max(0, len(self.data) - 3)
        self.data += more
        if self.length is None and (end := self.data.find(b"\r\n\r\n", start)) >= 0:
            self._read_head(bytes(self.data[:end]))

    def _read_head(self, head: bytes) -> None:
        stated = CONTENT_LENGTH.search(head)
        body = int(stated[1]) if stated else 0
        self.is_cut = body > LARGEST_BODY
        self.length = len(head) + 4 + (0 if self.is_cut else body)
        self.expects_go_ahead = EXPECTS_GO_AHEAD.search(head) is not None

    @property
    def is_whole(self) -> bool:
        if self.length is None:
            return len(self.data) > LARGEST_HEAD
        return len(self.data) >= self.length


class PatientWorker(ThreadWorker):
    def enqueue_req(self, conn: TConn) -> None:
        """Have a connection that is new, or whose client has begun to send again, answered once it can be."""
        if conn.parser is None:
            conn.parser = get_parser(conn.cfg, conn.sock, conn.client)
            give_up_on_who_does_not_read(conn.sock)
        conn.sock.settimeout(0)
        conn.arrival = Arrival(conn.parser.unreader.take_buffered())
        if self._receive(conn):
            self._hand_over(conn)
        else:
            self._watch(conn, EVENT_READ, self._on_more)

    def finish_request(self, conn: TConn, answered: "Future[Any]") -> None:
        """Wait for the next request, or see the client off without waiting for it to hang up."""
        if self.alive and not (answered.cancelled() or answered.exception() or answered.result()):
            self._hang_up(conn)
        else:
            super().finish_request(conn, answered)

    def _keepalive_after(self, conn: TConn, keepalive: bool) -> bool:  # noqa: FBT001  # gunicorn's own
        # What the site did not read is here already, or not worth a thread's time.
        return keepalive and bool(conn.parser.finish_body(deadline=time.monotonic() + 0.1))

    # All that follows runs on the loop and never waits.

    def _receive(self, conn: TConn) -> bool:
        """Read what is there. Whether that is a whole request, or all that is going to come."""
        arrival: Arrival = conn.arrival
        try:
            while not (arrival.is_whole or arrival.is_cut):
                more = conn.sock.recv(READ_BYTES)
                arrival.add(more)
                arrival.is_cut |= not more or self._holds_too_much(arrival)
        except BlockingIOError:
            if arrival.expects_go_ahead:
                arrival.expects_go_ahead = False
                conn.sock.send(GO_AHEAD)
            return False
        except OSError:
            arrival.is_cut = True
        return True

    def _holds_too_much(self, arrival: Arrival) -> bool:
        return (
            len(arrival.data) > LARGEST_HEAD
            and sum(len(conn.arrival.data) for conn in self.pending_conns if conn.arrival) > MOST_BYTES
        )

    def _on_more(self, conn: TConn, _: socket.socket) -> None:
        if self._receive(conn):
            self._forget(conn)
            self._hand_over(conn)

    def _hand_over(self, conn: TConn) -> None:
        """Give a thread the request, or what there is of one that will never be whole.

        First let the client read the answers it has not read yet: a thread could not be rid of another one.
        """
        if not has_room(conn.sock):
            self._watch(conn, EVENT_WRITE, self._on_room)
            return
        arrival, conn.arrival = conn.arrival, None
        if arrival.is_cut:
            with suppress(OSError):  # the client is gone
                conn.sock.shutdown(socket.SHUT_RD)
        conn.parser.unreader.unread(bytes(arrival.data))
        conn.data_ready = True
        super().enqueue_req(conn)

    def _on_room(self, conn: TConn, _: socket.socket) -> None:
        self._forget(conn)
        self._hand_over(conn)

    def _hang_up(self, conn: TConn) -> None:
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            conn.sock.settimeout(0)
        except OSError:
            self._close(conn)
        else:
            self._watch(conn, EVENT_READ, self._on_rest)

    def _on_rest(self, conn: TConn, sock: socket.socket) -> None:
        """Read on, for nothing, until the client hangs up too: cut off earlier, it might lose the answer."""
        try:
            if sock.recv(READ_BYTES):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._forget(conn)
        self._close(conn)

    def _watch(self, conn: TConn, event: int, callback: Callable[[TConn, socket.socket], None]) -> None:
        """Call back at the event. When the patience is at an end before it, so is the connection."""
        conn.timeout = time.monotonic() + PATIENCE_SECONDS
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, event, partial(callback, conn))

    def _forget(self, conn: TConn) -> None:
        self.poller.unregister(conn.sock)
        self.pending_conns.remove(conn)

    def _close(self, conn: TConn) -> None:
        self.nr_conns -= 1
        conn.close()


def has_room(sock: socket.socket) -> bool:
    """Whether there is room for an answer in the buffer of what the client has yet to take."""
    room = select.poll()
    room.register(sock, select.POLLOUT)
    return bool(room.poll(0))


def give_up_on_who_does_not_read(sock: socket.socket) -> None:
    """Let a thread be done with an answer that fits into the buffer, and end one that is stuck."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, LARGEST_BODY)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", PATIENCE_SECONDS, 0))
