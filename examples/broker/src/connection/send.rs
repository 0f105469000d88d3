//! Messages to the client.

use mqtt_sansio::any::{ProtocolVersion, Server};
use mqtt_sansio::v5::{AliasVec, OutboundAliases};
use mqtt_sansio::{CommandError, PacketId, Slot, Timestamp};

use super::Connection;
use crate::message::Outgoing;

/// While this many bytes wait to be sent, messages stay in the queue, which can drop them.
pub(super) const SIZE: usize = 64 * 1024;

impl Connection {
    /// Resends messages that the connection asked for, then sends queued ones, while there is
    /// space.
    pub(super) fn send_messages(&mut self) {
        self.has_more = false;
        let now = self.now();
        while self.out.len() < SIZE {
            let Some(packet_id) = self.resend.pop_front() else {
                break;
            };
            let resent = match self.outbox.get(packet_id) {
                Some(outgoing) => {
                    let (message, receiver) = (&*outgoing.message.encoded, outgoing.receiver(now));
                    self.server
                        .resend_encoded(now, packet_id, message, receiver)
                        .map(|header| append(&message.slices(&header), &mut self.out))
                }
                // Another member of the Shared Subscription has it.
                None => self.server.forget(packet_id),
            };
            // Other errors mean that the message was acknowledged meanwhile, or that the connection
            // has ended.
            if let Err(CommandError::PacketTooLarge | CommandError::Encode(_)) = resent {
                let _ = self.server.forget(packet_id);
                self.outbox.remove(packet_id);
            }
            self.act();
        }
        let Some(client) = &self.client else { return };
        let mut broker = self.shared.broker();
        let has_retained = broker.replay(now, client);
        let Some(queue) = broker.queue(client) else {
            return;
        };
        // Set while messages above QoS 0 have to wait for an acknowledgement. In MQTT 5 messages at QoS
        // 0 are still sent (section 4.9); in MQTT 3.1.1 all keep their order.
        let mut is_window_full = false;
        let is_v5 = self.server.version() == Some(ProtocolVersion::V5);
        while self.out.len() < SIZE {
            let Some(outgoing) = queue.pop(now, is_window_full) else {
                break;
            };
            match send(
                &mut self.server,
                &mut self.aliases,
                now,
                &outgoing,
                &mut self.out,
            ) {
                Ok(Some(packet_id)) => drop(self.outbox.keep(packet_id, outgoing)),
                // A message that exceeds the client's Maximum Packet Size counts as sent
                // [MQTT5-3.1.2-25].
                Ok(None) | Err(CommandError::PacketTooLarge | CommandError::Encode(_)) => {}
                Err(CommandError::WindowFull) if is_v5 && !is_window_full => {
                    queue.put_back(outgoing);
                    is_window_full = true;
                }
                Err(_) => {
                    queue.put_back(outgoing);
                    return;
                }
            }
        }
        self.has_more = self.out.len() >= SIZE || (has_retained && !is_window_full);
    }
}

/// Publishes a message to the client, with a Topic Alias if the client allows it.
fn send(
    server: &mut Server<Vec<Slot>>,
    aliases: &mut OutboundAliases<AliasVec>,
    now: Timestamp,
    outgoing: &Outgoing,
    out: &mut Vec<u8>,
) -> Result<Option<PacketId>, CommandError> {
    let (message, receiver) = (&*outgoing.message.encoded, outgoing.receiver(now));
    let takes_aliases = server
        .limits()
        .is_some_and(|limits| limits.peer.topic_alias_maximum > 0);
    let header = if takes_aliases {
        server.publish_encoded_aliased(now, message, receiver, aliases)
    } else {
        server.publish_encoded(now, message, receiver)
    }?;
    append(&message.slices(&header), out);
    Ok(header.packet_id())
}

fn append(slices: &[&[u8]], out: &mut Vec<u8>) {
    for slice in slices {
        out.extend_from_slice(slice);
    }
}
