//! Packet Identifiers that a peer chooses: held for ever, colliding, and acknowledged in the worst
//! order.

use mqtt_sansio::{Blocked, QoS};

use crate::conversation::{id, inbound_limit};
use crate::*;

/// The most bytes that a vector of this many slots allocates: it doubles from 8 on, and while it
/// doubles, the old and the new block exist.
pub(crate) fn bytes_for(slots: u64) -> u64 {
    let slots = slots.max(8).next_power_of_two();
    8 * (slots + slots / 2)
}

/// The most slot accesses for one packet, whatever was received before, if no identifiers collide.
const FEW: u64 = 40;

for_all_sides! {
    /// 65,535 QoS 2 messages that are never released: the configured limit holds, and memory
    /// follows it.
    fn messages_that_are_never_released_are_held_up_to_the_limit<Us>() {
        for limit in [1, 2, 100, 1024, 65_534] {
            let mut us = connected::<Us>(CONFIG.receive_maximum(limit));
            let mut taken = 0;
            let held = heap(|| {
                for number in 1..=u16::MAX {
                    let dealt = deal(&mut us, &publish(QOS_2, number));
                    if taken == limit {
                        assert_eq!(dealt, Dealt::NOTHING, "left out");
                        continue;
                    }
                    assert!(dealt.told);
                    taken += 1;
                }
            });
            assert_eq!(taken, limit);
            assert!(held.bytes_max <= bytes_for(u64::from(limit)), "{limit}: {held:?}");
        }
    }

    /// A fixed number of slots is the limit, and nothing is allocated.
    fn messages_that_are_never_released_are_held_as_far_as_there_are_slots<Us>() {
        for slots in [0, 1, 7] {
            let mut us = connected_with::<Us>(CONFIG, slots);
            let held = heap(|| {
                for number in 1..=u16::try_from(slots).unwrap() {
                    assert_eq!(deal(&mut us, &publish(QOS_2, number)).error, None);
                }
                let one_more = deal(&mut us, &publish(QOS_2, 100));
                if slots == 0 {
                    // No held message could be released.
                    assert_eq!(one_more.closed, Some(inbound_limit(0)));
                } else {
                    assert_eq!(one_more, Dealt::NOTHING);
                }
            });
            assert_eq!(held.count_total, 0, "{slots}");
        }
    }

    /// All 65,535 identifiers, if the configuration allows it; then released in another order.
    fn each_of_65535_unreleased_messages_costs_the_same<Us>() {
        let mut us = connected::<Us>(CONFIG.receive_maximum(65_535));
        let mut sum = 0;
        let held = heap(|| {
            for number in 1..=u16::MAX {
                sum += accesses(|| {
                    let dealt = deal(&mut us, &publish(QOS_2, number));
                    assert_eq!(dealt, told_and_answered(pubrec(number)));
                });
                // Doubling moves each of them once or twice in total.
                assert!(sum <= 2 * FEW * (u64::from(number) + 8), "{number}: {sum}");
            }
        });
        assert!(held.bytes_max <= bytes_for(65_535), "{held:?}");
        for number in scattered() {
            let count = accesses(|| {
                assert_eq!(deal(&mut us, &pubrel(number)), answered(pubcomp(number)));
            });
            assert!(count <= FEW, "{number}: {count}");
        }
        assert!(us.slots().is_empty());
    }

    /// The same again and again: released slots are used again, so memory does not grow.
    fn messages_that_come_and_go_take_no_more_memory_than_are_there_at_once<Us>() {
        let mut us = connected::<Us>(CONFIG);
        for number in 1..=16 {
            assert!(deal(&mut us, &publish(QOS_2, number)).told);
        }
        let held = heap(|| {
            for number in 17..=60_000 {
                assert_eq!(deal(&mut us, &pubrel(number - 16)), answered(pubcomp(number - 16)));
                assert!(deal(&mut us, &publish(QOS_2, number)).told);
            }
        });
        assert_eq!(held.count_total, 0);
    }

    /// An identifier hashes to the slot of its number modulo the number of slots. A peer that knows
    /// this can make all its identifiers collide. A chain has at most as many as there are slots,
    /// and at most 65,536 divided by that number.
    fn identifiers_that_all_collide_cost_no_more_than_a_chain_of_256<Us>() {
        for slots in [4_u16, 64, 255, 256, 257, 1024, 8192] {
            let mut us = connected_with::<Us>(CONFIG.receive_maximum(u16::MAX), usize::from(slots));
            let chain = u64::from((u16::MAX / slots + 1).min(slots));
            let colliding = || (1..=u16::MAX).filter(move |number| number % slots == 1).take(slots.into());
            let mut worst = 0;
            for number in colliding() {
                worst = worst.max(accesses(|| {
                    assert!(deal(&mut us, &publish(QOS_2, number)).told);
                }));
            }
            // Resent, and forgotten from both ends of the chain.
            for number in colliding() {
                worst = worst.max(accesses(|| {
                    let again = deal(&mut us, &publish(QOS_2 | DUP, number));
                    assert_eq!(again, answered(pubrec(number)));
                }));
            }
            let mut left: std::collections::VecDeque<u16> = colliding().collect();
            while let Some(number) = left.pop_front() {
                worst = worst.max(accesses(|| {
                    assert_eq!(deal(&mut us, &pubrel(number)), answered(pubcomp(number)));
                }));
                left.rotate_left(left.len() / 2);
            }
            assert!(chain <= 257);
            assert!(worst <= FEW + 6 * chain, "{slots} slots, a chain of {chain}: {worst}");
            if chain > 50 {
                assert!(worst > chain, "{slots} slots, a chain of {chain}: {worst}, so they do not collide");
            }
            assert!(us.slots().is_empty());
        }
    }

    /// Identifiers in slots to which others hash, so that each new one moves an old one.
    fn identifiers_that_sit_in_the_slots_of_others_cost_no_more_than_a_chain_of_256<Us>() {
        let slots = 512_u16;
        let mut us = connected_with::<Us>(CONFIG, usize::from(slots));
        // The 128 identifiers of the first slot occupy the next free ones.
        let colliding = (0..128).map(|n| 1 + n * slots);
        let newcomers = 2..=slots - 128;
        let mut worst = 0;
        for number in colliding.chain(newcomers) {
            worst = worst.max(accesses(|| {
                assert!(deal(&mut us, &publish(QOS_2, number)).told);
            }));
        }
        assert!(worst <= FEW + 6 * 128, "{worst}");
    }

    /// Identifiers with reversed bits collide at each size while the slots double.
    fn identifiers_that_collide_at_each_size_of_growing_slots_are_bounded_all_the_same<Us>() {
        let mut us = connected::<Us>(CONFIG.receive_maximum(u16::MAX));
        let numbers = || (1..=u16::MAX).map(u16::reverse_bits);
        let total = accesses(|| {
            for number in numbers() {
                assert!(deal(&mut us, &publish(QOS_2, number)).told);
            }
        });
        assert!(total <= 65_535 * (FEW + 6 * 256), "{total}");
        let total = accesses(|| {
            for number in numbers() {
                assert_eq!(deal(&mut us, &pubrel(number)), answered(pubcomp(number)));
            }
        });
        assert!(total <= 65_535 * FEW, "{total}: each has a slot of its own now");
    }

    /// A peer that acknowledges the newest message first, in random order, or all but the oldest.
    fn acknowledgements_cost_the_same_in_whatever_order_they_come<Us>() {
        let newest_first: Vec<u16> = (1..=u16::MAX).rev().collect();
        for order in [newest_first, scattered().collect()] {
            let mut us = connected::<Us>(CONFIG);
            let mut out = Vec::new();
            for number in 1..=u16::MAX {
                let given = us.publishes(QoS::AtLeastOnce, &mut out);
                assert_eq!(given, Ok(Some(id(number))));
                out.clear();
            }
            for number in order {
                let count = accesses(|| assert_eq!(deal(&mut us, &puback(number)), Dealt::TOLD));
                assert!(count <= FEW, "{number}: {count}");
            }
            assert!(us.slots().is_empty());
        }
    }

    /// Publishing skips the one identifier that stays in use, at the same cost.
    fn a_message_that_is_never_acknowledged_does_not_slow_down_the_others<Us>() {
        let mut us = connected_with::<Us>(CONFIG, 64);
        let mut out = Vec::with_capacity(64);
        let mut publish = |us: &mut Us::Side| {
            out.clear();
            let given = us.publishes(QoS::ExactlyOnce, &mut out);
            given.unwrap().unwrap().get()
        };
        assert_eq!(publish(&mut us), 1);
        let held = heap(|| {
            for _ in 0..100_000 {
                let count = accesses(|| {
                    let number = publish(&mut us);
                    assert_ne!(number, 1);
                    let released = told_and_answered(pubrel(number));
                    assert_eq!(deal(&mut us, &pubrec(number)), released);
                    assert_eq!(deal(&mut us, &pubcomp(number)), Dealt::TOLD);
                });
                assert!(count <= 3 * FEW, "{count}");
            }
        });
        assert_eq!(held.count_total, 0);
    }

    /// While messages are resent one at a time, the peer releases those at the other end of the
    /// queue.
    fn sending_again_is_linear_whatever_is_acknowledged_meanwhile<Us>() {
        const MESSAGES: u16 = 8192;
        let mut us = connected::<Us>(CONFIG);
        let mut out = Vec::new();
        for _ in 0..MESSAGES {
            us.publishes(QoS::ExactlyOnce, &mut out).unwrap();
        }
        us.transport_closes();
        while us.poll().is_some() {}
        let us = &mut Us::connected(CONFIG.max_inflight(1), us.take());
        assert_eq!(us.poll(), Some(Task::Resend(id(1))));
        let mut asked = 1;
        let total = accesses(|| {
            for newest in (MESSAGES / 2 + 1..=MESSAGES).rev() {
                let oldest = id(asked);
                us.resends(oldest, QoS::ExactlyOnce, &mut out).unwrap();
                for number in [newest, asked] {
                    let _ = deal(us, &pubrec(number));
                    // The message that was sent is complete, so its place in the window is free.
                    let done = deal(us, &pubcomp(number));
                    assert_eq!((done.told, done.error), (true, None));
                    assert_eq!(done.actions > 0, number == asked && number < MESSAGES / 2);
                }
                asked += 1;
            }
        });
        assert!(us.slots().is_empty());
        assert!(total <= u64::from(MESSAGES) * 3 * FEW, "{total}");
    }

    /// An application that acknowledges late: the peer is held back, and the connection stays open.
    fn messages_that_the_application_does_not_acknowledge_hold_the_peer_back<Us>() {
        let config = CONFIG.manual_acknowledgement(true).receive_maximum(50);
        let mut us = connected::<Us>(config);
        let held = heap(|| {
            for number in 1..=50 {
                assert_eq!(deal(&mut us, &publish(QOS_1, number)), Dealt::TOLD);
            }
            for number in 51..=u16::MAX {
                let later = Dealt {
                    error: Some(HandleError::Blocked(Blocked::InboundFull)),
                    ..Dealt::NOTHING
                };
                assert_eq!(deal(&mut us, &publish(QOS_1, number)), later);
                // The packets received are no new messages.
                let again = deal(&mut us, &publish(QOS_1 | DUP, 1 + number % 50));
                assert_eq!(again, Dealt::NOTHING);
            }
        });
        assert!(held.bytes_max <= bytes_for(50), "{held:?}");
        us.acknowledges(id(1)).unwrap();
        assert!(matches!(us.poll(), Some(Task::Transmit(_))));
        assert_eq!(deal(&mut us, &publish(QOS_1, 51)), Dealt::TOLD);
    }
}
