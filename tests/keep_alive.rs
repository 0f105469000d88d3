//! Keep Alive of a server with a slow application.

#![cfg(feature = "alloc")]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    clippy::missing_const_for_fn,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "a test fails by panicking, and has std"
)]

mod conversation;

use conversation::*;
use mqtt_sansio::v3::{CloseReason, Server};
use mqtt_sansio::{Config, Slot};

/// Returns a server that connected at 0 ms with a Keep Alive of 60 s.
fn connected() -> Talk<Server<Vec<Slot>>> {
    let mut s = Talk::server(Config::new());
    s.receives(connect_bytes(false, 60)).connect_requested();
    s.accepts(None).sends("20 02 00 00").deadline(90_000);
    s
}

/// [MQTT-3.1.2-24]: packets that the client has sent meanwhile wait for the answer to the request,
/// so its silence counts from the answer.
#[test]
fn after_a_late_suback_the_client_has_its_whole_time() {
    let mut s = connected();
    s.at(10_000)
        .receives("82 06 00 01 00 01 'a' 02")
        .subscribe_requested()
        .no_deadline();
    s.wakes_at(200_000).nothing_more();
    s.at(200_500)
        .suback(&[0])
        .sends("90 03 00 01 00")
        .deadline(290_500);
    s.wakes_at(290_499).nothing_more();
    s.wakes_at(290_500).closes(CloseReason::KeepAliveTimeout);
}

/// [MQTT-3.1.2-24]
#[test]
fn after_a_late_unsuback_the_client_has_its_whole_time() {
    let mut s = connected();
    s.at(10_000)
        .receives("a2 05 00 02 00 01 'a'")
        .unsubscribe_requested()
        .no_deadline();
    s.wakes_at(200_000).nothing_more();
    s.at(200_500)
        .unsuback()
        .sends(unsuback(2))
        .deadline(290_500);
    s.wakes_at(290_499).nothing_more();
    s.wakes_at(290_500).closes(CloseReason::KeepAliveTimeout);
}
