"""Runs gmqtt or aiomqtt with MQTT 5 against a broker. Prints each check that succeeds, one line each.

    asyncio_clients.py LIBRARY features PORT
    asyncio_clients.py LIBRARY victim PORT      has a Will, prints a line, and waits to be killed
"""

import asyncio
import sys

# The time limit of a whole run. It passes only when a test fails.
PATIENCE = 25
DENIED = 0x80
# Below the broker's Receive Maximum, which gmqtt does not wait for.
BATCH = 10


class Gmqtt:
    """A client of gmqtt. Properties are a dictionary with a list of values for each name."""

    def __init__(self, client_id, port, clean=True, expiry=0, will=None):
        import gmqtt
        from gmqtt.storage import PersistentStorage

        self.gmqtt, self.port = gmqtt, port
        self.messages, self.answers = asyncio.Queue(), asyncio.Queue()
        self.ended = asyncio.Event()
        self.in_flight = PersistentStorage()
        if will is not None:
            topic, payload, qos, properties = will
            will = gmqtt.Message(topic, payload, qos, **single(properties))
        self.client = gmqtt.Client(
            client_id,
            clean_session=clean,
            will_message=will,
            persistent_storage=self.in_flight,
            session_expiry_interval=expiry,
        )
        # gmqtt would connect again once with 0, and without a limit with -1.
        self.client.set_config({"reconnect_retries": -2})
        self.client.on_message = lambda _, topic, payload, qos, properties: self.messages.put_nowait(
            (topic, payload, qos, bool(properties["retain"]), properties)
        )
        self.client.on_subscribe = lambda _, mid, codes, properties: self.answers.put_nowait(codes)
        self.client.on_unsubscribe = lambda _, mid, codes: self.answers.put_nowait(codes)
        self.client.on_disconnect = lambda *_: self.ended.set()

    async def connect(self):
        await self.client.connect("127.0.0.1", self.port)

    async def subscribe(self, *filters, identifier=None, **options):
        """Returns the Reason Codes."""
        if "retain_handling" in options:
            options["retain_handling_options"] = options.pop("retain_handling")
        all_of = [self.gmqtt.Subscription(name, qos, **options) for name, qos in filters]
        more = {} if identifier is None else {"subscription_identifier": identifier}
        self.client.subscribe(all_of, **more)
        return list(await self.answers.get())

    async def unsubscribe(self, name):
        self.client.unsubscribe(name)
        await self.answers.get()

    async def publish(self, topic, payload, qos=0, retain=False, **properties):
        """Waits until the message is delivered."""
        self.client.publish(topic, payload, qos, retain, **single(properties))
        await self.in_flight.wait_empty()

    async def disconnect(self):
        await self.client.disconnect()


class Aiomqtt:
    """A client of aiomqtt, with the same methods."""

    def __init__(self, client_id, port, clean=True, expiry=0, will=None):
        import aiomqtt

        self.aiomqtt = aiomqtt
        self.messages, self.ended = asyncio.Queue(), asyncio.Event()
        if will is not None:
            topic, payload, qos, properties = will
            properties = self.properties("WILLMESSAGE", properties)
            will = aiomqtt.Will(topic, payload, qos, properties=properties)
        self.client = aiomqtt.Client(
            "127.0.0.1",
            port,
            identifier=client_id,
            protocol=aiomqtt.ProtocolVersion.V5,
            clean_start=clean,
            will=will,
            properties=self.properties("CONNECT", {"session_expiry_interval": [expiry]}),
        )

    @staticmethod
    def properties(packet, values):
        from paho.mqtt.packettypes import PacketTypes
        from paho.mqtt.properties import Properties

        properties = Properties(getattr(PacketTypes, packet))
        for name, values in values.items():
            for value in values:
                setattr(properties, name.title().replace("_", ""), value)
        return properties

    async def connect(self):
        await self.client.__aenter__()
        self.reader = asyncio.create_task(self.read())

    async def read(self):
        try:
            async for message in self.client.messages:
                properties = Named(message.properties)
                self.messages.put_nowait(
                    (message.topic.value, message.payload, message.qos, message.retain, properties)
                )
        except self.aiomqtt.MqttError:
            self.ended.set()

    async def subscribe(self, *filters, identifier=None, **options):
        from paho.mqtt.subscribeoptions import SubscribeOptions

        names = {
            "no_local": "noLocal",
            "retain_as_published": "retainAsPublished",
            "retain_handling": "retainHandling",
        }
        options = {names[name]: value for name, value in options.items()}
        all_of = [(name, SubscribeOptions(qos, **options)) for name, qos in filters]
        identifiers = [] if identifier is None else [identifier]
        properties = self.properties("SUBSCRIBE", {"subscription_identifier": identifiers})
        codes = await self.client.subscribe(all_of, properties=properties)
        return [code.value for code in codes]

    async def unsubscribe(self, name):
        await self.client.unsubscribe(name)

    async def publish(self, topic, payload, qos=0, retain=False, **properties):
        properties = self.properties("PUBLISH", properties)
        await self.client.publish(topic, payload, qos, retain, properties=properties)

    async def disconnect(self):
        self.reader.cancel()
        await self.client.__aexit__(None, None, None)


class Named:
    """Reads properties of paho-mqtt by the names of gmqtt, as lists."""

    def __init__(self, properties):
        self.properties = properties

    def get(self, name):
        value = getattr(self.properties, name.title().replace("_", ""), None)
        return value if value is None or isinstance(value, list) else [value]


def single(properties):
    """gmqtt takes a list only for User Properties."""
    return {
        name: values if name == "user_property" else values[0] for name, values in properties.items()
    }


def ok(what):
    print("ok", what, flush=True)


def expect(found, expected):
    assert found == expected, f"{found!r} instead of {expected!r}"


async def receive(client):
    """Returns topic, payload, QoS and RETAIN of the next message, and its properties."""
    *message, properties = await client.messages.get()
    return tuple(message), properties


async def expect_message(client, topic, payload, qos=0, retain=False):
    message, properties = await receive(client)
    expect(message, (topic, payload, qos, retain))
    return properties


async def features(new, library, port):
    here, there = new("here", port), new("there", port)
    await here.connect()
    await there.connect()
    ok("connect")

    codes = await there.subscribe(("to/#", 2), ("some/+/level", 1), ("denied", 0))
    expect(codes, [2, 1, DENIED])
    ok("subscribe, with a filter that is denied")

    for qos in 0, 1, 2:
        for first in range(0, 5 * BATCH, BATCH):
            numbers = range(first, first + BATCH)
            await asyncio.gather(*(here.publish("to/there", str(n), qos) for n in numbers))
        for n in range(5 * BATCH):
            await expect_message(there, "to/there", str(n).encode(), qos)
        ok(f"50 messages at QoS {qos}")

    properties = {
        "content_type": ["text/plain"],
        "response_topic": ["answers"],
        # Without a zero byte, for which tshark 4.0 warns.
        "correlation_data": [b"\x01\xff"],
        "message_expiry_interval": [600],
        "user_property": [("name", "first"), ("name", "second")],
    }
    await here.publish("some/other/level", "granted less", 2, **properties)
    found = await expect_message(there, "some/other/level", b"granted less", 1)
    expect({name: found.get(name) for name in properties}, properties)
    ok("the lower QoS, and properties")

    for topic, payload in ("to/alias", "with a name"), ("", "without a name"):
        await here.publish(topic, payload, 1, topic_alias=[3])
        await expect_message(there, "to/alias", payload.encode(), 1)
    ok("Topic Alias")

    expect(await there.subscribe(("numbered/#", 1), identifier=268_435_455), [1])
    await here.publish("numbered/1", "message")
    found = await expect_message(there, "numbered/1", b"message")
    expect(found.get("subscription_identifier"), [268_435_455])
    ok("Subscription Identifier")

    expect(await there.subscribe(("own", 1), no_local=True), [1])
    await there.publish("own", "mine", 1)
    await here.publish("own", "another's", 1)
    await expect_message(there, "own", b"another's", 1)
    ok("No Local")

    await here.publish("kept", "retained", 1, True)
    expect(await there.subscribe(("kept", 1), retain_handling=2, retain_as_published=True), [1])
    await here.publish("kept", "live", 1, True)
    await expect_message(there, "kept", b"live", 1, True)
    await there.unsubscribe("kept")
    expect(await there.subscribe(("kept", 1)), [1])
    await expect_message(there, "kept", b"live", 1, True)
    await here.publish("kept", "", 1, True)
    await expect_message(there, "kept", b"", 1)
    ok("retained messages, Retain Handling and Retain As Published")

    victim = await asyncio.create_subprocess_exec(
        sys.executable, "-B", __file__, library, "victim", str(port), stdout=asyncio.subprocess.PIPE
    )
    expect(await victim.stdout.readline(), b"ok connect\n")
    victim.kill()
    await victim.wait()
    found = await expect_message(there, "to/will", b"dead", 1)
    expect(found.get("content_type"), ["will"])
    ok("Will with properties")

    absent = new("absent", port, clean=True, expiry=60)
    await absent.connect()
    expect(await absent.subscribe(("absent/#", 2)), [2])
    await absent.disconnect()
    for n in range(2 * BATCH):
        await here.publish("absent/for/now", str(n), 1 + n // BATCH)
    absent = new("absent", port, clean=False, expiry=60)
    await absent.connect()
    for n in range(2 * BATCH):
        await expect_message(absent, "absent/for/now", str(n).encode(), 1 + n // BATCH)
    ok("Session Expiry Interval")

    for member in there, absent:
        expect(await member.subscribe(("$share/group/shared", 1)), [1])
    for n in range(BATCH):
        await here.publish("shared", str(n), 1)
    # At QoS 1, because a message at QoS 0 may overtake those that wait for Receive Maximum.
    await here.publish("to/there", "end", 1)
    await here.publish("absent/end", "end", 1)
    seen = []
    for member in there, absent:
        while (message := await receive(member))[0][1] != b"end":
            seen.append(int(message[0][1]))
    expect(sorted(seen), list(range(BATCH)))
    ok("Shared Subscription")

    successor = new("absent", port)
    await successor.connect()
    await absent.ended.wait()
    await absent.disconnect()
    for client in successor, here, there:
        assert client.messages.empty(), "more messages than expected"
        await client.disconnect()
    ok("takeover")


async def victim(new, library, port):
    will = ("to/will", "dead", 1, {"content_type": ["will"]})
    await new("victim", port, will=will).connect()
    ok("connect")
    await asyncio.sleep(PATIENCE)


if __name__ == "__main__":
    library, what, port = sys.argv[1:]
    new = {"gmqtt": Gmqtt, "aiomqtt": Aiomqtt}[library]
    what = {"features": features, "victim": victim}[what]
    asyncio.run(asyncio.wait_for(what(new, library, int(port)), PATIENCE))
