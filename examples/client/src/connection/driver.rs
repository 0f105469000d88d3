//! Drives [`Client`](client::protocol::Client) with received bytes, and carries out its actions. This
//! file has no access to the socket.

use client::Failure;
use client::protocol::{Decoder, Event, Protocol};
use mqtt_sansio::v5::ReasonCode;
use mqtt_sansio::{Action, Step};

use super::{Application, Closed, Connection};
use crate::store::Store;

impl<V: Protocol> Connection<V> {
    /// Handles received bytes and deadlines, publishes waiting messages as far as the window
    /// allows, and sends everything.
    pub(super) fn receive(
        &mut self,
        mut bytes: &[u8],
        decoder: &mut Decoder<V>,
        application: &mut impl Application<V>,
    ) -> Result<(), Failure> {
        if let Some((trace, _)) = &mut self.traces {
            trace.print(bytes);
        }
        let mut last_words = None;
        loop {
            let step = (self.client).receive(self.now(), decoder, &mut bytes);
            match step.map_err(|blocked| Failure::Lost(blocked.to_string()))? {
                Some(Step::Event(event)) => match V::translate(event) {
                    // The message is not acknowledged, so the server resends it when the session is
                    // resumed.
                    Event::Message(_) if application.is_satisfied() => {}
                    Event::Message(publish) => {
                        let packet_id = publish.delivery.packet_id();
                        application.event(Event::Message(publish))?;
                        let acknowledgement =
                            packet_id.and_then(|id| self.client.acknowledgement(id));
                        if let Some(acknowledgement) = acknowledgement {
                            self.client.acknowledge(acknowledgement)?;
                        }
                    }
                    Event::Connected {
                        session_present,
                        properties,
                    } => {
                        self.kept.retry.accepted();
                        let session_ends = self.client.session_ends();
                        self.kept.connect.resume_next(session_ends, properties);
                        application.event(Event::Connected {
                            session_present,
                            properties,
                        })?;
                    }
                    Event::Accepted(packet_id) => {
                        let finished = self.kept.outgoing.finish(packet_id, ReasonCode::Success);
                        self.finished.extend(finished);
                    }
                    Event::Completed(packet_id, code) => {
                        self.finished
                            .extend(self.kept.outgoing.finish(packet_id, code));
                    }
                    Event::Ended(reason) => last_words = Some(reason),
                    Event::Auth => {
                        last_words = Some("it asks for enhanced authentication".to_owned());
                        self.client.close(self.now());
                    }
                    event => application.event(event)?,
                },
                Some(Step::Action(Action::Close(reason))) => {
                    let last_words = last_words.take();
                    self.closed = Some(Closed { reason, last_words });
                }
                Some(Step::Action(action)) => self.carry_out(action)?,
                // Messages that the application publishes may lead to actions.
                None if self.publish_waiting() => {}
                None => break,
            }
        }
        self.finished
            .drain(..)
            .for_each(|finished| application.finished(finished));
        self.send()
    }

    /// Returns true if it published anything.
    pub(super) fn publish_waiting(&mut self) -> bool {
        let before = self.out.len();
        let (now, out) = (self.now(), &mut self.out);
        while let Some(finished) = self.kept.outgoing.publish(&mut self.client, now, out) {
            self.finished.push(finished);
        }
        self.out.len() > before
    }

    fn carry_out(&mut self, action: Action<V>) -> Result<(), Failure> {
        let (now, out) = (self.now(), &mut self.out);
        match action {
            Action::Transmit(reply) => out.extend_from_slice(reply.as_ref()),
            Action::Resend(packet_id) => {
                let finished = self
                    .kept
                    .outgoing
                    .resend(&mut self.client, now, packet_id, out)?;
                self.finished.extend(finished);
            }
            Action::Lost {
                packet_id,
                received,
            } => self
                .finished
                .extend(self.kept.outgoing.lose(packet_id, received)),
            // Saves the whole session instead of each change: simple, and fast enough unless many
            // messages are in flight.
            Action::Store(_) => self.kept.store.iter_mut().for_each(Store::changed),
            // The application subscribes again on each connection without a session. The other
            // actions are for servers, and `receive` handles Close.
            Action::Unanswered(_)
            | Action::PublishWill
            | Action::DiscardWill
            | Action::Close(_) => {}
        }
        Ok(())
    }
}
