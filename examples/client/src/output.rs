//! The output of the programs.

use std::io::{self, Write};

use mqtt_sansio::TopicName;
use mqtt_sansio::v5::ReasonCode;

use crate::Failure;
use crate::outgoing::Undelivered;
use crate::protocol::Subscribe;

/// Prints a message to standard output.
///
/// # Errors
///
/// [`Failure::Output`].
pub fn print(topic: &TopicName<&[u8]>, payload: &[u8], with_topic: bool) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let mut write = || {
        if with_topic {
            write!(out, "{topic} ")?;
        }
        out.write_all(payload)?;
        out.write_all(b"\n")
    };
    write().map_err(Failure::Output)
}

/// Reports the subscriptions that the server did not grant. Returns true if it granted one.
#[must_use]
pub fn is_granted(program: &str, subscribe: &Subscribe, codes: &[ReasonCode]) -> bool {
    for (asked, code) in subscribe.subscriptions.iter().zip(codes) {
        if code.is_error() {
            let filter = asked.topic_filter;
            eprintln!("{program}: the server does not grant a subscription to {filter}: {code}");
        }
    }
    codes.iter().any(|code| !code.is_error())
}

/// Reports a message that was not delivered.
pub fn report_undelivered(program: &str, topic: &TopicName<Vec<u8>>, error: Undelivered) {
    eprintln!("{program}: message to {topic} not delivered: {error}");
}
