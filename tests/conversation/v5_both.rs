//! Conversations of MQTT 5 that are the same for a client and for a server: the flows of section 4.3,
//! order (section 4.6), and the end by an acknowledgement that does not fit. A test file includes this
//! module and chooses its side by `crate::connected`.

use mqtt_sansio::v5::ReasonCode;
use mqtt_sansio::{CommandError, Config, PacketType, ProtocolError};

use crate::connected;
use crate::conversation::v5::{
    PUBACK, PUBCOMP, PUBREC, PUBREL, ack, disconnect, dup, publish, publish_with, restored,
    v5_conversations,
};
use crate::conversation::*;

const AUTO: Config = Config::new();
const MANUAL: Config = AUTO.manual_acknowledgement(true);

fn wrong(packet_type: PacketType, number: u16) -> ProtocolError {
    ProtocolError::WrongAcknowledgement {
        packet_type,
        packet_id: id(number),
    }
}

v5_conversations! {

/// [MQTT5-4.3.1-1, MQTT5-3.3.1-2]
fn a_message_at_qos_0_has_no_identifier_and_awaits_no_answer() {
    let mut us = connected(AUTO, "");
    us.transmits("30 05 00 01 't' 00 'x'");
    assert!(us.session().is_empty());
    us.receives("30 05 00 01 't' 00 'y'").reports("30 05 00 01 't' 00 'y'").nothing_more();
}

/// [MQTT5-2.2.1-3, MQTT5-2.2.1-4, MQTT5-4.3.2-1, MQTT5-4.3.2-2, MQTT5-4.3.2-3]
fn a_message_at_qos_1_is_in_flight_until_puback() {
    let mut us = connected(AUTO, "");
    us.transmits("32 07 00 01 't' 00 01 00 'x'").transmits("32 07 00 01 't' 00 02 00 'y'");
    us.receives(ack(PUBACK, 2, 0)).delivered(2, 0);
    assert_eq!(outbound(us.session()), [1]);
    us.receives(ack(PUBACK, 1, 0)).delivered(1, 0);
    assert!(us.session().is_empty());
}

/// [MQTT5-4.3.3-1, MQTT5-4.3.3-2, MQTT5-4.3.3-3, MQTT5-4.3.3-4, MQTT5-4.3.3-5]
fn a_message_at_qos_2_is_in_flight_until_pubcomp() {
    let mut us = connected(AUTO, "");
    us.transmits("34 07 00 01 't' 00 01 00 'x'");
    us.receives(ack(PUBREC, 1, 0)).accepted_by_peer(1, 0).sends(ack(PUBREL, 1, 0));
    assert_eq!(outbound(us.session()), [1]);
    us.receives(ack(PUBREC, 1, 0)).sends(ack(PUBREL, 1, 0));
    us.receives(ack(PUBCOMP, 1, 0)).delivered(1, 0);
    assert!(us.session().is_empty());
}

/// [MQTT5-2.2.1-5, MQTT5-3.3.4-1, MQTT5-4.3.2-4, MQTT5-4.3.2-5, MQTT5-4.5.0-2]
fn a_message_at_qos_1_is_acknowledged_and_its_identifier_is_free() {
    let mut us = connected(AUTO, "");
    for bytes in [publish(Q1, 515, "x"), dup(publish(Q1, 515, "x"))] {
        us.receives(bytes.clone()).reports(bytes).sends("40 02 02 03");
    }
    assert!(us.session().is_empty());
}

/// [MQTT5-4.3.3-8, MQTT5-4.3.3-10, MQTT5-4.3.3-11, MQTT5-4.3.3-12]
fn a_message_at_qos_2_is_delivered_once() {
    let mut us = connected(AUTO, "");
    us.receives(publish(Q2, 5, "x")).reports(publish(Q2, 5, "x")).sends(ack(PUBREC, 5, 0));
    us.receives(dup(publish(Q2, 5, "x"))).sends(ack(PUBREC, 5, 0));
    us.receives(ack(PUBREL, 5, 0)).sends(ack(PUBCOMP, 5, 0));
    us.receives(dup(publish(Q2, 5, "y"))).reports(dup(publish(Q2, 5, "y"))).sends(ack(PUBREC, 5, 0));
}

/// [MQTT5-4.3.3-13]: the receiver ignores the interval.
fn a_message_that_has_expired_goes_through_the_whole_exchange() {
    let mut us = connected(AUTO, "");
    let message = publish_with(Q2, 5, "02 00000000", "x");
    us.receives(message.clone()).reports(message).sends(ack(PUBREC, 5, 0));
    us.receives(ack(PUBREL, 5, 0)).sends(ack(PUBCOMP, 5, 0));
}

/// [MQTT5-4.6.0-2, MQTT5-4.6.0-3, MQTT5-4.6.0-4]
fn acknowledgements_leave_in_the_order_of_what_they_answer() {
    let mut us = connected(MANUAL, "");
    for number in [3, 1, 2] {
        us.receives(publish(Q2, number, "x")).reports(publish(Q2, number, "x"));
    }
    us.acknowledge(2).nothing_more();
    us.acknowledge(3).sends(ack(PUBREC, 3, 0));
    us.acknowledge(1).sends(ack(PUBREC, 1, 0)).sends(ack(PUBREC, 2, 0));
    for number in 1..=3 {
        us.transmits(publish(Q2, number, "x"));
    }
    for number in [2, 3, 1] {
        us.receives(ack(PUBREC, number, 0)).accepted_by_peer(number, 0).sends(ack(PUBREL, number, 0));
    }
}

/// A refused message is none that its acknowledgements could follow.
fn an_acknowledgement_that_does_not_fit_is_a_violation() {
    for (qos, bytes, packet_type) in [
        (Q1, ack(PUBREC, 1, 0), PacketType::PubRec),
        (Q1, ack(PUBREC, 1, 0x80), PacketType::PubRec),
        (Q1, ack(PUBCOMP, 1, 0), PacketType::PubComp),
        (Q2, ack(PUBACK, 1, 0), PacketType::PubAck),
        (Q2, ack(PUBACK, 1, 0x80), PacketType::PubAck),
        (Q2, ack(PUBCOMP, 1, 0), PacketType::PubComp),
    ] {
        let mut us = connected(AUTO, "");
        us.transmits(publish(qos, 1, "x"));
        us.receives(bytes).sends(disconnect(0x82));
        us.closes_for(wrong(packet_type, 1));
        assert_eq!(outbound(us.session()), [1]);
    }
    let mut us = connected(MANUAL, "");
    us.receives(publish(Q2, 5, "x")).reports(publish(Q2, 5, "x"));
    us.receives(ack(PUBREL, 5, 0)).sends(disconnect(0x82));
    us.closes_for(wrong(PacketType::PubRel, 5));
}

/// [MQTT5-4.3.3-9, MQTT5-4.4.0-2]: it is refused again, not delivered again.
fn a_refusal_that_was_not_sent_is_not_forgotten_on_the_connection() {
    let mut us = connected(MANUAL, "");
    us.receives(publish(Q1, 1, "x")).reports(publish(Q1, 1, "x"));
    us.receives(publish(Q2, 2, "y")).reports(publish(Q2, 2, "y"));
    assert_eq!(us.try_transmit(ack(PUBREC, 2, 0x97)), Ok(()));
    // It is acknowledged once.
    assert_eq!(us.try_transmit(ack(PUBREC, 2, 0x97)), Err(CommandError::NotAwaited));
    us.receives(dup(publish(Q2, 2, "y"))).nothing_more();
    us.acknowledge(1).sends(ack(PUBACK, 1, 0)).sends(ack(PUBREC, 2, 0x97));
    assert!(us.session().is_empty());
}

/// [MQTT5-4.3.3-9]: after a restart the message comes again, and is not taken for one that was accepted.
fn a_refusal_that_was_not_sent_is_not_saved() {
    let mut us = connected(MANUAL, "");
    for (qos, number) in [(Q1, 1), (Q2, 2), (Q2, 3)] {
        us.receives(publish(qos, number, "x")).reports(publish(qos, number, "x"));
    }
    assert_eq!(us.try_transmit(ack(PUBREC, 2, 0x97)), Ok(()));
    us.acknowledge(3).nothing_more();
    let session = us.breaks_off();
    assert_eq!(inbound(&session), [2, 3]);
    assert_eq!(inbound(&restored(&session)), [3]);
}

fn a_message_that_is_refused_can_be_published_anew() {
    let mut us = connected(AUTO, "");
    for number in 1..=20 {
        us.transmits(publish(Q2, number, "x"));
        us.receives(ack(PUBREC, number, 0x83)).rejected(number, ReasonCode::ImplementationSpecificError);
    }
    assert!(us.session().is_empty());
}

/// [MQTT5-3.14.4-1]
fn a_packet_after_a_violation_is_not_handled() {
    let mut us = connected(AUTO, "");
    us.transmits(publish(Q1, 1, "x"));
    let bytes = [ack(PUBREC, 1, 0), ack(PUBACK, 1, 0), publish(Q1, 1, "x")].concat();
    us.receives(bytes).sends(disconnect(0x82));
    us.closes_for(wrong(PacketType::PubRec, 1));
}

}
