//! The state of a connection.

/// The state of a connection.
///
/// ```text
/// client:  Start --connect--> Requested --CONNACK 0--> Connected --+
/// server:  Start --CONNECT--> Requested --accept-----> Connected --+
///            |                    |                                |
///            +--------------------+---- any reason to close -------+--> Ending --Close--> Ended
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum State {
    /// A new connection: nothing has been sent or received.
    Start,
    /// CONNECT was sent or received, and has no answer yet.
    Requested,
    /// The connection is accepted.
    Connected,
    /// The connection has ended. Its last actions are to be polled.
    Ending,
    /// The last action was polled. The session can be taken.
    Ended,
}
