//! The byte stream of a connection, over any transport.

use core::future::poll_fn;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::timeout;

/// The most bytes read at once, so that other connections can run.
const READ_SIZE: usize = 16 * 1024;
/// How long to wait at the end for the client to accept the last bytes.
const LINGER: Duration = Duration::from_secs(1);

/// A stream of bytes in both directions.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A stream, and whether it may hold bytes that were not flushed.
pub(crate) struct Transport<S> {
    stream: S,
    is_flushed: bool,
}

/// The result of using the stream.
#[derive(Default)]
pub(crate) struct Transferred {
    /// Received bytes, from TCP or a protocol over it [MQTT-7.1.1-1, MQTT5-4.2-1]; an error is the
    /// end of the stream.
    pub(crate) received: Option<io::Result<Vec<u8>>>,
    /// How many bytes were written.
    pub(crate) sent: Option<io::Result<usize>>,
}

impl<S: Stream> Transport<S> {
    pub(crate) const fn new(stream: S) -> Self {
        Self {
            stream,
            is_flushed: true,
        }
    }

    /// Sends the first bytes of `out` or, if `reads`, receives, whichever is possible first. If
    /// neither is possible, it waits, unless `waits` is false. An idle connection has no receive
    /// buffer.
    pub(crate) async fn transfer(&mut self, out: &[u8], reads: bool, waits: bool) -> Transferred {
        poll_fn(|context| {
            let mut transferred = Transferred::default();
            if !out.is_empty() {
                if let Poll::Ready(sent) = Pin::new(&mut self.stream).poll_write(context, out) {
                    self.is_flushed = false;
                    transferred.sent = Some(sent);
                }
            }
            if !self.is_flushed {
                match Pin::new(&mut self.stream).poll_flush(context) {
                    Poll::Ready(Ok(())) => self.is_flushed = true,
                    Poll::Ready(Err(_)) | Poll::Pending => {}
                }
            }
            if reads {
                if let Poll::Ready(received) = self.poll_receive(context) {
                    transferred.received = Some(received);
                }
            }
            if waits && transferred.received.is_none() && transferred.sent.is_none() {
                return Poll::Pending;
            }
            Poll::Ready(transferred)
        })
        .await
    }

    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Vec<u8>>> {
        let mut space = [0; READ_SIZE];
        let mut space = ReadBuf::new(&mut space);
        core::task::ready!(Pin::new(&mut self.stream).poll_read(context, &mut space))?;
        Poll::Ready(if space.filled().is_empty() {
            Err(io::ErrorKind::UnexpectedEof.into())
        } else {
            Ok(space.filled().to_vec())
        })
    }

    /// Sends the remaining bytes and closes, within a time limit.
    pub(crate) async fn close(mut self, rest: &[u8]) {
        let _ = timeout(LINGER, self.send_rest(rest)).await;
    }

    async fn send_rest(&mut self, rest: &[u8]) -> io::Result<()> {
        self.stream.write_all(rest).await?;
        self.stream.flush().await?;
        self.stream.shutdown().await?;
        // If a socket is closed with unread bytes, the system sends a reset, and the client might lose
        // the last bytes.
        while self.stream.read(&mut [0; 512]).await? > 0 {}
        Ok(())
    }
}
