//! `-d`: a stream that prints its packets.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use client::protocol::Protocol;
use client::trace::Trace;
use client_tokio::transport::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

pub(crate) struct Traced<V: Protocol> {
    stream: Box<dyn Stream>,
    received: Trace<V>,
    sent: Trace<V>,
}

impl<V: Protocol> Traced<V> {
    pub(crate) const fn new(stream: Box<dyn Stream>) -> Self {
        Self {
            stream,
            received: Trace::new("received"),
            sent: Trace::new("sent"),
        }
    }
}

impl<V: Protocol> AsyncRead for Traced<V> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        space: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let filled = space.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, space))?;
        self.received
            .print(space.filled().get(filled..).unwrap_or_default());
        Poll::Ready(Ok(()))
    }
}

impl<V: Protocol> AsyncWrite for Traced<V> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let len = ready!(Pin::new(&mut self.stream).poll_write(context, bytes))?;
        self.sent.print(bytes.get(..len).unwrap_or_default());
        Poll::Ready(Ok(len))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
