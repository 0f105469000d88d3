//! The byte stream to the server: TCP, TLS, WebSocket.

use std::future::ready;
use std::io;
use std::sync::Arc;

use client::address::Address;
use client::tls::server_name;
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite, join};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};
use tokio_util::io::{CopyToBytes, SinkWriter, StreamReader};

/// A stream of bytes in both directions.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Connects to this address, over TLS if there is a configuration.
///
/// # Errors
///
/// The errors of the network, TLS or WebSocket.
pub async fn connect(
    address: Address,
    tls: Option<Arc<ClientConfig>>,
) -> io::Result<Box<dyn Stream>> {
    let tcp = TcpStream::connect((&*address.host, address.port())).await?;
    tcp.set_nodelay(true)?; // acknowledgements are small, and awaited
    let stream: Box<dyn Stream> = match tls {
        Some(tls) => {
            let name = server_name(&address.host)?;
            Box::new(TlsConnector::from(tls).connect(name, tcp).await?)
        }
        None => Box::new(tcp),
    };
    match address.websocket_url() {
        Some(url) => websocket(stream, &url).await,
        None => Ok(stream),
    }
}

/// Performs the opening handshake of WebSocket. Packets are then in binary frames, split anywhere
/// [MQTT5-6.0.0-1, MQTT5-6.0.0-2].
async fn websocket(stream: Box<dyn Stream>, url: &str) -> io::Result<Box<dyn Stream>> {
    let mut request = url.into_client_request().map_err(io::Error::other)?;
    let protocol = HeaderValue::from_static("mqtt"); // [MQTT5-6.0.0-3]
    request
        .headers_mut()
        .insert("Sec-WebSocket-Protocol", protocol);
    let opened = client_async(request, stream).await;
    let (sink, frames) = opened.map_err(io::Error::other)?.0.split();
    let bytes = frames.filter_map(|frame| {
        ready(match frame {
            Ok(Message::Binary(bytes)) => Some(Ok(bytes)),
            // The crate answers them. After Close the stream ends.
            Ok(Message::Ping(_) | Message::Pong(_) | Message::Close(_)) => None,
            Ok(Message::Text(_) | Message::Frame(_)) => {
                Some(Err(io::ErrorKind::InvalidData.into()))
            }
            Err(Error::Io(error)) => Some(Err(error)),
            Err(error) => Some(Err(io::Error::other(error))),
        })
    });
    let sink = sink.sink_map_err(io::Error::other);
    let sink = sink.with(|bytes: Bytes| ready(Ok::<_, io::Error>(Message::Binary(bytes))));
    let writer = SinkWriter::new(CopyToBytes::new(sink));
    Ok(Box::new(join(StreamReader::new(bytes), writer)))
}
