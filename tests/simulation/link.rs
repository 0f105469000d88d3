//! The transport: bytes in transit, which may be lost.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use super::chance::Chance;

/// One direction.
#[derive(Debug, Default)]
struct Pipe {
    bytes: VecDeque<u8>,
    /// Closed for writing. Bytes in it can still be read.
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

    /// Reads some of the bytes that arrived.
    pub(crate) fn receive(&self, most: usize) -> Vec<u8> {
        let mut pipe = self.incoming.borrow_mut();
        let len = most.min(pipe.bytes.len());
        pipe.bytes.drain(..len).collect()
    }

    /// True if nothing arrived and nothing will.
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

    /// Closes this end in order: bytes already sent still arrive.
    pub(crate) fn close(&self) {
        self.outgoing.borrow_mut().closed = true;
        let mut incoming = self.incoming.borrow_mut();
        incoming.closed = true;
        incoming.bytes.clear();
    }

    /// Breaks the connection: of the bytes in transit, some arrive.
    pub(crate) fn sever(&self, rng: &mut Chance) {
        for pipe in [&self.incoming, &self.outgoing] {
            let mut pipe = pipe.borrow_mut();
            pipe.closed = true;
            let arriving = rng.usize(0..=pipe.bytes.len());
            pipe.bytes.truncate(arriving);
        }
    }
}
