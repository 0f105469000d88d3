"""The loop of an application around a connection."""

from drawing import Picture

picture = Picture(
    740,
    442,
    "The loop of an application",
    "The loop has three steps. First, send the output buffer. Second, wait until bytes arrive or the "
    "deadline of poll_timeout passes. Third, call receive until it returns None, then begin again. Each "
    "event that receive returns goes to the application, whose commands write to the output buffer. Each "
    "action is carried out: append a reply, resend a message, store a change. After the action Close, "
    "send the output buffer, take the session, and connect again with it.",
)

picture.box(40, 56, 280, 52, "1  send", "write `out` to the socket, clear `out`")
picture.box(40, 148, 280, 72, "2  wait", "until bytes arrive, or until", "`client.poll_timeout()`")
picture.box(40, 268, 280, 72, "3  receive", "`client.receive(now,`", "`&mut decoder, &mut input)`", style="main")

picture.text(180, 30, "`client.connect(now, &connect, &mut out)`", "middle")
picture.arrow((180, 38), (180, 54))
picture.arrow((180, 108), (180, 146))
picture.arrow((180, 220), (180, 266))
picture.text(190, 240, "input: bytes, or none")
picture.text(190, 256, "after the deadline")
picture.arrow((180, 340), (180, 390), (20, 390), (20, 82), (38, 82))
picture.text(190, 370, "`None`: all input is handled")

picture.box(430, 132, 290, 92, "event", "handle it; commands such as", "`publish` and `subscribe_to`", "write to `out`")
picture.box(430, 248, 290, 92, "action: carry it out", "`Transmit`: append to `out`", "`Resend`: pass the message again", "`Store`: write the journal")
picture.box(430, 364, 290, 62, "action `Close`: the end", "send `out`, take the session,", "connect again with it", style="other")

picture.arrow((320, 292), (375, 292), (375, 178), (428, 178))
picture.arrow((320, 304), (428, 304))
picture.arrow((320, 316), (375, 316), (375, 395), (428, 395))
picture.text(326, 284, "`Some`", "note")
picture.text(400, 36, "Handle each event and action, then call")
picture.text(400, 55, "`receive` again, until it returns `None`.")
picture.text(400, 88, "If the transport fails or is closed, call", "note")
picture.text(400, 107, "`handle_transport_closed`, then go on with 3.", "note")

picture.print()
