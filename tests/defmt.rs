//! Every public type that carries a value can be logged with defmt.

#![cfg(feature = "defmt")]
#![allow(
    clippy::unwrap_used,
    clippy::std_instead_of_alloc,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::path::Path;

use mqtt_sansio::any::{OtherProtocol, Protocol, ProtocolVersion};
use mqtt_sansio::v3::{
    Action, Client, CloseReason, ConnAck, Connect, ConnectRefusal, Credentials, DecodeError,
    Decoder, Delivery, EncodedConnect, Event, HandleError, List, Message, MessageHeader, Packet,
    PeerError, ProtocolLevel, PubAck, PubComp, PubRec, PubRel, Publish, PublishHeader, Reaction,
    Reply, ReturnCode, Server, Step, SubAck, SubAckEntry, Subscribe, Subscription, UnsubAck,
    Unsubscribe, V3, Will,
};
use mqtt_sansio::{
    Blocked, Change, Checked, CommandError, Config, EncodeError, EncodedMessage, ErrorKind, Field,
    Header, InFlight, InvalidQoS, Limit, Options, PacketId, PacketType, Piece, ProtocolError, QoS,
    Receiver, RestoreError, Session, SharedFilter, SliceOutput, Slot, Stage, State,
    SubscriberHeader, TextError, TextKind, Timestamp,
};

type Bytes = &'static [u8];
type Slots = [Slot; 4];
type Whole = Packet<Bytes>;
type InPieces = PublishHeader<Bytes>;

const fn is_logged<T: defmt::Format>() {}

/// Compiles only if each type implements `defmt::Format`; returns their names.
macro_rules! logged {
    ($($Name:ident $(<$($parameter:tt),+>)?)+) => {{
        $(is_logged::<$Name $(<$($parameter),+>)?>();)+
        BTreeSet::from([$(stringify!($Name)),+])
    }};
}

/// Types without a value, and those that need a heap.
const NOT_LOGGED: &[(&str, &str)] = &[
    ("AliasArray", "Topic Names of the peer"),
    ("AliasVec", "Topic Names of the peer"),
    ("BufMutOutput", "for `bytes`, which takes a heap"),
    ("ClientRole", "a marker without a value"),
    ("Codec", "for tokio"),
    ("CodecError", "for tokio"),
    ("Connection", "logged as Client and as Server"),
    ("Expired", "not exported"),
    ("Entries", "an iterator; its entries are logged"),
    ("FilterMatch", "for programs with a heap"),
    ("FilterMatches", "for programs with a heap"),
    ("FilterTree", "for programs with a heap"),
    ("Input", "not exported"),
    ("KeepAliveBasis", "not exported"),
    ("Machine", "not exported"),
    ("OutboundAliases", "Topic Names that were sent"),
    ("Outbox", "for programs with a heap"),
    ("Outcome", "not exported"),
    ("PayloadStart", "not exported"),
    ("PendingReply", "not exported"),
    ("Progress", "not exported"),
    ("ReasonCodeEntry", "a marker without a value"),
    ("Readme", "there for its examples only"),
    ("Request", "not exported"),
    ("Rules", "not exported"),
    ("SentBy", "not exported"),
    ("ServerRole", "a marker without a value"),
    ("StreamDecoder", "logged as Decoder"),
    ("SubAckEntry", "a marker without a value"),
    ("SubscriptionEntry", "a marker without a value"),
    ("TextKind", "a marker without a value"),
    ("TopicFilterEntry", "a marker without a value"),
    ("WholePackets", "the bytes of the peer"),
    ("TopicFilterKind", "a marker without a value"),
    ("TopicMatches", "for programs with a heap"),
    ("TopicNameKind", "a marker without a value"),
    ("TopicTree", "for programs with a heap"),
    ("WithTopicAliases", "memory"),
];

/// Returns the names of the public types in the sources.
fn declared(directory: &Path, names: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            declared(&path, names);
            continue;
        }
        for line in std::fs::read_to_string(path).unwrap().lines() {
            let line = line.trim_start();
            let named = ["pub struct ", "pub enum "]
                .iter()
                .find_map(|start| line.strip_prefix(start));
            let name = named.map(|rest| rest.split(|c: char| !c.is_alphanumeric()).next());
            // A macro declares types without a name here.
            if let Some(Some(name)) = name.filter(|name| *name != Some("")) {
                names.insert(name.to_owned());
            }
        }
    }
}

/// Types that only MQTT 5 has, and its versions of the others.
fn logged_of_mqtt_5() -> BTreeSet<&'static str> {
    use mqtt_sansio::v5::{
        AckKind, Acknowledgement, Auth, AuthReasonCode, Capabilities, ConnAck, Connect,
        ConnectReasonCode, Disconnect, DisconnectReasonCode, EncodedConnect, InvalidReasonCode,
        InvalidSubscriptionIdentifier, Limits, List, Packet, Properties, Property, PropertyIter,
        PubAckReasonCode, PubAckType, PubRelReasonCode, Publish, PublishHeader, Reaction,
        ReasonCode, ReasonCodeEntry, Refusal, RequestAck, RetainHandling, Subscribe,
        SubscribeReasonCode, Subscription, SubscriptionEntry, SubscriptionIdentifier, Unsubscribe,
        UnsubscribeReasonCode, V5, Will,
    };
    is_logged::<List<Bytes, SubscriptionEntry>>();
    is_logged::<List<Bytes, ReasonCodeEntry<SubscribeReasonCode>>>();
    logged! {
        Acknowledgement<Bytes, PubAckType> Auth<Bytes> AuthReasonCode Capabilities Limits Refusal ConnAck<Bytes> Connect<Bytes>
        ConnectReasonCode Disconnect<Bytes> DisconnectReasonCode EncodedConnect<Bytes>
        InvalidReasonCode InvalidSubscriptionIdentifier Packet<Bytes> Properties<Bytes, AckKind>
        Property<'static> PropertyIter<'static> PubAckReasonCode PubRelReasonCode Publish<Bytes> PublishHeader<Bytes>
        Reaction ReasonCode RequestAck<Bytes, SubscribeReasonCode> RetainHandling Subscribe<Bytes>
        SubscribeReasonCode Subscription<Bytes> SubscriptionIdentifier Unsubscribe<Bytes>
        UnsubscribeReasonCode V5 Will<Bytes>
    }
}

#[test]
fn every_public_type_with_a_value_can_be_logged() {
    let mut logged = logged! {
        Action Change Checked<Bytes, TextKind> Client<Slots> CloseReason Config ConnAck Connect<Bytes> ConnectRefusal
        Reply Credentials<Bytes> DecodeError Decoder<[u8; 8]> Delivery EncodeError
        EncodedConnect<Bytes> EncodedMessage<Bytes, Bytes> ErrorKind Event<Bytes> Field HandleError Header InFlight InvalidQoS
        List<Bytes, SubAckEntry> Message<Bytes> MessageHeader<Bytes> Blocked Options Packet<Bytes>
        PacketId PacketType PeerError Piece<'static, Whole, InPieces>
        ProtocolLevel PubAck PubComp PubRec PubRel Publish<Bytes> PublishHeader<Bytes> QoS Reaction
        Receiver<Bytes> SubscriberHeader<Bytes> RestoreError ReturnCode CommandError Server<Slots> Session<Slots>
        SliceOutput<'static> Slot Stage State Step<Bytes> SubAck<Bytes> Subscribe<Bytes> Subscription<Bytes>
        SharedFilter<'static> TextError Timestamp UnsubAck
        Unsubscribe<Bytes> V3 Will<Bytes> Limit ProtocolError OtherProtocol Protocol ProtocolVersion
    };
    logged.extend(logged_of_mqtt_5());
    let mut names = BTreeSet::new();
    declared(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut names,
    );
    assert!(names.len() > 50, "{names:?}");
    for name in &names {
        let excused = NOT_LOGGED.iter().any(|(excused, _)| excused == name);
        assert_ne!(
            logged.contains(&**name),
            excused,
            "{name}: either logged or with a reason why not"
        );
    }
    for (name, _) in NOT_LOGGED {
        assert!(names.contains(*name), "{name} is not there any more");
    }
}
