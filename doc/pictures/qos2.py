"""A QoS 2 message: packets, events, and what each side has stored at each moment."""

from drawing import Picture

picture = Picture(
    760,
    500,
    "A QoS 2 message with journals on both sides",
    "The sender publishes and stores Sent with the message, then sends PUBLISH. The receiver returns the "
    "event Message and stores InboundReceived with the effect of the message, then sends PUBREC. The "
    "sender returns AcceptedByPeer and stores Released, with which it deletes the message, then sends "
    "PUBREL. The receiver stores Forgotten, which deletes the identifier, then sends PUBCOMP. The sender "
    "returns Delivered and stores Completed, which deletes the identifier. When a session is resumed, "
    "a sender that has stored Sent sends PUBLISH with DUP again, and after Released PUBREL. A receiver "
    "that holds the identifier answers a repeated PUBLISH with PUBREC and does not deliver it again.",
)

SENDER, RECEIVER = 262, 498

picture.text(SENDER, 30, "sender", "middle bold")
picture.text(RECEIVER, 30, "receiver", "middle bold")
picture.line((SENDER, 40), (SENDER, 480), style="dashed")
picture.line((RECEIVER, 40), (RECEIVER, 480), style="dashed")

# What is stored, from one change to the next.
picture.rectangle(SENDER - 6, 84, 12, 176, "main")
picture.rectangle(SENDER - 6, 260, 12, 170, "other")
picture.rectangle(RECEIVER - 6, 172, 12, 172, "main")


def moment(side, y, lines, style=""):
    """What happens on a side: its command or event, and then its change; or what it has stored."""
    x = SENDER - 14 if side == "sender" else RECEIVER + 14
    style += " end" if side == "sender" else ""
    for number, line in enumerate(lines):
        picture.text(x, y + 19 * number, line, style.strip())


def packet(y, name, sent_by):
    ends = [(SENDER + 8, y), (RECEIVER - 8, y + 24)]
    if sent_by == "receiver":
        ends = [(RECEIVER - 8, y), (SENDER + 8, y + 24)]
    picture.arrow(*ends)
    picture.text((SENDER + RECEIVER) // 2, y + 2, name, "middle bold")


moment("sender", 64, ["`publish` returns an identifier", "`Store(Sent)`"])
packet(104, "PUBLISH", "sender")
moment("receiver", 142, ["`Event::Message`", "`Store(InboundReceived)`"])
packet(184, "PUBREC", "receiver")
moment("sender", 240, ["`Event::AcceptedByPeer`", "`Store(Released)`"])
packet(274, "PUBREL", "sender")
moment("receiver", 330, ["`Store(Forgotten)`"])
packet(356, "PUBCOMP", "receiver")
moment("sender", 410, ["`Event::Delivered`", "`Store(Completed)`"])

moment("sender", 148, ["stored: identifier, message", "on resumption: PUBLISH with DUP"], "note")
moment("receiver", 226, ["stored: identifier, effect", "PUBLISH again: PUBREC only"], "note")
moment("sender", 318, ["stored: identifier", "on resumption: PUBREL"], "note")
moment("receiver", 370, ["stored: effect", "PUBREL again: PUBCOMP only"], "note")
moment("sender", 458, ["stored: nothing"], "note")

picture.print()
