//! Tests that need more than the library's own: other implementations of MQTT, and transports.
