//! What the application sends: commands of every role and version.

use super::close_reason::CloseReason;
use super::connection::Connection;
use super::error::CommandError;
use super::outgoing::OutgoingMessage;
use super::role::Role;
use super::version::Version;
use crate::session::{Acknowledgement, Slots};
use crate::time::Timestamp;
use crate::types::{PacketId, QoS};
use crate::wire::Output;
impl<V: Version, R: Role, S: Slots> Connection<V, R, S> {
    /// Publishes a message to the peer. Above QoS 0 it returns the Packet Identifier under which the
    /// application keeps the message until it is delivered.
    ///
    /// A message without its payload (`MessageHeader`) announces the length of one, which
    /// [`payload`](Self::payload) sends in pieces. No other packet can be sent until it is
    /// complete.
    ///
    /// # Errors
    ///
    /// [`CommandError::WindowFull`] if as many messages as possible are in flight. The other errors
    /// name the condition that prevents it. Nothing has changed then.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(not(target_pointer_width = "64"), inline)]
    pub fn publish<M: OutgoingMessage<V>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        message: &M,
        out: &mut O,
    ) -> Result<Option<PacketId>, CommandError> {
        self.machine.check_may_send()?;
        let delivery = self.machine.next_delivery(message.qos())?;
        message.encode(delivery, &mut self.limits, R::IS_SERVER, out)?;
        Ok(self.machine.commit(now, delivery, message.payload_left()))
    }

    /// Sends the next piece of a payload. Returns the number of bytes that are still missing.
    ///
    /// # Errors
    ///
    /// [`CommandError::PayloadTooLong`] if `bytes` exceeds the announced length.
    pub fn payload<O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        bytes: &[u8],
        out: &mut O,
    ) -> Result<u32, CommandError> {
        self.machine.payload(now, bytes, out)
    }

    /// Reports that the caller itself has sent or queued the next `len` bytes of a payload: for a
    /// vectored write, which does not copy them. Returns the number of bytes that are still
    /// missing.
    ///
    /// # Errors
    ///
    /// As [`payload`](Self::payload).
    pub fn payload_sent(&mut self, now: Timestamp, len: usize) -> Result<u32, CommandError> {
        self.machine.payload_sent(now, len)
    }

    /// Sends a message again that [`Action::Resend`] has asked for, with DUP [MQTT-3.3.1-1].
    ///
    /// # Errors
    ///
    /// [`CommandError::NotAwaited`] if no action asked for it, [`CommandError::QosChanged`] if it
    /// was sent at another QoS. The other errors name the condition that prevents it.
    ///
    /// [`Action::Resend`]: super::action::Action::Resend
    pub fn resend<M: OutgoingMessage<V>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        packet_id: PacketId,
        message: &M,
        out: &mut O,
    ) -> Result<(), CommandError> {
        let delivery = self.machine.requested(packet_id, message.qos())?;
        message.encode(delivery, &mut self.limits, R::IS_SERVER, out)?;
        self.machine
            .commit_again(now, packet_id, message.payload_left());
        Ok(())
    }

    /// Gives up a message that [`Action::Resend`] has asked for and that the application no longer has.
    /// Its Packet Identifier is free again.
    ///
    /// At QoS 2 the peer may still hold that identifier, and would discard a later message with it
    /// as a duplicate of this one. An application that keeps its messages never needs this.
    ///
    /// # Errors
    ///
    /// [`CommandError::NotAwaited`] if no action asked for it. The other errors name the condition
    /// that prevents it.
    ///
    /// [`Action::Resend`]: super::action::Action::Resend
    pub fn forget(&mut self, packet_id: PacketId) -> Result<(), CommandError> {
        self.machine.forget(packet_id)
    }

    /// Returns the value that acknowledges the message with this Packet Identifier
    /// ([`Config::manual_acknowledgement`]). Call this at the event of the message, and keep the
    /// value with the message: it belongs to this delivery, and never acknowledges a later message
    /// with the same identifier. Returns `None` if no message awaits it, and before the last piece
    /// of a message in pieces.
    ///
    /// ```
    /// # use mqtt_sansio::v3::{Action, Client, Connect, Decoder, Event, Step};
    /// # use mqtt_sansio::{Config, Session, Slot, SliceOutput, Text, Timestamp};
    /// # let now = Timestamp::from_millis(0);
    /// # let config = Config::new().manual_acknowledgement(true);
    /// # let mut client = Client::new(Session::<[Slot; 4]>::default(), config, now);
    /// # let mut buffer = [0; 64];
    /// # client.connect(now, &Connect::new(Text::new("c")?), &mut SliceOutput::new(&mut buffer))?;
    /// # let mut decoder = Decoder::new([0; 64]);
    /// let mut received = &b"\x20\x02\0\0\x32\x06\0\x01a\0\x07x"[..];
    /// let mut to_do = None;
    /// while let Some(step) = client.receive(now, &mut decoder, &mut received)? {
    ///     if let Step::Event(Event::Message(publish)) = step {
    ///         to_do = publish.delivery.packet_id().and_then(|id| client.acknowledgement(id));
    ///     }
    /// }
    /// if let Some(acknowledgement) = to_do {
    ///     client.acknowledge(acknowledgement)?; // the message has been processed
    /// }
    /// assert!(matches!(client.poll_action(), Some(Action::Transmit(_))));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// [`Config::manual_acknowledgement`]: super::config::Config::manual_acknowledgement
    pub fn acknowledgement(&self, packet_id: PacketId) -> Option<Acknowledgement> {
        self.machine.acknowledgement(packet_id)
    }

    /// Acknowledges a message that the application has processed (with
    /// [`Config::manual_acknowledgement`]). For a QoS 2 message this may also be called between
    /// connections.
    ///
    /// # Errors
    ///
    /// [`CommandError::NotAwaited`] if the message does not await it any more.
    ///
    /// [`Config::manual_acknowledgement`]: super::config::Config::manual_acknowledgement
    pub fn acknowledge(&mut self, acknowledgement: Acknowledgement) -> Result<(), CommandError> {
        self.machine.acknowledge(acknowledgement, 0)
    }

    /// Returns true if [`publish`](Self::publish) can send a message of this QoS now: the
    /// connection is accepted, no other packet or action has to come first, and limits and slots
    /// allow it. A `Vec` of slots may grow; nothing else changes.
    pub fn can_publish(&mut self, qos: QoS) -> bool {
        self.machine.can_publish(qos)
    }

    /// Ends the connection without DISCONNECT, for example because of an error [MQTT-4.8.0-2], or
    /// because the client has a new connection [MQTT-3.1.4-2]. The server publishes the Will.
    pub fn close(&mut self, now: Timestamp) {
        self.machine.tick(now);
        self.end(CloseReason::Aborted);
    }
}
