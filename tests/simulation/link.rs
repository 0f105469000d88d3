//! The transport: bytes on their way, which may never arrive.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use super::chance::Chance;

/// One direction.
#[derive(Debug, Default)]
struct Pipe {
    bytes: VecDeque<u8>,
    /// Nothing gets in any more; what is in it can still be read.
    closed: bool,
}

/// One end of a connection.
#[derive(Debug)]
pub(crate) struct Socket {
    incoming: Rc<RefCell<Pipe>>,
    outgoing: Rc<RefCell<Pipe>>,
}

/// Both ends of a new connection.
pub(crate) fn connection() -> (Socket, Socket) {
    let (there, back) = (Rc::default(), Rc::default());
    let near = Socket {
        incoming: Rc::clone(&back),
        outgoing: Rc::clone(&there),
    };
    let far = Socket {
        incoming: there,
        outgoing: back,
    };
    (near, far)
}

impl Socket {
    pub(crate) fn send(&self, bytes: &[u8]) {
        let mut pipe = self.outgoing.borrow_mut();
        if !pipe.closed {
            pipe.bytes.extend(bytes);
        }
    }

    /// Some of the bytes that have come.
    pub(crate) fn receive(&self, most: usize) -> Vec<u8> {
        let mut pipe = self.incoming.borrow_mut();
        let len = most.min(pipe.bytes.len());
        pipe.bytes.drain(..len).collect()
    }

    /// True if nothing has come and nothing will.
    pub(crate) fn is_at_end(&self) -> bool {
        let pipe = self.incoming.borrow();
        pipe.closed && pipe.bytes.is_empty()
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.incoming.borrow().bytes.is_empty() && self.outgoing.borrow().bytes.is_empty()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.outgoing.borrow().closed
    }

    /// This end is closed in good order: what was sent still arrives.
    pub(crate) fn close(&self) {
        self.outgoing.borrow_mut().closed = true;
        let mut incoming = self.incoming.borrow_mut();
        incoming.closed = true;
        incoming.bytes.clear();
    }

    /// The connection breaks: of what is on its way, some arrives.
    pub(crate) fn sever(&self, rng: &mut Chance) {
        for pipe in [&self.incoming, &self.outgoing] {
            let mut pipe = pipe.borrow_mut();
            pipe.closed = true;
            let arriving = rng.usize(0..=pipe.bytes.len());
            pipe.bytes.truncate(arriving);
        }
    }
}
