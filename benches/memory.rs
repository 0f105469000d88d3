//! Memory: sizes of the types, and heap blocks and bytes of idle connections.
//! `cargo bench --bench memory`. `benches/tests/memory.rs` checks the bounds.

#![allow(
    missing_docs,
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "a benchmark fails by panicking"
)]

use allocation_counter::measure;
use mqtt_sansio::v3::{
    Action, Client, Connect, DecodeError, Decoder, Event, PacketRef, Publish, Server,
};
use mqtt_sansio::{Options, Session, Slot, Slots, TopicName};
use workload::idle::Connection;

fn sizes() {
    macro_rules! row {
        ($($Type:ty),+ $(,)?) => {
            $(println!("| `{}` | {} |", stringify!($Type), size_of::<$Type>());)+
        };
    }
    println!("### Sizes, bytes\n\n| type | size |\n|---|---:|");
    row!(
        PacketRef<'_>,
        Connect<&[u8]>,
        Publish<&[u8]>,
        TopicName<&[u8]>,
        Event<&[u8]>,
        Action,
        DecodeError,
        Options,
        Slot,
        Decoder<Vec<u8>>,
        Client<[Slot; 4]>,
        Server<[Slot; 4]>,
        Client<Vec<Slot>>,
        Server<Vec<Slot>>,
    );
}

/// Returns heap blocks and bytes of this many connections, without the block that holds them all.
fn connections<S: Slots>(name: &str, session: fn() -> Session<S>) {
    for count in [1, 1000, 100_000] {
        let mut connections: Vec<Connection<S>> = Vec::with_capacity(count);
        let mut buffer = Vec::with_capacity(1024);
        let heap = measure(|| {
            for _ in 0..count {
                connections.push(Connection::idle(session(), session(), &mut buffer));
            }
        });
        let count = connections.len() as i64;
        let size = size_of::<Connection<S>>() as i64;
        println!(
            "| {name} | {count} | {} | {:.2} | {} |",
            size,
            heap.count_current as f64 / count as f64,
            size + heap.bytes_current / count,
        );
    }
}

fn main() {
    println!("## Memory\n");
    sizes();
    println!("\n### Idle connections of a server: `Server` and `Decoder<Vec<u8>>`\n");
    println!("| slots | connections | size | heap blocks each | bytes each, heap included |");
    println!("|---|---:|---:|---:|---:|");
    connections("`[Slot; 2]`", Session::<[Slot; 2]>::default);
    connections("`[Slot; 4]`", Session::<[Slot; 4]>::default);
    connections("`Vec<Slot>`", Session::<Vec<Slot>>::default);
}
