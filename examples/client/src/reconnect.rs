//! Opens one connection after another, with the session and the messages.

use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;
use std::{io, thread};

use client::Failure;
use client::arguments::Link;
use client::protocol::Protocol;
use client::time_limit::TimeLimit;

use crate::connection::{Application, Closed, Connection, Kept};
use crate::store::Store;
use crate::transport::{Inbox, Transport};

/// For opening a TCP connection, and for each write.
const NETWORK_TIMEOUT: Duration = Duration::from_secs(10);

/// Runs the application until it disconnects, and connects again whenever the connection is lost.
/// Fails at once if the very first attempt fails, or if the server refuses: the user may have made
/// a mistake.
pub(crate) fn keep_connected<V: Protocol>(
    link: &Link,
    limit: TimeLimit,
    inbox: &Inbox,
    application: &mut impl Application<V>,
) -> Result<(), Failure> {
    let tls = link.tls_config()?;
    let mut kept = Kept::new(link);
    if let Some(path) = &link.session {
        Store::open(path, &mut kept)?;
    }
    let mut number = 0;
    loop {
        number += 1;
        let opened = dial(link, limit)
            .and_then(|socket| Transport::open(socket, &link.address, tls.clone(), number, inbox));
        let lost = match opened {
            Ok(transport) => {
                let mut connection = Connection::open(number, transport, kept, link)?;
                let closed = serve(&mut connection, limit, inbox, application)?;
                let too_late = limit.is_over() && !application.is_satisfied();
                let (left, given_up) = connection.finish(inbox);
                kept = left;
                if let Some(given_up) = given_up {
                    application.finished(given_up);
                }
                let is_ours = closed.is_ours();
                let Closed { reason, last_words } = closed;
                if let Some(failure) = Failure::of_close(&reason, last_words.as_deref()) {
                    return Err(failure);
                }
                if is_ours && too_late {
                    return Err(Failure::Timeout);
                }
                if is_ours || application.is_satisfied() {
                    return Ok(());
                }
                Failure::of_loss(&reason, last_words.as_deref())
            }
            Err(error) => Failure::Unreachable(error),
        };
        match kept.retry.pause() {
            _ if limit.is_over() => return Err(Failure::Timeout),
            Some(pause) if link.reconnect => {
                eprintln!("client: {lost}; connecting again");
                thread::sleep(pause.min(limit.left().unwrap_or(pause)));
            }
            _ => return Err(lost),
        }
    }
}

fn dial(link: &Link, limit: TimeLimit) -> io::Result<TcpStream> {
    let patience = limit.left().unwrap_or(NETWORK_TIMEOUT).min(NETWORK_TIMEOUT);
    let patience = patience.max(Duration::from_millis(1)); // zero is an error
    let mut outcome = Err(io::Error::other("the host has no address"));
    for address in (&*link.address.host, link.address.port()).to_socket_addrs()? {
        outcome = TcpStream::connect_timeout(&address, patience);
        if outcome.is_ok() {
            break;
        }
    }
    let socket = outcome?;
    socket.set_nodelay(true)?; // acknowledgements are small, and awaited
    socket.set_write_timeout(Some(NETWORK_TIMEOUT))?;
    Ok(socket)
}

/// Runs one connection, from CONNECT to its end.
fn serve<V: Protocol>(
    connection: &mut Connection<V>,
    limit: TimeLimit,
    inbox: &Inbox,
    application: &mut impl Application<V>,
) -> Result<Closed<V>, Failure> {
    let mut decoder = connection.decoder();
    loop {
        let mut at_most = limit.left();
        if limit.is_over() {
            connection.disconnect();
        } else if connection.is_accepted() {
            if let Some(pause) = application.act(connection)? {
                at_most = Some(at_most.map_or(pause, |left| left.min(pause)));
            }
        }
        if let Some(closed) = connection.wait(at_most, inbox, &mut decoder, application)? {
            return Ok(closed);
        }
    }
}
