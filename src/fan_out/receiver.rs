//! The parameters of one receiver.

use crate::packet::fmt::fields;
use crate::packet::storage;
use crate::types::QoS;
use crate::v5::SubscriptionIdentifiers;

/// The parts of a PUBLISH that differ between receivers. Packet Identifier and DUP come from the
/// receiver's connection.
///
/// `B` is where the encoded Subscription Identifiers live. Encode them once, when the client
/// subscribes; every message borrows them.
///
/// ```
/// use mqtt_sansio::v5::{Property, SubscriptionIdentifiers};
/// use mqtt_sansio::{QoS, Receiver};
///
/// let mut buffer = [0; 8];
/// let number = Property::SubscriptionIdentifier(7.try_into()?);
/// let identifiers = SubscriptionIdentifiers::encode_to_slice(&mut buffer, [number])?;
/// let receiver = Receiver::new(QoS::AtLeastOnce)
///     .waited(3)
///     .subscription_identifiers(identifiers);
/// assert_eq!(receiver.subscription_identifiers.as_bytes(), [0x0b, 7]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "the fields are the standard's")]
pub struct Receiver<B> {
    /// The QoS for this receiver: the smaller of the message's and the subscription's
    /// [MQTT-3.8.4-6, MQTT5-3.8.4-8].
    pub qos: QoS,
    /// RETAIN for this receiver (section 3.3.1.3).
    pub retain: bool,
    /// For how many seconds the message has waited in the server. They are subtracted from its Message
    /// Expiry Interval [MQTT5-3.3.2-6].
    pub waited: u32,
    /// The identifiers of the matching subscriptions [MQTT5-3.3.4-3]. A receiver of MQTT 3.1.1 gets
    /// none.
    pub subscription_identifiers: SubscriptionIdentifiers<B>,
}

impl Receiver<&'static [u8]> {
    /// Creates a receiver at this QoS, of a message that is not retained and has not waited,
    /// without Subscription Identifiers.
    #[must_use]
    pub const fn new(qos: QoS) -> Self {
        Self {
            qos,
            retain: false,
            waited: 0,
            subscription_identifiers: SubscriptionIdentifiers::EMPTY,
        }
    }
}

impl<B> Receiver<B> {
    /// Sets the RETAIN flag.
    #[must_use]
    pub const fn retain(mut self, retain: bool) -> Self {
        self.retain = retain;
        self
    }

    /// Sets for how many seconds the message has waited.
    #[must_use]
    pub const fn waited(mut self, seconds: u32) -> Self {
        self.waited = seconds;
        self
    }

    /// Sets the Subscription Identifiers.
    #[must_use]
    pub fn subscription_identifiers<C>(
        self,
        identifiers: SubscriptionIdentifiers<C>,
    ) -> Receiver<C> {
        Receiver {
            qos: self.qos,
            retain: self.retain,
            waited: self.waited,
            subscription_identifiers: identifiers,
        }
    }
}

storage!(Receiver {
    qos: value,
    retain: value,
    waited: value,
    subscription_identifiers: part
});

fields!(Receiver(this) {
    qos: this.qos,
    retain: this.retain,
    waited: this.waited,
    subscription_identifiers: this.subscription_identifiers,
});
