"""Waiting: sockets and timers of one thread, and how bytes leave."""
import errno
import heapq
import select
import socket
import sys
import time

LARGEST_READ = 65536


def log(level, text, slow=False):
    """A line of the log, as Renode prints it. `slow` writes it byte by byte."""
    now = time.time()
    clock = time.strftime("%H:%M:%S", time.localtime(now))
    line = f"{clock}.{int(now % 1 * 10000):04d} [{level}] {text}\n"
    for piece in line if slow else [line]:
        print(piece, end="", file=sys.stderr, flush=True)
        if slow:
            time.sleep(0.001)  # else a reader gets several at once


class Connection:
    """One client. `slow` gives each byte a segment of its own."""

    def __init__(self, loop, sock, slow, receive, gone):
        self.loop, self.sock, self.slow, self.receive, self.gone = loop, sock, slow, receive, gone
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        loop.watch(sock, self.readable)

    def readable(self):
        try:
            data = self.sock.recv(LARGEST_READ)
        except BlockingIOError:
            return  # it has been read meanwhile
        except OSError:
            data = b""
        if data:
            self.receive(data)
        elif self.sock:
            self.close()
            self.gone()

    def send(self, data):
        if not self.sock or not data:
            return
        self.sock.settimeout(20)  # a client that never reads does not keep the peer for ever
        try:
            for i in range(len(data) if self.slow else 0):
                self.sock.sendall(data[i:i + 1])
                time.sleep(0.00005)  # else the kernel puts some of them together
            if not self.slow:
                self.sock.sendall(data)
        except OSError:
            pass  # what it has to say about its end, it says to the reader
        self.sock.setblocking(False)

    def close(self):
        if self.sock:
            self.loop.forget(self.sock)
            self.sock.close()
            self.sock = None


class Listener:
    """One client at a time; a second one waits, and hears nothing, until the first has gone."""

    def __init__(self, loop, port, slow, arrived, receive, left=lambda: None):
        self.loop, self.slow, self.arrived, self.receive, self.left = loop, slow, arrived, receive, left
        self.client = None
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self.sock.bind(("127.0.0.1", port))  # the real one: all addresses
            self.sock.listen(8)
        except OSError as e:
            self.sock.close()
            if e.errno != errno.EADDRINUSE:
                raise
            raise BusyPort(port) from None
        loop.watch(self.sock, self.accept)

    def accept(self):
        sock, _ = self.sock.accept()
        self.loop.forget(self.sock)
        self.client = Connection(self.loop, sock, self.slow, self.receive, self.gone)
        self.arrived()

    def gone(self):
        self.client = None
        self.left()
        if self.sock:
            self.loop.watch(self.sock, self.accept)

    def send(self, data):
        if self.client:
            self.client.send(data)

    def close_client(self):
        if self.client:
            self.client.close()
            self.gone()

    def close(self):
        if self.sock:
            self.loop.forget(self.sock)
            self.sock.close()
            self.sock = None
        if self.client:
            self.client.close()
            self.client = None


class BusyPort(Exception):
    def __init__(self, port):
        super().__init__(f"Unable to create '0.0.0.0:{port}' socket:[AddressAlreadyInUse] Address already in use")


class Loop:
    def __init__(self):
        self.poll, self.handlers, self.timers, self.serial = select.poll(), {}, [], 0

    def watch(self, sock, handler):
        self.handlers[sock.fileno()] = handler
        self.poll.register(sock, select.POLLIN)

    def forget(self, sock):
        if self.handlers.pop(sock.fileno(), None):
            self.poll.unregister(sock)

    def after(self, seconds, call):
        self.serial += 1
        heapq.heappush(self.timers, (time.monotonic() + seconds, self.serial, call))

    def run(self):
        while True:
            wait = max(0, (self.timers[0][0] - time.monotonic()) * 1000) if self.timers else None
            for descriptor, _ in self.poll.poll(wait):
                handler = self.handlers.get(descriptor)  # an earlier one may have closed it
                if handler:
                    handler()
            while self.timers and self.timers[0][0] <= time.monotonic():
                heapq.heappop(self.timers)[2]()
