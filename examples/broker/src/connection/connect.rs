//! CONNECT and its answer.

use core::num::{NonZeroU16, NonZeroU32};
use std::sync::Arc;

use mqtt_sansio::any::{self, ProtocolVersion};
use mqtt_sansio::v3::ProtocolLevel;
use mqtt_sansio::v5::{ConnAckProperties, ConnectReasonCode, Property};
use mqtt_sansio::{CommandError, Options, Text};

use super::Connection;
use super::characters::has_control_character;
use crate::admission::{Admission, Applicant};
use crate::broker::ClientId;
use crate::message::Message;

/// The data for the answer to CONNECT.
pub(super) struct Candidate {
    client: ClientId,
    /// True if the server has assigned the Client Identifier.
    is_assigned: bool,
    keep_alive: u16,
    session_expiry_interval: u32,
    is_3_1: bool,
}

impl Connection {
    /// Handles CONNECT. The answer may take time.
    pub(super) fn connect(&mut self, connect: &any::Connect<&[u8]>) -> Result<(), CommandError> {
        let is_3_1 = match connect {
            any::Connect::V3(connect) => connect.to_connect().protocol_level == ProtocolLevel::V3_1,
            any::Connect::V5(_) => false,
        };
        let connect = connect.to_connect();
        if connect.properties.authentication_method().is_some() {
            // This broker has no enhanced authentication [MQTT5-4.12.0-1].
            return self.refuse(ConnectReasonCode::BadAuthenticationMethod);
        }
        if has_control_character(connect.client_id.as_str()) {
            return self.refuse(ConnectReasonCode::ClientIdentifierNotValid);
        }
        let retains = self.shared.settings.retains();
        let is_v5 = self.server.version() == Some(ProtocolVersion::V5);
        if is_v5 && !retains && connect.will.is_some_and(|will| will.retain) {
            return self.refuse(ConnectReasonCode::RetainNotSupported); // [MQTT5-3.2.2-13]
        }
        let (client, is_assigned): (ClientId, bool) = match connect.client_id.as_str() {
            "" => (self.shared.broker().unused_id(), true),
            id => (id.into(), false), // [MQTT-3.1.3-2, MQTT5-3.1.3-2]
        };
        let now = self.now();
        let will = connect.will.map(|will| Message::will(will, &client, now));
        self.will = will.transpose().map_err(CommandError::Encode)?;
        self.candidate = Some(Candidate {
            client: Arc::clone(&client),
            is_assigned,
            keep_alive: connect.keep_alive,
            session_expiry_interval: connect.properties.session_expiry_interval(),
            is_3_1,
        });
        let applicant = Applicant::new(client, &connect);
        let shared = Arc::clone(&self.shared);
        self.admission = Some(Box::pin(applicant.admit(shared, self.wake.clone())));
        Ok(())
    }

    fn refuse(&mut self, reason_code: ConnectReasonCode) -> Result<(), CommandError> {
        let now = self.now();
        let properties = ConnAckProperties::EMPTY;
        self.server
            .refuse_with(now, reason_code, &properties, &mut self.out)
    }

    /// Answers CONNECT.
    pub(super) fn answer(&mut self, admission: Admission) -> Result<(), CommandError> {
        let Some(candidate) = self.candidate.take() else {
            return Ok(());
        };
        let kept = match admission {
            Admission::Refused(reason_code) => return self.refuse(reason_code),
            Admission::Admitted(kept) => kept,
        };
        self.log(format_args!("connected as {:?}", candidate.client));
        self.client = Some(Arc::clone(&candidate.client));
        let now = self.now();
        let properties = self.connack_properties(&candidate)?;
        match kept {
            Some(mut kept) => {
                self.outbox = kept.outbox;
                self.server.accept_resumed_with(
                    now,
                    &mut kept.session,
                    &properties,
                    &mut self.out,
                )?;
            }
            None => self
                .server
                .accept_new_with(now, &properties, &mut self.out)?,
        }
        // MQTT 3.1 allows a client to set DUP where MQTT 3.1.1 does not.
        self.options = Options::new()
            .max_filters(u32::MAX)
            .max_packet_size(self.shared.settings.max_packet_size())
            .accept_invalid_shared_filters(true) // SUBACK refuses them.
            .accept_pubrel_flags(candidate.is_3_1)
            .accept_dup_on_requests(candidate.is_3_1);
        Ok(())
    }

    /// Returns the properties of CONNACK. Defaults are left out.
    fn connack_properties(
        &self,
        candidate: &Candidate,
    ) -> Result<ConnAckProperties<Vec<u8>>, CommandError> {
        let settings = &self.shared.settings;
        let mut properties = Vec::new();
        // 0 means no Keep Alive.
        let keep_alive = NonZeroU16::new(candidate.keep_alive);
        if let Some(maximum) = settings.max_keep_alive {
            if keep_alive.is_none_or(|keep_alive| keep_alive > maximum) {
                properties.push(Property::ServerKeepAlive(maximum.get()));
            }
        }
        if settings.topic_alias_maximum > 0 {
            properties.push(Property::TopicAliasMaximum(settings.topic_alias_maximum));
        }
        let client = Text::new(&*candidate.client);
        if let (true, Ok(client)) = (candidate.is_assigned, client) {
            properties.push(Property::AssignedClientIdentifier(client)); // [MQTT5-3.1.3-7]
        }
        if !settings.retains() {
            properties.push(Property::RetainAvailable(false));
        }
        if candidate.session_expiry_interval > settings.max_session_expiry {
            let interval = settings.max_session_expiry;
            properties.push(Property::SessionExpiryInterval(interval));
        }
        if let Some(maximum) = settings.announced_max_packet_size.and_then(NonZeroU32::new) {
            properties.push(Property::MaximumPacketSize(maximum));
        }
        if settings.receive_maximum < NonZeroU16::MAX {
            properties.push(Property::ReceiveMaximum(settings.receive_maximum));
        }
        ConnAckProperties::encode_to_vec(properties).map_err(CommandError::Encode)
    }
}
