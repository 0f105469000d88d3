use super::*;
use std::collections::BTreeSet;
use std::vec::Vec;

fn id(number: u16) -> PacketId {
    PacketId::new(number).unwrap()
}

fn kept(inbound: &Inbound<impl Slots>) -> BTreeSet<u16> {
    inbound.kept().map(|(id, _)| id.get()).collect()
}

/// Inserts and removes identifiers as a model set says, and compares after each step.
fn against_a_set(mut inbound: Inbound<impl Slots>, room: usize, choose: impl Fn(u32) -> u16) {
    let mut model = BTreeSet::new();
    for step in 0..20_000_u32 {
        let number = choose(step);
        if model.contains(&number) {
            assert_eq!(inbound.receipt(id(number)), Some(Receipt::Received));
            inbound.remove(id(number));
            model.remove(&number);
        } else {
            assert_eq!(inbound.receipt(id(number)), None);
            let fits = model.len() < room;
            assert_eq!(
                inbound.hold(id(number), Receipt::Received, u16::MAX),
                fits,
                "{} of {room}",
                model.len()
            );
            if fits {
                model.insert(number);
            }
        }
        assert_eq!(usize::from(inbound.len()), model.len());
        if step % 97 == 0 {
            assert_eq!(kept(&inbound), model);
            for &number in &model {
                assert_eq!(inbound.receipt(id(number)), Some(Receipt::Received));
            }
        }
    }
}

/// A sequence without pattern, the same each time.
fn scattered(step: u32) -> u32 {
    let mut x = step.wrapping_mul(0x9e37_79b9) ^ 0x5bd1_e995;
    x ^= x >> 15;
    x = x.wrapping_mul(0x85eb_ca6b);
    x ^ (x >> 13)
}

fn acknowledge(inbound: &mut Inbound<impl Slots>, number: u16) -> bool {
    let acknowledgement = inbound.acknowledgement(id(number));
    acknowledgement.is_some_and(|it| inbound.acknowledge(it, 0))
}

#[test]
fn it_holds_what_a_set_would_hold_however_the_identifiers_collide() {
    for slots in [1_u16, 2, 3, 8, 16, 61] {
        let small = |step| u16::try_from(scattered(step) % 100).unwrap().max(1);
        let colliding = |step| {
            let n = u16::try_from(scattered(step) % 40).unwrap();
            n.wrapping_mul(slots).max(slots)
        };
        let any = |step| u16::try_from(scattered(step) % 0xffff).unwrap().max(1);
        let new = || Inbound::new(std::vec![Slot::EMPTY; usize::from(slots)].leak());
        against_a_set(new(), usize::from(slots), small);
        against_a_set(new(), usize::from(slots), colliding);
        against_a_set(new(), usize::from(slots), any);
    }
}

#[cfg(feature = "alloc")]
#[test]
fn a_vector_grows_and_finds_everything_again() {
    against_a_set(Inbound::new(Vec::new()), 65_535, |step| {
        u16::try_from(scattered(step) % 3000).unwrap().max(1)
    });
    against_a_set(Inbound::new(Vec::new()), 65_535, |step| {
        u16::try_from(scattered(step) % 60)
            .unwrap()
            .max(1)
            .wrapping_mul(1024)
            .max(1)
    });
    let mut inbound = Inbound::new(Vec::new());
    for number in 1..=u16::MAX {
        assert!(inbound.hold(id(number), Receipt::Received, u16::MAX));
    }
    assert_eq!(kept(&inbound).len(), 65_535);
    for number in 1..=u16::MAX {
        inbound.remove(id(number));
    }
    assert!(inbound.is_empty());
}

#[test]
fn the_limit_counts_even_where_there_are_slots() {
    let mut inbound = Inbound::new([Slot::EMPTY; 4]);
    assert!(inbound.hold(id(1), Receipt::Received, 1));
    assert!(!inbound.hold(id(2), Receipt::Received, 1));
}

#[test]
fn acknowledgements_are_due_in_the_order_in_which_the_messages_came() {
    let mut inbound = Inbound::new([Slot::EMPTY; 4]);
    for (number, qos) in [
        (9, QoS::AtLeastOnce),
        (5, QoS::ExactlyOnce),
        (1, QoS::AtLeastOnce),
    ] {
        assert!(inbound.hold(id(number), Receipt::Delivered(qos), 4));
        inbound.enqueue(id(number));
    }
    assert!(acknowledge(&mut inbound, 1));
    assert!(acknowledge(&mut inbound, 5));
    assert!(!acknowledge(&mut inbound, 5), "once is enough");
    assert_eq!(inbound.due(), None, "9 came first");
    assert!(acknowledge(&mut inbound, 9));
    let mut due = Vec::new();
    while let Some((id, ..)) = inbound.due() {
        due.push(id.get());
        inbound.acknowledged();
    }
    assert_eq!(due, [9, 5, 1]);
    assert_eq!(kept(&inbound), BTreeSet::from([5]), "QoS 2 awaits PUBREL");
}

#[test]
fn when_the_connection_ends_qos_1_is_forgotten_and_qos_2_is_not() {
    let mut inbound = Inbound::new([Slot::EMPTY; 4]);
    for (number, qos) in [
        (1, QoS::AtLeastOnce),
        (2, QoS::ExactlyOnce),
        (3, QoS::ExactlyOnce),
    ] {
        assert!(inbound.hold(id(number), Receipt::Delivered(qos), 4));
        inbound.enqueue(id(number));
    }
    assert!(acknowledge(&mut inbound, 3));
    inbound.end_connection();
    assert!(inbound.is_queue_empty());
    assert_eq!(inbound.receipt(id(1)), None);
    assert_eq!(
        inbound.receipt(id(2)),
        Some(Receipt::Delivered(QoS::ExactlyOnce))
    );
    assert_eq!(
        inbound.receipt(id(3)),
        Some(Receipt::Acknowledged(QoS::ExactlyOnce))
    );
    // Sent again in another order, they queue in that order.
    inbound.enqueue(id(3));
    inbound.enqueue(id(2));
    assert_eq!(inbound.due(), Some((id(3), QoS::ExactlyOnce, 0)));
}

#[test]
fn without_slots_nothing_fits() {
    let mut inbound = Inbound::new([Slot::EMPTY; 0]);
    assert!(!inbound.hold(id(1), Receipt::Received, 10));
    assert_eq!(inbound.receipt(id(1)), None);
    inbound.remove(id(1));
}
