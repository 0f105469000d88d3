//! What both roles offer alike: their delivery is the same, so their methods are.

/// The commands, inputs, outputs and views that do not depend on the role, for a `struct` with a
/// `core`, `handle_packet` and `check_may_handle`.
macro_rules! both_roles {
    ($Role:ident) => {
        /// # Commands and views that both roles have
        impl<S: Slots> $Role<S> {
            /// Publishes a message to the peer. Above QoS 0 it returns the Packet Identifier under which
            /// the message is to be kept until [`Event::Delivered`].
            ///
            /// # Errors
            ///
            /// [`CommandError::WindowFull`] if as many as possible are under way, and others that say what
            /// has to come first. Nothing has changed then.
            #[inline]
            pub fn publish<B: AsRef<[u8]>, O: Output + ?Sized>(
                &mut self,
                now: Timestamp,
                message: &Message<B>,
                out: &mut O,
            ) -> Result<Option<PacketId>, CommandError> {
                self.core.publish(now, message, out)
            }

            /// Publishes a message that is encoded once for many connections: what it returns is to be
            /// sent with what they share, in the order of [`EncodedMessage::slices`]. Above QoS 0 the
            /// message is to be kept under the [`SubscriberHeader::packet_id`] until
            /// [`Event::Delivered`].
            ///
            /// ```
            /// # use mqtt_sansio::v3::{Decoder, EncodedMessage};
            /// # use mqtt_sansio::{Config, QoS, Server, Session, Slot, SliceOutput, Timestamp, TopicName};
            /// # let now = Timestamp::from_millis(0);
            /// # let mut subscribers = Vec::new();
            /// # for _ in 0..3 {
            /// #     let mut server = Server::new(Session::<[Slot; 4]>::default(), Config::new(), now);
            /// #     let mut received = &b"\x10\x0c\0\x04MQTT\x04\x02\0\0\0\0"[..];
            /// #     let mut decoder = Decoder::new([0; 64]);
            /// #     let connect = decoder.decode(&mut received)?.unwrap();
            /// #     server.handle_packet(now, connect)?;
            /// #     server.accept(now, &mut None, &mut SliceOutput::new(&mut [0; 4]))?;
            /// #     subscribers.push((server, Vec::<u8>::new()));
            /// # }
            /// let mut topic = [0; 64];
            /// let message =
            ///     EncodedMessage::encode_to_slice(&mut topic, &TopicName::new("a/b")?, b"21.5")?;
            /// for (server, out) in &mut subscribers {
            ///     let part = server.publish_encoded(now, &message, QoS::AtLeastOnce, false)?;
            ///     for slice in message.slices(&part) {
            ///         out.extend_from_slice(slice); // or all four in one vectored write
            ///     }
            ///     assert_eq!(out, b"2\x0b\0\x03a/b\0\x0121.5");
            /// }
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            ///
            /// # Errors
            ///
            /// As [`publish`](Self::publish), but nothing can be wrong with the message any more.
            #[inline]
            pub fn publish_encoded<T: AsRef<[u8]>, P: AsRef<[u8]>>(
                &mut self,
                now: Timestamp,
                message: &EncodedMessage<T, P>,
                qos: QoS,
                retain: bool,
            ) -> Result<SubscriberHeader, CommandError> {
                self.core.publish_encoded(now, message, qos, retain)
            }

            /// Publishes a message whose payload follows with [`payload`](Self::payload). Until all of it
            /// has, nothing else can be sent.
            ///
            /// # Errors
            ///
            /// As [`publish`](Self::publish).
            pub fn publish_in_pieces<B: AsRef<[u8]>, O: Output + ?Sized>(
                &mut self,
                now: Timestamp,
                message: &MessageHeader<B>,
                out: &mut O,
            ) -> Result<Option<PacketId>, CommandError> {
                self.core.publish_in_pieces(now, message, out)
            }

            /// The next piece of a payload. Returns how many bytes are still to come.
            ///
            /// # Errors
            ///
            /// [`CommandError::PayloadTooLong`] if that is more than was announced.
            pub fn payload<O: Output + ?Sized>(
                &mut self,
                now: Timestamp,
                bytes: &[u8],
                out: &mut O,
            ) -> Result<u32, CommandError> {
                self.core.payload(now, bytes, out)
            }

            /// Says that the next `len` bytes of a payload have been sent, or are queued, by the caller
            /// itself: for a vectored write, so that they need not be copied. Returns how many bytes are
            /// still to come.
            ///
            /// # Errors
            ///
            /// As [`payload`](Self::payload).
            pub fn payload_sent(
                &mut self,
                now: Timestamp,
                len: usize,
            ) -> Result<u32, CommandError> {
                self.core.payload_sent(now, len)
            }

            /// Sends a message again that [`Action::Resend`] has asked for, with DUP [MQTT-3.3.1-1].
            ///
            /// # Errors
            ///
            /// [`CommandError::NotAwaited`] if it was not asked for, [`CommandError::QosChanged`] if it was sent
            /// at another QoS, and others that say what has to come first.
            pub fn resend<B: AsRef<[u8]>, O: Output + ?Sized>(
                &mut self,
                now: Timestamp,
                packet_id: PacketId,
                message: &Message<B>,
                out: &mut O,
            ) -> Result<(), CommandError> {
                self.core.resend(now, packet_id, message, out)
            }

            /// [`resend`](Self::resend) for a message that is encoded once for many connections, as
            /// [`publish_encoded`](Self::publish_encoded) sent it.
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
                self.core
                    .resend_encoded(now, packet_id, message, qos, retain)
            }

            /// [`resend`](Self::resend) with a payload in pieces.
            ///
            /// # Errors
            ///
            /// As `resend`.
            pub fn resend_in_pieces<B: AsRef<[u8]>, O: Output + ?Sized>(
                &mut self,
                now: Timestamp,
                packet_id: PacketId,
                message: &MessageHeader<B>,
                out: &mut O,
            ) -> Result<(), CommandError> {
                self.core.resend_in_pieces(now, packet_id, message, out)
            }

            /// Gives up a message that [`Action::Resend`] has asked for and that the application does not
            /// have any more. Its identifier is free again. At QoS 2 the peer may hold that identifier for
            /// ever, and would take a later message with it for this one: better keep such messages.
            ///
            /// # Errors
            ///
            /// [`CommandError::NotAwaited`] if it was not asked for, and others that say what has to come first.
            pub fn forget(&mut self, packet_id: PacketId) -> Result<(), CommandError> {
                self.core.forget(packet_id)
            }

            /// Acknowledges a message (with [`Config::manual_acknowledgement`]): it is the application's
            /// now. May also be said between connections of a QoS 2 message, or for a message that came in
            /// pieces once the last piece has come.
            ///
            /// # Errors
            ///
            /// [`CommandError::NotAwaited`] if no message with this identifier awaits it.
            pub fn acknowledge(&mut self, packet_id: PacketId) -> Result<(), CommandError> {
                self.core.acknowledge(packet_id)
            }

            /// Whether [`publish`](Self::publish) has room for a message of this QoS now: the connection
            /// is accepted, nothing has to come first, and the window and the slots allow it. What it
            /// changes is at most how many slots a `Vec` has.
            pub fn can_publish(&mut self, qos: QoS) -> bool {
                self.core.can_publish(qos)
            }

            /// A packet has come.
            ///
            /// # Errors
            ///
            /// [`HandleError::Peer`] if the peer must not send it: the connection is over.
            /// [`HandleError::Blocked`] if something has to be done first: hand the packet in again then.
            #[inline]
            pub fn handle_packet<B: AsRef<[u8]>>(
                &mut self,
                now: Timestamp,
                packet: Packet<B>,
            ) -> Result<Option<Event<B>>, HandleError> {
                // The state is checked before the packet is looked at.
                if !self.core.pending.can_handle_publish() {
                    return self.handle_other(now, packet);
                }
                let (packet_type, packet_id) = match packet {
                    Packet::Publish(publish) => return self.core.handle_publish(now, publish),
                    Packet::PubAck(ack) => (PacketType::PubAck, ack.packet_id),
                    Packet::PubRec(ack) => (PacketType::PubRec, ack.packet_id),
                    Packet::PubRel(ack) => (PacketType::PubRel, ack.packet_id),
                    Packet::PubComp(ack) => (PacketType::PubComp, ack.packet_id),
                    other => return self.handle_other(now, other),
                };
                self.core
                    .handle_acknowledgement(now, packet_type, packet_id)
            }

            /// Bytes have come: takes them off the front of `input` until there is something to do.
            /// `None`: there is nothing left to do, and `input` is used up; what it held of an
            /// incomplete packet is in the decoder. Call it until then.
            ///
            /// This is what [`Decoder::decode`](crate::Decoder::decode), `handle_packet`,
            /// `handle_decode_error` and `poll_action` do together, in one loop, and faster, as no packet
            /// is handed around. An action that is due comes first, also with an empty `input`. A fault
            /// of the peer is no error here: the connection has ended then, [`Action::Close`] comes
            /// and says why, and the rest of `input` is of no interest to anybody.
            ///
            /// For payloads in pieces there are `decode_in_pieces` and `handle_piece`: after the header of
            /// such a message all its pieces have to go that way, before this is called again.
            ///
            /// ```
            /// use mqtt_sansio::v3::Decoder;
            /// use mqtt_sansio::{
            ///     Action, Config, Event, Output, Server, Session, Slot, SliceOutput, Step, Timestamp,
            /// };
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
            ///         Step::Event(Event::ConnectRequested(_)) => server.accept(now, &mut None, &mut out)?,
            ///         Step::Event(event) => println!("{event:?}"),
            ///         Step::Action(Action::Transmit(packet)) => out.put(packet.as_bytes())?,
            ///         Step::Action(action) => println!("{action:?}"),
            ///     }
            /// }
            /// assert_eq!(out.written(), b"\x20\x02\0\0\xd0\0"); // CONNACK and PINGRESP
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            ///
            /// # Errors
            ///
            /// Something has to be done first; the packet stays in `input`, or in the decoder. Call it
            /// again then, with the same `input`. Never [`Blocked::ActionsPending`].
            #[inline]
            pub fn receive<'d, 'i: 'd, M: Buffer>(
                &mut self,
                now: Timestamp,
                decoder: &'d mut Decoder<M>,
                input: &mut &'i [u8],
            ) -> Result<Option<Step<&'d [u8]>>, Blocked> {
                // What is common goes a short way.
                if OPTIMIZE_SIZE {
                    return self.receive_slow(now, decoder, input);
                }
                if let Some(action) = self.core.poll_answer() {
                    return Ok(Some(Step::Action(action)));
                }
                if self.core.pending.is_idle() && decoder.is_at_packet_boundary() {
                    if input.is_empty() {
                        return Ok(None);
                    }
                    if let Some((packet_type, id)) =
                        decoder.take_acknowledgement(input, acknowledgement)
                    {
                        let result = self.core.handle_acknowledgement(now, packet_type, id);
                        if let Ok(Some(event)) = result {
                            return Ok(Some(Step::Event(event)));
                        }
                        if let Some(action) = self.core.poll_answer() {
                            return Ok(Some(Step::Action(action)));
                        }
                    } else if let Some(frame) = decoder.try_frame(input) {
                        if let Some(publish) = try_read_publish(&frame.header, frame.bytes) {
                            match self.core.take_message(now, publish.delivery) {
                                Ok(Disposition::Deliver) => {
                                    decoder.take(&frame, input);
                                    return Ok(Some(Step::Event(Event::Message(publish))));
                                }
                                Err(HandleError::Blocked(why)) => return Err(why),
                                Ok(Disposition::Duplicate) | Err(_) => decoder.take(&frame, input),
                            }
                        }
                    }
                }
                // With a reference of its own, so that the caller's can stay in registers.
                let mut rest = *input;
                let step = self.receive_slow(now, decoder, &mut rest);
                *input = rest;
                step
            }

            /// [`receive`](Self::receive) for everything.
            #[inline(never)]
            fn receive_slow<'d, 'i: 'd, M: Buffer>(
                &mut self,
                now: Timestamp,
                decoder: &'d mut Decoder<M>,
                input: &mut &'i [u8],
            ) -> Result<Option<Step<&'d [u8]>>, Blocked> {
                loop {
                    if let Some(action) = self.poll_action() {
                        return Ok(Some(Step::Action(action)));
                    }
                    if input.is_empty() && !decoder.holds_packet() {
                        return Ok(None);
                    }
                    match self.check_may_handle() {
                        Ok(()) => {}
                        Err(HandleError::Blocked(why)) => return Err(why),
                        // The connection has ended.
                        Err(_) => {
                            *input = &[];
                            return Ok(None);
                        }
                    }
                    let found = match decoder.find(input) {
                        Ok(Some(found)) => found,
                        Ok(None) => return Ok(None),
                        Err(error) => {
                            self.handle_decode_error(now, error);
                            return Ok(self.poll_action().map(Step::Action));
                        }
                    };
                    // Dealt with and read again if the event borrows from it: nothing that does can be
                    // given out of a loop.
                    let outcome = match decoder.read(&found) {
                        Ok(Some(packet)) => self
                            .handle_packet(now, packet)
                            .map(|event| Outcome::of(event.as_ref())),
                        Ok(None) => Ok(Outcome::Nothing),
                        Err(error) => {
                            decoder.settle(&found, Err(error), input);
                            self.handle_decode_error(now, error);
                            return Ok(self.poll_action().map(Step::Action));
                        }
                    };
                    if let Err(HandleError::Blocked(why)) = outcome {
                        return Err(why);
                    }
                    decoder.settle(&found, Ok(()), input);
                    match outcome {
                        Ok(Outcome::Event(event)) => return Ok(Some(Step::Event(event))),
                        Ok(Outcome::Packet) => {
                            let packet = decoder.read(&found).ok().flatten();
                            return Ok(packet.and_then(event_of).map(Step::Event));
                        }
                        // What follows from a fault of the peer are actions.
                        Ok(Outcome::Nothing) | Err(_) => {}
                    }
                }
            }

            /// A packet or a piece of one has come: for
            /// [`Decoder::decode_in_pieces`](crate::Decoder::decode_in_pieces). A message in pieces is
            /// acknowledged after its last piece.
            ///
            /// # Errors
            ///
            /// As [`handle_packet`](Self::handle_packet).
            pub fn handle_piece<'a>(
                &mut self,
                now: Timestamp,
                piece: PieceRef<'a>,
            ) -> Result<Option<Event<&'a [u8]>>, HandleError> {
                match piece {
                    PieceRef::Packet(packet) => self.handle_packet(now, packet),
                    PieceRef::PublishHeader(header) => {
                        self.check_may_handle()?;
                        self.core.tick(now);
                        self.core.handle_publish_header(header)
                    }
                    PieceRef::Payload { bytes, left } => {
                        self.check_may_handle()?;
                        self.core.tick(now);
                        self.core.handle_payload(bytes, left)
                    }
                }
            }

            /// The next thing to do. Any command and any input can change the answer: call it until it
            /// returns `None` after each.
            #[must_use = "actions are to be carried out"]
            #[inline]
            pub fn poll_action(&mut self) -> Option<Action> {
                self.core.poll_action()
            }

            /// How far the connection has come.
            pub const fn state(&self) -> State {
                self.core.state()
            }

            /// The session, to look at or to save.
            pub const fn session(&self) -> &Session<S> {
                &self.core.session
            }
        }
    };
}
pub(super) use both_roles;
