//! Requests to the server: subscriptions and their ends.

use std::mem::take;

use client::protocol::{Client, Protocol, Subscribe};
use mqtt_sansio::v5::{self, ReasonCode};
use mqtt_sansio::{CommandError, PacketId, Timestamp, TopicName};
use tokio::sync::{mpsc, oneshot};

use crate::client::{Error, Received};

/// The capacity of a subscription for messages above QoS 0: as many as can be in flight.
pub(crate) const RESERVED: usize = 65_535;

/// The channel for the result of a request.
pub(crate) type Done<T> = oneshot::Sender<Result<T, Error>>;

/// A SUBSCRIBE or UNSUBSCRIBE. It is sent on each connection until the server answers. A SUBSCRIBE
/// is also sent again when the server has lost the session.
struct Request {
    kind: Kind,
    /// The identifier of the packet on this connection, until the server answers.
    packet_id: Option<PacketId>,
    is_answered: bool,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Subscribe {
        subscribe: Subscribe,
        messages: mpsc::Sender<Received>,
        done: Option<Done<Vec<ReasonCode>>>,
    },
    Unsubscribe(v5::TopicFilters<Vec<u8>>, Done<()>),
}

impl Kind {
    /// Reports that the request cannot be sent. The application may have dropped the receiver.
    fn fail(self, error: CommandError) {
        match self {
            Self::Subscribe { done, .. } => {
                done.map(|done| done.send(Err(error.into())).is_ok());
            }
            Self::Unsubscribe(_, done) => drop(done.send(Err(error.into()))),
        }
    }
}

#[derive(Default)]
pub(crate) struct Requests(Vec<Request>);

impl Requests {
    /// Sends a request, or keeps it for the next connection.
    pub(crate) fn send<V: Protocol>(
        &mut self,
        kind: Kind,
        client: &mut Client<V>,
        now: Timestamp,
        out: &mut Vec<u8>,
    ) {
        let sent = match &kind {
            Kind::Subscribe { subscribe, .. } => V::subscribe(client, now, subscribe, out),
            Kind::Unsubscribe(filters, _) => V::unsubscribe(client, now, filters, out),
        };
        let packet_id = match sent {
            Ok(packet_id) => Some(packet_id),
            Err(CommandError::NotConnected | CommandError::Ended) => None,
            Err(error) => return kind.fail(error),
        };
        self.0.push(Request {
            kind,
            packet_id,
            is_answered: false,
        });
    }

    /// Called when the server accepts a connection: sends requests that it has not answered, or has
    /// lost.
    pub(crate) fn resume<V: Protocol>(
        &mut self,
        session_present: bool,
        client: &mut Client<V>,
        now: Timestamp,
        out: &mut Vec<u8>,
    ) {
        for request in take(&mut self.0) {
            if session_present && request.is_answered {
                self.0.push(request);
            } else if !matches!(&request.kind, Kind::Subscribe { messages, .. } if messages.is_closed())
            {
                self.send(request.kind, client, now, out);
            }
        }
    }

    /// Handles SUBACK. If everything is refused, the stream of messages ends.
    pub(crate) fn subscribed(&mut self, packet_id: PacketId, codes: Vec<ReasonCode>) {
        let Some(mut request) = self.answered(packet_id) else {
            return;
        };
        let is_granted = codes.iter().any(|code| !code.is_error());
        if let Kind::Subscribe { done, .. } = &mut request.kind {
            done.take().map(|done| done.send(Ok(codes)));
        }
        if is_granted {
            self.0.push(request);
        }
    }

    /// Handles UNSUBACK. Ended subscriptions are not made again.
    pub(crate) fn unsubscribed(&mut self, packet_id: PacketId) {
        let Some(request) = self.answered(packet_id) else {
            return;
        };
        let Kind::Unsubscribe(ended, done) = request.kind else {
            return;
        };
        self.0.retain_mut(|request| {
            let Kind::Subscribe { subscribe, .. } = &mut request.kind else {
                return true;
            };
            let left = subscribe.subscriptions.iter();
            let left = left.filter(|entry| ended.iter().all(|ended| ended != entry.topic_filter));
            match v5::Subscriptions::encode_to_vec(left) {
                Ok(left) => subscribe.subscriptions = left,
                Err(_) => return false, // a SUBSCRIBE without a filter
            }
            true
        });
        // The application may have dropped the receiver.
        let _ = done.send(Ok(()));
    }

    /// Removes and returns the request with this identifier.
    fn answered(&mut self, packet_id: PacketId) -> Option<Request> {
        let mut requests = self.0.iter();
        let found = requests.position(|request| request.packet_id == Some(packet_id))?;
        let request = self.0.remove(found);
        Some(Request {
            kind: request.kind,
            packet_id: None,
            is_answered: true,
        })
    }

    /// Forwards a message to the subscriptions that match it. A QoS 0 message is dropped where too
    /// many wait.
    pub(crate) fn deliver(&self, message: &Received) {
        for request in &self.0 {
            if let Kind::Subscribe {
                subscribe,
                messages,
                ..
            } = &request.kind
            {
                let has_room = message.is_guarded() || messages.capacity() > RESERVED;
                if has_room && matches(subscribe, &message.topic.as_ref()) {
                    // The application may have dropped the stream.
                    let _ = messages.try_send(message.clone());
                }
            }
        }
    }
}

fn matches(subscribe: &Subscribe, topic: &TopicName<&[u8]>) -> bool {
    subscribe.subscriptions.iter().any(|entry| {
        let shared = entry.topic_filter.shared();
        let filter = shared.map_or(entry.topic_filter, |shared| shared.topic_filter);
        filter.matches(topic)
    })
}
