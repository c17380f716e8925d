"""A server socket terminal: a UART as a port."""
import contextlib

from loop import Listener

TELNET = b"\xff\xfd\x00\xff\xfb\x01\xff\xfb\x03\xff\xfc\""


class Terminal:
    def __init__(self, emulation, port, telnet, flush):
        self.telnet, self.forget, self.kept, self.input = telnet, flush, b"", b""
        self.listener = Listener(emulation.loop, port, False, self.arrived, self.receive)

    def arrived(self):
        if self.telnet:
            self.listener.send(TELNET)
        if not self.forget:
            self.listener.send(self.kept)
        self.kept = b""

    def receive(self, data):
        self.input += data

    def write(self, data):
        if self.listener.client:
            self.listener.send(data)
        else:
            self.kept += data

    def take(self):
        """What has come, and what has arrived and is not read yet."""
        client = self.listener.client
        if client:
            with contextlib.suppress(OSError):
                self.input += client.sock.recv(65536)
        data, self.input = self.input, b""
        return data

    def close(self):
        self.listener.close()
