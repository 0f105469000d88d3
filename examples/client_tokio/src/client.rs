//! The API for the application.

use std::io;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use client::Failure;
use client::outgoing::Undelivered;
use client::protocol::{Connect, Message, Protocol, Subscribe};
use client::retry::LONGEST_PAUSE;
use futures_util::Stream;
use mqtt_sansio::v3::ProtocolLevel;
use mqtt_sansio::v5::{self, ReasonCode};
use mqtt_sansio::{Acknowledgement, CommandError, Config, QoS, TopicFilter};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};

use crate::driver::{Command, Driver, Publishing};
use crate::requests::{Kind, RESERVED};

/// The configuration of a client.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "an example, not a library")]
pub struct Options {
    /// CONNECT.
    pub connect: Connect,
    /// The limits of the connection.
    pub config: Config,
    /// Connect again after the connection is lost.
    pub reconnect: bool,
    /// The longest pause between attempts.
    pub max_pause: Duration,
    /// Called when a connection is lost, with the reason, before the next attempt.
    pub on_lost: fn(&Failure),
    /// How many QoS 0 messages wait in a [`Subscription`]. More are dropped.
    pub max_queued: usize,
}

impl Options {
    /// At most 20 messages in flight, and 10,000 waiting QoS 0 messages.
    #[must_use]
    pub fn new(connect: v5::Connect<&[u8]>) -> Self {
        Self {
            connect: Connect {
                packet: connect.map(<[u8]>::to_vec),
                level: ProtocolLevel::V3_1_1,
            },
            config: Config::new().max_inflight(20),
            reconnect: true,
            max_pause: LONGEST_PAUSE,
            on_lost: |_| {},
            max_queued: 10_000,
        }
    }
}

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(clippy::exhaustive_enums, reason = "an example, not a library")]
pub enum Error {
    /// The driver has ended. Its result has the reason.
    #[error("the connection has ended")]
    Ended,
    /// The server did not receive the message, or refused it.
    #[error("{0}")]
    Undelivered(Undelivered),
    /// The server refused the subscription.
    #[error("{0}")]
    Refused(ReasonCode),
    /// This server does not accept it.
    #[error("{0}")]
    Command(#[from] CommandError),
}

/// A client. Clones share one connection. When the last clone is dropped, the driver disconnects.
#[derive(Debug, Clone)]
pub struct Client {
    commands: mpsc::Sender<Command>,
    max_queued: usize,
}

impl Client {
    /// Returns a client and its driver: a future that connects with `dial`, again whenever the
    /// connection is lost. It completes after [`disconnect`](Self::disconnect), or when another
    /// attempt cannot succeed.
    pub fn new<V, D, F, S>(
        options: Options,
        dial: D,
    ) -> (Self, impl Future<Output = Result<(), Failure>>)
    where
        V: Protocol,
        D: FnMut() -> F,
        F: Future<Output = io::Result<S>>,
        S: AsyncRead + AsyncWrite,
    {
        // When the channel is full, `publish` waits for the connection.
        let (commands, receiver) = mpsc::channel(64);
        let max_queued = options.max_queued;
        let driver = Driver::<V>::new(options, receiver).run(dial);
        (
            Self {
                commands,
                max_queued,
            },
            driver,
        )
    }

    /// Publishes a message. Completes when the server has acknowledged it, or at QoS 0 when it is
    /// sent. The connection may be lost and opened again in between.
    ///
    /// # Errors
    ///
    /// [`Error`] has the reason why the server does not have the message.
    pub async fn publish(&self, message: Message) -> Result<(), Error> {
        self.enqueue(message).await?.await
    }

    /// Publishes a message without waiting for its delivery. Completes when the message has its
    /// place in the order of all messages. The [`Delivery`] completes as [`publish`](Self::publish)
    /// does.
    ///
    /// # Errors
    ///
    /// [`Error::Ended`].
    pub async fn enqueue(&self, message: Message) -> Result<Delivery, Error> {
        let (done, delivery) = oneshot::channel();
        self.command(Command::Publish(Publishing { message, done }))
            .await?;
        Ok(Delivery(delivery))
    }

    /// Subscribes to one Topic Filter.
    ///
    /// # Errors
    ///
    /// As for [`subscribe`](Self::subscribe).
    pub async fn subscribe_to(
        &self,
        filter: TopicFilter<&[u8]>,
        qos: QoS,
    ) -> Result<Subscription, Error> {
        let entry = v5::Subscription::new(filter, qos);
        let subscriptions =
            v5::Subscriptions::encode_to_vec([entry]).map_err(CommandError::from)?;
        let properties = v5::SubscribeProperties::EMPTY.to_owned();
        let (subscription, codes) = self
            .subscribe(Subscribe {
                subscriptions,
                properties,
            })
            .await?;
        match codes.first() {
            Some(code) if code.is_error() => Err(Error::Refused(*code)),
            _ => Ok(subscription),
        }
    }

    /// Subscribes, and subscribes again on each connection without the earlier session. Completes
    /// with the Reason Codes when the server has answered.
    ///
    /// A message goes to each subscription whose Topic Filter matches. If filters of several
    /// subscriptions overlap, the server may send a message once for each of them.
    ///
    /// # Errors
    ///
    /// [`Error::Ended`], or [`Error::Command`] if the server does not support such a subscription.
    pub async fn subscribe(
        &self,
        subscribe: Subscribe,
    ) -> Result<(Subscription, Vec<ReasonCode>), Error> {
        let (sender, messages) = mpsc::channel(self.max_queued + RESERVED);
        let (done, acknowledged) = oneshot::channel();
        self.command(Command::Request(Kind::Subscribe {
            subscribe,
            messages: sender,
            done: Some(done),
        }))
        .await?;
        let codes = acknowledged.await.map_err(|_| Error::Ended)??;
        Ok((Subscription(messages), codes))
    }

    /// Ends subscriptions. Completes when the server has answered.
    ///
    /// # Errors
    ///
    /// As for [`subscribe`](Self::subscribe).
    pub async fn unsubscribe(&self, filters: v5::TopicFilters<Vec<u8>>) -> Result<(), Error> {
        let (done, acknowledged) = oneshot::channel();
        self.command(Command::Request(Kind::Unsubscribe(filters, done)))
            .await?;
        acknowledged.await.map_err(|_| Error::Ended)?
    }

    /// Disconnects when every message published before is delivered.
    ///
    /// # Errors
    ///
    /// [`Error::Ended`].
    pub async fn disconnect(&self, disconnect: v5::Disconnect<Vec<u8>>) -> Result<(), Error> {
        self.command(Command::Disconnect(disconnect)).await
    }

    async fn command(&self, command: Command) -> Result<(), Error> {
        self.commands.send(command).await.map_err(|_| Error::Ended)
    }
}

/// Completes when a message was delivered, or could not be.
#[derive(Debug)]
#[must_use = "the message may not be delivered"]
pub struct Delivery(oneshot::Receiver<Result<(), Error>>);

impl Future for Delivery {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let result = ready!(Pin::new(&mut self.0).poll(context));
        Poll::Ready(result.unwrap_or(Err(Error::Ended)))
    }
}

/// The messages of a subscription. It ends with the driver, or if the server refuses the
/// subscription.
#[derive(Debug)]
pub struct Subscription(mpsc::Receiver<Received>);

impl Stream for Subscription {
    type Item = Received;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Received>> {
        self.0.poll_recv(context)
    }
}

/// A received message. It is acknowledged when it is dropped in every subscription that has it. The
/// server resends a message that the application has not processed.
#[derive(Debug, Clone)]
pub struct Received {
    message: Arc<Message>,
    guard: Option<Arc<Guard>>,
}

impl Received {
    pub(crate) fn new(message: Message, guard: Option<Arc<Guard>>) -> Self {
        Self {
            message: Arc::new(message),
            guard,
        }
    }

    /// Returns true above QoS 0.
    pub(crate) const fn is_guarded(&self) -> bool {
        self.guard.is_some()
    }
}

impl Deref for Received {
    type Target = Message;

    fn deref(&self) -> &Message {
        &self.message
    }
}

/// Acknowledges a message when it is dropped.
#[derive(Debug)]
pub(crate) struct Guard {
    pub(crate) acknowledgement: Acknowledgement,
    pub(crate) acknowledged: mpsc::UnboundedSender<Acknowledgement>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        // The driver may have ended.
        let _ = self.acknowledged.send(self.acknowledgement);
    }
}
