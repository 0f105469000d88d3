//! What every library is asked to do, and what turns its functions into something that can be
//! repeated, measured and checked.

use std::rc::Rc;

use crate::workload::version::PacketFields;
use crate::workload::{FILTERS, Fields, Order, Seen, TOPIC, TOPICS};

/// Something to be done again and again.
pub trait Job {
    /// What has to happen before each time, and is not measured.
    fn prepare(&mut self) {}

    /// What is measured.
    fn run(&mut self) -> Seen;

    /// After [`run`](Self::run): the bytes that are to be sent, of those jobs that make any.
    fn written(&mut self) -> Option<Vec<u8>> {
        None
    }
}

/// `None` for what a library does not offer.
pub type Work = Option<Box<dyn Job>>;

/// The bytes that a connection takes when nothing is under way.
pub struct Idle {
    pub size: usize,
    pub heap: i64,
}

/// A library, for the version of MQTT whose packets have the fields `F`.
pub trait Peer<F: PacketFields = Fields> {
    const NAME: &'static str;

    /// How the names of the workloads begin in which it is known to be wrong.
    const FAULTS: &'static [&'static str] = &[];

    /// Decode bytes that are all there.
    fn decode(stream: Rc<[u8]>) -> Work {
        drop(stream);
        None
    }

    /// Decode bytes that come in chunks.
    fn decode_chunks(stream: Rc<[u8]>, chunk: usize) -> Work {
        drop((stream, chunk));
        None
    }

    /// The same, when the payload need not be in one piece.
    fn decode_in_pieces(stream: Rc<[u8]>, chunk: usize) -> Work {
        Self::decode_chunks(stream, chunk)
    }

    /// Encode packets that are ready, or are yet to be made from their fields.
    fn encode(packets: &'static [F], from: From) -> Work {
        let _ = (packets, from);
        None
    }

    /// Encode packets without copying their payload.
    fn encode_by_reference(packets: &'static [F]) -> Work {
        let _ = packets;
        None
    }

    /// Messages of 64 bytes from one side to the other, one at a time, each to the end.
    fn deliver(qos: u8, messages: usize) -> Work {
        let _ = (qos, messages);
        None
    }

    /// The same with the properties of `workload::v5::with_properties`.
    fn deliver_properties(qos: u8, messages: usize) -> Work {
        let _ = (qos, messages);
        None
    }

    /// Messages at QoS 1 that are all under way before the first acknowledgement comes.
    fn window(messages: usize, order: Order) -> Work {
        let _ = (messages, order);
        None
    }

    /// Publish one message to many subscribers, who get these packets. Without anything for that,
    /// a broker makes and encodes each of them.
    fn fan_out(packets: &'static [F]) -> Work {
        Self::encode(packets, From::Fields)
    }

    /// Match the filters on the topics.
    fn matching(repetitions: usize) -> Work {
        let _ = repetitions;
        None
    }

    /// A connection that has done something and is idle.
    fn idle() -> Option<Idle> {
        None
    }
}

/// Where packets come from that are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    Packets,
    Fields,
}

/// Decodes a stream that was put where the library wants it.
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

/// Hands the chunks of a stream to a decoder.
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

/// How a library makes packets and writes them.
pub struct Writer<B, N, C, W, R> {
    pub build: B,
    /// An output with room for so many bytes.
    pub output: N,
    pub clear: C,
    /// May leave something else in the place of the packet; it is made anew then.
    pub write: W,
    pub read: R,
    /// True if `write` does so.
    pub consumes: bool,
}

/// Encodes packets into an output that is used again.
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

/// Something that is done so many times; returns how many bytes or messages it was about.
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

/// What is sent by [`Peer::deliver`].
pub const MESSAGE: (&str, &[u8]) = (TOPIC, &[7; 64]);

/// What is sent by [`Peer::window`].
pub const SMALL_MESSAGE: (&str, &[u8]) = (TOPIC, b"0123456789abcdef");

/// Tries each filter on each topic.
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

/// Size and heap of what `connection` makes.
pub fn idle<C>(connection: impl Fn() -> C) -> Option<Idle> {
    // What the first one allocates may be there for all of them.
    drop(connection());
    let mut made = None;
    let asked = crate::heap::measure(|| made = Some(connection()));
    drop(made);
    Some(Idle {
        size: size_of::<C>(),
        heap: asked.bytes,
    })
}
