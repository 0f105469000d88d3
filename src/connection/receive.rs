//! From bytes to events and actions.

use super::action::Action;
use super::close_reason::CloseReason;
use super::connection::Connection;
use super::error::{Blocked, HandleError, ProtocolError};
use super::machine::{Disposition, Rejection};
use super::role::Role;
use super::state::State;
use super::step::Step;
use super::version::{Outcome, Version};
use crate::decoder::{Buffer, Located, Piece, StreamDecoder};
use crate::session::Slots;
use crate::time::Timestamp;
use crate::wire::{DecodeError, OPTIMIZE_SIZE, acknowledgement, part_at, place_in};

impl<V: Version, R: Role, S: Slots> Connection<V, R, S> {
    /// Handles received bytes: removes them from the front of `input` up to the next event or
    /// action, and returns it. `None` means that `input` is empty, the decoder holds the start of
    /// an incomplete packet, and no action is due. Call this until it returns `None`:
    ///
    /// ```
    /// use mqtt_sansio::v3::{Action, Decoder, Event, Server, Step};
    /// use mqtt_sansio::{Config, Output, Session, Slot, SliceOutput, Timestamp};
    ///
    /// let now = Timestamp::from_millis(0);
    /// let mut server = Server::new(Session::<[Slot; 4]>::default(), Config::new(), now);
    /// let mut decoder = Decoder::new([0; 256]);
    /// let mut buffer = [0; 64];
    /// let mut out = SliceOutput::new(&mut buffer);
    /// // CONNECT and PINGREQ
    /// let mut input = &b"\x10\x0c\0\x04MQTT\x04\x02\0\0\0\0\xc0\0"[..];
    /// while let Some(step) = server.receive(now, &mut decoder, &mut input)? {
    ///     match step {
    ///         Step::Event(Event::ConnectRequested(_)) => server.accept_new(now, &mut out)?,
    ///         Step::Event(event) => println!("{event:?}"),
    ///         Step::Action(Action::Transmit(reply)) => out.put(reply.as_bytes())?,
    ///         Step::Action(action) => println!("{action:?}"),
    ///     }
    /// }
    /// assert_eq!(out.written(), b"\x20\x02\0\0\xd0\0"); // CONNACK and PINGRESP
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Pass the same `input` variable to each call, which moves it forward. `input` may be empty,
    /// to get actions and to handle a deadline. Payloads arrive in pieces if the decoder's
    /// [`Options::payloads_in_pieces`](crate::Options::payloads_in_pieces) is set.
    ///
    /// A deadline that has passed is handled: a client sends PINGREQ when it is due, even between
    /// packets. A connection whose peer was silent for too long ends once `input` is empty. An accepted
    /// client counts a part of a packet as a sign of life. A server does so only if
    /// [`handle_progress`](Self::handle_progress) reports it.
    ///
    /// A fault of the peer is not an error of this method: the connection ends, [`Action::Close`]
    /// carries the reason, and the rest of `input` is discarded.
    ///
    /// # Errors
    ///
    /// The application has to do something before the next packet, which stays in `input` or in the
    /// decoder. Do what the error names, and call this again with the same `input`. Never returns
    /// [`Blocked::ActionsPending`].
    #[inline]
    pub fn receive<'d, 'i: 'd, M: Buffer>(
        &mut self,
        now: Timestamp,
        decoder: &'d mut StreamDecoder<V, M>,
        input: &mut &'i [u8],
    ) -> Result<Option<Step<V, &'d [u8]>>, Blocked> {
        if OPTIMIZE_SIZE {
            return self.receive_any(now, decoder, input);
        }
        if let Some(reply) = self.machine.take_reply() {
            return Ok(self.transmit(reply).map(Step::Action));
        }
        if self.machine.is_idle()
            && decoder.is_at_packet_boundary()
            && !self.is_ping_due(now.min(Timestamp::BEFORE_MAX))
        {
            if input.is_empty() && !self.is_overdue(now) {
                return Ok(None);
            }
            // Two shortcuts: acknowledgements of four bytes, and messages that lie whole in the input.
            if let Some((packet_type, id)) = decoder.take_acknowledgement(input, acknowledgement) {
                match self
                    .machine
                    .handle_acknowledgement(now, packet_type, id.into(), false)
                {
                    Ok(Some(progress)) => {
                        return Ok(Some(Step::Event(V::progress_event(progress, None))));
                    }
                    Ok(None) => {}
                    Err(rejection) => {
                        self.reject(rejection);
                    }
                }
                if let Some(reply) = self.machine.take_reply() {
                    return Ok(self.transmit(reply).map(Step::Action));
                }
            } else if let Some(frame) = decoder.try_frame(input) {
                if let Some((delivery, event)) =
                    V::try_read_message(&frame.header, frame.body, &self.limits, R::IS_SERVER)
                {
                    match self.machine.handle_message(now, &delivery) {
                        Ok(Disposition::Deliver) => {
                            decoder.take(&frame, input);
                            return Ok(Some(Step::Event(event)));
                        }
                        Ok(_) => decoder.take(&frame, input),
                        Err(Rejection::Blocked(blocked)) => return Err(blocked),
                        Err(rejection) => {
                            decoder.take(&frame, input);
                            self.reject(rejection);
                        }
                    }
                }
            }
        }
        // A copy of the reference, so that the caller's `input` can stay in registers.
        let mut rest = *input;
        let step = self.receive_any(now, decoder, &mut rest);
        *input = rest;
        step
    }

    /// The general route of [`receive`](Self::receive).
    #[inline(never)]
    fn receive_any<'d, 'i: 'd, M: Buffer>(
        &mut self,
        now: Timestamp,
        decoder: &'d mut StreamDecoder<V, M>,
        input: &mut &'i [u8],
    ) -> Result<Option<Step<V, &'d [u8]>>, Blocked> {
        let (located, outcome, event) = 'packets: loop {
            if let Some(action) = self.poll_action() {
                return Ok(Some(Step::Action(action)));
            }
            // `Timestamp::MAX` never passes: at that time this would return PINGREQ for ever.
            if self.ping_if_due(now.min(Timestamp::BEFORE_MAX)) {
                continue;
            }
            if input.is_empty() && !decoder.holds_packet() {
                return Ok(self.expire(now).map(Step::Action));
            }
            match self.check_may_handle() {
                Ok(()) => {}
                Err(HandleError::Blocked(blocked)) => return Err(blocked),
                Err(HandleError::Peer(_) | HandleError::Ended) => {
                    *input = &[];
                    return Ok(None);
                }
            }
            self.check_decoder(decoder)?;
            let located = match decoder.locate(input) {
                Ok(Some(located)) => located,
                Ok(None) => {
                    // A part of a packet shows that a server is alive. Of a client the standard
                    // counts whole packets [MQTT-3.1.2-24].
                    if !R::IS_SERVER {
                        self.handle_progress(now);
                    }
                    return Ok(self.expire(now).map(Step::Action));
                }
                Err(error) => {
                    self.handle_fault(now, decoder, error);
                    continue;
                }
            };
            let mut has_learned = !V::HAS_TOPIC_ALIASES;
            let (handled, event) = loop {
                let read = decoder.read(&located, R::PEER);
                let piece = match &read {
                    Ok(Some(piece)) => piece,
                    // A packet that the peer's side does not send was not read.
                    Ok(None) => {
                        let unexpected = ProtocolError::Unexpected(located.packet_type());
                        let reason = CloseReason::Violation(unexpected.into());
                        self.refuse_located(now, decoder, &located, input, reason);
                        continue 'packets;
                    }
                    Err(error) => {
                        let error = *error;
                        self.handle_fault(now, decoder, error);
                        continue 'packets;
                    }
                };
                if !has_learned {
                    if let Some((alias, topic)) = V::topic_alias(piece) {
                        let topic = place_in(decoder.bytes(&located), topic);
                        if let Err(reason) = self.learn_alias(decoder, &located, alias, topic) {
                            self.refuse_located(now, decoder, &located, input, reason);
                            continue 'packets;
                        }
                        has_learned = true;
                        continue;
                    }
                }
                let skip = !decoder.options().has_payloads_in_pieces();
                let handled = self.handle_located::<M>(now, piece, skip);
                // The borrow checker rejects returning a borrow of the decoder from a loop that uses it,
                // so the event leaves the loop with the positions of its bytes. To read its packet again
                // takes less code.
                let event = match handled {
                    Ok(Some(outcome)) if !OPTIMIZE_SIZE => {
                        let bytes = decoder.bytes(&located);
                        let event = Self::event_of(*piece, outcome, M::TAKES_PIECES);
                        event.map(|event| V::map_event(event, |part| place_in(bytes, part)))
                    }
                    _ => None,
                };
                break (handled, event);
            };
            let outcome = match handled {
                Ok(outcome) => outcome,
                Err(HandleError::Blocked(blocked)) => return Err(blocked),
                // After a fault of the peer, actions follow.
                Err(HandleError::Peer(_) | HandleError::Ended) => None,
            };
            decoder.consume(&located, input);
            if let Some(outcome) = outcome {
                break (located, outcome, event);
            }
        };
        let event = if OPTIMIZE_SIZE {
            let piece = decoder.read(&located, R::PEER).ok().flatten();
            piece.and_then(|piece| Self::event_of(piece, outcome, M::TAKES_PIECES))
        } else {
            let bytes = decoder.bytes(&located);
            event.map(|event| V::map_event(event, |place| part_at(bytes, place)))
        };
        Ok(event.map(|mut event| {
            V::resolve(&mut event, decoder.buffer());
            Step::Event(event)
        }))
    }

    /// Returns the event of a packet that was handled with this outcome, or of a piece of one if there
    /// are pieces.
    #[inline]
    pub(super) fn event_of<'a>(
        piece: Piece<'a, V::Packet<'a>, V::PayloadHeader<'a>>,
        outcome: Outcome,
        has_pieces: bool,
    ) -> Option<V::Event<&'a [u8]>> {
        match piece {
            Piece::Packet(packet) => V::event(packet, outcome),
            _ if !has_pieces => None,
            Piece::PublishHeader(header) if outcome == Outcome::Skipped => {
                Some(V::skipped_event(header))
            }
            Piece::PublishHeader(header) => Some(V::header_event(header)),
            Piece::Payload { bytes, left } => Some(V::payload_event(bytes, left)),
        }
    }

    /// Handles a packet or a piece of one that a decoder with this buffer has returned.
    #[inline]
    fn handle_located<'a, M: Buffer>(
        &mut self,
        now: Timestamp,
        piece: &Piece<'a, V::Packet<'a>, V::PayloadHeader<'a>>,
        skip: bool,
    ) -> Result<Option<Outcome>, HandleError<V>> {
        match piece {
            Piece::Packet(packet) => self.handle_any(now, packet),
            piece if M::TAKES_PIECES => self.handle_piece_or_skip(now, piece, skip),
            // The decoder returns whole packets.
            Piece::PublishHeader(_) | Piece::Payload { .. } => Ok(None),
        }
    }

    /// Removes a located packet that the peer must not send, and ends the connection.
    #[cold]
    fn refuse_located<'i, M: Buffer>(
        &mut self,
        now: Timestamp,
        decoder: &mut StreamDecoder<V, M>,
        located: &Located<'i>,
        input: &mut &'i [u8],
        reason: CloseReason<V>,
    ) {
        decoder.consume(located, input);
        self.machine.tick(now);
        self.end(reason);
    }

    /// Handles a fault that the decoder has found.
    #[cold]
    #[inline(never)]
    fn handle_fault<M: Buffer>(
        &mut self,
        now: Timestamp,
        decoder: &mut StreamDecoder<V, M>,
        error: DecodeError<V>,
    ) {
        let limit = decoder.exceeded_limit(&error);
        self.handle_decode_error_at(now, decoder.fail(error), limit);
    }

    /// Handles a deadline that has passed, after all received bytes were handled.
    pub(crate) fn expire(&mut self, now: Timestamp) -> Option<Action<V>> {
        if self.is_overdue(now) {
            self.handle_timeout(now);
            return self.poll_action();
        }
        None
    }

    /// Returns true if a deadline has passed. [`Timestamp::MAX`] never passes.
    #[inline]
    fn is_overdue(&self, now: Timestamp) -> bool {
        let deadline = self.poll_timeout();
        deadline.is_some_and(|deadline| deadline <= now && deadline < Timestamp::MAX)
    }

    /// Checks that a connection begins with a decoder at the start of its stream.
    fn check_decoder<M: Buffer>(&mut self, decoder: &StreamDecoder<V, M>) -> Result<(), Blocked> {
        if !self.has_decoder {
            if self.state() != State::Connected && !decoder.is_at_start() {
                return Err(Blocked::UsedDecoder);
            }
            self.has_decoder = true;
        }
        Ok(())
    }
}
