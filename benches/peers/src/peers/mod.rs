//! One module for each library.

pub mod flowsdk;
pub mod mqtt_codec_kit;
pub mod mqtt_proto;
pub mod mqtt_protocol_core;
pub mod mqtt_protocol_core5;
pub mod mqtt_sansio;
pub mod mqttrs;
pub mod ntex_mqtt;
pub mod rumqtt;
pub mod rumqtt5;
