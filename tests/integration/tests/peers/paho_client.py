"""paho-mqtt against a broker: what it finds in order it prints, one line each.

    paho_client.py features PORT VERSION
    paho_client.py cuts PUBLISHER_PORT SUBSCRIBER_PORT VERSION QOS
    paho_client.py silence PORT VERSION

VERSION is 3 (MQTT 3.1) or 4 (MQTT 3.1.1). The ports of `cuts` are those of relays that cut
connections.
"""

import queue
import sys
import threading

import paho.mqtt.client as mqtt

# The time limit of every wait. It passes only when a test fails.
PATIENCE = 20


class Client:
    """A client whose events can be waited for."""

    def __init__(self, client_id, version, clean=True, will=None):
        self.client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=clean,
            protocol=version,
        )
        if will is not None:
            self.client.will_set(*will)
        # The default pauses are for real networks.
        self.client.reconnect_delay_set(0.05, 0.05)
        self.client.max_queued_messages_set(0)
        self.messages = queue.Queue()
        self.connected = queue.Queue()
        self.answers = queue.Queue()
        self.delivered = queue.Queue()
        self.client.on_publish = lambda client, _, mid, reason, properties: self.delivered.put(mid)
        self.client.on_message = lambda client, _, message: self.messages.put(message)
        self.client.on_connect = lambda client, _, flags, reason, properties: self.connected.put(
            (flags.session_present, reason)
        )
        self.client.on_subscribe = lambda client, _, mid, reasons, properties: self.answers.put(
            [reason.value for reason in reasons]
        )
        self.client.on_unsubscribe = lambda client, _, mid, reasons, properties: self.answers.put(
            "unsubscribed"
        )

    def connect(self, port, keepalive=60):
        """Returns Session Present."""
        self.client.connect("127.0.0.1", port, keepalive)
        self.client.loop_start()
        session_present, reason = self.connected.get(timeout=PATIENCE)
        assert not reason.is_failure, reason
        return session_present

    def subscribe(self, *filters):
        """Returns the return codes."""
        self.client.subscribe(list(filters))
        return self.answers.get(timeout=PATIENCE)

    def unsubscribe(self, *filters):
        self.client.unsubscribe(list(filters))
        return self.answers.get(timeout=PATIENCE)

    def publish(self, topic, payload, qos=0, retain=False):
        """Waits until it is delivered."""
        self.wait_for(self.client.publish(topic, payload, qos, retain))

    def wait_for(self, *messages):
        """Waits until these are delivered, and no others."""
        delivered = {self.delivered.get(timeout=PATIENCE) for _ in messages}
        expect(delivered, {message.mid for message in messages})

    def receive(self):
        return self.messages.get(timeout=PATIENCE)

    def payloads(self, count):
        return [self.receive().payload for _ in range(count)]

    def disconnect(self):
        self.client.disconnect()
        self.client.loop_stop()
        assert self.messages.empty(), "more messages than expected"

    def break_off(self):
        """Without DISCONNECT."""
        self.client.loop_stop()
        self.client.socket().close()


def ok(what):
    print("ok", what, flush=True)


def expect(found, expected):
    assert found == expected, f"{found!r} instead of {expected!r}"


def seen(message):
    return (message.topic, message.payload, message.qos, message.retain)


def features(port, version):
    here, there = Client("here", version), Client("there", version)
    expect([here.connect(port), there.connect(port)], [False, False])
    ok("connect")

    expect(there.subscribe(("to/#", 2), ("some/+/level", 1), ("denied", 0)), [2, 1, 0x80])
    ok("subscribe, with a filter that is denied")

    for qos in 0, 1, 2:
        messages = [here.client.publish("to/there", str(n), qos) for n in range(200)]
        here.wait_for(*messages)
        received = [seen(there.receive()) for _ in messages]
        expect(received, [("to/there", str(n).encode(), qos, False) for n in range(200)])
        ok(f"200 messages at QoS {qos}")

    here.publish("some/other/level", "granted less", 2)
    expect(seen(there.receive()), ("some/other/level", b"granted less", 1, False))
    ok("the lower QoS")

    large = bytes(range(256)) * 4096
    for payload in b"", b"\0\xff", large:
        here.publish("to/there", payload, 2)
        expect(there.receive().payload, payload)
    ok("a payload of 1 MiB")

    # The second subscription overlaps the first: one copy, with the highest QoS.
    expect(there.subscribe(("to/there", 1)), [1])
    here.publish("to/there", "once", 2)
    expect(seen(there.receive()), ("to/there", b"once", 2, False))
    ok("overlapping subscriptions")

    expect(there.unsubscribe("to/#", "not/there"), "unsubscribed")
    here.publish("to/nobody", "lost", 1)
    here.publish("to/there", "found", 2)
    expect(seen(there.receive()), ("to/there", b"found", 1, False))
    ok("unsubscribe")

    here.publish("kept", "first", 1, True)
    here.publish("kept", "second", 1, True)
    expect(there.subscribe(("kept", 2)), [2])
    expect(seen(there.receive()), ("kept", b"second", 1, True))
    here.publish("kept", "live", 0, True)
    expect(seen(there.receive()), ("kept", b"live", 0, False))
    here.publish("kept", "", 1, True)
    expect(seen(there.receive()), ("kept", b"", 1, False))
    expect(there.subscribe(("kept", 2)), [2])
    here.publish("kept", "not retained")
    expect(seen(there.receive()), ("kept", b"not retained", 0, False))
    ok("retained messages")

    victim = Client("victim", version, will=("kept", "will", 2, True))
    victim.connect(port)
    victim.break_off()
    expect(seen(there.receive()), ("kept", b"will", 2, False))
    polite = Client("polite", version, will=("kept", "never", 2, True))
    polite.connect(port)
    polite.disconnect()
    expect(there.subscribe(("kept", 2)), [2])
    expect(seen(there.receive()), ("kept", b"will", 2, True))
    here.publish("kept", None, 0, True)
    there.receive()
    ok("will")

    absent = Client("absent", version, clean=False)
    absent.connect(port)
    expect(absent.subscribe(("absent/#", 2)), [2])
    absent.disconnect()
    for n in range(100):
        here.publish("absent/for/now", str(n), 1 + n // 50)
    absent = Client("absent", version, clean=False)
    # There is no Session Present in MQTT 3.1.
    expect(absent.connect(port), version == mqtt.MQTTv311)
    expect(absent.payloads(100), [str(n).encode() for n in range(100)])
    absent.disconnect()
    absent = Client("absent", version)
    expect(absent.connect(port), False)
    absent.disconnect()
    absent = Client("absent", version, clean=False)
    expect(absent.connect(port), False)
    absent.disconnect()
    ok("persistent session")

    successor = Client("here", version)
    here.client.on_disconnect = lambda *_: here.answers.put("evicted")
    here.client.reconnect_delay_set(PATIENCE, PATIENCE)
    successor.connect(port)
    expect(here.answers.get(timeout=PATIENCE), "evicted")
    here.client.disconnect()
    successor.disconnect()
    ok("takeover")
    there.disconnect()


def cuts(publisher_port, subscriber_port, version, qos):
    subscriber = Client("cut subscriber", version, clean=False)
    subscriber.connect(subscriber_port)
    expect(subscriber.subscribe(("cut", qos)), [qos])
    publisher = Client("cut publisher", version, clean=False)
    # All messages are queued before there is a connection. A message that is published while paho
    # reconnects may be sent before CONNACK and ahead of older messages, and `wait_for_publish` gives up
    # on a message that was published without a connection, although it is delivered later.
    payloads = [*map(str, range(200)), "end"]
    messages = [publisher.client.publish("cut", payload, qos) for payload in payloads]
    publisher.connect(publisher_port)
    publisher.wait_for(*messages)
    received = []
    while (message := subscriber.receive()).payload != b"end":
        received.append(int(message.payload))
    if qos == 1:
        received = list(dict.fromkeys(received))
    expect(received, list(range(200)))
    ok("at least once" if qos == 1 else "exactly once")
    publisher.disconnect()
    subscriber.client.disconnect()
    subscriber.client.loop_stop()


def silence(port, version):
    observer = Client("observer", version)
    observer.connect(port)
    observer.subscribe(("will", 1))
    # A client that sends PINGREQ in time, and one that stops sending anything.
    idle = Client("idle", version, will=("will", "not yet", 1, False))
    idle.connect(port, keepalive=1)
    silent = Client("silent", version, will=("will", "silent", 1, False))
    silent.connect(port, keepalive=1)
    stop = threading.Thread(target=silent.client.loop_stop)
    stop.start()
    stop.join(PATIENCE)
    expect(observer.receive().payload, b"silent")
    ok("keep-alive")
    assert idle.client.is_connected()
    idle.disconnect()
    observer.disconnect()


if __name__ == "__main__":
    what, *numbers = sys.argv[1:]
    {"features": features, "cuts": cuts, "silence": silence}[what](*map(int, numbers))
