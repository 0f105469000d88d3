//! Calls every public function of the library without features, with values that the compiler does
//! not know. `.ci/no-panics` links this, searches it for anything that can panic, and checks that
//! no public function is missing.
//!
//! Formatting (`Debug`, `Display`) is not called: it is `core::fmt`, which has panics of its own.

#![no_std]

mod v5;
mod versions;

use core::borrow::Borrow;
use core::hash::{Hash, Hasher};
use core::hint::black_box;
use core::num::NonZeroU16;
use core::time::Duration;

use mqtt_sansio::v3::{
    self, Action, Client, ConnAck, Connect, ConnectRefusal, Credentials, DecodeError, Delivery,
    EncodedConnect, Entry, Event, HandleError, List, Message, MessageHeader, Packet, PeerError,
    PieceRef, ProtocolLevel, PubAck, PubComp, PubRec, PubRel, Publish, PublishHeader, ReturnCode,
    ReturnCodes, Server, Step, SubAck, Subscribe, Subscription, Subscriptions, TopicFilters,
    UnsubAck, Unsubscribe, Will,
};
use mqtt_sansio::v5::SubscriptionIdentifiers;
use mqtt_sansio::{
    Blocked, Buffer, Change, CommandError, Config, Encode, EncodeError, EncodedMessage, ErrorKind,
    Field, Options, Output, PacketId, PacketType, ProtocolError, QoS, Receiver, Session,
    SliceOutput, Slot, Slots, SubscriberHeader, Text, TextError, Timestamp, TopicFilter, TopicName,
};

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

/// The only entry point: functions that it does not reach are not linked.
#[unsafe(no_mangle)]
pub extern "C" fn no_panic() {
    options();
    numbers();
    texts();
    errors();
    packets();
    lists();
    encode();
    fan_out();
    decode([0; 64]);
    decode(any(&mut [0; 64][..]));
    versions::decode([0; 64]);
    versions::decode(any(&mut [0; 64][..]));
    memory([0; 64]);
    memory(any(&mut [0; 64][..]));
    slots([Slot::EMPTY; 4]);
    slots(any(&mut [Slot::EMPTY; 4][..]));
    session([Slot::EMPTY; 4], [Slot::EMPTY; 4]);
    session(
        any(&mut [Slot::EMPTY; 4][..]),
        any(&mut [Slot::EMPTY; 4][..]),
    );
    look(Session::<[Slot; 4]>::default());
    client([Slot::EMPTY; 4], [Slot::EMPTY; 4]);
    client(
        any(&mut [Slot::EMPTY; 4][..]),
        any(&mut [Slot::EMPTY; 4][..]),
    );
    server(
        [Slot::EMPTY; 4],
        [Slot::EMPTY; 4],
        &mut Session::new([Slot::EMPTY; 4], [Slot::EMPTY; 4]),
    );
    let (outbound, inbound) = (&mut [Slot::EMPTY; 4], &mut [Slot::EMPTY; 4]);
    server(
        any(&mut [Slot::EMPTY; 4][..]),
        any(&mut [Slot::EMPTY; 4][..]),
        &mut Session::new(&mut outbound[..], &mut inbound[..]),
    );
    v5::all();
    v5::client([Slot::EMPTY; 4], [Slot::EMPTY; 4]);
    let mut kept = Session::new([Slot::EMPTY; 4], [Slot::EMPTY; 4]);
    v5::server([Slot::EMPTY; 4], [Slot::EMPTY; 4], &mut kept);
    versions::server([Slot::EMPTY; 4], [Slot::EMPTY; 4], &mut kept);
    #[cfg(feature = "panics")]
    look(b"four"[any(4_usize)]);
}

// Values that the compiler does not know

/// Returns a value that the compiler does not know.
#[inline(always)]
fn any<T>(value: T) -> T {
    black_box(value)
}

/// Uses a result.
#[inline(always)]
fn look<T>(value: T) {
    let _ = black_box(value);
}

fn bytes() -> &'static [u8] {
    any(&[0; 40][..])
}

fn str() -> &'static str {
    any("text")
}

fn packet_id() -> PacketId {
    any(PacketId::MIN)
}

fn qos() -> QoS {
    any(QoS::AtLeastOnce)
}

fn now() -> Timestamp {
    any(Timestamp::from_millis(any(0)))
}

fn text() -> Text<&'static [u8]> {
    any(Text::EMPTY)
}

fn topic() -> Option<TopicName<&'static [u8]>> {
    any(TopicName::new(bytes()).ok())
}

fn filter() -> Option<TopicFilter<&'static [u8]>> {
    any(TopicFilter::new(bytes()).ok())
}

fn delivery() -> Delivery {
    Delivery::new(qos(), packet_id(), any(true))
}

/// A packet of any kind.
fn packet() -> Option<Packet<&'static [u8]>> {
    any(v3::decode(&mut bytes(), &Options::new()).ok().flatten())
}

fn decode_error() -> Option<DecodeError> {
    any(v3::decode(&mut bytes(), &Options::new()).err())
}

// Values

fn options() {
    let options = Options::default()
        .max_packet_size(any(1))
        .max_publish_size(any(1))
        .max_filters(any(1))
        .accept_pubrel_flags(any(true))
        .accept_acknowledgement_flags(any(true))
        .accept_dup_on_requests(any(true))
        .accept_dup_at_qos_0(any(true))
        .accept_bridge_levels(any(true))
        .accept_will_qos_without_will(any(true))
        .accept_invalid_shared_filters(any(true))
        .accept_packet_id_0(any(true))
        .payloads_in_pieces(any(true))
        .skip_large_messages(any(true))
        .refuse_overlong_remaining_length(any(true));
    look(options);
    look(config());
}

fn config() -> Config {
    any(Config::default()
        .max_inflight(any(1))
        .receive_maximum(any(1))
        .connect_timeout(Duration::from_millis(any(1)))
        .ping_timeout(Duration::from_millis(any(1)))
        .manual_acknowledgement(any(true))
        .journal(any(true))
        .accept_puback_at_qos_2(any(true))
        .accept_resend_without_dup(any(true))
        .no_session_state(any(true))
        .send_before_connack(any(true)))
}

fn numbers() {
    look(PacketId::new(any(1)).map(PacketId::get));
    look(PacketId::try_from(any(1)));
    look(str().parse::<PacketId>());
    look(PacketId::from(any(NonZeroU16::MIN)));
    look(u16::from(packet_id()));
    look(QoS::from_number(any(1)).map(QoS::number));
    look(QoS::try_from(any(1)));
    look(str().parse::<QoS>());
    look(u8::from(qos()));
    look(QoS::default());
    look(PacketType::from_number(any(1)).map(|kind| (kind.number(), kind.name())));
    look(ProtocolLevel::default());
    let level = any(ProtocolLevel::V3_1);
    look((level.number(), level.protocol_name()));
    look(ReturnCode::from_number(any(1)).map(ReturnCode::number));
    look(ConnectRefusal::from_return_code(any(1)).map(ConnectRefusal::return_code));
    look(now().plus_millis(any(1)).millis_since(now()));
    let mut later = now() + any(Duration::from_millis(1));
    later += any(Duration::from_millis(1));
    look(later - now());
    look(now().as_millis());
    look(delivery().qos());
    look(delivery().packet_id());
    look(delivery().dup());
    look(Slot::default());
}

fn texts() {
    look(Text::<&[u8]>::default());
    look(Text::<&[u8]>::try_from(bytes()));
    compare(text(), any(text()));
    if let Ok(text) = Text::try_from(str()) {
        look(text.as_bytes());
        look(text.as_str());
        look(text.as_ref());
        look(text == *str());
        look(text == str());
        look(text.map(any).into_inner());
    }
    look(Text::from_bytes(bytes()));
    look(Text::new(bytes()));
    look(TopicName::try_from(str()));
    look(TopicName::from_bytes(bytes()));
    if let Some(topic) = topic() {
        look(topic.as_bytes());
        look(topic.as_str());
        look(topic.as_ref());
        look(topic == *str());
        look(topic == str());
        look(filter().map(|filter| filter.matches(&topic)));
        look(topic.map(any).into_inner());
    }
    look(TopicFilter::try_from(str()));
    look(TopicFilter::from_bytes(bytes()));
    if let Some(filter) = filter() {
        look(filter.as_bytes());
        look(filter.as_str());
        look(filter.as_ref());
        look(filter == *str());
        look(filter == str());
        look(filter.has_wildcards());
        look(filter.shared());
        look(filter.check_shared());
        look(filter.map(any).into_inner());
    }
}

fn compare(one: Text<&[u8]>, other: Text<&[u8]>) {
    look(Clone::clone(&one));
    look((one == other, one < other, one.cmp(&other)));
    look((*str() == one, str() == one));
    let mut sum = Sum(any(0));
    one.hash(&mut sum);
    look(sum.finish());
    look(Borrow::<[u8]>::borrow(&one));
    look(AsRef::<[u8]>::as_ref(&one));
}

fn errors() {
    if let Err(error) = Text::new(bytes()) {
        let error: TextError = any(error);
        look((error.kind(), error.offset(), error.statement::<v3::V3>()));
    }
    if let Some(error) = decode_error() {
        look((error.kind(), error.field(), error.packet_type()));
        look((error.offset(), error.statement(), error.reaction()));
        look(PeerError::from(error));
    }
    look(any(Field::TopicName).name());
    look(any(ErrorKind::EmptyList));
    look(any(EncodeError::PacketTooLarge).statement());
    look(EncodeError::no_room(any(1)));
    look(any(PeerError::Protocol(ProtocolError::SecondConnect)).statement());
    look(any(HandleError::Peer(PeerError::Protocol(
        ProtocolError::SecondConnect,
    ))));
    look(HandleError::from(any(Blocked::ActionsPending)));
    look(CommandError::from(any(EncodeError::PacketTooLarge)));
}

fn packets() {
    let packet_id = packet_id();
    look(PubAck { packet_id }.to_bytes());
    look(PubRec { packet_id }.to_bytes());
    look(PubRel { packet_id }.to_bytes());
    look(PubComp { packet_id }.to_bytes());
    look(UnsubAck { packet_id }.to_bytes());
    for packet in [
        Packet::<&[u8]>::from(PubAck { packet_id }),
        Packet::from(PubRec { packet_id }),
        Packet::from(PubRel { packet_id }),
        Packet::from(PubComp { packet_id }),
        Packet::from(UnsubAck { packet_id }),
    ] {
        look(packet);
    }
    let Some(packet) = packet() else {
        return;
    };
    look(packet.packet_type());
    look(packet.as_ref());
    look(packet.map(any));
    match packet {
        Packet::Connect(connect) => {
            look(connect.as_ref());
            look(Packet::from(connect.map(any)));
            let connect = connect.to_connect();
            look(connect.as_ref());
            let mut buffer = [0; 64];
            look(EncodedConnect::encode_to_slice(&mut buffer, &connect));
            look(connect.will.as_ref().map(Will::as_ref));
            look(connect.will.map(|will| will.map(any)));
            look(connect.credentials.as_ref().map(Credentials::as_ref));
            look(connect.credentials.map(|credentials| credentials.map(any)));
            look(connect.map(any));
        }
        Packet::ConnAck(connack) => {
            look((connack.session_present(), connack.return_code()));
            look(connack.to_bytes());
            look(Packet::<&[u8]>::from(connack));
        }
        Packet::Publish(publish) => {
            look(publish.as_ref());
            if let Ok(header) = publish.header() {
                look(header.as_ref());
                look(header.map(any).with_payload(bytes()));
            }
            look(Message::from(publish).map(any));
            look(Packet::from(publish.map(any)));
        }
        Packet::Subscribe(subscribe) => {
            look(subscribe.as_ref());
            look(Packet::from(subscribe.map(any)));
        }
        Packet::SubAck(suback) => {
            look(suback.as_ref());
            look(Packet::from(suback.map(any)));
        }
        Packet::Unsubscribe(unsubscribe) => {
            look(unsubscribe.as_ref());
            look(Packet::from(unsubscribe.map(any)));
        }
        _ => {}
    }
}

fn list<E: Entry>(list: List<&[u8], E>) {
    look(list.as_bytes());
    look(list.len());
    look(list.as_ref().as_bytes());
    for entry in &list {
        look(entry);
    }
    for entry in list.iter() {
        look(entry);
    }
    let mut buffer = any([0; 64]);
    let written = List::<&[u8], E>::encode_to_slice(&mut buffer, list.iter());
    look(written.map(|list| list.as_bytes().len()));
    look(List::<&[u8], E>::encoded_len(list.iter()));
    look(list.iter().clone().count());
    look(Clone::clone(any(&list)) == list);
    list.hash(&mut Sum(any(0)));
    look(list.map(any).as_bytes());
}

/// The simplest possible hash.
struct Sum(u64);

impl Hasher for Sum {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.wrapping_add(u64::from(*byte));
        }
    }
}

fn lists() {
    match packet() {
        Some(Packet::Subscribe(subscribe)) => {
            list(subscribe.subscriptions);
            for subscription in &subscribe.subscriptions {
                look(subscription.as_ref());
                look(subscription.map(any));
            }
        }
        Some(Packet::SubAck(suback)) => list(suback.return_codes),
        Some(Packet::Unsubscribe(unsubscribe)) => list(unsubscribe.topic_filters),
        _ => {}
    }
}

fn encode() {
    fn each<P: Encode>(packet: &P) {
        let mut buffer = any([0; 64]);
        look(packet.encoded_len());
        look(
            packet
                .encode_to_slice(&mut buffer)
                .map(|written| written.len()),
        );
        let mut out = SliceOutput::new(any(&mut buffer[..]));
        look(packet.encode(&mut out));
        look(packet.encode(&mut &mut out));
        let anywhere: &mut dyn Output = &mut out;
        look(packet.encode(any(anywhere)));
        look(out.reserve(any(1)));
        look(out.put(bytes()));
        look(out.chunk(any(1)).map(|chunk| chunk.len()));
        out.advance(any(1));
        out.clear();
        look(out.written());
        look(out.into_written());
    }
    let packet_id = packet_id();
    each(&PubAck { packet_id });
    each(&PubRec { packet_id });
    each(&PubRel { packet_id });
    each(&PubComp { packet_id });
    each(&UnsubAck { packet_id });
    let Some(packet) = packet() else {
        return;
    };
    each(&packet);
    match packet {
        Packet::Connect(connect) => {
            each::<EncodedConnect<&[u8]>>(&connect);
            each::<Connect<&[u8]>>(&connect.to_connect());
        }
        Packet::ConnAck(connack) => each::<ConnAck>(&connack),
        Packet::Publish(publish) => {
            each::<Publish<&[u8]>>(&publish);
            if let Ok(header) = publish.header() {
                each::<PublishHeader<&[u8]>>(&header);
            }
        }
        Packet::Subscribe(subscribe) => each::<Subscribe<&[u8]>>(&subscribe),
        Packet::SubAck(suback) => each::<SubAck<&[u8]>>(&suback),
        Packet::Unsubscribe(unsubscribe) => each::<Unsubscribe<&[u8]>>(&unsubscribe),
        _ => {}
    }
}

pub(crate) fn encoded_message(buffer: &mut [u8]) -> Option<EncodedMessage<&[u8], &[u8]>> {
    let properties = v5::publish_properties();
    EncodedMessage::encode_to_slice(buffer, &topic()?, &properties, bytes()).ok()
}

/// Returns one of its receivers.
pub(crate) fn receiver() -> Receiver<&'static [u8]> {
    let identifiers = any(SubscriptionIdentifiers::EMPTY);
    let receiver = any(Receiver::new(qos())).retain(any(true)).waited(any(1));
    let receiver = receiver.subscription_identifiers(identifiers).map(any);
    look(receiver.as_ref());
    receiver
}

/// Uses the bytes of one receiver.
pub(crate) fn subscriber_header(
    message: &EncodedMessage<&[u8], &[u8]>,
    header: Result<SubscriberHeader<&[u8]>, CommandError>,
) {
    if let Ok(header) = header {
        let header = header.map(any);
        look((header.packet_id(), header.as_ref()));
        look(message.slices(&header));
        let mut buffer = any([0; 64]);
        look(message.write(&header, &mut SliceOutput::new(&mut buffer)));
    }
}

/// Calls the functions for many receivers.
fn fan_out() {
    let mut buffer = any([0; 64]);
    let Some(message) = encoded_message(&mut buffer) else {
        return;
    };
    let message = message.as_ref().map(any, any);
    look((message.topic(), message.payload(), message.properties()));
    look(message.message_expiry_interval());
}

// Streams

fn decode<M: Buffer>(memory: M) {
    let options = any(Options::new());
    if let Ok(Some(header)) = v3::peek(bytes(), &options) {
        look((header.first_byte(), header.packet_type(), header.len()));
        look((header.packet_len(), header.remaining_length()));
    }
    look(v3::decode(&mut bytes(), &options));
    let mut decoder = any(v3::Decoder::new(memory));
    look(decoder.decode(&mut bytes()));
    look(any(&mut decoder).decode_in_pieces(&mut bytes()));
    look(any(&mut decoder).decode(&mut bytes()));
    look((decoder.position(), decoder.is_at_packet_boundary()));
    look(decoder.options());
    decoder.set_options(options);
    any(&mut decoder).shrink();
    look(v3::Decoder::with_options([0; 16], options).position());
}

fn memory<M: Buffer>(mut memory: M) {
    look(memory.append(any(1), bytes()));
    look(memory.capacity());
    look(memory.filled(any(1)));
    memory.shrink(any(1));
}

fn slots<S: Slots>(mut slots: S) {
    look(slots.as_slice());
    look(slots.as_mut_slice());
    look(slots.can_grow());
    look(slots.grow());
}

// Sessions and connections

fn session<S: Slots>(outbound: S, inbound: S) {
    let Ok(restored) = Session::restore(bytes(), outbound, inbound) else {
        return;
    };
    let mut session = any(restored);
    for message in session.outbound() {
        look(message);
    }
    for packet_id in session.inbound() {
        look(packet_id);
    }
    look(any(&mut session).apply(any(Change::InboundReceived(packet_id()))));
    look(session.saved_len());
    look(session.save(any(&mut [0; 64])));
    look(session.is_empty());
    any(&mut session).clear();
}

fn message() -> Option<Message<&'static [u8]>> {
    Some(Message {
        topic: topic()?,
        payload: bytes(),
        qos: qos(),
        retain: any(true),
    })
}

fn message_header() -> Option<MessageHeader<&'static [u8]>> {
    Some(MessageHeader {
        topic: topic()?,
        payload_len: any(1),
        qos: qos(),
        retain: any(true),
    })
}

fn subscriptions(buffer: &mut [u8]) -> Option<Subscriptions<&[u8]>> {
    let topic_filter = filter()?;
    let qos = qos();
    List::encode_to_slice(buffer, [Subscription { topic_filter, qos }]).ok()
}

fn topic_filters(buffer: &mut [u8]) -> Option<TopicFilters<&[u8]>> {
    List::encode_to_slice(buffer, [filter()?]).ok()
}

fn return_codes(buffer: &mut [u8]) -> Option<ReturnCodes<&[u8]>> {
    List::encode_to_slice(buffer, [any(ReturnCode::Failure)]).ok()
}

fn piece() -> PieceRef<'static> {
    any(PieceRef::Payload {
        bytes: bytes(),
        left: any(1),
    })
}

fn event(event: Option<Event<&[u8]>>) {
    look(event);
}

fn action(action: Option<Action>) {
    if let Some(Action::Transmit(control)) = action {
        look(control.as_bytes());
        look(AsRef::<[u8]>::as_ref(&control));
    }
    look(action);
}

/// Calls the methods of both roles. Each step is independent of the one before it.
macro_rules! both_roles {
    ($peer:ident, $out:ident) => {
        if let Some(message) = message() {
            look(message.as_ref());
            look(any(&mut $peer).publish(now(), &message, $out));
            look(any(&mut $peer).resend(now(), packet_id(), &message, $out));
        }
        if let Some(header) = message_header() {
            look(any(&mut $peer).publish(now(), &header, $out));
            look(any(&mut $peer).resend(now(), packet_id(), &header, $out));
        }
        look(any(&mut $peer).payload(now(), bytes(), $out));
        look(any(&mut $peer).payload_sent(now(), any(1)));
        if let Some(message) = encoded_message(&mut any([0; 64])) {
            let header = any(&mut $peer).publish_encoded(now(), &message, receiver());
            subscriber_header(&message, header);
            let id = packet_id();
            let header = any(&mut $peer).resend_encoded(now(), id, &message, receiver());
            subscriber_header(&message, header);
        }
        look(any(&mut $peer).forget(packet_id()));
        if let Some(acknowledgement) = any(&mut $peer).acknowledgement(packet_id()) {
            look(any(&mut $peer).acknowledge(acknowledgement));
        }
        look(any(&mut $peer).can_publish(qos()));
        if let Some(packet) = packet() {
            event(any(&mut $peer).handle_packet(now(), packet).ok().flatten());
        }
        event(any(&mut $peer).handle_piece(now(), piece()).ok().flatten());
        let mut decoder = any(v3::Decoder::new([0; 64]));
        match any(&mut $peer).receive(now(), any(&mut decoder), any(&mut bytes())) {
            Ok(Some(Step::Event(it))) => event(Some(it)),
            Ok(Some(Step::Action(it))) => action(Some(it)),
            other => look(other.is_ok()),
        }
        if let Some(error) = decode_error() {
            any(&mut $peer).handle_decode_error(now(), error);
        }
        any(&mut $peer).handle_progress(now());
        any(&mut $peer).handle_timeout(now());
        any(&mut $peer).handle_transport_closed(now());
        action(any(&mut $peer).poll_action());
        look($peer.poll_timeout());
        look($peer.state());
        look($peer.session().is_empty());
        any(&mut $peer).close(now());
    };
}

fn client<S: Slots>(outbound: S, inbound: S) {
    let mut buffer = any([0; 64]);
    let out: &mut dyn Output = &mut SliceOutput::new(&mut buffer);
    let mut client = any(Client::new(
        Session::new(outbound, inbound),
        config(),
        now(),
    ));
    let connect = any(Connect::new(text()))
        .clean_session(any(true))
        .keep_alive(any(1))
        .credentials(text(), bytes());
    look(any(&mut client).connect(now(), &connect, out));
    if let Some(topic) = topic() {
        let message = bytes();
        let (qos, retain) = (qos(), any(true));
        look(connect.will(Will {
            topic,
            message,
            qos,
            retain,
        }));
    }
    if let Some(subscriptions) = subscriptions(&mut any([0; 64])) {
        look(any(&mut client).subscribe(now(), &subscriptions, out));
    }
    if let Some(topic_filters) = topic_filters(&mut any([0; 64])) {
        look(any(&mut client).unsubscribe(now(), &topic_filters, out));
    }
    if let Some(filter) = filter() {
        look(any(&mut client).subscribe_to(now(), &filter, qos(), out));
        look(any(&mut client).unsubscribe_from(now(), &filter, out));
    }
    both_roles!(client, out);
    look(any(&mut client).disconnect(now(), out));
    look(any(client).into_session().is_empty());
}

fn server<S: Slots>(outbound: S, inbound: S, kept: &mut Session<S>) {
    let mut buffer = any([0; 64]);
    let out: &mut dyn Output = &mut SliceOutput::new(&mut buffer);
    let mut server = any(Server::new(
        Session::new(outbound, inbound),
        config(),
        now(),
    ));
    look(any(&mut server).accept_new(now(), out));
    look(any(&mut server).accept_resumed(now(), any(kept), out));
    look(any(&mut server).refuse(now(), any(ConnectRefusal::NotAuthorized), out));
    if let Some(return_codes) = return_codes(&mut any([0; 64])) {
        look(any(&mut server).suback(now(), &return_codes, out));
    }
    look(any(&mut server).unsuback(now(), out));
    both_roles!(server, out);
    look(server.session_ends());
    look(any(server).into_session().is_empty());
}
