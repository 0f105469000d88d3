"""The loop of firmware: no heap, no thread."""

from drawing import Picture

picture = Picture(
    740,
    420,
    "The loop of firmware",
    "The loop has four steps. First, write the output to the port. Second, if the connection is closed, "
    "return its session; the next connection begins with it. Third, if the port has bytes, read at most "
    "64 of them; if not, sleep until an interrupt of the port or of a timer. Fourth, call receive with these bytes, or with none, "
    "until it returns None, then begin again. All memory is fixed: 512 bytes for a packet that is split, "
    "four slots in each direction, 256 bytes of output, 64 bytes of input.",
)

picture.box(40, 56, 300, 52, "1  send", "`port.write_all(out.written())`")
picture.box(40, 140, 300, 52, "2  closed?", "after `Action::Close`")
picture.box(40, 224, 300, 52, "3  has the port bytes?", "`port.read_ready()`")
picture.box(40, 336, 300, 60, "4  receive, until `None`", "events; replies and commands to `out`", style="main")

picture.text(190, 30, "`Device::new`: CONNECT to `out`", "middle")
picture.arrow((190, 38), (190, 54))
picture.arrow((190, 108), (190, 138))
picture.arrow((190, 192), (190, 222))
picture.text(200, 212, "no")
picture.arrow((190, 276), (190, 334))
picture.text(200, 302, "yes: read at most 64")
picture.text(200, 320, "error or end: `handle_transport_closed`", "note")
picture.arrow((40, 366), (20, 366), (20, 82), (38, 82))

picture.box(450, 140, 270, 52, "return the session", "for the next connection", style="other")
picture.arrow((340, 166), (448, 166))
picture.text(350, 158, "yes")
picture.box(450, 224, 270, 72, "sleep until an interrupt", "of the port, or of a timer set to", "`poll_timeout()`")
picture.arrow((340, 250), (448, 250))
picture.text(350, 242, "no")
picture.arrow((590, 296), (590, 366), (342, 366))
picture.text(580, 358, "no bytes: handles the deadline", "end note")

picture.text(460, 36, "All memory, fixed:", "bold")
picture.text(460, 57, "`Decoder<[u8; 512]>`")
picture.text(460, 77, "`Session<[Slot; 4]>`")
picture.text(460, 97, "`SliceOutput` over `[u8; 256]`")
picture.text(460, 117, "`[u8; 64]` for received bytes")

picture.print()
