//! The memory of an idle connection, for a broker with many of them.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use allocation_counter::measure;
use mqtt_sansio::{Session, Slot, Slots};
use workload::fan_out::PAYLOAD;
use workload::fan_out_any;
use workload::idle::Connection;

/// Returns heap blocks and bytes of one idle connection that has handled packets. The bytes include
/// the connection itself.
fn taken<S: Slots>(session: fn() -> Session<S>) -> (i64, i64) {
    let mut buffer = Vec::with_capacity(1024);
    let mut connection = None;
    let heap = measure(|| {
        connection = Some(Connection::idle(session(), session(), &mut buffer));
    });
    let size = i64::try_from(size_of::<Connection<S>>()).unwrap();
    assert!(connection.is_some());
    (heap.count_current, size + heap.bytes_current)
}

#[test]
#[cfg_attr(
    not(target_pointer_width = "64"),
    ignore = "the bound is for 64-bit machines"
)]
fn an_idle_connection_takes_at_most_256_bytes_and_no_heap_block() {
    let (blocks, bytes) = taken(Session::<Vec<Slot>>::default);
    assert_eq!(blocks, 0);
    assert!(bytes <= 256, "{bytes} bytes with slots on the heap");

    let (blocks, bytes) = taken(Session::<[Slot; 2]>::default);
    assert_eq!(blocks, 0);
    assert!(
        bytes <= 256,
        "{bytes} bytes with two slots in each direction"
    );
}

#[test]
fn a_hundred_thousand_idle_connections_take_no_heap_block_but_the_one_they_are_in() {
    const COUNT: usize = 100_000;
    let mut buffer = Vec::with_capacity(1024);
    let mut connections: Vec<Connection<[Slot; 2]>> = Vec::with_capacity(COUNT);
    let heap = measure(|| {
        for _ in 0..COUNT {
            let (server, client) = (Session::default(), Session::default());
            connections.push(Connection::idle(server, client, &mut buffer));
        }
    });
    assert_eq!(connections.len(), COUNT);
    assert_eq!((heap.count_total, heap.bytes_total), (0, 0));
}

#[test]
fn a_message_to_ten_thousand_receivers_of_both_versions_takes_no_heap_block() {
    let message = fan_out_any::encoded_message();
    let mut subscribers = fan_out_any::subscribers(10_000);
    let fresh = subscribers.clone();
    for publish in [fan_out_any::shared, fan_out_any::copied] {
        let heap = measure(|| publish(&message, &mut subscribers));
        assert_eq!((heap.count_total, heap.bytes_total), (0, 0));
        assert!(fan_out_any::written(&subscribers).len() > 10_000 * PAYLOAD.len());
        fan_out_any::begin_anew(&mut subscribers, &fresh);
    }
}

/// The bounds would hold if `measure` counted nothing.
#[test]
fn a_slot_on_the_heap_is_noticed() {
    let grown = || Session::new(vec![Slot::EMPTY; 8], Vec::new());
    let (blocks, bytes) = taken(grown);
    assert_eq!(blocks, 1);
    let (_, fresh) = taken(Session::<Vec<Slot>>::default);
    assert_eq!(bytes, fresh + 64);
}
