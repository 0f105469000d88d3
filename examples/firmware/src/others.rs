//! The program of [`measured::client`](crate::measured::client) with other MQTT clients that need no heap:
//! connects, subscribes, publishes at every QoS, receives at every QoS, unsubscribes, disconnects. They speak
//! MQTT 5, so the canned server does too.

use core::convert::Infallible;
use core::hint::black_box;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use embedded_io_async::{ErrorType, Read, Write};
use static_cell::StaticCell;

/// The bytes of a server of MQTT 5, for a client that uses the identifiers from 1 on.
const TO_MINIMQ: &[u8] = b"\x20\x03\x00\x00\x00\
    \x90\x04\x00\x01\x00\x02\
    \x40\x02\x00\x02\
    \x50\x02\x00\x03\
    \x70\x02\x00\x03\
    \x30\x08\x00\x03a/b\x00on\
    \x32\x0a\x00\x03a/b\x00\x09\x00on\
    \x34\x0a\x00\x03a/b\x00\x0a\x00on\
    \x62\x02\x00\x0a\
    \xb0\x04\x00\x04\x00\x00";

/// The same for a client that uses an identifier again as soon as it is free.
const TO_RUST_MQTT: &[u8] = b"\x20\x03\x00\x00\x00\
    \x90\x04\x00\x01\x00\x02\
    \x40\x02\x00\x01\
    \x50\x02\x00\x02\
    \x70\x02\x00\x02\
    \x30\x08\x00\x03a/b\x00on\
    \x32\x0a\x00\x03a/b\x00\x09\x00on\
    \x34\x0a\x00\x03a/b\x00\x0a\x00on\
    \x62\x02\x00\x0a\
    \xb0\x04\x00\x03\x00\x00";

struct Transport {
    received: &'static [u8],
}

impl ErrorType for Transport {
    type Error = Infallible;
}

impl Read for Transport {
    /// At most eleven bytes, as in `measured`; the end of the connection after all of them.
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
        let len = self.received.len().min(buffer.len()).min(black_box(11));
        let (now, later) = self
            .received
            .split_at_checked(len)
            .unwrap_or((self.received, &[]));
        if let Some(room) = buffer.get_mut(..now.len()) {
            room.copy_from_slice(now);
        }
        self.received = later;
        Ok(now.len())
    }
}

impl Write for Transport {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        Ok(black_box(bytes).len())
    }

    async fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// No future here ever waits, so polling until it is ready ends.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

/// Returns the number of events.
#[inline(never)]
pub fn rust_mqtt() -> usize {
    use rust_mqtt::Bytes;
    use rust_mqtt::buffer::BumpBuffer;
    use rust_mqtt::client::Client;
    use rust_mqtt::client::options::{
        ConnectOptions, DisconnectOptions, PublicationOptions, SubscriptionOptions, TopicReference,
        UnsubscriptionOptions,
    };
    use rust_mqtt::types::{MqttString, TopicFilter, TopicName};

    static MEMORY: StaticCell<[u8; 512]> = StaticCell::new();
    static BUFFER: StaticCell<BumpBuffer<'static>> = StaticCell::new();
    static CLIENT: StaticCell<
        Client<'static, 'static, Transport, BumpBuffer<'static>, 4, 4, 4, 1, 0, 0, 0>,
    > = StaticCell::new();

    let Some(memory) = MEMORY.try_init_with(|| [0; 512]) else {
        return 0;
    };
    let Some(buffer) = BUFFER.try_init_with(|| BumpBuffer::new(memory)) else {
        return 0;
    };
    let Some(client) = CLIENT.try_init_with(|| Client::new(buffer)) else {
        return 0;
    };
    let converse = async {
        let transport = Transport {
            received: black_box(TO_RUST_MQTT),
        };
        let client_id = MqttString::from_str(black_box("device-7")).ok();
        let options = ConnectOptions::new();
        client.connect(transport, &options, client_id).await.ok()?;
        let mut events = 1;

        let topic = MqttString::from_str(black_box("a/b")).ok()?;
        let filter = MqttString::from_str(black_box("a/#")).ok()?;
        let filter = TopicFilter::new(filter)?;
        let topic = TopicReference::Name(TopicName::new(topic)?);
        let wanted = SubscriptionOptions::new().exactly_once();
        client.subscribe(filter.as_borrowed(), &wanted).await.ok()?;
        client.poll().await.ok()?;
        events += 1;
        for qos in 0..3 {
            let options = PublicationOptions::new(topic.as_borrowed());
            let options = match qos {
                0 => options,
                1 => options.at_least_once(),
                _ => options.exactly_once(),
            };
            let payload = Bytes::from(&b"21.5"[..]);
            let _ = client.publish(&options, payload).await;
        }
        let options = UnsubscriptionOptions::new();
        let _ = client.unsubscribe(filter, &options).await;
        while let Ok(event) = client.poll().await {
            black_box(&event);
            events += 1;
        }
        let _ = client.disconnect(&DisconnectOptions::new()).await;
        Some(events)
    };
    block_on(converse).unwrap_or(0)
}

/// A clock that stands still, as in `measured`.
struct Stopped;

impl embassy_time_driver::Driver for Stopped {
    fn now(&self) -> u64 {
        black_box(1_000)
    }

    fn schedule_wake(&self, _: u64, _: &Waker) {}
}

embassy_time_driver::time_driver_impl!(static CLOCK: Stopped = Stopped);

/// Returns the number of received messages.
#[inline(never)]
pub fn minimq() -> usize {
    use minimq::{Buffers, ConfigBuilder, Publication, QoS, Session, TopicFilter};

    static RECEIVED: StaticCell<[u8; 512]> = StaticCell::new();
    static SENT: StaticCell<[u8; 512]> = StaticCell::new();
    static SESSION: StaticCell<Session<'static>> = StaticCell::new();

    let Some(received) = RECEIVED.try_init_with(|| [0; 512]) else {
        return 0;
    };
    let Some(sent) = SENT.try_init_with(|| [0; 512]) else {
        return 0;
    };
    let Ok(config) =
        ConfigBuilder::new(Buffers::new(received, sent)).client_id(black_box("device-7"))
    else {
        return 0;
    };
    let Some(session) = SESSION.try_init_with(|| Session::new(config)) else {
        return 0;
    };
    let converse = async {
        let transport = Transport {
            received: black_box(TO_MINIMQ),
        };
        let mut connection = session.connect(transport).await.ok()?;
        let wanted = [TopicFilter::new(black_box("a/#"))];
        connection.subscribe(&wanted, &[]).await.ok()?;
        for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
            let message = Publication::bytes(black_box("a/b"), b"21.5").qos(qos);
            let _ = connection.publish(message).await;
        }
        let _ = connection.unsubscribe(&[black_box("a/#")], &[]).await;
        let mut events = 1;
        while let Ok(event) = connection.poll().await {
            events += 1;
            black_box(event.is_some());
        }
        let _ = connection.disconnect().await;
        Some(events)
    };
    block_on(converse).unwrap_or(0)
}
