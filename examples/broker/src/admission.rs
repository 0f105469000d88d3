//! Decides whether a client is accepted. This may take time, and other connections continue
//! meanwhile.

use core::future::Future;
use core::pin::Pin;
use core::time::Duration;
use std::process::Stdio;
use std::sync::Arc;

use mqtt_sansio::v5::{Connect, ConnectReasonCode};
use subtle::ConstantTimeEq as _;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::time::timeout;

use crate::Shared;
use crate::arguments::{Login, Settings};
use crate::broker::{Attached, ClientId};
use crate::client::{InFlight, Waker};

/// The time limit of the authentication command.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);

/// A future answer to a CONNECT.
pub(crate) type Pending = Pin<Box<dyn Future<Output = Admission> + Send>>;

/// The answer to a CONNECT.
pub(crate) enum Admission {
    Refused(ConnectReasonCode),
    /// The client is connected to the broker, perhaps with a resumed session.
    Admitted(Option<InFlight>),
}

/// The credentials and the identity in CONNECT.
pub(crate) struct Applicant {
    pub(crate) client: ClientId,
    clean_start: bool,
    user_name: Option<String>,
    password: Option<Vec<u8>>,
}

impl Applicant {
    pub(crate) fn new(client: ClientId, connect: &Connect<&[u8]>) -> Self {
        Self {
            client,
            clean_start: connect.clean_start,
            user_name: connect.user_name.map(|name| name.as_str().to_owned()),
            password: connect.password.map(<[u8]>::to_vec),
        }
    }

    /// Authenticates the client, and waits until an older connection of the same client has ended.
    pub(crate) async fn admit(self, shared: Arc<Shared>, wake: Waker) -> Admission {
        if let Some(reason_code) = self.refusal(&shared.settings).await {
            return Admission::Refused(reason_code);
        }
        loop {
            let now = shared.now();
            let attached = shared
                .broker()
                .attach(now, &self.client, self.clean_start, &wake);
            match attached {
                Attached::Kept(in_flight) => return Admission::Admitted(Some(in_flight)),
                Attached::New => return Admission::Admitted(None),
                Attached::Full => return Admission::Refused(ConnectReasonCode::QuotaExceeded),
                Attached::After(older) => older.closed().await,
            }
        }
    }

    /// Returns why the client is refused. Any Client Identifier without control characters is valid
    /// [MQTT-3.1.3-5, MQTT5-3.1.3-5].
    async fn refusal(&self, settings: &Settings) -> Option<ConnectReasonCode> {
        if settings.login.is_none() && settings.auth_command.is_none() {
            return None;
        }
        if self.user_name.is_none() {
            return Some(ConnectReasonCode::NotAuthorized);
        }
        let refused = Some(ConnectReasonCode::BadUserNameOrPassword);
        if let Some(login) = &settings.login {
            if !self.is_right(login) {
                return refused;
            }
        }
        if let Some(command) = &settings.auth_command {
            match timeout(COMMAND_TIMEOUT, self.is_accepted_by(command)).await {
                Ok(Ok(true)) => {}
                Ok(Ok(false)) => return refused,
                Ok(Err(_)) | Err(_) => return Some(ConnectReasonCode::ServerUnavailable),
            }
        }
        None
    }

    /// Compares in constant time, so that timing does not reveal a part of the password.
    fn is_right(&self, login: &Login) -> bool {
        self.user_name.as_deref() == Some(&login.user_name)
            && match (&self.password, &login.password) {
                (Some(given), Some(password)) => given.ct_eq(password.as_bytes()).into(),
                (given, password) => given.is_none() && password.is_none(),
            }
    }

    /// Runs the user's command.
    async fn is_accepted_by(&self, command: &str) -> std::io::Result<bool> {
        let mut process = Command::new(command)
            .env("MQTT_CLIENT_ID", &*self.client)
            .env(
                "MQTT_USER_NAME",
                self.user_name.as_deref().unwrap_or_default(),
            )
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        if let Some(mut stdin) = process.stdin.take() {
            // A command may decide without reading the password.
            let _ = stdin
                .write_all(self.password.as_deref().unwrap_or_default())
                .await;
        }
        Ok(process.wait().await?.success())
    }
}
