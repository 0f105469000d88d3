//! The tests of this package need more than the library's: other implementations of MQTT, and
//! transports.
