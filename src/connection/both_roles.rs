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
            /// [`SendError::WindowFull`] if as many as possible are under way, and others that say what
            /// has to come first. Nothing has changed then.
            #[inline]
            pub fn publish<B: AsRef<[u8]>, O: Output + ?Sized>(
                &mut self,
                now: Timestamp,
                message: &Message<B>,
                out: &mut O,
            ) -> Result<Option<PacketId>, SendError> {
                self.core.publish(now, message, out)
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
            ) -> Result<Option<PacketId>, SendError> {
                self.core.publish_in_pieces(now, message, out)
            }

            /// The next piece of a payload. Returns how many bytes are still to come.
            ///
            /// # Errors
            ///
            /// [`SendError::PayloadTooLong`] if that is more than was announced.
            pub fn payload<O: Output + ?Sized>(
                &mut self,
                now: Timestamp,
                bytes: &[u8],
                out: &mut O,
            ) -> Result<u32, SendError> {
                self.core.payload(now, bytes, out)
            }

            /// Says that the next `len` bytes of a payload have been sent, or are queued, by the caller
            /// itself: for a vectored write, so that they need not be copied. Returns how many bytes are
            /// still to come.
            ///
            /// # Errors
            ///
            /// As [`payload`](Self::payload).
            pub fn payload_sent(&mut self, now: Timestamp, len: usize) -> Result<u32, SendError> {
                self.core.payload_sent(now, len)
            }

            /// Sends a message again that [`Action::Resend`] has asked for, with DUP [MQTT-3.3.1-1].
            ///
            /// # Errors
            ///
            /// [`SendError::NotAwaited`] if it was not asked for.
            pub fn resend<B: AsRef<[u8]>, O: Output + ?Sized>(
                &mut self,
                now: Timestamp,
                packet_id: PacketId,
                message: &Message<B>,
                out: &mut O,
            ) -> Result<(), SendError> {
                self.core.resend(now, packet_id, message, out)
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
            ) -> Result<(), SendError> {
                self.core.resend_in_pieces(now, packet_id, message, out)
            }

            /// Gives up a message that [`Action::Resend`] has asked for and that the application does not
            /// have any more. Its identifier is free again. At QoS 2 the peer may hold that identifier for
            /// ever, and would take a later message with it for this one: better keep such messages.
            ///
            /// # Errors
            ///
            /// [`SendError::NotAwaited`] if it was not asked for.
            pub fn forget(&mut self, packet_id: PacketId) -> Result<(), SendError> {
                self.core.forget(packet_id)
            }

            /// Acknowledges a message (with [`Config::manual_acknowledgement`]): it is the application's
            /// now. May also be said between connections, or for a message that came in pieces once the
            /// last piece has come.
            ///
            /// # Errors
            ///
            /// [`SendError::NotAwaited`] if no message with this identifier awaits it.
            pub fn acknowledge(&mut self, packet_id: PacketId) -> Result<(), SendError> {
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
            /// [`HandleError::NotNow`] if something has to be done first: hand the packet in again then.
            #[inline]
            pub fn handle_packet<B: AsRef<[u8]>>(
                &mut self,
                now: Timestamp,
                packet: Packet<B>,
            ) -> Result<Option<Event<B>>, HandleError> {
                // The state is checked before the packet is looked at.
                if !self.is_flowing() {
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
                self.core.state
            }

            /// The session, to look at or to save.
            pub const fn session(&self) -> &Session<S> {
                &self.core.session
            }
        }
    };
}
pub(super) use both_roles;
