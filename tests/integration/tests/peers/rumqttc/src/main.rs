//! rumqttc with the broker at the port in the argument: 500 messages in each direction at QoS 1 and
//! at QoS 2. Prints each check that succeeds, one line each.

use std::time::{Duration, Instant};
use std::{env, thread};

use rumqttc::{Client, Event, MqttOptions, Packet, QoS};

const COUNT: usize = 500;
/// The time limit of the program.
const PATIENCE: Duration = Duration::from_secs(20);

fn main() {
    let port = env::args().nth(1).expect("the port of a broker");
    let port = port.parse().expect("a number");
    for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
        exchange(port, qos);
        println!("ok {COUNT} messages at QoS {}", qos as u8);
    }
}

fn exchange(port: u16, qos: QoS) {
    let mut options = MqttOptions::new("rumqttc", "127.0.0.1", port);
    options.set_keep_alive(Duration::from_secs(5));
    let (client, mut connection) = Client::new(options, 10);
    client.subscribe("way/+", qos).expect("a request");

    let (mut received, mut acknowledged) = (Vec::new(), 0);
    let mut publisher = None;
    let deadline = Instant::now() + PATIENCE;
    while received.len() < COUNT || acknowledged < COUNT {
        let left = deadline.saturating_duration_since(Instant::now());
        let event = connection.recv_timeout(left).expect("an event in time");
        match event.expect("a connection") {
            Event::Incoming(Packet::SubAck(suback)) => {
                assert_eq!(
                    suback.return_codes,
                    [rumqttc::SubscribeReasonCode::Success(qos)]
                );
                // In another thread, because this one has to serve the connection.
                let client = client.clone();
                publisher = Some(thread::spawn(move || {
                    for number in 0..COUNT {
                        let payload = number.to_string();
                        client
                            .publish("way/out", qos, false, payload)
                            .expect("a request");
                    }
                }));
            }
            Event::Incoming(Packet::Publish(publish)) => {
                assert_eq!((&*publish.topic, publish.qos), ("way/out", qos));
                let payload = str::from_utf8(&publish.payload).expect("a number");
                received.push(payload.parse::<usize>().expect("a number"));
            }
            Event::Incoming(Packet::PubAck(_) | Packet::PubComp(_)) => acknowledged += 1,
            _ => {}
        }
    }
    assert!(received.into_iter().eq(0..COUNT), "each one once, in order");
    publisher
        .expect("SUBACK")
        .join()
        .expect("all requests made");
    client.disconnect().expect("a request");
    // Until the broker closes the connection.
    while let Ok(Ok(_)) = connection.recv_timeout(PATIENCE) {}
}
