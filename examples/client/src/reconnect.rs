//! One connection after another, with the session and the messages handed on.

use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};
use std::{io, thread};

use mqtt_sansio::v3::CloseReason;

use crate::Failure;
use crate::arguments::Link;
use crate::connection::{Application, Connection, Kept};
use crate::store::Store;

/// How long to wait before the first attempt to connect again; twice as long each time after.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Attempts in a row that have not led to a CONNACK.
const MOST_ATTEMPTS: u32 = 20;
/// For the network to take a connection, or what is written to it.
const NETWORK_TIMEOUT: Duration = Duration::from_secs(10);

/// Lets the application do what it does until it disconnects, and connects again whenever the
/// connection is lost. Does not insist if the very first attempt fails, nor if the server refuses:
/// the user may have mistyped something.
pub(crate) fn keep_connected(
    link: &Link,
    application: &mut impl Application,
) -> Result<(), Failure> {
    let deadline = link.time_limit.map(|limit| Instant::now() + limit);
    let mut kept = match &link.session {
        Some(path) => Store::open(path)?,
        None => Kept::default(),
    };
    let (mut was_accepted, mut attempts, mut pause) = (false, 0, FIRST_PAUSE);
    loop {
        let lost = match dial(link) {
            Ok(socket) => {
                let Link {
                    connect,
                    config,
                    debug,
                    ..
                } = link;
                let mut connection = Connection::open(socket, kept, connect, *config, *debug)?;
                let reason = serve(&mut connection, deadline, application)?;
                let too_late = is_over(deadline) && !application.is_satisfied();
                if connection.was_accepted() {
                    (was_accepted, attempts, pause) = (true, 0, FIRST_PAUSE);
                }
                kept = connection.finish();
                match reason {
                    CloseReason::Refused(refusal) => return Err(Failure::Refused(refusal)),
                    CloseReason::Violation(error) => return Err(Failure::Peer(error)),
                    CloseReason::Disconnected | CloseReason::Aborted => {
                        return if too_late {
                            Err(Failure::Timeout)
                        } else {
                            Ok(())
                        };
                    }
                    _ if application.is_satisfied() => return Ok(()),
                    lost => lost.to_string(),
                }
            }
            Err(error) if was_accepted => error.to_string(),
            Err(error) => return Err(Failure::Unreachable(error)),
        };
        attempts += 1;
        if !was_accepted || !link.reconnect || attempts > MOST_ATTEMPTS {
            return Err(Failure::Lost(lost));
        }
        if is_over(deadline) {
            return Err(Failure::Timeout);
        }
        eprintln!("client: {lost}; connecting again");
        thread::sleep(pause.min(left(deadline).unwrap_or(pause)));
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}

fn dial(link: &Link) -> io::Result<TcpStream> {
    let mut outcome = Err(io::Error::other("the host has no address"));
    for address in (&*link.host, link.port).to_socket_addrs()? {
        outcome = TcpStream::connect_timeout(&address, NETWORK_TIMEOUT);
        if outcome.is_ok() {
            break;
        }
    }
    let socket = outcome?;
    socket.set_nodelay(true)?; // acknowledgements are small, and awaited
    socket.set_write_timeout(Some(NETWORK_TIMEOUT))?;
    Ok(socket)
}

/// From CONNECT to the end.
fn serve(
    connection: &mut Connection,
    deadline: Option<Instant>,
    application: &mut impl Application,
) -> Result<CloseReason, Failure> {
    loop {
        let mut at_most = left(deadline);
        if is_over(deadline) {
            connection.disconnect();
        } else if connection.is_accepted() {
            if let Some(pause) = application.act(connection)? {
                at_most = Some(at_most.map_or(pause, |left| left.min(pause)));
            }
        }
        if let Some(reason) = connection.wait(at_most, application)? {
            return Ok(reason);
        }
    }
}

fn left(deadline: Option<Instant>) -> Option<Duration> {
    deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
}

fn is_over(deadline: Option<Instant>) -> bool {
    left(deadline).is_some_and(|left| left.is_zero())
}
