//! The address of the server.

use crate::Failure;

/// The address of the server, and the transport.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a program, not a library")]
pub struct Address {
    /// A name or an IP address.
    pub host: String,
    /// The port, unless it is the default of the scheme.
    pub port: Option<u16>,
    /// TLS over TCP. `None` without a scheme: then `--cafile` decides.
    pub tls: Option<bool>,
    /// The path for WebSocket, over TLS if there is TLS.
    pub websocket: Option<String>,
}

/// The parts of a URL other than the address.
#[derive(Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a program, not a library")]
pub struct Extras {
    /// User Name.
    pub user_name: Option<String>,
    /// Password.
    pub password: Option<String>,
    /// The Topic Name or Topic Filter. With WebSocket the path is not a topic.
    pub topic: Option<String>,
}

impl Address {
    /// The local host, over TCP without TLS.
    #[must_use]
    pub fn tcp(host: &str) -> Self {
        Self {
            host: host.to_owned(),
            port: None,
            tls: None,
            websocket: None,
        }
    }

    /// Reads `SCHEME://[USER[:PASSWORD]@]HOST[:PORT][/PATH]`, or a host alone.
    ///
    /// # Errors
    ///
    /// [`Failure::Usage`] for anything else.
    pub fn parse(text: &str) -> Result<(Self, Extras), Failure> {
        let bad = || {
            Failure::Usage(format!(
                "not an address: {text:?}; write mqtt://HOST:PORT, or mqtts, ws or wss"
            ))
        };
        let Some((scheme, rest)) = text.split_once("://") else {
            return Ok((Self::tcp(text), Extras::default()));
        };
        let (tls, is_websocket) = match scheme {
            "mqtt" | "tcp" => (false, false),
            "mqtts" | "ssl" | "tls" => (true, false),
            "ws" => (false, true),
            "wss" => (true, true),
            _ => return Err(bad()),
        };
        let (authority, path) = match rest.split_once('/') {
            Some((authority, path)) => (authority, Some(path)),
            None => (rest, None),
        };
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        let (user_name, password) = match user.map(|user| user.split_once(':')) {
            Some(Some((name, password))) => (Some(name), Some(password)),
            Some(None) => (user, None),
            None => (None, None),
        };
        // An IPv6 address is in brackets.
        let (host, port) = match host.strip_prefix('[').map(|host| host.split_once(']')) {
            Some(Some((host, port))) => (host, port.strip_prefix(':')),
            Some(None) => return Err(bad()),
            None => match host.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (host, None),
            },
        };
        let port = match port {
            Some(port) => Some(port.parse().map_err(|_| bad())?),
            None => None,
        };
        if host.is_empty() {
            return Err(bad());
        }
        let path = path.filter(|path| !path.is_empty());
        let address = Self {
            host: host.to_owned(),
            port,
            tls: Some(tls),
            websocket: is_websocket.then(|| format!("/{}", path.unwrap_or("mqtt"))),
        };
        let extras = Extras {
            user_name: user_name.map(str::to_owned),
            password: password.map(str::to_owned),
            topic: path.filter(|_| !is_websocket).map(str::to_owned),
        };
        Ok((address, extras))
    }

    /// Returns true with TLS.
    #[must_use]
    pub fn has_tls(&self) -> bool {
        self.tls.unwrap_or(false)
    }

    /// Returns the port that was given, or the default of the scheme.
    #[must_use]
    pub fn port(&self) -> u16 {
        match (self.port, &self.websocket, self.has_tls()) {
            (Some(port), ..) => port,
            (None, None, false) => 1883,
            (None, None, true) => 8883,
            (None, Some(_), false) => 80,
            (None, Some(_), true) => 443,
        }
    }

    /// Returns the URL for the opening handshake of WebSocket.
    #[must_use]
    pub fn websocket_url(&self) -> Option<String> {
        let path = self.websocket.as_ref()?;
        let scheme = if self.has_tls() { "wss" } else { "ws" };
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        Some(format!("{scheme}://{host}:{}{path}", self.port()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn each_scheme_has_its_port_and_its_path() {
        for (text, host, port, url, topic) in [
            ("example", "example", 1883, None, None),
            ("mqtt://example", "example", 1883, None, None),
            ("mqtt://[::1]:99/a/b", "::1", 99, None, Some("a/b")),
            ("mqtts://example/", "example", 8883, None, None),
            (
                "ws://example",
                "example",
                80,
                Some("ws://example:80/mqtt"),
                None,
            ),
            (
                "wss://[::1]/x/y",
                "::1",
                443,
                Some("wss://[::1]:443/x/y"),
                None,
            ),
        ] {
            let (address, extras) = Address::parse(text).unwrap();
            assert_eq!(address.host, host);
            assert_eq!(address.port(), port);
            assert_eq!(address.websocket_url().as_deref(), url);
            assert_eq!(extras.topic.as_deref(), topic);
        }
    }

    #[test]
    fn a_url_may_have_a_user_name_and_a_password() {
        let (address, extras) = Address::parse("mqtt://ann:se:c@ret@example:1").unwrap();
        assert_eq!((&*address.host, address.port()), ("example", 1));
        assert_eq!(extras.user_name.as_deref(), Some("ann"));
        assert_eq!(extras.password.as_deref(), Some("se:c@ret"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["http://example", "mqtt://", "mqtt://a:b", "mqtt://[::1"] {
            assert!(Address::parse(text).is_err(), "{text}");
        }
    }
}
