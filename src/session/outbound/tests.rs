use super::*;
use std::vec::Vec;

const Q1: Phase = Phase::Publish(QoS::AtLeastOnce);
const Q2: Phase = Phase::Publish(QoS::ExactlyOnce);

fn send(outbound: &mut Outbound<impl Slots>, phase: Phase) -> u16 {
    let id = outbound.next_id().expect("a free slot");
    outbound.begin(phase);
    id.get()
}

fn id(number: u16) -> PacketId {
    PacketId::new(number).unwrap()
}

fn order(outbound: &Outbound<impl Slots>) -> Vec<u16> {
    outbound.iter().map(|(id, _)| id.get()).collect()
}

#[test]
fn identifiers_count_up_and_roll_over_to_1_whatever_the_number_of_slots() {
    for slots in [1, 2, 3, 4, 7, 8, 100] {
        let mut slots = std::vec![Slot::EMPTY; slots];
        let mut outbound = Outbound::new(&mut slots[..]);
        for round in 0..3 {
            for expected in 1..=u16::MAX {
                assert_eq!(send(&mut outbound, Q1), expected, "round {round}");
                outbound.complete(id(expected));
            }
        }
    }
}

#[test]
fn free_slots_that_are_put_in_order_across_65535_get_identifiers_of_their_own() {
    for count in 1..=20 {
        for from in 65_500..=65_535 {
            let mut slots = std::vec![Slot::EMPTY; count];
            let mut outbound = Outbound::new(&mut slots[..]);
            outbound.start_restoring();
            outbound.finish_restoring(from);
            let mut given: Vec<u16> =
                core::iter::from_fn(|| outbound.next_id().map(|_| send(&mut outbound, Q1)))
                    .collect();
            given.sort_unstable();
            given.dedup();
            assert_eq!(given.len(), count, "from {from}: {given:?}");
            assert_eq!(outbound.iter().count(), count);
        }
    }
}

#[test]
fn an_identifier_in_use_is_never_given_out() {
    let mut outbound = Outbound::new([Slot::EMPTY; 5]);
    let kept = send(&mut outbound, Q1);
    for _ in 0..200_000 {
        let next = send(&mut outbound, Q2);
        assert_ne!(next, kept);
        assert_ne!(next, 0);
        outbound.complete(id(next));
    }
}

#[test]
fn when_all_slots_are_in_use_there_is_no_identifier_and_nothing_changes() {
    let mut outbound = Outbound::new([Slot::EMPTY; 2]);
    assert_eq!(send(&mut outbound, Q1), 1);
    assert_eq!(send(&mut outbound, Phase::Subscribe(3)), 2);
    assert_eq!(outbound.next_id(), None);
    assert_eq!(outbound.phase(id(2)), Some(Phase::Subscribe(3)));
    outbound.complete(id(1));
    assert_eq!(send(&mut outbound, Q1), 3);
    assert_eq!(order(&outbound), [3]);
}

#[test]
fn no_slots_at_all_are_simply_full() {
    let mut outbound = Outbound::new([Slot::EMPTY; 0]);
    assert_eq!(outbound.next_id(), None);
    assert_eq!(outbound.phase(id(1)), None);
    outbound.complete(id(1));
    outbound.resume();
    assert!(outbound.is_empty());
}

#[test]
fn publish_is_sent_again_in_order_and_pubrel_in_the_order_of_the_pubrecs() {
    let mut outbound = Outbound::new([Slot::EMPTY; 8]);
    for phase in [Q2, Q1, Q2, Q2] {
        send(&mut outbound, phase);
    }
    outbound.release(id(4));
    outbound.release(id(1));
    assert_eq!(order(&outbound), [2, 3, 4, 1]);
    outbound.resume();
    let mut again = Vec::new();
    while let Some(id) = outbound.next_unsent_pubrel() {
        again.push((id.get(), outbound.phase(id).unwrap()));
        outbound.mark_sent(id);
    }
    while let Some(id) = outbound.next_unsent_publish() {
        again.push((id.get(), outbound.phase(id).unwrap()));
        outbound.mark_sent(id);
    }
    assert_eq!(
        again,
        [(4, Phase::Released), (1, Phase::Released), (2, Q1), (3, Q2)]
    );
    assert_eq!(outbound.unsent(), 0);
}

#[test]
fn a_message_acknowledged_before_it_was_sent_again_is_not_sent_again() {
    let mut outbound = Outbound::new([Slot::EMPTY; 4]);
    for _ in 0..3 {
        send(&mut outbound, Q2);
    }
    outbound.resume();
    outbound.mark_asked(id(1));
    outbound.complete(id(1));
    outbound.release(id(2));
    assert_eq!(outbound.next_unsent_pubrel(), None);
    assert_eq!(outbound.next_unsent_publish(), Some(id(3)));
    assert_eq!((outbound.unsent(), outbound.in_flight()), (1, 1));
}

#[test]
fn requests_end_with_the_connection_and_messages_do_not() {
    let mut outbound = Outbound::new([Slot::EMPTY; 4]);
    send(&mut outbound, Phase::Subscribe(1));
    send(&mut outbound, Q1);
    send(&mut outbound, Phase::Unsubscribe(1));
    outbound.drop_requests();
    assert_eq!(outbound.phase(id(1)), None);
    assert_eq!(outbound.phase(id(3)), None);
    assert_eq!(order(&outbound), [2]);
    assert_eq!(outbound.requests, 0);
}

#[test]
fn a_message_whose_pubrel_was_sent_outlives_the_requests_of_the_connection() {
    let mut outbound = Outbound::new([Slot::EMPTY; 4]);
    send(&mut outbound, Q2);
    outbound.release(id(1));
    send(&mut outbound, Phase::Subscribe(1));
    outbound.drop_requests();
    assert_eq!(outbound.phase(id(1)), Some(Phase::Released));
    assert_eq!(outbound.phase(id(2)), None);
}

#[cfg(feature = "alloc")]
#[test]
fn a_vector_grows_to_all_65535_identifiers_and_no_further() {
    let mut outbound = Outbound::new(Vec::new());
    assert_eq!(outbound.identifiers.slots().len(), 0);
    for expected in 1..=u16::MAX {
        assert_eq!(send(&mut outbound, Q1), expected);
    }
    assert_eq!(outbound.next_id(), None);
    assert_eq!(order(&outbound), (1..=u16::MAX).collect::<Vec<_>>());
    // Acknowledged in another order, each with the same few steps.
    for number in (1..=u16::MAX).rev() {
        outbound.complete(id(number));
    }
    assert!(outbound.is_empty());
    assert_eq!(
        send(&mut outbound, Q1),
        u16::MAX,
        "the one that was free first"
    );
}

#[cfg(feature = "alloc")]
#[test]
fn growing_keeps_what_is_in_use_where_it_can_be_found() {
    let mut outbound = Outbound::new(Vec::new());
    for _ in 0..5 {
        let next = send(&mut outbound, Q1);
        outbound.complete(id(next));
    }
    let sent: Vec<u16> = (0..100).map(|_| send(&mut outbound, Q1)).collect();
    assert_eq!(order(&outbound), sent);
    for &number in &sent {
        assert_eq!(outbound.phase(id(number)), Some(Q1));
    }
    let unique: std::collections::BTreeSet<_> = sent.iter().collect();
    assert_eq!(unique.len(), 100);
}

/// Sends and completes messages in some order, and checks after each step that the messages in
/// flight are those sent and not completed.
#[cfg(feature = "alloc")]
fn check_while_growing(slots: impl Slots, seed: u32) {
    let mut outbound = Outbound::new(slots);
    let mut under_way = Vec::new();
    let mut random = seed;
    for _ in 0..300 {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let number = (random >> 16) as usize;
        if number % 5 < 3 {
            let next = send(&mut outbound, Q1);
            assert!(!under_way.contains(&next), "{next} is in use");
            under_way.push(next);
        } else if let Some(at) = number.checked_rem(under_way.len()) {
            outbound.complete(id(under_way.remove(at)));
        }
        assert_eq!(order(&outbound), under_way, "seed {seed}");
    }
}

#[cfg(feature = "alloc")]
#[test]
fn a_vector_grows_from_any_number_of_slots() {
    for slots in 0..=20 {
        for seed in 0..50 {
            check_while_growing(std::vec![Slot::EMPTY; slots], seed);
        }
    }
}

/// Grows by a number of slots.
#[cfg(feature = "alloc")]
struct By(Vec<Slot>, usize);

#[cfg(feature = "alloc")]
impl Slots for By {
    fn as_slice(&self) -> &[Slot] {
        &self.0
    }

    fn as_mut_slice(&mut self) -> &mut [Slot] {
        &mut self.0
    }

    fn grow(&mut self) -> bool {
        self.0
            .resize(self.0.len().saturating_add(self.1), Slot::EMPTY);
        true
    }
}

#[cfg(feature = "alloc")]
#[test]
fn slots_of_ones_own_may_grow_to_any_multiple_or_to_all() {
    for (slots, more) in [(1, 2), (2, 4), (3, 3), (3, 65_533), (4, 65_536)] {
        let mut outbound = Outbound::new(By(std::vec![Slot::EMPTY; slots], more));
        let sent: Vec<u16> = (0..=slots).map(|_| send(&mut outbound, Q1)).collect();
        assert_eq!(order(&outbound), sent);
    }
}

#[cfg(feature = "alloc")]
#[test]
fn slots_that_grow_to_another_number_make_the_session_forget_and_go_on() {
    let mut outbound = Outbound::new(By(std::vec![Slot::EMPTY; 3], 5));
    for expected in 1..=3 {
        assert_eq!(send(&mut outbound, Q1), expected);
    }
    let next = send(&mut outbound, Q1);
    assert_eq!(order(&outbound), [next]);
    outbound.complete(id(next));
    assert!(outbound.is_empty());
}

#[test]
fn clearing_does_not_start_again_at_1() {
    let mut outbound = Outbound::new([Slot::EMPTY; 2]);
    assert_eq!([send(&mut outbound, Q1), send(&mut outbound, Q1)], [1, 2]);
    outbound.complete(id(1));
    outbound.clear();
    assert_eq!(send(&mut outbound, Q1), 3);
}
