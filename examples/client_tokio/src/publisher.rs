//! `pub`: publishes, and waits until everything is delivered.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;

use client::Failure;
use client::arguments::{Publish, Source};
use client::output::report_undelivered;
use client::protocol::Message;
use client_tokio::{Client, Delivery, Error};
use mqtt_sansio::TopicName;
use tokio::io::{AsyncBufReadExt, BufReader, Split, Stdin};
use tokio::task::spawn_blocking;

use crate::{PROGRAM, failed};

/// How many deliveries are awaited at once.
const MOST_PENDING: usize = 1000;

pub(crate) async fn publish(client: &Client, publish: Publish) -> Result<(), Failure> {
    let Publish {
        message,
        source,
        repeat,
    } = publish;
    let mut deliveries = Deliveries::default();
    if let Some(payload) = read_payload(source).await? {
        let message = Message { payload, ..message };
        for _ in 0..repeat {
            deliveries.publish(client, message.clone()).await?;
        }
    } else {
        let mut lines = Lines::default();
        while let Some(payload) = lines.next().await? {
            let message = Message {
                payload,
                ..message.clone()
            };
            deliveries.publish(client, message).await?;
        }
    }
    deliveries.finish().await
}

/// Reads in a thread of its own, because standard input may block.
pub(crate) async fn read_payload(source: Source) -> Result<Option<Vec<u8>>, Failure> {
    let read = spawn_blocking(move || source.read()).await;
    read.unwrap_or_else(|error| Err(Failure::Lost(error.to_string())))
}

/// The lines of standard input.
pub(crate) struct Lines(Split<BufReader<Stdin>>);

impl Default for Lines {
    fn default() -> Self {
        Self(BufReader::new(tokio::io::stdin()).split(b'\n'))
    }
}

impl Lines {
    /// Cancel safe.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let line: io::Result<_> = self.0.next_segment().await;
        line.map_err(|error| Failure::File {
            path: PathBuf::from("standard input"),
            error,
        })
    }
}

/// The messages in flight.
#[derive(Default)]
pub(crate) struct Deliveries {
    pending: VecDeque<(TopicName<Vec<u8>>, Delivery)>,
    failed: u64,
}

impl Deliveries {
    pub(crate) async fn publish(
        &mut self,
        client: &Client,
        message: Message,
    ) -> Result<(), Failure> {
        let topic = message.topic.clone();
        let delivery = client.enqueue(message).await.map_err(failed)?;
        self.pending.push_back((topic, delivery));
        if self.pending.len() > MOST_PENDING {
            self.finish_one().await?;
        }
        Ok(())
    }

    /// Waits for the first delivery. Reports a message that was not delivered.
    async fn finish_one(&mut self) -> Result<(), Failure> {
        if let Some((topic, delivery)) = self.pending.pop_front() {
            match delivery.await {
                Ok(()) => {}
                Err(Error::Undelivered(error)) => {
                    report_undelivered(PROGRAM.name(), &topic, error);
                    self.failed = self.failed.saturating_add(1);
                }
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(())
    }

    /// Waits for all deliveries.
    pub(crate) async fn finish(mut self) -> Result<(), Failure> {
        while !self.pending.is_empty() {
            self.finish_one().await?;
        }
        match self.failed {
            0 => Ok(()),
            failed => Err(Failure::NotDelivered(failed)),
        }
    }
}
