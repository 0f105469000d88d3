//! From bytes to events and actions.

use core::num::NonZeroU16;
use core::ops::Range;

use super::action::Action;
use super::connection::Connection;
use super::error::{Blocked, HandleError, ProtocolError};
use super::machine::{Disposition, Rejection};
use super::role::Role;
use super::state::State;
use super::version::Version;
use crate::decoder::{Buffer, Located, Piece, StreamDecoder};
use crate::session::Slots;
use crate::time::Timestamp;
use crate::wire::{OPTIMIZE_SIZE, acknowledgement};

/// One step of a connection: an event for the application, or an action for the driver. `B` is
/// where the bytes of the event live.
#[expect(clippy::exhaustive_enums, reason = "a driver has to handle both")]
#[must_use = "events and actions are to be handled"]
#[cfg_attr(target_pointer_width = "64", repr(usize))] // see `v3::Packet`
pub enum Step<V: Version, B> {
    /// The driver has to do something.
    Action(Action<V>),
    /// The application is told something. The event may borrow from the input or the decoder.
    Event(V::Event<B>),
}

/// The result of handling received bytes.
enum Found<'i, V: Version> {
    Nothing,
    /// The event of a packet that lies in the input.
    InInput(V::Event<&'i [u8]>),
    /// The event of a packet in the decoder's buffer, with ranges of that buffer for its bytes.
    InBuffer(Located<'i>, V::Event<Range<usize>>),
}

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
    /// packets. A connection whose peer was silent for too long ends once `input` is empty.
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
            return Ok(Some(Step::Action(Action::Transmit(V::encode_reply(reply)))));
        }
        if self.machine.is_idle() && decoder.is_at_packet_boundary() && !self.is_ping_due(now) {
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
                    return Ok(Some(Step::Action(Action::Transmit(V::encode_reply(reply)))));
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
        // A reference of its own, so that the caller's can stay in registers.
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
        let found: Found<'d, V> = loop {
            if let Some(action) = self.poll_action() {
                return Ok(Some(Step::Action(action)));
            }
            if self.is_ping_due(now) {
                self.ping_if_due(now);
                continue;
            }
            if input.is_empty() && !decoder.holds_packet() {
                break Found::Nothing;
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
                Ok(None) => break Found::Nothing,
                Err(error) => {
                    self.handle_decode_error_at(now, error, decoder.exceeded_limit(&error));
                    continue;
                }
            };
            let skip = !decoder.options().has_payloads_in_pieces();
            // A packet that lies whole in the input borrows from it, so it is read once.
            if let Some(packet) = decoder.read_from_input(&located) {
                let packet = match packet {
                    Ok(packet) => packet,
                    Err(error) => {
                        decoder.consume(&located, Err(error), input);
                        self.handle_decode_error_at(now, error, decoder.exceeded_limit(&error));
                        continue;
                    }
                };
                let learned = self.learn_alias(decoder.buffer_mut(), &packet);
                let handled = match learned {
                    Ok(()) => self.handle_piece_or_skip(now, packet, skip),
                    Err(error) => Err(self.violation(error)),
                };
                if let Err(HandleError::Blocked(blocked)) = handled {
                    return Err(blocked);
                }
                decoder.consume(&located, Ok(()), input);
                if let Ok(Some(event)) = handled {
                    break Found::InInput(event);
                }
                continue;
            }
            if V::HAS_TOPIC_ALIASES {
                if let Err(error) = self.learn_alias_in_buffer(decoder, &located) {
                    decoder.consume(&located, Ok(()), input);
                    self.machine.tick(now);
                    self.violation(error);
                    continue;
                }
            }
            // The event of a packet in the decoder's buffer holds ranges of it: the borrow checker
            // rejects returning a borrow of the decoder out of a loop that uses it.
            let start = decoder.buffered(&located).as_ptr() as usize;
            let handled = match decoder.read(&located) {
                Ok(piece) => Ok(self.handle_piece_or_skip(now, piece, skip).map(|event| {
                    let places = |bytes: &[u8]| {
                        let from = (bytes.as_ptr() as usize).saturating_sub(start);
                        from..from.saturating_add(bytes.len())
                    };
                    event.map(|event| V::map_event(event, places))
                })),
                Err(error) => Err(error),
            };
            match handled {
                Err(error) => {
                    decoder.consume(&located, Err(error), input);
                    self.handle_decode_error_at(now, error, decoder.exceeded_limit(&error));
                }
                Ok(Err(HandleError::Blocked(blocked))) => return Err(blocked),
                Ok(handled) => {
                    decoder.consume(&located, Ok(()), input);
                    if let Ok(Some(event)) = handled {
                        break Found::InBuffer(located, event);
                    }
                    // After a fault of the peer, actions follow.
                }
            }
        };
        let event = match found {
            Found::Nothing => return Ok(self.expire(now).map(Step::Action)),
            Found::InInput(event) => event,
            Found::InBuffer(located, event) => {
                let buffered = decoder.buffered(&located);
                V::map_event(event, |place| buffered.get(place).unwrap_or_default())
            }
        };
        Ok(Some(Step::Event(V::resolve(event, decoder.buffer()))))
    }

    /// Learns the Topic Alias of a message, or knows it already.
    fn learn_alias<'a, M: Buffer>(
        &self,
        buffer: &mut M,
        piece: &Piece<'a, V::Packet<'a>, V::PayloadHeader<'a>>,
    ) -> Result<(), ProtocolError> {
        match V::topic_alias(piece) {
            None => Ok(()),
            Some((alias, [])) => self.check_known(buffer, alias),
            Some((alias, topic)) if buffer.set_topic(alias, topic) => Ok(()),
            Some(_) => Err(ProtocolError::TopicAliasInvalid),
        }
    }

    /// Whether a Topic Alias without a Topic Name stands for one (section 3.3.4).
    fn check_known<M: Buffer>(&self, buffer: &M, alias: NonZeroU16) -> Result<(), ProtocolError> {
        if buffer.topic(alias).is_some() {
            Ok(())
        } else if alias.get() > V::topic_alias_maximum(&self.limits) {
            Err(ProtocolError::TopicAliasInvalid)
        } else {
            Err(ProtocolError::TopicAliasUnknown)
        }
    }

    /// [`learn_alias`](Self::learn_alias) for a message in the decoder's buffer. The Topic Name cannot be
    /// borrowed from there while the buffer learns it, so it is passed as its place.
    fn learn_alias_in_buffer<M: Buffer>(
        &self,
        decoder: &mut StreamDecoder<V, M>,
        located: &Located<'_>,
    ) -> Result<(), ProtocolError> {
        let buffered = decoder.buffered(located);
        let (start, filled) = (buffered.as_ptr() as usize, buffered.len());
        let alias = match decoder.read(located) {
            Ok(piece) => V::topic_alias(&piece).map(|(alias, topic)| {
                let from = (topic.as_ptr() as usize).saturating_sub(start);
                (alias, from..from.saturating_add(topic.len()))
            }),
            // It is found again when the packet is handled.
            Err(_) => None,
        };
        match alias {
            None => Ok(()),
            Some((alias, place)) if place.is_empty() => self.check_known(decoder.buffer(), alias),
            Some((alias, place)) => {
                let buffer = decoder.buffer_mut();
                if buffer.set_topic_from_buffer(alias, filled, place) {
                    Ok(())
                } else {
                    Err(ProtocolError::TopicAliasInvalid)
                }
            }
        }
    }

    /// Handles a deadline that has passed, after all received bytes were handled.
    fn expire(&mut self, now: Timestamp) -> Option<Action<V>> {
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

    /// A connection begins with a decoder that is at the start of its stream.
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

impl<V: Version, B> Step<V, B> {
    /// Moves the bytes of an event elsewhere. `f` must not change them: its results are not
    /// validated again.
    pub fn map<C>(self, f: impl FnMut(B) -> C) -> Step<V, C> {
        match self {
            Self::Action(action) => Step::Action(action),
            Self::Event(event) => Step::Event(V::map_event(event, f)),
        }
    }
}

impl<V: Version> Step<V, &[u8]> {
    /// The same step with its bytes in vectors of their own (feature `alloc`).
    #[cfg(feature = "alloc")]
    pub fn to_owned(self) -> Step<V, alloc::vec::Vec<u8>> {
        self.map(<[u8]>::to_vec)
    }

    /// The same step as references into `whole`, the buffer that was passed to
    /// [`receive`](Connection::receive) (feature `bytes`). Bytes outside of it, such as a packet in
    /// the decoder's buffer, are copied.
    #[cfg(feature = "bytes")]
    pub fn share(self, whole: &bytes::Bytes) -> Step<V, bytes::Bytes> {
        self.map(|part| crate::wire::share(whole, part))
    }
}

impl<V: Version, B> core::fmt::Debug for Step<V, B>
where
    V::Event<B>: core::fmt::Debug,
{
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Action(action) => f.debug_tuple("Action").field(action).finish(),
            Self::Event(event) => f.debug_tuple("Event").field(event).finish(),
        }
    }
}

impl<V: Version, B> Clone for Step<V, B>
where
    V::Event<B>: Clone,
{
    fn clone(&self) -> Self {
        match self {
            Self::Action(action) => Self::Action(*action),
            Self::Event(event) => Self::Event(event.clone()),
        }
    }
}

impl<V: Version, B> Copy for Step<V, B> where V::Event<B>: Copy {}

impl<V: Version, B> PartialEq for Step<V, B>
where
    V::Event<B>: PartialEq,
{
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Action(a), Self::Action(b)) => a == b,
            (Self::Event(a), Self::Event(b)) => a == b,
            _ => false,
        }
    }
}

impl<V: Version, B> Eq for Step<V, B> where V::Event<B>: Eq {}

#[cfg(feature = "defmt")]
impl<V: Version, B> defmt::Format for Step<V, B>
where
    Action<V>: defmt::Format,
    V::Event<B>: defmt::Format,
{
    fn format(&self, f: defmt::Formatter<'_>) {
        match self {
            Self::Action(action) => defmt::write!(f, "Action({})", action),
            Self::Event(event) => defmt::write!(f, "Event({})", event),
        }
    }
}
