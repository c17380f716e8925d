"""The monitor: a line editor over telnet, and commands one after the other."""
import os
import syntax
from devices import Devices, NoSuch, Usage
from emulation import CommandError, Pending
from loop import Listener, log

GREETING = b"\xff\xfd\x00\xff\xfb\x01\xff\xfb\x03\xff\xfc\""
BANNERS = {(1, 16): "Renode, version 1.16.1 (d66b0c2a-202611221045)",
           (1, 15, 3): "Renode, version 1.15.3.20107 (03756cb5-202611221108)",
           (1, 15): "Renode, version 1.15.0.19000 (00000000-202611221108)"}
SWALLOWED = 9  # bytes that a client of up to 1.15.3 is expected to send first
COLUMNS = 10000
MACH_HELP = ("mach\r\r\nlist and manipulate machines available in the environment.\r\n\r\r\n\r{current}"
             "Available machines:\r\n\r{machines}\r\n\rYou can use the following commands:\r\n\r"
             "'mach set [\"name\"|number]'\tto enable the given machine\r\n\r"
             "'mach add \"name\"'\tto create a new machine with the specified name\r\n\r"
             "'mach rem \"name\"'\tto remove a machine\r\n\r"
             "'mach create'\tto create a new machine with generic name and switch to it\r\n\r"
             "'mach clear'\tto clear the current selection\r\n\r\r\n\r")


def banner(version):
    return next(text for least, text in BANNERS.items() if version >= least)


class Monitor:
    def __init__(self, settings, emulation, port):
        self.settings, self.emulation = settings, emulation
        self.banner = banner(settings.version)
        self.old = settings.version < (1, 16)
        self.devices = Devices(emulation)
        self.variables = {"$CWD": os.getcwd()}
        self.first, self.swallow, self.line, self.backlog, self.task = True, 0, b"", b"", None
        self.listener = Listener(emulation.loop, port, "slow" in settings.faults, self.arrived, self.receive, self.left)
        emulation.crash = self.crash
        self.builtins = {
            "version": self.version, "echo": self.echo, "mach": self.mach, "start": self.start, "s": self.start,
            "pause": self.pause, "p": self.pause, "include": self.include, "i": self.include, "quit": self.quit,
            "q": self.quit, "Clear": self.clear, "currentTime": self.current_time, "using": self.using,
            "log": self.log, "logLevel": self.nothing, "logFile": self.nothing,
        }

    # The line

    def arrived(self):
        self.send(GREETING)
        self.swallow = SWALLOWED if self.old else 0
        self.telnet = 0  # bytes of a telnet command that are still to come
        if not self.old:
            self.greet()

    def greet(self):
        """Only the first client is greeted; the commands of the command line come then, as if it had typed them."""
        if self.first:
            self.first = False
            self.send(f"{self.banner}\n\r\n\r{self.prompt()}".encode())
            self.backlog = "".join(c + "\n" for c in self.settings.commands).encode() + self.backlog
            self.work()

    def left(self):
        self.backlog = b""

    def crash(self):
        """An internal error: no connection stays, and none is taken any more."""
        self.listener.close()
        for external in self.emulation.externals.values():
            external.close()

    def send(self, data):
        self.listener.send(data)

    def write(self, text):
        self.send(text.encode())

    def prompt(self):
        return f"({self.emulation.current.name if self.emulation.current else 'monitor'}) "

    def receive(self, data):
        if self.swallow:
            count = min(self.swallow, len(data))
            data, self.swallow = data[count:], self.swallow - count
            if not self.swallow:
                self.backlog += data
                self.greet()
                self.work()
            return
        self.backlog += data
        self.work()

    def work(self):
        """Nothing is read while a command runs."""
        while self.backlog and not self.task and not self.emulation.hung:
            at = next((i for i, c in enumerate(self.backlog) if c < 32 or c >= 255), len(self.backlog))
            if self.telnet or at == 0:
                c, self.backlog = self.backlog[0], self.backlog[1:]
                self.special(c)
            else:
                typed, self.backlog = self.backlog[:at], self.backlog[at:]
                self.typed(typed)

    def typed(self, text):
        """Echoes it. The editor takes the screen to be so wide, and goes to the next line when that is full."""
        before = len(self.prompt()) + characters(self.line)
        self.line += text
        if (before + characters(text)) // COLUMNS == before // COLUMNS:
            self.send(text)
            return
        for i in range(len(text)):
            before += characters(text[i:i + 1])
            end = before % COLUMNS == 0 and characters(text[i:i + 1])
            self.send(text[i:i + 1] + (b"\x1b[B\x1b[1G" if end else b""))

    def special(self, c):
        if self.telnet:
            self.telnet = 1 if self.telnet == 2 and 251 <= c <= 254 else 0
        elif c == 255:
            self.telnet = 2
        elif c in b"\r\n":
            line, self.line = self.line, b""
            self.send(b"\n\r")
            self.task = self.run_line(line.decode("utf-8", "replace"))
            self.resume()
        elif c == 3:
            self.line = b""
            self.write("^C\n\r" + self.prompt())
        elif c == 4 and not self.line:
            self.send(b"^D\n\r")
            self.emulation.quit()

    def resume(self, pending=None):
        """Goes on with the command line until it waits, or ends."""
        try:
            next(self.task)
        except StopIteration:
            self.task = None
            self.write(self.prompt())
            if pending:
                self.work()

    # Commands

    def run_line(self, line):
        """Returns whether all went well. It yields where a command waits."""
        try:
            commands = syntax.tokens(line)
        except syntax.Untold as e:
            self.write(f"{e}\r\n")
            return False
        for command in commands:
            text = " ".join(t.text for t in command)
            try:
                result = self.run(command)
                if isinstance(result, Pending):
                    if not result.done:
                        result.then = self.resume
                        yield
                    if result.error:
                        raise CommandError(result.error[1])
                    result = None
                if isinstance(result, list):
                    for inner in result:
                        if not (yield from self.run_line(inner)):
                            return False
                elif result is not None:
                    self.write(result)
            except NoSuch as e:
                self.write(f"No such command or device: {e}\r\n")
                return False
            except Usage as e:
                self.write(str(e))
                return False
            except CommandError as e:
                reason = getattr(e, "listing", "") + f"There was an error executing command '{text}'\r\n{e}\r\n"
                self.write(reason)
                return False
        return True

    def run(self, command):
        name, arguments = command[0].text, command[1:]
        if command[0].kind == "variable" and arguments and arguments[0].kind == "equal":
            self.variables[name] = arguments[1].value() if len(arguments) > 1 else ""
            return None
        if name in self.builtins:
            return self.builtins[name](arguments)
        return self.devices.run(name, arguments)

    def nothing(self, arguments):
        return None

    def version(self, arguments):
        return f"{self.banner}\r\n\r"

    def echo(self, arguments):
        for token in arguments:
            if token.kind == "word":
                raise CommandError(f"No such emulation element: {token.text}")
        return "".join(t.value() for t in arguments) + "\r\r\n"

    def log(self, arguments):
        log("INFO", "Script: " + " ".join(t.value() for t in arguments))

    def start(self, arguments):
        self.emulation.start()
        return "Starting emulation...\r\n\r"

    def pause(self, arguments):
        self.emulation.pause()
        return "Pausing emulation...\r\n\r"

    def clear(self, arguments):
        self.emulation.clear()

    def using(self, arguments):
        if self.emulation.current:
            self.emulation.current.usings.update(t.text for t in arguments)

    def current_time(self, arguments):
        now = self.emulation.shown_time()
        return (f"Current virtual time: {clock(now)}\r\nCurrent real time: {clock(self.emulation.real_time())}\r\n\r")

    def quit(self, arguments):
        if arguments:
            text = " ".join(t.text for t in arguments)
            raise Usage(f"Bad parameters for command quit {text}\r\nquit [ q ]\r\r\nquits the emulator.\r\n\r\r\n\r")
        if "deaf" in self.settings.faults:
            self.emulation.hung = True
            return ""
        self.write("Renode is quitting\r\n\r")
        self.emulation.quit()

    def include(self, arguments):
        path = arguments[0].value() if arguments else ""
        if path.startswith("$"):
            name, _, rest = path.partition("/")
            path = os.path.join(self.variables.get(name, name), rest)
        if not os.path.isfile(path):
            raise CommandError(f"File does not exist: {path}")
        log("INFO", f"Including script: {path}")
        with open(path, encoding="utf-8") as file:
            return file.read().splitlines()

    def mach(self, arguments):
        emulation, verb = self.emulation, arguments[0].text if arguments else ""
        name = arguments[1].value() if len(arguments) > 1 else None
        if verb in ("create", "add") and (name is not None or verb == "create"):
            machine = emulation.create(name)
            if verb == "create":
                emulation.current = machine
        elif verb == "clear" and name is None:
            emulation.current = None
        elif verb in ("set", "rem") and name is not None:
            number = syntax.integer(arguments[1])
            machines = list(emulation.machines.values())
            if number is not None:
                found = machines[number] if 0 <= number < len(machines) else None
            else:
                found = emulation.machines.get(name)
            if not found:
                raise Usage(f"Machine {name} not found.\r\n")
            if verb == "set":
                emulation.current = found
            else:
                emulation.remove(found)
        else:
            current = f"Current machine: {emulation.current.name}\r\n\r" if emulation.current else ""
            listed = "".join(f"\t{i}: {m} \r\n\r" for i, m in enumerate(emulation.machines))
            raise Usage(f"Bad parameters for command mach {' '.join(t.text for t in arguments)}\r\n" +
                        MACH_HELP.format(current=current, machines=listed))
        return None


def characters(text):
    return sum(c & 0xc0 != 0x80 for c in text)


def clock(nanoseconds):
    seconds, fraction = divmod(nanoseconds, 1000000000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{fraction:09d}"
