//! Publishing one message to many connections.

use super::connection::Connection;
use super::error::CommandError;
use super::role::Role;
use super::version::Version;
use crate::fan_out::{EncodedMessage, Receiver, SubscriberHeader, TopicForm};
use crate::session::Slots;
use crate::time::Timestamp;
use crate::types::{Delivery, PacketId};

/// # Messages that are encoded once for many connections
impl<V: Version, R: Role, S: Slots> Connection<V, R, S> {
    /// Publishes a message that is encoded once for many connections. Send the returned header
    /// together with the parts that the connections share, in the order of
    /// [`EncodedMessage::slices`]. Above QoS 0 the application keeps the message under the
    /// [`SubscriberHeader::packet_id`] until it is delivered.
    ///
    /// ```
    /// # use mqtt_sansio::v3::{Decoder, Event, Server, Step};
    /// # use mqtt_sansio::{Config, Session, Slot, SliceOutput, Timestamp};
    /// use mqtt_sansio::v5::PublishProperties;
    /// use mqtt_sansio::{EncodedMessage, QoS, Receiver, TopicName};
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
    ///
    /// let mut buffer = [0; 64];
    /// let topic = TopicName::new("a/b")?;
    /// let properties = PublishProperties::EMPTY;
    /// let message = EncodedMessage::encode_to_slice(&mut buffer, &topic, &properties, b"21.5")?;
    /// for (server, out) in &mut subscribers {
    ///     let header = server.publish_encoded(now, &message, Receiver::new(QoS::AtLeastOnce))?;
    ///     for slice in message.slices(&header) {
    ///         out.extend_from_slice(slice); // or all of them in one vectored write
    ///     }
    ///     assert_eq!(out, b"2\x0b\0\x03a/b\0\x0121.5");
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`publish`](Self::publish).
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub fn publish_encoded<T: AsRef<[u8]>, P: AsRef<[u8]>, B: AsRef<[u8]>>(
        &mut self,
        now: Timestamp,
        message: &EncodedMessage<T, P>,
        receiver: Receiver<B>,
    ) -> Result<SubscriberHeader<B>, CommandError> {
        self.publish_encoded_as(now, message, receiver, TopicForm::Name)
    }

    // Inlined: a returned header would be written in parts and copied as a whole right after, which
    // stalls the processor. With a call, a receiver takes 16 ns instead of 10.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub(super) fn publish_encoded_as<T: AsRef<[u8]>, P: AsRef<[u8]>, B: AsRef<[u8]>>(
        &mut self,
        now: Timestamp,
        message: &EncodedMessage<T, P>,
        receiver: Receiver<B>,
        form: TopicForm,
    ) -> Result<SubscriberHeader<B>, CommandError> {
        self.machine.check_may_send()?;
        let delivery = self.machine.next_delivery(receiver.qos)?;
        let header = self.subscriber_header(message, &delivery, receiver, form)?;
        self.machine.commit(now, delivery, 0);
        Ok(header)
    }

    /// Sends a message of [`publish_encoded`](Self::publish_encoded) again: see
    /// [`resend`](Self::resend).
    ///
    /// # Errors
    ///
    /// As [`resend`](Self::resend).
    pub fn resend_encoded<T: AsRef<[u8]>, P: AsRef<[u8]>, B: AsRef<[u8]>>(
        &mut self,
        now: Timestamp,
        packet_id: PacketId,
        message: &EncodedMessage<T, P>,
        receiver: Receiver<B>,
    ) -> Result<SubscriberHeader<B>, CommandError> {
        let delivery = self.machine.requested(packet_id, receiver.qos)?;
        let header = self.subscriber_header(message, &delivery, receiver, TopicForm::Name)?;
        self.machine.commit_again(now, packet_id, 0);
        Ok(header)
    }

    /// Returns the header of a PUBLISH, checked against the limits of the peer.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    fn subscriber_header<T: AsRef<[u8]>, P: AsRef<[u8]>, B: AsRef<[u8]>>(
        &self,
        message: &EncodedMessage<T, P>,
        delivery: &Delivery,
        receiver: Receiver<B>,
        form: TopicForm,
    ) -> Result<SubscriberHeader<B>, CommandError> {
        if !R::IS_SERVER && !receiver.subscription_identifiers.is_empty() {
            return Err(CommandError::SubscriptionIdentifier); // [MQTT5-3.3.4-6]
        }
        let (qos, retain) = (receiver.qos, receiver.retain);
        let encoded = message.subscriber_header::<V, B>(delivery, receiver, form);
        let len = match &encoded {
            Ok((_, len)) => Ok(*len),
            Err(error) => Err(*error),
        };
        V::check_publish(&self.limits, qos, retain, len)?;
        let (header, _) = encoded?;
        Ok(header)
    }
}
