//! `sub`, `rr`, and both directions at once: prints received messages.

use client::Failure;
use client::arguments::{Request, Subscriber};
use client::output::{self, is_granted};
use client::protocol::{Message, Subscribe};
use client_tokio::{Client, Subscription};
use futures_util::StreamExt;
use mqtt_sansio::v5::ReasonCode;

use crate::publisher::{Deliveries, Lines, read_payload};
use crate::{PROGRAM, failed};

/// Runs `sub`. Keeps the subscription in `subscription`, for the caller.
pub(crate) async fn subscribe(
    client: &Client,
    subscriber: Subscriber,
    subscription: &mut Option<Subscription>,
) -> Result<(), Failure> {
    let unsubscribe = async {
        match subscriber.unsubscribe {
            Some(filters) => client.unsubscribe(filters).await,
            None => Ok(()),
        }
    };
    let asked = subscriber.subscribe.clone();
    let (subscribed, unsubscribed) = tokio::join!(client.subscribe(asked), unsubscribe);
    let (messages, codes) = subscribed.map_err(failed)?;
    let messages = subscription.insert(messages);
    check_granted(&subscriber.subscribe, &codes)?;
    unsubscribed.map_err(failed)?;
    if subscriber.only_subscribe {
        return Ok(());
    }
    let mut received = 0;
    while subscriber.count.is_none_or(|count| received < count) {
        let message = messages.next().await.ok_or(Failure::Denied)?;
        print(&message, subscriber.print_topic)?;
        received = received.saturating_add(1);
    }
    Ok(())
}

/// `rr`: subscribes to the Response Topic, then publishes the request.
pub(crate) async fn request(
    client: &Client,
    request: Request,
    subscription: &mut Option<Subscription>,
) -> Result<(), Failure> {
    let subscribed = client.subscribe(request.subscribe.clone()).await;
    let (messages, codes) = subscribed.map_err(failed)?;
    let messages = subscription.insert(messages);
    check_granted(&request.subscribe, &codes)?;
    let message = Message {
        payload: read_payload(request.publish.source.clone())
            .await?
            .unwrap_or_default(),
        ..request.publish.message.clone()
    };
    let mut deliveries = Deliveries::default();
    deliveries.publish(client, message).await?;
    let mut delivered = std::pin::pin!(deliveries.finish());
    let mut is_delivered = false;
    loop {
        tokio::select! {
            result = &mut delivered, if !is_delivered => {
                result?;
                is_delivered = true;
            }
            message = messages.next() => {
                let message = message.ok_or(Failure::Denied)?;
                if request.is_answered_by(&message.properties.as_ref()) {
                    return print(&message, request.print_topic);
                }
            }
        }
    }
}

/// Prints the messages and publishes the lines of standard input.
pub(crate) async fn chat(
    client: &Client,
    subscribe: Option<Subscribe>,
    message: Option<Message>,
    subscription: &mut Option<Subscription>,
) -> Result<(), Failure> {
    let mut messages = None;
    if let Some(subscribe) = subscribe {
        let (new, codes) = client.subscribe(subscribe).await.map_err(failed)?;
        for code in codes {
            eprintln!("subscribed: {code}");
        }
        messages = Some(subscription.insert(new));
    }
    let (mut lines, mut deliveries) = (Lines::default(), Deliveries::default());
    loop {
        let received = async {
            match &mut messages {
                Some(messages) => messages.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            received = received => match received {
                Some(received) => print(&received, true)?,
                None => messages = None,
            },
            line = lines.next(), if message.is_some() => match (line?, &message) {
                (Some(payload), Some(message)) => {
                    let message = Message { payload, ..message.clone() };
                    deliveries.publish(client, message).await?;
                }
                _ => return deliveries.finish().await,
            },
        }
    }
}

/// Returns a failure if the server refused every filter.
fn check_granted(subscribe: &Subscribe, codes: &[ReasonCode]) -> Result<(), Failure> {
    if is_granted(PROGRAM.name(), subscribe, codes) {
        Ok(())
    } else {
        Err(Failure::Denied)
    }
}

fn print(message: &Message, with_topic: bool) -> Result<(), Failure> {
    output::print(&message.topic.as_ref(), &message.payload, with_topic)
}
