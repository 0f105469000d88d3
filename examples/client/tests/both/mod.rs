//! Tests of both programs. The tests of `client_tokio` include this file too.

mod commands;
mod connect;
mod lost;
mod retry;
mod transport;
mod v5;
