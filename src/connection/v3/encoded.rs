//! Publishing one message to many connections.

use super::Connection;
use crate::connection::error::CommandError;
use crate::connection::role::Role;
use crate::session::Slots;
use crate::time::Timestamp;
use crate::types::{PacketId, QoS};
use crate::v3::{EncodedMessage, SubscriberHeader, V3};

/// # Messages that are encoded once for many connections
impl<R: Role, S: Slots> Connection<V3, R, S> {
    /// Publishes a message that is encoded once for many connections. Send what it returns together
    /// with what the connections share, in the order of [`EncodedMessage::slices`]. Above QoS 0 the
    /// application keeps the message under the [`SubscriberHeader::packet_id`] until
    /// [`Event::Delivered`](super::Event::Delivered).
    ///
    /// ```
    /// # use mqtt_sansio::v3::{Decoder, EncodedMessage, Event, Server, Step};
    /// # use mqtt_sansio::{Config, QoS, Session, Slot, SliceOutput, Timestamp, TopicName};
    /// # let now = Timestamp::from_millis(0);
    /// # let mut subscribers = Vec::new();
    /// # for _ in 0..3 {
    /// #     let mut server = Server::new(Session::<[Slot; 4]>::default(), Config::new(), now);
    /// #     let mut received = &b"\x10\x0c\0\x04MQTT\x04\x02\0\0\0\0"[..];
    /// #     let mut decoder = Decoder::new([0; 64]);
    /// #     let step = server.receive(now, &mut decoder, &mut received)?;
    /// #     assert!(matches!(step, Some(Step::Event(Event::ConnectRequested(_)))));
    /// #     server.accept_new(now, &mut SliceOutput::new(&mut [0; 4]))?;
    /// #     subscribers.push((server, Vec::<u8>::new()));
    /// # }
    /// let mut topic = [0; 64];
    /// let message =
    ///     EncodedMessage::encode_to_slice(&mut topic, &TopicName::new("a/b")?, b"21.5")?;
    /// for (server, out) in &mut subscribers {
    ///     let header = server.publish_encoded(now, &message, QoS::AtLeastOnce, false)?;
    ///     for slice in message.slices(&header) {
    ///         out.extend_from_slice(slice); // or all four in one vectored write
    ///     }
    ///     assert_eq!(out, b"2\x0b\0\x03a/b\0\x0121.5");
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`publish`](Self::publish), except that nothing can be wrong with the message any more.
    #[inline]
    pub fn publish_encoded<T: AsRef<[u8]>, P: AsRef<[u8]>>(
        &mut self,
        now: Timestamp,
        message: &EncodedMessage<T, P>,
        qos: QoS,
        retain: bool,
    ) -> Result<SubscriberHeader, CommandError> {
        self.machine.check_may_send()?;
        let delivery = self.machine.next_delivery(qos)?;
        self.machine.commit(now, delivery, 0);
        Ok(message.subscriber_header(delivery, retain))
    }

    /// [`resend`](Self::resend) for a message that [`publish_encoded`](Self::publish_encoded) sent.
    ///
    /// # Errors
    ///
    /// As `resend`.
    pub fn resend_encoded<T: AsRef<[u8]>, P: AsRef<[u8]>>(
        &mut self,
        now: Timestamp,
        packet_id: PacketId,
        message: &EncodedMessage<T, P>,
        qos: QoS,
        retain: bool,
    ) -> Result<SubscriberHeader, CommandError> {
        let delivery = self.machine.requested(packet_id, qos)?;
        self.machine.commit_again(now, packet_id, 0);
        Ok(message.subscriber_header(delivery, retain))
    }
}
