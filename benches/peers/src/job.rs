//! The tasks of every library, and their conversion to jobs that can be repeated, measured and
//! checked.

use std::rc::Rc;

use crate::workload::version::PacketFields;
use crate::workload::{FILTERS, Fields, Order, Seen, TOPIC, TOPICS};

/// A task that can be repeated.
pub trait Job {
    /// Prepares a run. This is not measured.
    fn prepare(&mut self) {}

    /// Runs the measured part.
    fn run(&mut self) -> Seen;

    /// Returns the bytes to send after [`run`](Self::run), for jobs that have any.
    fn written(&mut self) -> Option<Vec<u8>> {
        None
    }
}

/// `None` for a task that a library does not support.
pub type Work = Option<Box<dyn Job>>;

/// The bytes of an idle connection.
pub struct Idle {
    pub size: usize,
    pub heap: i64,
}

/// A library, for the version of MQTT whose packets have the fields `F`.
pub trait Peer<F: PacketFields = Fields> {
    const NAME: &'static str;

    /// The prefixes of the workloads that it is known to fail.
    const FAULTS: &'static [&'static str] = &[];

    /// Decodes whole packets.
    fn decode(stream: Rc<[u8]>) -> Work {
        drop(stream);
        None
    }

    /// Decodes bytes that arrive in chunks.
    fn decode_chunks(stream: Rc<[u8]>, chunk: usize) -> Work {
        drop((stream, chunk));
        None
    }

    /// Decodes the same, and may return payloads in pieces.
    fn decode_in_pieces(stream: Rc<[u8]>, chunk: usize) -> Work {
        Self::decode_chunks(stream, chunk)
    }

    /// Encodes packets, complete or made from their fields.
    fn encode(packets: &'static [F], from: From) -> Work {
        let _ = (packets, from);
        None
    }

    /// Encodes packets without copying their payload.
    fn encode_by_reference(packets: &'static [F]) -> Work {
        let _ = packets;
        None
    }

    /// Delivers messages of 64 bytes from one side to the other, one at a time, each to completion.
    fn deliver(qos: u8, messages: usize) -> Work {
        let _ = (qos, messages);
        None
    }

    /// Delivers the same with the properties of `workload::v5::with_properties`.
    fn deliver_properties(qos: u8, messages: usize) -> Work {
        let _ = (qos, messages);
        None
    }

    /// Delivers messages at QoS 1 that are all in flight before the first acknowledgement arrives.
    fn window(messages: usize, order: Order) -> Work {
        let _ = (messages, order);
        None
    }

    /// Publishes one message to many subscribers, who get these packets. A library without support
    /// for it encodes each of them, as a broker would.
    fn fan_out(packets: &'static [F]) -> Work {
        Self::encode(packets, From::Fields)
    }

    /// Matches the filters and the topics.
    fn matching(repetitions: usize) -> Work {
        let _ = repetitions;
        None
    }

    /// Returns the bytes of an idle connection that has handled packets.
    fn idle() -> Option<Idle> {
        None
    }
}

/// The source of packets to encode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    Packets,
    Fields,
}

/// Decodes a stream in the library's own buffer type.
pub fn decoding<I: 'static>(
    stream: Rc<[u8]>,
    input: impl Fn(&[u8]) -> I + 'static,
    decode: impl Fn(&mut I, &mut Seen) + 'static,
) -> Work {
    struct Decoding<I, F, D> {
        stream: Rc<[u8]>,
        input: Option<I>,
        make: F,
        decode: D,
    }
    impl<I, F: Fn(&[u8]) -> I, D: Fn(&mut I, &mut Seen)> Job for Decoding<I, F, D> {
        fn prepare(&mut self) {
            self.input = None;
            self.input = Some((self.make)(&self.stream));
        }
        fn run(&mut self) -> Seen {
            let mut seen = Seen::default();
            (self.decode)(self.input.as_mut().unwrap(), &mut seen);
            seen
        }
    }
    Some(Box::new(Decoding {
        stream,
        input: None,
        make: input,
        decode,
    }))
}

/// Passes the chunks of a stream to a decoder.
pub fn feeding<D: 'static>(
    stream: Rc<[u8]>,
    chunk: usize,
    decoder: impl Fn() -> D + 'static,
    feed: impl Fn(&mut D, &[u8], &mut Seen) + 'static,
) -> Work {
    struct Feeding<N, F> {
        stream: Rc<[u8]>,
        chunk: usize,
        decoder: N,
        feed: F,
    }
    impl<D, N: Fn() -> D, F: Fn(&mut D, &[u8], &mut Seen)> Job for Feeding<N, F> {
        fn run(&mut self) -> Seen {
            let mut decoder = (self.decoder)();
            let mut seen = Seen::default();
            for chunk in self.stream.chunks(self.chunk) {
                (self.feed)(&mut decoder, chunk, &mut seen);
            }
            seen
        }
    }
    Some(Box::new(Feeding {
        stream,
        chunk,
        decoder,
        feed,
    }))
}

/// How a library makes and encodes packets.
pub struct Writer<B, N, C, W, R> {
    pub build: B,
    /// An output with room for this number of bytes.
    pub output: N,
    pub clear: C,
    /// May change the packet; then it is made anew.
    pub write: W,
    pub read: R,
    /// True if `write` does so.
    pub consumes: bool,
}

/// Encodes packets to an output that is reused.
pub fn writing<T: PacketFields, P: 'static, O: 'static>(
    fields: &'static [T],
    from: From,
    writer: Writer<
        impl Fn(&'static T) -> P + 'static,
        impl Fn(usize) -> O + 'static,
        impl Fn(&mut O) + 'static,
        impl Fn(&mut P, &mut O) + 'static,
        impl Fn(&mut O) -> Vec<u8> + 'static,
    >,
) -> Work {
    struct Writing<T: 'static, P, O, B, N, C, W, R> {
        fields: &'static [T],
        from: From,
        packets: Vec<P>,
        out: O,
        writer: Writer<B, N, C, W, R>,
    }
    impl<T, P, O, B, N, C, W, R> Job for Writing<T, P, O, B, N, C, W, R>
    where
        B: Fn(&'static T) -> P,
        C: Fn(&mut O),
        W: Fn(&mut P, &mut O),
        R: Fn(&mut O) -> Vec<u8>,
    {
        fn prepare(&mut self) {
            if self.from == From::Packets && (self.packets.is_empty() || self.writer.consumes) {
                self.packets = self.fields.iter().map(&self.writer.build).collect();
            }
        }
        fn run(&mut self) -> Seen {
            (self.writer.clear)(&mut self.out);
            match self.from {
                From::Packets => {
                    for packet in &mut self.packets {
                        (self.writer.write)(packet, &mut self.out);
                    }
                }
                From::Fields => {
                    for fields in self.fields {
                        (self.writer.write)(&mut (self.writer.build)(fields), &mut self.out);
                    }
                }
            }
            Seen::default()
        }
        fn written(&mut self) -> Option<Vec<u8>> {
            Some((self.writer.read)(&mut self.out))
        }
    }
    let room = crate::workload::packets::stream(fields).len() + 64;
    Some(Box::new(Writing {
        fields,
        from,
        packets: Vec::new(),
        out: (writer.output)(room),
        writer,
    }))
}

/// Makes a task that repeats `once`, which returns how many bytes or messages it handled.
pub fn repeating(times: usize, mut once: impl FnMut() -> usize + 'static) -> Work {
    struct Repeating<F>(F);
    impl<F: FnMut() -> Seen> Job for Repeating<F> {
        fn run(&mut self) -> Seen {
            (self.0)()
        }
    }
    Some(Box::new(Repeating(move || {
        let mut seen = Seen::default();
        for _ in 0..times {
            seen.packets += 1;
            seen.bytes += once() as u64;
        }
        seen
    })))
}

/// The payload of [`Peer::deliver`].
pub const MESSAGE: (&str, &[u8]) = (TOPIC, &[7; 64]);

/// The payload of [`Peer::window`].
pub const SMALL_MESSAGE: (&str, &[u8]) = (TOPIC, b"0123456789abcdef");

/// Matches each filter with each topic.
pub fn matching<F: 'static, T: 'static>(
    repetitions: usize,
    filter: impl Fn(&'static str) -> F,
    topic: impl Fn(&'static str) -> T,
    matches: impl Fn(&F, &T) -> bool + 'static,
) -> Work {
    let filters = FILTERS.map(filter);
    let topics = TOPICS.map(topic);
    repeating(repetitions, move || {
        let mut found = 0;
        for filter in std::hint::black_box(&filters) {
            found += topics.iter().filter(|topic| matches(filter, topic)).count();
        }
        found
    })
}

/// Returns size and heap use of the value that `connection` makes.
pub fn idle<C>(connection: impl Fn() -> C) -> Option<Idle> {
    // The first connection may allocate what all of them share.
    drop(connection());
    let mut made = None;
    let asked = crate::heap::measure(|| made = Some(connection()));
    drop(made);
    Some(Idle {
        size: size_of::<C>(),
        heap: asked.bytes,
    })
}
