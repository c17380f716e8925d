"""Between a client and a container engine: a Unix socket whose other end is the engine's, and that misbehaves when it
is told to, as engines do that are ill or busy."""
import json
import os
import random
import re
import socket
import threading
import time

CONNECTIONS_MAX = 500
PIECE = 65536
POURED_MAX = 300 << 20
REQUEST = re.compile(rb"(GET|POST|DELETE|HEAD|PUT) /")
WAYS = ("pass", "error", "slow", "drip", "cut", "silent", "endless")


class Middleman:
    """`way` may be changed at any time, and holds for the requests that `only` matches, where that is set:

    pass     everything goes through
    error    each request is answered with `status` (500) and `words` (bytes: the whole body)
    slow     each answer takes `delay` seconds
    drip     answers come a byte at a time
    cut      answers end in the middle of their body, and so do the connections that are open already
    silent   no answer comes any more
    endless  the answer is a line that does not end; `poured` counts its bytes
    """

    def __init__(self, path, engine, rng=random):
        self.path, self.engine, self.rng = str(path), str(engine), rng
        self.way, self.words, self.delay, self.pause = "pass", "", 1, 0.005
        self.status, self.poured = "500 Internal Server Error", 0
        # of requests that match this (bytes); how many there were that something was done to
        self.only, self.met = None, 0
        self.times = None              # how many are refused with "error"; None: all
        self.open, self.lock, self.closed = set(), threading.Lock(), False
        self.server = None
        self.listen()

    def listen(self):
        """Also once more, at the same path."""
        self.stop_listening()
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(self.path)
        self.server.listen(128)
        threading.Thread(target=self._accept, args=(self.server,), daemon=True).start()

    def remove_socket(self):
        """Nobody new gets in; those who are stay."""
        os.unlink(self.path)

    def stop_listening(self):
        if self.server:
            try:
                self.server.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            self.server.close()
        if os.path.exists(self.path):
            os.unlink(self.path)

    def close(self):
        self.closed = True
        self.stop_listening()
        self.drop()

    def drop(self):
        """Ends the connections that are open now."""
        with self.lock:
            left = list(self.open)
        for end in left:
            self._shut(end)

    @staticmethod
    def _shut(end, how=socket.SHUT_RDWR):
        try:
            end.shutdown(how)
        except OSError:
            pass

    def _accept(self, server):
        while not self.closed:
            try:
                client, _ = server.accept()
            except OSError:
                return
            with self.lock:
                many = len(self.open) >= 2 * CONNECTIONS_MAX
                if not many:
                    self.open.add(client)
            if many:
                client.close()
            else:
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        """From the client to the engine; the other way has a thread of its own."""
        engine = socket.socket(socket.AF_UNIX)
        with self.lock:
            self.open.add(engine)
        back, about = None, {"spared": False}
        try:
            engine.connect(self.engine)
            back = threading.Thread(target=self._answer, args=(client, engine, about), daemon=True)
            back.start()
            while data := client.recv(PIECE):
                if REQUEST.match(data):
                    about["spared"] = self.only and not re.search(self.only, data)
                    self.met += self.way != "pass" and not about["spared"]
                    if self.way == "error" and not about["spared"] and self.times != 0:
                        self.times = self.times and self.times - 1
                        self._refuse(client)
                        break
                    if self.way == "endless" and not about["spared"]:
                        self._pour(client)
                        break
                engine.sendall(data)
            else:
                self._shut(engine, socket.SHUT_WR)
                back.join()  # half of a connection may be closed for long
        except OSError:
            pass  # one of them is gone
        finally:
            for end in client, engine:
                self._shut(end)
            if back:
                back.join()
            with self.lock:
                self.open -= {client, engine}
            client.close()
            engine.close()

    def _refuse(self, client):
        body = self.words if isinstance(self.words, bytes) else json.dumps({"message": self.words}).encode()
        client.sendall(b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nConnection: close\r\n"
                       b"Content-Length: %d\r\n\r\n%s" % (self.status.encode(), len(body), body))

    def _pour(self, client):
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n")
        while self.way == "endless" and not self.closed and self.poured < POURED_MAX:
            client.sendall(bytes(PIECE))
            self.poured += PIECE

    def _answer(self, client, engine, about):
        try:
            while data := engine.recv(PIECE):
                if about["spared"]:
                    client.sendall(data)
                elif not self._hand_over(client, data):
                    break
            else:
                self._shut(client, socket.SHUT_WR)
                return
        except OSError:
            pass
        for end in client, engine:
            self._shut(end)

    def _hand_over(self, client, data):
        """Whether the connection goes on."""
        way = self.way
        if way == "cut":
            head = data.find(b"\r\n\r\n") + 4 if data.startswith(b"HTTP/1.1") else 0
            client.sendall(data[:head + (len(data) - head) // 2])
            return False
        while self.way == "silent" and not self.closed:
            time.sleep(0.02)
        if way == "slow":
            self._sleep(self.delay, way)
        if way != "drip":
            client.sendall(data)
            return True
        for at in range(len(data)):
            if self.way != way:
                client.sendall(data[at:])
                break
            client.sendall(data[at:at + 1])
            time.sleep(self.pause)
        return True

    def _sleep(self, seconds, way):
        end = time.monotonic() + seconds
        while self.way == way and not self.closed and time.monotonic() < end:
            time.sleep(0.02)
