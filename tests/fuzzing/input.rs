//! The values that several targets read from their bytes first.

use arbitrary::Unstructured;
use mqtt_sansio::Options;

/// Returns a number below `end`; 0 once the bytes are used up.
pub(super) fn below(u: &mut Unstructured<'_>, end: usize) -> usize {
    let number = usize::from(u.arbitrary::<u16>().unwrap_or_default());
    number % end.max(1)
}

/// Returns a small number, from one byte; 0 once the bytes are used up.
pub(super) fn byte(u: &mut Unstructured<'_>) -> usize {
    u.arbitrary::<u8>().unwrap_or_default().into()
}

pub(super) fn bit(u: &mut Unstructured<'_>) -> bool {
    byte(u) & 1 == 1
}

/// Returns any options, from three bytes; the defaults for three zeros.
pub(super) fn options(u: &mut Unstructured<'_>) -> Options {
    limited_options(u).0
}

/// Returns the same, and their limit for packets.
pub(super) fn limited_options(u: &mut Unstructured<'_>) -> (Options, u32) {
    let switches = byte(u);
    let on = |bit: usize| switches & bit != 0;
    // Limits that short inputs can exceed.
    let max_packet_size = match byte(u) {
        0..128 => 1024 * 1024,
        size => small(size - 128),
    };
    let mut options = Options::new()
        .accept_pubrel_flags(on(1))
        .accept_acknowledgement_flags(on(2))
        .accept_dup_on_requests(on(4))
        .accept_dup_at_qos_0(on(8))
        .accept_packet_id_0(on(32))
        .refuse_overlong_remaining_length(on(16))
        .max_packet_size(max_packet_size);
    match byte(u) {
        0..128 => {}
        filters @ 128..192 => options = options.max_filters(small(filters - 128)),
        size => options = options.max_publish_size(small(size - 192) * 4),
    }
    (options, max_packet_size)
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
