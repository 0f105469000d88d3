//! The commands of a server of any version.

use super::lowered;
use super::server::{Server, Side, either, either_mut};
use crate::connection::{CommandError, State};
use crate::fan_out::{EncodedMessage, Receiver, SubscriberHeader};
use crate::session::{Acknowledgement, Session, Slots};
use crate::time::Timestamp;
use crate::types::{PacketId, QoS};
use crate::v5::{
    AckProperties, Auth, ConnAckProperties, ConnectReasonCode, Disconnect, DisconnectReasonCode,
    Message, OutboundAliases, PubAckReasonCode, SubscribeReasonCodes, TopicAliases,
    UnsubscribeReasonCodes,
};
use crate::wire::Output;

impl<S: Slots> Server<S> {
    /// Accepts the connection with a new session, without properties.
    ///
    /// # Errors
    ///
    /// As [`accept_new_with`](Self::accept_new_with).
    pub fn accept_new<O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        out: &mut O,
    ) -> Result<(), CommandError> {
        self.accept_new_with(now, &ConnAckProperties::EMPTY, out)
    }

    /// Accepts the connection with a new session. The properties are sent to a client of MQTT 5 and are
    /// valid for the connection: see [`accept_new_with`](crate::Connection::accept_new_with).
    ///
    /// # Errors
    ///
    /// As [`accept_new_with`](crate::Connection::accept_new_with).
    pub fn accept_new_with<B: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        properties: &ConnAckProperties<B>,
        out: &mut O,
    ) -> Result<(), CommandError> {
        match &mut self.side {
            Side::V3(server) => server.accept_new(now, out),
            Side::V5(server) => server.accept_new_with(now, properties, out),
            Side::Undecided(_) | Side::Moving => Err(self.not_connected()),
        }
    }

    /// Accepts the connection and resumes a session, without properties.
    ///
    /// # Errors
    ///
    /// As [`accept_resumed_with`](Self::accept_resumed_with).
    pub fn accept_resumed<O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        session: &mut Session<S>,
        out: &mut O,
    ) -> Result<(), CommandError> {
        self.accept_resumed_with(now, session, &ConnAckProperties::EMPTY, out)
    }

    /// Accepts the connection and resumes the session that was kept for the client, even if its
    /// connection had another version: see
    /// [`accept_resumed_with`](crate::Connection::accept_resumed_with).
    ///
    /// # Errors
    ///
    /// As [`accept_resumed_with`](crate::Connection::accept_resumed_with).
    pub fn accept_resumed_with<B: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        session: &mut Session<S>,
        properties: &ConnAckProperties<B>,
        out: &mut O,
    ) -> Result<(), CommandError> {
        match &mut self.side {
            Side::V3(server) => server.accept_resumed(now, session, out),
            Side::V5(server) => server.accept_resumed_with(now, session, properties, out),
            Side::Undecided(_) | Side::Moving => Err(self.not_connected()),
        }
    }

    /// Refuses the connection, without properties.
    ///
    /// # Errors
    ///
    /// As [`refuse_with`](Self::refuse_with).
    pub fn refuse<O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        reason_code: ConnectReasonCode,
        out: &mut O,
    ) -> Result<(), CommandError> {
        self.refuse_with(now, reason_code, &ConnAckProperties::EMPTY, out)
    }

    /// Refuses the connection. A client of MQTT 3.1.1 gets the closest return code:
    ///
    /// | Reason Code | return code |
    /// |---|---|
    /// | Unsupported Protocol Version | 0x01 |
    /// | Client Identifier not valid | 0x02 |
    /// | Bad User Name or Password, Bad authentication method | 0x04 |
    /// | Not authorized, Banned | 0x05 |
    /// | any other | 0x03, server unavailable |
    ///
    /// # Errors
    ///
    /// As [`refuse_with`](crate::Connection::refuse_with).
    pub fn refuse_with<B: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        reason_code: ConnectReasonCode,
        properties: &ConnAckProperties<B>,
        out: &mut O,
    ) -> Result<(), CommandError> {
        match &mut self.side {
            Side::V3(server) => server.refuse(now, lowered::refusal(reason_code)?, out),
            Side::V5(server) => server.refuse_with(now, reason_code, properties, out),
            Side::Undecided(_) | Side::Moving => Err(self.not_connected()),
        }
    }

    /// Answers [`Event::SubscribeRequested`](super::Event::SubscribeRequested), without properties.
    ///
    /// # Errors
    ///
    /// As [`suback_with`](Self::suback_with).
    pub fn suback<B: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        reason_codes: &SubscribeReasonCodes<B>,
        out: &mut O,
    ) -> Result<(), CommandError> {
        self.suback_with(now, reason_codes, &AckProperties::EMPTY, out)
    }

    /// Answers [`Event::SubscribeRequested`](super::Event::SubscribeRequested). For a client of MQTT
    /// 3.1.1 each Reason Code from 0x80 on is 0x80.
    ///
    /// # Errors
    ///
    /// As [`suback_with`](crate::Connection::suback_with).
    pub fn suback_with<B: AsRef<[u8]>, P: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        reason_codes: &SubscribeReasonCodes<B>,
        properties: &AckProperties<P>,
        out: &mut O,
    ) -> Result<(), CommandError> {
        match &mut self.side {
            Side::V3(server) => {
                let codes = reason_codes.iter().map(lowered::return_code);
                server.suback_each(now, codes, out)
            }
            Side::V5(server) => server.suback_with(now, reason_codes, properties, out),
            Side::Undecided(_) | Side::Moving => Err(self.not_connected()),
        }
    }

    /// Answers [`Event::UnsubscribeRequested`](super::Event::UnsubscribeRequested), without properties.
    ///
    /// # Errors
    ///
    /// As [`unsuback_with`](Self::unsuback_with).
    pub fn unsuback<B: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        reason_codes: &UnsubscribeReasonCodes<B>,
        out: &mut O,
    ) -> Result<(), CommandError> {
        self.unsuback_with(now, reason_codes, &AckProperties::EMPTY, out)
    }

    /// Answers [`Event::UnsubscribeRequested`](super::Event::UnsubscribeRequested). A client of MQTT
    /// 3.1.1 gets no codes.
    ///
    /// # Errors
    ///
    /// As [`unsuback_with`](crate::Connection::unsuback_with).
    pub fn unsuback_with<B: AsRef<[u8]>, P: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        reason_codes: &UnsubscribeReasonCodes<B>,
        properties: &AckProperties<P>,
        out: &mut O,
    ) -> Result<(), CommandError> {
        match &mut self.side {
            Side::V3(server) => server.unsuback(now, out),
            Side::V5(server) => server.unsuback_with(now, reason_codes, properties, out),
            Side::Undecided(_) | Side::Moving => Err(self.not_connected()),
        }
    }

    /// Publishes a message: see [`publish`](crate::Connection::publish). For a client of MQTT 3.1.1 its
    /// properties are left out.
    ///
    /// # Errors
    ///
    /// As [`publish`](crate::Connection::publish).
    #[inline]
    pub fn publish<T: AsRef<[u8]>, P: AsRef<[u8]>, Q: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        message: &Message<T, P, Q>,
        out: &mut O,
    ) -> Result<Option<PacketId>, CommandError> {
        match &mut self.side {
            Side::V3(server) => server.publish(now, &lowered::message(message), out),
            Side::V5(server) => server.publish(now, message, out),
            Side::Undecided(_) | Side::Moving => Err(self.not_connected()),
        }
    }

    /// Publishes a message with a Topic Alias, to a client that accepts aliases: see
    /// [`publish_aliased`](crate::Connection::publish_aliased).
    ///
    /// # Errors
    ///
    /// As [`publish_aliased`](crate::Connection::publish_aliased).
    pub fn publish_aliased<T, P, Q, A, O>(
        &mut self,
        now: Timestamp,
        message: &Message<T, P, Q>,
        aliases: &mut OutboundAliases<A>,
        out: &mut O,
    ) -> Result<Option<PacketId>, CommandError>
    where
        T: AsRef<[u8]>,
        P: AsRef<[u8]>,
        Q: AsRef<[u8]>,
        A: TopicAliases,
        O: Output + ?Sized,
    {
        match &mut self.side {
            Side::V5(server) => server.publish_aliased(now, message, aliases, out),
            _ => self.publish(now, message, out),
        }
    }

    /// Sends a message again after [`Action::Resend`](super::Action::Resend): see
    /// [`resend`](crate::Connection::resend).
    ///
    /// # Errors
    ///
    /// As [`resend`](crate::Connection::resend).
    pub fn resend<T: AsRef<[u8]>, P: AsRef<[u8]>, Q: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        packet_id: PacketId,
        message: &Message<T, P, Q>,
        out: &mut O,
    ) -> Result<(), CommandError> {
        match &mut self.side {
            Side::V3(server) => server.resend(now, packet_id, &lowered::message(message), out),
            Side::V5(server) => server.resend(now, packet_id, message, out),
            Side::Undecided(_) | Side::Moving => Err(self.not_connected()),
        }
    }

    /// Publishes a message that is encoded once for many connections, of any version: see
    /// [`publish_encoded`](crate::Connection::publish_encoded).
    ///
    /// # Errors
    ///
    /// As [`publish_encoded`](crate::Connection::publish_encoded).
    #[inline]
    pub fn publish_encoded<T: AsRef<[u8]>, P: AsRef<[u8]>, B: AsRef<[u8]>>(
        &mut self,
        now: Timestamp,
        message: &EncodedMessage<T, P>,
        receiver: Receiver<B>,
    ) -> Result<SubscriberHeader<B>, CommandError> {
        match &mut self.side {
            Side::V3(server) => server.publish_encoded(now, message, receiver),
            Side::V5(server) => server.publish_encoded(now, message, receiver),
            Side::Undecided(_) | Side::Moving => Err(self.not_connected()),
        }
    }

    /// Publishes a message that is encoded once, with a Topic Alias, to a client that accepts
    /// aliases: see [`publish_encoded_aliased`](crate::Connection::publish_encoded_aliased).
    ///
    /// # Errors
    ///
    /// As [`publish_encoded_aliased`](crate::Connection::publish_encoded_aliased).
    pub fn publish_encoded_aliased<T, P, B, A>(
        &mut self,
        now: Timestamp,
        message: &EncodedMessage<T, P>,
        receiver: Receiver<B>,
        aliases: &mut OutboundAliases<A>,
    ) -> Result<SubscriberHeader<B>, CommandError>
    where
        T: AsRef<[u8]>,
        P: AsRef<[u8]>,
        B: AsRef<[u8]>,
        A: TopicAliases,
    {
        match &mut self.side {
            Side::V5(server) => server.publish_encoded_aliased(now, message, receiver, aliases),
            _ => self.publish_encoded(now, message, receiver),
        }
    }

    /// Sends a message again that is encoded once: see
    /// [`resend_encoded`](crate::Connection::resend_encoded).
    ///
    /// # Errors
    ///
    /// As [`resend_encoded`](crate::Connection::resend_encoded).
    pub fn resend_encoded<T: AsRef<[u8]>, P: AsRef<[u8]>, B: AsRef<[u8]>>(
        &mut self,
        now: Timestamp,
        packet_id: PacketId,
        message: &EncodedMessage<T, P>,
        receiver: Receiver<B>,
    ) -> Result<SubscriberHeader<B>, CommandError> {
        match &mut self.side {
            Side::V3(server) => server.resend_encoded(now, packet_id, message, receiver),
            Side::V5(server) => server.resend_encoded(now, packet_id, message, receiver),
            Side::Undecided(_) | Side::Moving => Err(self.not_connected()),
        }
    }

    /// Gives up a message after [`Action::Resend`](super::Action::Resend): see
    /// [`forget`](crate::Connection::forget).
    ///
    /// # Errors
    ///
    /// As [`forget`](crate::Connection::forget).
    pub fn forget(&mut self, packet_id: PacketId) -> Result<(), CommandError> {
        either_mut!(self, server => server.forget(packet_id), moving: Err(CommandError::Ended))
    }

    /// Returns the value that acknowledges the message with this Packet Identifier: see
    /// [`acknowledgement`](crate::Connection::acknowledgement).
    pub fn acknowledgement(&self, packet_id: PacketId) -> Option<Acknowledgement> {
        either!(self, server => server.acknowledgement(packet_id), moving: None)
    }

    /// Acknowledges a message with a Reason Code: see
    /// [`acknowledge_with`](crate::Connection::acknowledge_with). A client of MQTT 3.1.1 gets no code: a
    /// message that is refused counts as delivered for it.
    ///
    /// # Errors
    ///
    /// As [`acknowledge_with`](crate::Connection::acknowledge_with).
    pub fn acknowledge(
        &mut self,
        acknowledgement: Acknowledgement,
        reason_code: PubAckReasonCode,
    ) -> Result<(), CommandError> {
        match &mut self.side {
            // Without Reason Codes, an automatic acknowledgement stays what it is.
            Side::V3(server) => match server.machine.acknowledge(acknowledgement, 0) {
                Err(_) if server.machine.is_to_be_acknowledged(acknowledgement) => Ok(()),
                result => result,
            },
            Side::Undecided(server) | Side::V5(server) => {
                server.acknowledge_with(acknowledgement, reason_code)
            }
            Side::Moving => Err(CommandError::Ended),
        }
    }

    /// Returns true if [`publish`](Self::publish) can send a message of this QoS now: see
    /// [`can_publish`](crate::Connection::can_publish).
    pub fn can_publish(&mut self, qos: QoS) -> bool {
        either_mut!(self, server => server.can_publish(qos), moving: false)
    }

    /// Sends AUTH: see [`auth`](crate::Connection::auth).
    ///
    /// # Errors
    ///
    /// As [`auth`](crate::Connection::auth); [`CommandError::AuthenticationOrder`] to a client of
    /// MQTT 3.1.1, which has no AUTH.
    pub fn auth<B: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        auth: &Auth<B>,
        out: &mut O,
    ) -> Result<(), CommandError> {
        match &mut self.side {
            Side::V5(server) => server.auth(now, auth, out),
            _ => Err(CommandError::AuthenticationOrder),
        }
    }

    /// Ends the connection with the Reason Code Normal disconnection.
    ///
    /// # Errors
    ///
    /// As [`disconnect_with`](Self::disconnect_with).
    pub fn disconnect<O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        out: &mut O,
    ) -> Result<(), CommandError> {
        let disconnect = Disconnect::new(DisconnectReasonCode::NormalDisconnection);
        self.disconnect_with(now, &disconnect, out)
    }

    /// Ends the connection, with DISCONNECT to a client of MQTT 5: see
    /// [`disconnect_with`](crate::Connection::disconnect_with). A server of MQTT 3.1.1 has no
    /// DISCONNECT, so the connection is closed.
    ///
    /// # Errors
    ///
    /// As [`disconnect_with`](crate::Connection::disconnect_with).
    pub fn disconnect_with<B: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        disconnect: &Disconnect<B>,
        out: &mut O,
    ) -> Result<(), CommandError> {
        let state = self.state();
        match &mut self.side {
            Side::V5(server) => server.disconnect_with(now, disconnect, out),
            _ if matches!(state, State::Ending | State::Ended) => Err(CommandError::Ended),
            _ => {
                self.close(now);
                Ok(())
            }
        }
    }

    /// Ends the connection without DISCONNECT: see [`close`](crate::Connection::close).
    pub fn close(&mut self, now: Timestamp) {
        either_mut!(self, server => server.close(now), moving: ());
    }
}
