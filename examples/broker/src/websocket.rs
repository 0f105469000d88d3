//! MQTT over WebSocket (section 6): a stream of bytes over binary frames.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io;

use futures_core::Stream as _;
use futures_sink::Sink as _;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async_with_config};

use crate::transport::Stream;

/// The protocol names: of MQTT 5 and 3.1.1 [MQTT5-6.0.0-3], and of MQTT 3.1.
const SUBPROTOCOLS: [&str; 2] = ["mqtt", "mqttv3.1"];

/// The largest frame that is accepted. A packet may span many frames [MQTT5-6.0.0-2].
const MAX_FRAME_SIZE: usize = 1024 * 1024;

/// A stream of bytes in binary frames.
pub(crate) struct WebSocket<S> {
    frames: WebSocketStream<S>,
    /// Received bytes that were not read yet.
    received: Bytes,
}

impl<S: Stream> WebSocket<S> {
    /// Answers the opening handshake.
    pub(crate) async fn accept(stream: S) -> io::Result<Self> {
        let config = WebSocketConfig::default()
            .max_message_size(Some(MAX_FRAME_SIZE))
            .max_frame_size(Some(MAX_FRAME_SIZE));
        let frames = accept_hdr_async_with_config(stream, select_subprotocol, Some(config))
            .await
            .map_err(io::Error::other)?;
        Ok(Self {
            frames,
            received: Bytes::new(),
        })
    }
}

/// Selects a protocol that the client offers [MQTT5-6.0.0-4], or refuses the handshake.
#[expect(clippy::result_large_err, reason = "the type is that of the crate")]
fn select_subprotocol(
    request: &Request,
    mut response: Response,
) -> Result<Response, ErrorResponse> {
    let offers = request.headers().get_all(header::SEC_WEBSOCKET_PROTOCOL);
    let mut offered = offers
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(',').map(str::trim));
    let selected = offered.find_map(|offer| SUBPROTOCOLS.into_iter().find(|name| *name == offer));
    let Some(selected) = selected else {
        let reason = "the subprotocol is to be mqtt".to_owned();
        let mut refusal = ErrorResponse::new(Some(reason));
        *refusal.status_mut() = StatusCode::BAD_REQUEST;
        return Err(refusal);
    };
    let selected = HeaderValue::from_static(selected);
    let headers = response.headers_mut();
    headers.insert(header::SEC_WEBSOCKET_PROTOCOL, selected);
    Ok(response)
}

fn to_io(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        other => io::Error::other(other),
    }
}

impl<S: Stream> AsyncRead for WebSocket<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        space: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.received.is_empty() {
            match ready!(Pin::new(&mut self.frames).poll_next(context)) {
                Some(Ok(Message::Binary(bytes))) => self.received = bytes,
                // The crate answers them.
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(_))) | None => return Poll::Ready(Ok(())),
                // [MQTT5-6.0.0-1]
                Some(Ok(Message::Text(_) | Message::Frame(_))) => {
                    return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
                }
                Some(Err(error)) => return Poll::Ready(Err(to_io(error))),
            }
        }
        let len = space.remaining().min(self.received.len());
        space.put_slice(&self.received.split_to(len));
        Poll::Ready(Ok(()))
    }
}

impl<S: Stream> AsyncWrite for WebSocket<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut frames = Pin::new(&mut self.frames);
        ready!(frames.as_mut().poll_ready(context)).map_err(to_io)?;
        let frame = Message::Binary(Bytes::copy_from_slice(bytes));
        frames.start_send(frame).map_err(to_io)?;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.frames).poll_flush(context);
        flushed.map_err(to_io)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let closed = Pin::new(&mut self.frames).poll_close(context);
        closed.map_err(to_io)
    }
}
