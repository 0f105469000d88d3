//! quick
#![allow(
    clippy::all,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    clippy::arithmetic_side_effects,
    clippy::std_instead_of_alloc
)]
use mqtt_sansio::v5::{self, *};
use mqtt_sansio::*;
use serde_json::{Value, json};

fn expand(value: &Value) -> Value {
    match value {
        Value::Object(map) => match (map.get("repeat"), map.get("n")) {
            (Some(Value::String(part)), Some(n)) => {
                json!(part.repeat(n.as_u64().unwrap() as usize))
            }
            _ => map.iter().map(|(k, v)| (k.clone(), expand(v))).collect(),
        },
        Value::Array(v) => v.iter().map(expand).collect(),
        other => other.clone(),
    }
}
fn bytes_of(json: &Value) -> Vec<u8> {
    if let Some(text) = json["hex"].as_str() {
        return hex::decode(text).unwrap();
    }
    let mut bytes = Vec::new();
    for part in json["gen"].as_array().unwrap() {
        let piece = hex::decode(part[0].as_str().unwrap()).unwrap();
        bytes.extend(piece.repeat(part[1].as_u64().unwrap_or(1) as usize));
    }
    bytes
}
fn rows(name: &str) -> Vec<Value> {
    std::fs::read_to_string(format!("testdata/v5/{name}.jsonl"))
        .unwrap()
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect()
}
fn key(field: Field) -> String {
    field.name().to_lowercase().replace(' ', "_")
}
fn props<B: AsRef<[u8]>, K>(p: &Properties<B, K>) -> Value {
    let mut map = serde_json::Map::new();
    for property in p {
        let key = key(property.field());
        use Property as P;
        let v = match property {
            P::PayloadFormatIndicator(b)
            | P::RequestProblemInformation(b)
            | P::RequestResponseInformation(b)
            | P::RetainAvailable(b)
            | P::WildcardSubscriptionAvailable(b)
            | P::SubscriptionIdentifierAvailable(b)
            | P::SharedSubscriptionAvailable(b) => json!(u8::from(b)),
            P::MaximumQos(q) => json!(q.number()),
            P::MessageExpiryInterval(n) | P::SessionExpiryInterval(n) | P::WillDelayInterval(n) => {
                json!(n)
            }
            P::ServerKeepAlive(n) | P::TopicAliasMaximum(n) => json!(n),
            P::ReceiveMaximum(n) | P::TopicAlias(n) => json!(n.get()),
            P::MaximumPacketSize(n) => json!(n.get()),
            P::ContentType(t)
            | P::AssignedClientIdentifier(t)
            | P::AuthenticationMethod(t)
            | P::ResponseInformation(t)
            | P::ServerReference(t)
            | P::ReasonString(t) => json!(t.as_str()),
            P::ResponseTopic(t) => json!(t.as_str()),
            P::CorrelationData(d) | P::AuthenticationData(d) => json!(hex::encode(d)),
            P::SubscriptionIdentifier(n) => {
                map.entry(key)
                    .or_insert(json!([]))
                    .as_array_mut()
                    .unwrap()
                    .push(json!(n.get()));
                continue;
            }
            P::UserProperty { name, value } => {
                map.entry(key)
                    .or_insert(json!([]))
                    .as_array_mut()
                    .unwrap()
                    .push(json!([name.as_str(), value.as_str()]));
                continue;
            }
        };
        assert!(map.insert(key, v).is_none());
    }
    Value::Object(map)
}
fn fields(packet: &PacketRef<'_>) -> Value {
    macro_rules! ack { ($p:expr) => { json!({"packet_id": $p.packet_id.get(), "reason_code": $p.reason_code.number(), "properties": props(&$p.properties)}) } }
    match packet {
        Packet::Connect(c) => {
            let c = c.to_connect();
            json!({
            "protocol_name": "MQTT", "protocol_level": 5, "clean_start": c.clean_start, "keep_alive": c.keep_alive, "client_id": c.client_id.as_str(),
            "will": c.will.as_ref().map(|w| json!({"topic": w.topic.as_str(), "payload": hex::encode(w.payload), "qos": w.qos.number(), "retain": w.retain, "properties": props(&w.properties)})),
            "username": c.user_name.as_ref().map(|u| u.as_str()), "password": c.password.map(hex::encode), "properties": props(&c.properties)})
        }
        Packet::ConnAck(c) => {
            json!({"session_present": c.session_present, "reason_code": c.reason_code.number(), "properties": props(&c.properties)})
        }
        Packet::Publish(p) => {
            json!({"dup": p.delivery.dup(), "qos": p.delivery.qos().number(), "retain": p.retain, "topic": p.topic.as_str(), "packet_id": p.delivery.packet_id().map(|i| i.get()), "payload": hex::encode(p.payload), "properties": props(&p.properties)})
        }
        Packet::PubAck(p) => ack!(p),
        Packet::PubRec(p) => ack!(p),
        Packet::PubRel(p) => ack!(p),
        Packet::PubComp(p) => ack!(p),
        Packet::Subscribe(s) => {
            json!({"packet_id": s.packet_id.get(), "properties": props(&s.properties), "filters": s.subscriptions.iter().map(|s| json!({"filter": s.topic_filter.as_str(), "qos": s.qos.number(), "no_local": s.no_local, "retain_as_published": s.retain_as_published, "retain_handling": s.retain_handling.number()})).collect::<Value>()})
        }
        Packet::SubAck(s) => {
            json!({"packet_id": s.packet_id.get(), "properties": props(&s.properties), "reason_codes": s.reason_codes.iter().map(|c| c.number()).collect::<Value>()})
        }
        Packet::UnsubAck(s) => {
            json!({"packet_id": s.packet_id.get(), "properties": props(&s.properties), "reason_codes": s.reason_codes.iter().map(|c| c.number()).collect::<Value>()})
        }
        Packet::Unsubscribe(s) => {
            json!({"packet_id": s.packet_id.get(), "properties": props(&s.properties), "filters": s.topic_filters.iter().map(|f| f.as_str().to_owned()).collect::<Value>()})
        }
        Packet::PingReq | Packet::PingResp => json!({}),
        Packet::Disconnect(d) => {
            json!({"reason_code": d.reason_code.number(), "properties": props(&d.properties)})
        }
        Packet::Auth(d) => {
            json!({"reason_code": d.reason_code.number(), "properties": props(&d.properties)})
        }
    }
}
#[test]
fn valid() {
    let o = Options::new().max_packet_size(u32::MAX);
    let mut bad = 0;
    for row in rows("valid") {
        let bytes = bytes_of(&row);
        let mut src = &bytes[..];
        match decode(&mut src, &o) {
            Ok(Some(p)) => {
                if fields(&p) != expand(&row["fields"]) {
                    bad += 1;
                    println!("{} fields {} {}", row["id"], fields(&p), row["fields"]);
                }
                let out = p.encode_to_vec().unwrap();
                let again = decode(&mut &out[..], &o).unwrap().unwrap();
                if row["shortest"] == true {
                    if out != bytes {
                        bad += 1;
                        println!("{} bytes", row["id"]);
                    }
                } else {
                    assert!(out.len() < bytes.len());
                }
                assert_eq!(again, p);
            }
            other => {
                bad += 1;
                println!("{} {} {:?} {}", row["id"], row["note"], other, row["hex"]);
            }
        }
    }
    assert_eq!(bad, 0);
}
#[test]
fn malformed() {
    let mut bad = 0;
    for row in rows("malformed") {
        if row["kind"] != "codec" {
            continue;
        }
        let bytes = bytes_of(&row);
        match decode(&mut &bytes[..], &Options::new()) {
            Err(e) => {
                let code = json!(e.reason_code().number());
                let ok = row["reason"] == code
                    || row["reason_also"]
                        .as_array()
                        .is_some_and(|a| a.contains(&code));
                if row["reason"] != code {
                    println!(
                        "   other {} {} {e} {code} want {} {}",
                        row["id"], row["category"], row["reason"], row["hex"]
                    );
                }
                if !ok {
                    bad += 1;
                    println!(
                        "{} {} reason {code} {} {}",
                        row["id"], row["why"], row["reason"], row["reason_also"]
                    );
                }
                if json!(e.statement()) != row["statement"] {
                    bad += 1;
                    println!(
                        "{} {} {e} statement {:?} {}",
                        row["id"],
                        row["why"],
                        e.statement(),
                        row["statement"]
                    );
                }
            }
            Ok(p) if row["insist"] == true => {
                bad += 1;
                println!("{} {} ACCEPTED {p:?} {}", row["id"], row["why"], row["hex"]);
            }
            Ok(_) => println!("   accepted {} {}", row["id"], row["why"]),
        }
    }
    assert_eq!(bad, 0);
}
#[test]
fn incomplete() {
    for row in rows("incomplete") {
        let bytes = bytes_of(&row);
        assert_eq!(decode(&mut &bytes[..], &Options::new()), Ok(None));
    }
}
#[test]
fn size() {
    println!("{}", size_of::<PacketRef<'_>>());
    assert_eq!(size_of::<PacketRef<'_>>(), 64);
    assert_eq!(size_of::<DecodeError>(), 8);
}
