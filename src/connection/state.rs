//! How far a connection has come.

/// How far a connection has come.
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
    /// CONNECT was sent, or received; it has not been answered.
    Requested,
    /// The connection is accepted.
    Connected,
    /// The connection is over. Its last actions are to be polled.
    Ending,
    /// The last action has been polled. The session can be taken out.
    Ended,
}
