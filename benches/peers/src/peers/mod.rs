//! One module for each library.

pub mod flowsdk;
pub mod flowsdk5;
pub mod mqtt5_protocol;
pub mod mqtt_codec_kit;
pub mod mqtt_proto;
pub mod mqtt_protocol_core;
pub mod mqtt_protocol_core5;
pub mod mqtt_sansio;
pub mod mqttrs;
pub mod ntex_mqtt;
pub mod ntex_mqtt5;
pub mod rumqtt;
pub mod rumqtt5;
