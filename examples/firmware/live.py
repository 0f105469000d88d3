#!/usr/bin/env python3
"""Connects a live image to a real broker, and cuts the connection with packets in flight.

    live.py IMAGE        the image `live`, with MQTT 3.1.1
    live.py IMAGE 5      the image `live_v5`, with MQTT 5

Starts mosquitto, a subscriber, and the image in the emulator. Acts as the modem that src/modem.rs
describes, between the emulator's serial port and the broker, and cuts the connection at chosen
packets. Checks the messages of the subscriber and the packets of the connections. Uses 127.0.0.1
only, takes two minutes at most, and ends the processes that it started.
"""

import os
import re
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

DEADLINE = time.monotonic() + 110
ESCAPE = 0xDB
READINGS = 40
IS_V5 = sys.argv[2:] == ["5"]
# In seconds. The smallest that mosquitto can ask for as Server Keep Alive; the device asks for more.
KEEP_ALIVE = 10 if IS_V5 else 2

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = range(1, 8)
PINGREQ, PINGRESP, DISCONNECT = 12, 13, 14


class Failure(Exception):
    pass


def check(condition, what):
    if not condition:
        raise Failure(what)


def wait_for(condition, what):
    while not condition():
        check(time.monotonic() < DEADLINE, f"not in time: {what}")
        time.sleep(0.02)


def packets_in(buffer):
    """Removes whole MQTT packets from the start of a bytearray, and yields them."""
    while len(buffer) >= 2:
        length, shift, at = 0, 0, 1
        while True:
            if at >= len(buffer):
                return
            length |= (buffer[at] & 127) << shift
            shift += 7
            at += 1
            if not buffer[at - 1] & 128:
                break
        if len(buffer) < at + length:
            return
        yield bytes(buffer[: at + length])
        del buffer[: at + length]


def kind(packet):
    return packet[0] >> 4


def qos(packet):
    return packet[0] >> 1 & 3


def topic(packet):
    """The Topic Name, or for a PUBLISH without one its Topic Alias."""
    end = topic_end(packet)
    return packet[4:end].decode() or alias(packet)


def topic_end(packet):
    return 4 + int.from_bytes(packet[2:4], "big")


def packet_id(packet):
    at = topic_end(packet) if kind(packet) == PUBLISH else 2
    return int.from_bytes(packet[at : at + 2], "big")


def alias(packet):
    """The Topic Alias, which is the only property that the device sends with a message."""
    at = topic_end(packet) + (2 if qos(packet) else 0)
    if not IS_V5 or packet[at : at + 2] != b"\x03\x23":
        return None
    return int.from_bytes(packet[at + 2 : at + 4], "big")


class Cut:
    """Cuts the connection at the first packet in a direction for which `like` is true.

    The first `passed` bytes of the packet are still forwarded.
    """

    def __init__(self, name, upstream, like, passed):
        self.name, self.upstream, self.like, self.passed = name, upstream, like, passed


# The Topic Name of each Topic Alias of a connection.
NAMES = {}


def reading(level):
    return lambda p: (
        kind(p) == PUBLISH and qos(p) == level and NAMES.get(topic(p), topic(p)) == "device/reading"
    )


# In all of these cases the client only notices that the line is gone.
CUTS = [
    Cut("PUBACK lost", False, lambda p: kind(p) == PUBACK, 0),
    Cut("QoS 2 PUBLISH lost", True, reading(2), 0),
    Cut("PUBREC lost", False, lambda p: kind(p) == PUBREC, 0),
    Cut("PUBREL lost", True, lambda p: kind(p) == PUBREL, 0),
    Cut("PUBCOMP lost", False, lambda p: kind(p) == PUBCOMP, 0),
    Cut("QoS 1 PUBLISH cut in the middle", True, reading(1), 9),
    Cut("QoS 2 PUBLISH cut in the middle", True, reading(2), 9),
]
# Cuts while a command is delivered to the device.
COMMAND_CUTS = [
    Cut("command cut in the middle", False, lambda p: kind(p) == PUBLISH, 7),
    Cut("the device's PUBREC lost", True, lambda p: kind(p) == PUBREC, 0),
    Cut("the device's PUBCOMP lost", True, lambda p: kind(p) == PUBCOMP, 0),
]


class Modem(threading.Thread):
    """Forwards bytes between the serial port and the broker."""

    def __init__(self, broker_port):
        super().__init__(daemon=True)
        self.broker_port = broker_port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.serial_port = self.listener.getsockname()[1]
        self.serial = self.broker = None
        self.upstream, self.downstream = bytearray(), bytearray()
        self.escaped = False
        self.cuts = list(CUTS)
        # Every packet in order, as (upstream, bytes), and the name of each cut.
        self.log = []
        self.cut_at = {}
        self.stopped = False
        self.error = None

    def run(self):
        try:
            self.listener.settimeout(max(1, DEADLINE - time.monotonic()))
            self.serial, _ = self.listener.accept()
            self.serial.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while not self.stopped:
                sources = [s for s in (self.serial, self.broker) if s]
                for source in select.select(sources, [], [], 0.1)[0]:
                    # Bytes of a connection that was cut meanwhile are discarded.
                    if source is self.serial and not self.from_serial():
                        return
                    elif source is self.broker:
                        self.from_broker()
        except OSError as error:
            self.error = error
        finally:
            for opened in (self.listener, self.serial, self.broker):
                if opened:
                    opened.close()

    def from_serial(self):
        try:
            received = self.serial.recv(4096)
        except ConnectionResetError:
            return False
        for byte in received:
            if self.escaped:
                self.escaped = False
                if byte == ord("D"):
                    self.dial()
                elif byte == ord("H"):
                    self.hang_up()
                else:
                    self.upstream.append(byte)
            elif byte == ESCAPE:
                self.escaped = True
            elif self.broker:
                self.upstream.append(byte)
            if self.broker:
                self.forward(True, self.upstream)
        return bool(received)

    def from_broker(self):
        received = self.broker.recv(4096)
        if not received:
            self.log.append("closed by the broker")
            return self.lose()
        self.downstream += received
        self.forward(False, self.downstream)

    def forward(self, upstream, buffer):
        for packet in packets_in(buffer):
            if upstream and kind(packet) == PUBLISH and alias(packet) != topic(packet):
                NAMES[alias(packet)] = topic(packet)
            cut = self.cuts[0] if self.cuts else None
            if cut and cut.upstream == upstream and cut.like(packet):
                self.cuts.pop(0)
                self.send(upstream, packet[: cut.passed])
                self.cut_at[cut.name] = packet
                self.log.append(cut.name)
                return self.lose()
            self.log.append((upstream, packet))
            self.send(upstream, packet)

    def send(self, upstream, data):
        if upstream:
            self.broker.sendall(data)
        else:
            self.serial.sendall(data.replace(b"\xdb", b"\xdb\xdb"))

    def dial(self):
        self.hang_up()
        self.upstream, self.downstream = bytearray(), bytearray()
        NAMES.clear()
        self.broker = socket.create_connection(("127.0.0.1", self.broker_port), timeout=5)
        self.broker.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.serial.sendall(bytes([ESCAPE, ord("C")]))

    def hang_up(self):
        if self.broker:
            self.broker.close()
            self.broker = None

    def lose(self):
        self.hang_up()
        self.serial.sendall(bytes([ESCAPE, ord("N")]))

    def packets(self, upstream, of_kind):
        sent = [entry for entry in list(self.log) if not isinstance(entry, str)]
        return [p for up, p in sent if up == upstream and kind(p) == of_kind]

    def behind(self, name):
        """Yields the packets after a cut that belong to the message at which it was made."""
        cut = packet_id(self.cut_at[name])
        for entry in self.log[self.log.index(name) + 1 :]:
            if not isinstance(entry, str) and PUBLISH <= kind(entry[1]) <= PUBCOMP:
                upstream, packet = entry
                if (kind(packet) != PUBLISH or qos(packet) > 0) and packet_id(packet) == cut:
                    yield upstream, packet


class Processes:
    def __init__(self):
        self.started = []

    def start(self, *command, **options):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, **options)
        self.started.append(process)
        return process

    def end(self):
        for process in reversed(self.started):
            if process.poll() is None:
                process.terminate()
        for process in reversed(self.started):
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def is_listening(port):
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) == 0


def program(name):
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if not found:
        print(f"skipped: {name} is not installed")
        sys.exit(3)
    return found


def run(image, directory, processes):
    broker_port = free_port()
    config = os.path.join(directory, "mosquitto.conf")
    with open(config, "w") as file:
        file.write(f"listener {broker_port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
        if IS_V5:
            file.write(f"max_keepalive {KEEP_ALIVE}\n")
    processes.start(program("mosquitto"), "-c", config, stderr=subprocess.DEVNULL)
    wait_for(lambda: is_listening(broker_port), "the broker")

    seen_path = os.path.join(directory, "seen")
    at = ["-h", "127.0.0.1", "-p", str(broker_port), "-V", "5" if IS_V5 else "311"]
    with open(seen_path, "wb") as file:
        topics = ["-t", "device/state", "-t", "device/reading", "-t", "device/answer", "-t", "up"]
        processes.start(program("mosquitto_sub"), *at, *topics, "-q", "2", "-F", "%t %q %p", stdout=file)

    def seen():
        with open(seen_path) as file:
            return file.read().splitlines()

    def publish(topic, payload):
        command = [program("mosquitto_pub"), *at, "-t", topic, "-m", payload, "-q", "2"]
        subprocess.run(command, check=True, timeout=10)

    def subscribed():
        publish("up", "?")
        return "up 2 ?" in seen()

    wait_for(subscribed, "the subscriber")

    modem = Modem(broker_port)
    modem.start()
    output_path = os.path.join(directory, "output")
    with open(output_path, "wb") as file:
        emulator = processes.start(
            program("qemu-system-arm"),
            *"-machine lm3s6965evb -display none -monitor none".split(),
            *"-semihosting-config enable=on,target=native".split(),
            *["-serial", f"tcp:127.0.0.1:{modem.serial_port}", "-kernel", image],
            stdout=file,
            stderr=subprocess.STDOUT,
        )

    def running(condition):
        def check_both():
            check(emulator.poll() is None, f"the firmware ended: {open(output_path).read()}")
            check(modem.error is None, f"the modem failed: {modem.error}")
            return condition()

        return check_both

    try:
        last = [f"device/reading 1 {READINGS - 2:02}", f"device/reading 2 {READINGS - 1:02}"]
        wait_for(running(lambda: not modem.cuts), "all cuts")
        wait_for(running(lambda: set(last) <= set(seen())), "the last readings")

        # Nothing is published for twice the time after which the broker closes a silent connection.
        pings, connects = (len(modem.packets(True, kind)) for kind in (PINGREQ, CONNECT))
        time.sleep(3 * KEEP_ALIVE)
        idle_pings = len(modem.packets(True, PINGREQ)) - pings
        check(idle_pings >= 2, f"{idle_pings} PINGREQ in {3 * KEEP_ALIVE} idle seconds")
        check(len(modem.packets(True, CONNECT)) == connects, "the idle connection broke")

        # The last of these commands is delivered over a connection that is cut three times.
        for number in range(3):
            publish("device/command", f"echo {number}")
        wait_for(running(lambda: "device/answer 2 2" in seen()), "the answers")
        modem.cuts = list(COMMAND_CUTS)
        publish("device/command", "echo once")
        wait_for(running(lambda: not modem.cuts), "the cuts of a command")
        wait_for(running(lambda: "device/answer 2 once" in seen()), "the answer to a repeated command")
        # One more command: a second answer to the one before would arrive before its answer.
        publish("device/command", "echo last")
        wait_for(running(lambda: "device/answer 2 last" in seen()), "the last answer")
        publish("device/command", "stop")
        wait_for(lambda: emulator.poll() is not None, "the end of the firmware")
    except Failure:
        print("\n".join(map(str, modem.log[-40:])), *seen()[-20:], sep="\n")
        raise
    finally:
        modem.stopped = True
        modem.join(5)
    output = open(output_path).read()
    check(emulator.returncode == 0, f"the firmware exits with {emulator.returncode}: {output}")
    verify(modem, seen(), output)


def verify(modem, seen, output):
    def payloads(of_topic, level):
        return [line.split()[2] for line in seen if line.startswith(f"{of_topic} {level} ")]

    # QoS 2: exactly once and in order. QoS 1: at least once, and in order the first time.
    odd = [f"{n:02}" for n in range(1, READINGS, 2)]
    even = [f"{n:02}" for n in range(0, READINGS, 2)]
    check(payloads("device/reading", 2) == odd, f"QoS 2: {payloads('device/reading', 2)}")
    at_least_once = payloads("device/reading", 1)
    check(list(dict.fromkeys(at_least_once)) == even, f"QoS 1: {at_least_once}")
    check(len(at_least_once) > len(even), "no QoS 1 message came twice, although its PUBACK was lost")
    answers = payloads("device/answer", 2)
    check(answers == ["0", "1", "2", "once", "last"], f"answers: {answers}")

    connects = modem.packets(True, CONNECT)
    connacks = modem.packets(False, CONNACK)
    check(len(connects) == 1 + len(CUTS) + len(COMMAND_CUTS), f"{len(connects)} connections")
    check(all(c[9] & 2 == 0 for c in connects), "Clean Session must be 0")
    accepted = [connack[2:4] for connack in connacks]
    check(accepted == [b"\0\0"] + [b"\1\0"] * (len(connects) - 1), f"CONNACK: {connacks}")
    if IS_V5:
        asked_for = bytes([0x13, 0, KEEP_ALIVE])
        check(all(asked_for in connack for connack in connacks), f"no Server Keep Alive: {connacks}")
        check(all(bytes([0x11, 0, 0, 2, 88]) in c for c in connects), "Session Expiry Interval must be 600")
        aliased = [p for p in modem.packets(True, PUBLISH) if p[2:4] == b"\0\0"]
        check(len(aliased) >= READINGS // 2, f"{len(aliased)} messages with a Topic Alias alone")
        check(not any(p[0] & 8 for p in aliased), "a resent message has its Topic Name")
    check("closed by the broker" not in modem.log[:-1], "the broker closed the connection")
    check(modem.packets(True, DISCONNECT), "no DISCONNECT")
    check(len(modem.packets(True, 8)) == 1, "a session that is present needs one SUBSCRIBE")

    # The effect of each cut shows on the next connection, or on a later one if that is cut while an
    # older message is sent again.
    def upstream(name, of_kind):
        return [p for up, p in modem.behind(name) if up and kind(p) == of_kind]

    for name in ["PUBACK lost", "QoS 2 PUBLISH lost", "PUBREC lost", "QoS 1 PUBLISH cut in the middle"]:
        again = [p for p in upstream(name, PUBLISH) if p[0] & 8]
        check(again, f"{name}: no PUBLISH with DUP")
    for name in ["PUBREL lost", "PUBCOMP lost"]:
        check(upstream(name, PUBREL), f"{name}: no PUBREL again")
    for p in modem.packets(True, PUBLISH):
        check(p[0] & 8 == 0 or qos(p) > 0, "DUP at QoS 0")

    for line in ["commands 6", "commands dropped 0"]:
        check(line in output.splitlines(), f"{line}: {output}")
    counted = dict(re.findall(r"^([a-z ]+) (\d+)$", output, re.MULTILINE))
    check(int(counted["connections"]) == len(connects), output)
    check(int(counted["sessions resumed"]) == len(connects) - 1, output)
    print(output.replace("Timer with period zero, disabling\n", ""), end="")
    print(f"{READINGS} readings, {len(answers)} answers, {len(connects) - 1} cuts: as they should be")


def main():
    if len(sys.argv) != 2 and not (len(sys.argv) == 3 and IS_V5):
        sys.exit(__doc__)
    processes = Processes()
    with tempfile.TemporaryDirectory() as directory:
        try:
            run(sys.argv[1], directory, processes)
        except Failure as failure:
            sys.exit(f"failed: {failure}")
        finally:
            processes.end()


if __name__ == "__main__":
    main()
