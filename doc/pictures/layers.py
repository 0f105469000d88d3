"""The layers, from bytes to events."""

from drawing import Picture

picture = Picture(
    740,
    540,
    "The layers of the library",
    "Received bytes go up through the layers and become events and actions for the application. Its "
    "commands go down and become bytes to send. From top to bottom: any, one server for every version; "
    "connection, the client and server of a version; decoder, session and fan_out side by side; the "
    "packets of v3 and v5 side by side; packet, what both share; types; wire. Topics, the trees, stands "
    "beside the upper layers and rests on types.",
)

LEFT, WIDTH = 80, 580

picture.box(20, 16, 700, 40, "the application: sockets, clock, messages", style="other")
picture.box(20, 484, 700, 40, "a transport: TCP, TLS, WebSocket, a serial port", style="other")
picture.arrow((46, 484), (46, 58))
picture.text(56, 473, "received bytes")
picture.text(56, 76, "events and actions")
picture.arrow((694, 56), (694, 482))
picture.text(684, 76, "commands", "end")
picture.text(684, 473, "bytes to send", "end")

picture.box(LEFT, 90, 456, 44, "any/", "recognises the version of a client by its CONNECT")
picture.box(LEFT, 138, 456, 62, "connection/", "`Connection<Version, Role, Slots>`: client or server", "delivery, Keep Alive, events, commands", style="main")
picture.box(LEFT, 204, 150, 62, "decoder/", "bytes to packets,", "however split")
picture.box(LEFT + 154, 204, 148, 62, "session/", "identifiers in", "flight, journal")
picture.box(LEFT + 306, 204, 150, 62, "fan_out/", "one message for", "many receivers")
picture.box(LEFT, 270, 226, 44, "v3/", "14 packets of 3.1 and 3.1.1")
picture.box(LEFT + 230, 270, 226, 44, "v5/", "15 packets of 5, properties")
picture.box(LEFT, 318, 456, 44, "packet/", "what the packets of both versions share")
picture.box(LEFT + 460, 90, WIDTH - 460, 272, "topics/", "trees of", "filters and", "of names")
picture.box(LEFT, 366, WIDTH, 44, "types/", "Packet Identifier, QoS, validated strings")
picture.box(LEFT, 414, WIDTH, 40, "wire/", "fixed header, fields, outputs, errors, options")

picture.print()
