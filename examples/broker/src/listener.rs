//! The ports that clients connect to.

use core::net::SocketAddr;
use core::time::Duration;
use std::io;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::transport::Stream;
use crate::websocket::WebSocket;
use crate::{Shared, connection};

/// The time limit for the handshakes of TLS and WebSocket.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// A port, and its transport.
#[derive(Clone)]
pub(crate) struct Listener {
    tcp: Arc<TcpListener>,
    tls: Option<TlsAcceptor>,
    is_websocket: bool,
}

impl Listener {
    pub(crate) async fn bind(
        (host, port): (&str, u16),
        tls: Option<TlsAcceptor>,
        is_websocket: bool,
    ) -> io::Result<Self> {
        Ok(Self {
            tcp: Arc::new(TcpListener::bind((host, port)).await?),
            tls,
            is_websocket,
        })
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// Serves each connection in a task of its own.
    pub(crate) async fn accept(&self, shared: &Arc<Shared>) {
        loop {
            match self.tcp.accept().await {
                Ok((stream, peer)) => {
                    let serving = self.clone().serve(stream, peer, Arc::clone(shared));
                    tokio::spawn(serving);
                }
                Err(error) => {
                    // The connection was closed already, or there are no file descriptors left,
                    // until other connections close.
                    shared.log(format_args!("accept: {error}"));
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    async fn serve(self, stream: TcpStream, peer: SocketAddr, shared: Arc<Shared>) {
        // Sends acknowledgements at once (TCP_NODELAY).
        let _ = stream.set_nodelay(true);
        if self.tls.is_none() && !self.is_websocket {
            return connection::serve(stream, peer, shared).await;
        }
        let opened = timeout(HANDSHAKE_TIMEOUT, self.open(stream)).await;
        match opened.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(stream) => connection::serve(stream, peer, shared).await,
            Err(error) => shared.log(format_args!("{peer}: handshake: {error}")),
        }
    }

    /// Performs the handshakes of TLS and WebSocket.
    async fn open(self, stream: TcpStream) -> io::Result<Box<dyn Stream>> {
        let stream: Box<dyn Stream> = match self.tls {
            Some(tls) => Box::new(tls.accept(stream).await?),
            None => Box::new(stream),
        };
        Ok(if self.is_websocket {
            Box::new(WebSocket::accept(stream).await?)
        } else {
            stream
        })
    }
}
